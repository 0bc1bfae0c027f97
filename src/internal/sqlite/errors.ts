const SQLITE_PERM = 3;
const SQLITE_BUSY = 5;
const SQLITE_READONLY = 8;
const SQLITE_CORRUPT = 11;
const SQLITE_FULL = 13;
const SQLITE_CANTOPEN = 14;
const SQLITE_IOERR_WRITE = 778;
const SQLITE_NOTADB = 26;

/**
 * What is wrong with a database file.
 *
 * Until somebody replaces the file, or chooses another: `foreign` (another program's), `newer` (of a newer version of
 * this one), `damaged`, `not_sqlite`. What may pass by itself: `locked`, `full` (the disk), `inaccessible` (no such
 * folder, no permission), `failed` (anything else).
 */
export type DatabaseProblem =
  | 'foreign'
  | 'newer'
  | 'damaged'
  | 'not_sqlite'
  | 'locked'
  | 'full'
  | 'inaccessible'
  | 'failed';

/** Why a database file can't be used. The message names the file and says what to do, in one line. */
export class DatabaseFileError extends Error {
  override readonly name = 'DatabaseFileError';
  readonly problem: DatabaseProblem;

  constructor(problem: DatabaseProblem, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.problem = problem;
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

/** Says in words what an error of SQLite, or of the file system, means for the file at `path`. */
export function explain(error: unknown, path: string): DatabaseFileError {
  if (error instanceof DatabaseFileError) return error;
  // A quota, or a limit on the size of files: for those SQLite has no code of their own.
  if (sqliteCode(error) === SQLITE_IOERR_WRITE)
    return new DatabaseFileError('full', `${path} can't be written: look at the disk, and at the quota on it`, error);
  switch (sqliteCode(error) & 0xff) {
    case SQLITE_NOTADB:
      return notSqlite(path);
    case SQLITE_CORRUPT:
      return damaged(path);
    case SQLITE_BUSY:
      return new DatabaseFileError('locked', `${path} is locked by another program: close that first`, error);
    case SQLITE_FULL:
      return new DatabaseFileError('full', `${path} can't be written, the disk is full: make room on it`, error);
    case SQLITE_PERM:
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
      return inaccessible(path, error);
  }
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT' || code === 'ENOTDIR')
    return new DatabaseFileError('inaccessible', `${path} can't be made: its folder does not exist`, error);
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') return inaccessible(path, error);
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return new DatabaseFileError('full', `${path} can't be made, the disk is full: make room on it`, error);
  return new DatabaseFileError('failed', `${path} can't be used: ${message}`, error);
}

export function notSqlite(path: string): DatabaseFileError {
  return new DatabaseFileError('not_sqlite', `${path} is not a SQLite database: choose another file`);
}

export function damaged(path: string): DatabaseFileError {
  return new DatabaseFileError(
    'damaged',
    `${path} is damaged: put a backup in its place, or choose another file. It was left as it is`,
  );
}

function inaccessible(path: string, cause: unknown): DatabaseFileError {
  const advice = 'check the permissions, or choose another file';
  return new DatabaseFileError('inaccessible', `${path} can't be read and written: ${advice}`, cause);
}
