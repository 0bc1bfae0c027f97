import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { LocalSynapError } from './errors.js';
import { APPLICATION_ID, CREATE_SCHEMA, SCHEMA_VERSION } from './schema.js';

export const IN_MEMORY = ':memory:';

const SECOND = 1000;
const BUSY_TIMEOUT_MS = 5 * SECOND;

// What quick_check reads in well under a second. A larger file is not kept waiting: damage in it shows when it is read.
const CHECKED_BYTES = 64 * 1024 * 1024;

const SQLITE_BUSY = 5;
const SQLITE_CORRUPT = 11;
const SQLITE_NOTADB = 26;
const SQLITE_READONLY_ROLLBACK = 776;

/**
 * Opens the database of a local Synap, and makes it if it isn't there: readable by its owner only, since it holds
 * transcripts. What it commits is on disk when the commit returns.
 *
 * A file that is damaged, that belongs to another program or to a newer version of this one is left as it is.
 *
 * @throws LocalSynapError the file can't be used; the message says why and what to do
 */
export function openDatabase(path: string): DatabaseSync {
  let db: DatabaseSync | undefined;
  try {
    if (path !== IN_MEMORY && !createFile(path)) inspectFile(path);
    db = new DatabaseSync(path);
    db.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`);
    switchToWal(db);
    db.exec('PRAGMA synchronous = FULL');
    db.exec('BEGIN IMMEDIATE');
    if (needsSchema(db, path)) {
      db.exec(CREATE_SCHEMA);
      db.exec(`PRAGMA application_id = ${APPLICATION_ID}`);
      db.exec(`PRAGMA user_version = ${SCHEMA_VERSION}`);
    }
    db.exec('COMMIT');
    return db;
  } catch (error) {
    db?.close();
    throw explain(error, path);
  }
}

/** Whether `error` is SQLite's "somebody else is writing", after the wait that was allowed for. */
export function isBusy(error: unknown): boolean {
  return (sqliteCode(error) & 0xff) === SQLITE_BUSY;
}

/** SQLite's extended result code, or 0 for any other error. */
export function sqliteCode(error: unknown): number {
  const code = (error as { errcode?: unknown } | null)?.errcode;
  return typeof code === 'number' ? code : 0;
}

/** False when there is a file already. */
function createFile(path: string): boolean {
  try {
    closeSync(openSync(path, 'ax', 0o600));
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Looks through a read-only connection, because even opening a file for writing can change it. */
function inspectFile(path: string): void {
  const stats = statSync(path);
  if (!stats.isFile()) throw new LocalSynapError(`${path} is not a file: choose another place for the database`);
  if (stats.size === 0) return;
  if (!startsLikeSqlite(path)) throw notSqlite(path);
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(path, { readOnly: true });
    db.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`);
    needsSchema(db, path);
    if (stats.size <= CHECKED_BYTES && pragma(db, 'quick_check(1)') !== 'ok') throw damaged(path);
  } catch (error) {
    // A crash in the middle of making the file leaves a journal that only a writer can roll back.
    if (sqliteCode(error) !== SQLITE_READONLY_ROLLBACK) throw error;
  } finally {
    db?.close();
  }
}

function startsLikeSqlite(path: string): boolean {
  const magic = Buffer.from('SQLite format 3\0');
  const head = Buffer.alloc(magic.length);
  const file = openSync(path, 'r');
  try {
    readSync(file, head, 0, head.length, 0);
  } finally {
    closeSync(file);
  }
  return head.equals(magic);
}

function needsSchema(db: DatabaseSync, path: string): boolean {
  const version = Number(pragma(db, 'user_version'));
  const owner = Number(pragma(db, 'application_id'));
  const tables = db.prepare('SELECT count(*) AS n FROM sqlite_schema').get()?.n;
  if (owner === 0 && version === 0 && tables === 0) return true;
  if (owner !== APPLICATION_ID)
    throw new LocalSynapError(`${path} is a database of another program: choose another file`);
  if (version > SCHEMA_VERSION)
    throw new LocalSynapError(
      `${path} was written by a newer synap-recorder (its schema is ${version}, this one knows ${SCHEMA_VERSION}): update synap-recorder, or choose another file`,
    );
  return false;
}

function pragma(db: DatabaseSync, name: string): unknown {
  return Object.values(db.prepare(`PRAGMA ${name}`).get() ?? {})[0];
}

/** SQLite's own wait does not cover this switch, and two servers may start on a new file at the same moment. */
function switchToWal(db: DatabaseSync): void {
  const pause = new Int32Array(new SharedArrayBuffer(4));
  for (const deadline = Date.now() + BUSY_TIMEOUT_MS; ; Atomics.wait(pause, 0, 0, 20)) {
    try {
      db.exec('PRAGMA journal_mode = WAL');
      return;
    } catch (error) {
      if (!isBusy(error) || Date.now() > deadline) throw error;
    }
  }
}

function explain(error: unknown, path: string): LocalSynapError {
  if (error instanceof LocalSynapError) return error;
  const primary = sqliteCode(error) & 0xff;
  if (primary === SQLITE_NOTADB) return notSqlite(path);
  if (primary === SQLITE_CORRUPT) return damaged(path);
  if (primary === SQLITE_BUSY) return new LocalSynapError(`${path} is locked by another program: close that first`);
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') return new LocalSynapError(`${path} can't be made: its folder does not exist`);
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS')
    return new LocalSynapError(`${path} can't be read and written: check the permissions, or choose another file`);
  return new LocalSynapError(`${path} can't be opened: ${message}`, { cause: error });
}

function notSqlite(path: string): LocalSynapError {
  return new LocalSynapError(`${path} is not a SQLite database: choose another file`);
}

function damaged(path: string): LocalSynapError {
  return new LocalSynapError(
    `${path} is damaged: put a backup in its place, or choose another file. It was left as it is`,
  );
}
