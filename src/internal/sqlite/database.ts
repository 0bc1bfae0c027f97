import { closeSync, openSync, statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { monotonicNow } from '../monotonic-clock.js';
import { DatabaseFileError, damaged, explain, isBusy, notSqlite, sqliteCode } from './errors.js';
import { checkFileAccess } from './file-access.js';

export const IN_MEMORY = ':memory:';

// What quick_check reads in well under a second. A larger file is not kept waiting: damage in it shows when it is read.
const CHECKED_BYTES = 64 * 1024 * 1024;

const SQLITE_READONLY_ROLLBACK = 776;

/** What makes a database file this program's, and which of its kinds it is. */
export interface DatabaseFormat {
  /** Four ASCII characters as a number, for `PRAGMA application_id`. */
  readonly applicationId: number;
  /** Goes up by one with every change to the tables. */
  readonly schemaVersion: number;
  /** Makes the tables of a new file. */
  readonly createSchema: string;
  /** Brings the tables of an older version up to date, within a transaction. Called for every file that has tables. */
  readonly migrate?: ((db: DatabaseSync) => void) | undefined;
}

export interface DatabaseOptions extends DatabaseFormat {
  /** A file, or `:memory:`. */
  readonly path: string;
  /** What is committed survives the death of the process (`NORMAL`), or a power cut, too (`FULL`). */
  readonly synchronous: 'NORMAL' | 'FULL';
  /** How long to wait for other connections, in milliseconds. */
  readonly busyTimeoutMs: number;
  /**
   * Whether what is deleted is overwritten (`secure_delete`), and a new file can give back the room that it took
   * (`incremental_vacuum`).
   */
  readonly erasesDeleted?: boolean | undefined;
  /** Is told, once for each file and process, who else can get at the file. */
  readonly warn?: ((message: string) => void) | undefined;
}

type InspectOptions = DatabaseFormat & Pick<DatabaseOptions, 'path' | 'busyTimeoutMs'>;

// Of files of which something was said.
const warned = new Set<string>();
const MAX_WARNED = 1000;

/**
 * Opens a database, and makes it if it isn't there: readable by its owner only, since it holds transcripts.
 *
 * A file that is damaged, that belongs to another program or to a newer version of this one is left as it is.
 *
 * @throws {@link DatabaseFileError} the file can't be used; the message says why and what to do
 */
export function openDatabase(options: DatabaseOptions): DatabaseSync {
  const { path, synchronous, busyTimeoutMs, createSchema, applicationId, schemaVersion, migrate, warn } = options;
  let db: DatabaseSync | undefined;
  try {
    if (path !== IN_MEMORY) {
      const warnings = checkFileAccess(path);
      if (!createFile(path)) inspectFile(options);
      for (const warning of warnings) warnOnce(warning, warn);
    }
    db = new DatabaseSync(path);
    db.exec(`PRAGMA busy_timeout = ${busyTimeoutMs}`);
    if (options.erasesDeleted) eraseDeleted(db, busyTimeoutMs);
    switchToWal(db, busyTimeoutMs);
    db.exec(`PRAGMA synchronous = ${synchronous}`);
    db.exec('BEGIN IMMEDIATE');
    if (needsSchema(db, options)) {
      db.exec(createSchema);
      db.exec(`PRAGMA application_id = ${applicationId}`);
      db.exec(`PRAGMA user_version = ${schemaVersion}`);
    } else migrate?.(db);
    db.exec('COMMIT');
    return db;
  } catch (error) {
    db?.close();
    throw explain(error, path);
  }
}

/** Moves the write-ahead log into the file and closes it. Again is nothing. */
export function closeDatabase(db: DatabaseSync): void {
  if (!db.isOpen) return;
  try {
    // Another process that reads would make the checkpoint wait; closing does not depend on it.
    db.exec('PRAGMA busy_timeout = 0');
    db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  } catch {
    // What can't be moved stays in the log, and is found there when the file is opened again.
  } finally {
    db.close();
  }
}

/** All that `work` stores is kept, or, when it throws, nothing of it. Inside another one it joins that. */
export function inTransaction<T>(db: DatabaseSync, work: () => T): T {
  if (db.isTransaction) return work();
  db.exec('BEGIN IMMEDIATE');
  try {
    const result = work();
    db.exec('COMMIT');
    return result;
  } catch (error) {
    // Some errors, a full disk among them, have rolled back by themselves.
    if (db.isTransaction) db.exec('ROLLBACK');
    throw error;
  }
}

/**
 * Tries `work` again for as long as another connection is in the way. SQLite's own wait looks less and less often, down to
 * ten times a second: where others write all the time, it misses the gaps between them.
 */
export function patiently<T>(work: () => T, timeoutMs: number): T {
  const pause = new Int32Array(new SharedArrayBuffer(4));
  for (const deadline = monotonicNow() + timeoutMs; ; Atomics.wait(pause, 0, 0, 1)) {
    try {
      return work();
    } catch (error) {
      if (!isBusy(error) || monotonicNow() > deadline) throw error;
    }
  }
}

function eraseDeleted(db: DatabaseSync, busyTimeoutMs: number): void {
  db.exec('PRAGMA secure_delete = ON');
  // Only a file without pages takes it; any other takes it with its next VACUUM.
  if (pragma(db, 'page_count') === 0) patiently(() => db.exec('PRAGMA auto_vacuum = INCREMENTAL'), busyTimeoutMs);
}

function warnOnce(warning: string, warn: DatabaseOptions['warn']): void {
  if (warn === undefined || warned.has(warning) || warned.size >= MAX_WARNED) return;
  warned.add(warning);
  warn(warning);
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

/**
 * Looks through a read-only connection, because even opening a file for writing can change it. By SQLite alone: a program that
 * opens the file itself and closes it lets go of all locks that SQLite has on it in this process, as POSIX has it.
 */
export function inspectFile(options: InspectOptions): void {
  const { path, busyTimeoutMs } = options;
  const stats = statSync(path);
  if (!stats.isFile())
    throw new DatabaseFileError('inaccessible', `${path} is not a file: choose another place for the database`);
  if (stats.size === 0) return;
  // SQLite takes it for an empty file, and would write over it.
  if (stats.size === 1) throw notSqlite(path);
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(path, { readOnly: true });
    db.exec(`PRAGMA busy_timeout = ${busyTimeoutMs}`);
    needsSchema(db, options);
    if (stats.size <= CHECKED_BYTES && pragma(db, 'quick_check(1)') !== 'ok') throw damaged(path);
  } catch (error) {
    // A crash in the middle of making the file leaves a journal that only a writer can roll back.
    if (sqliteCode(error) !== SQLITE_READONLY_ROLLBACK) throw error;
  } finally {
    db?.close();
  }
}

export function needsSchema(db: DatabaseSync, { path, applicationId, schemaVersion }: InspectOptions): boolean {
  const version = Number(pragma(db, 'user_version'));
  const owner = Number(pragma(db, 'application_id'));
  const tables = db.prepare('SELECT count(*) AS n FROM sqlite_schema').get()?.n;
  if (owner === 0 && version === 0 && tables === 0) return true;
  if (owner !== applicationId)
    throw new DatabaseFileError('foreign', `${path} is a database of another program: choose another file`);
  if (version > schemaVersion)
    throw new DatabaseFileError(
      'newer',
      `${path} was written by a newer synap-recorder (its schema is ${version}, this one knows ${schemaVersion}): update synap-recorder, or choose another file`,
    );
  return false;
}

function pragma(db: DatabaseSync, name: string): unknown {
  return Object.values(db.prepare(`PRAGMA ${name}`).get() ?? {})[0];
}

/** SQLite's own wait does not cover this switch, and two processes may start on a new file at the same moment. */
function switchToWal(db: DatabaseSync, busyTimeoutMs: number): void {
  patiently(() => db.exec('PRAGMA journal_mode = WAL'), busyTimeoutMs);
}
