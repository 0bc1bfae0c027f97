import { DatabaseFileError, openDatabase as open, sqliteCode } from 'synap-recorder/node-sqlite';

export { IN_MEMORY, isBusy, sqliteCode } from 'synap-recorder/node-sqlite';

import type { DatabaseSync } from 'node:sqlite';
import { LocalSynapError } from './errors.js';
import { migrate } from './migrate.js';
import { APPLICATION_ID, CREATE_SCHEMA, SCHEMA_VERSION } from './schema.js';

const SQLITE_FULL = 13;
// The file beside the database that its users share can't grow.
const SQLITE_IOERR_SHMSIZE = 4874;
const SQLITE_IOERR_WRITE = 778;

const SECOND = 1000;
const BUSY_TIMEOUT_MS = 5 * SECOND;

/**
 * Opens the database of a local Synap, and creates it when missing. What it commits is on disk when the commit
 * returns.
 *
 * @throws LocalSynapError the file can't be used; the message says why and what to do
 */
export function openDatabase(path: string): DatabaseSync {
  try {
    return open({
      path,
      applicationId: APPLICATION_ID,
      schemaVersion: SCHEMA_VERSION,
      createSchema: CREATE_SCHEMA,
      synchronous: 'FULL',
      busyTimeoutMs: BUSY_TIMEOUT_MS,
      migrate,
      warn: message => console.warn(`synap-recorder-local: ${message}`),
    });
  } catch (error) {
    throw error instanceof DatabaseFileError ? new LocalSynapError(error.message, { cause: error.cause }) : error;
  }
}

/** Whether `error` is SQLite's "the disk is full", or a write that a quota or a limit of file sizes has refused. */
export function isFull(error: unknown): boolean {
  const code = sqliteCode(error);
  return (code & 0xff) === SQLITE_FULL || code === SQLITE_IOERR_SHMSIZE || code === SQLITE_IOERR_WRITE;
}
