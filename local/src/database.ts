import { DatabaseFileError, openDatabase as open } from 'synap-recorder/node-sqlite';

export { IN_MEMORY, isBusy, sqliteCode } from 'synap-recorder/node-sqlite';

import type { DatabaseSync } from 'node:sqlite';
import { LocalSynapError } from './errors.js';
import { migrate } from './migrate.js';
import { APPLICATION_ID, CREATE_SCHEMA, SCHEMA_VERSION } from './schema.js';

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
    });
  } catch (error) {
    throw error instanceof DatabaseFileError ? new LocalSynapError(error.message, { cause: error.cause }) : error;
  }
}
