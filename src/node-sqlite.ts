/**
 * `synap-recorder/node-sqlite`: for a program that keeps a file of its own in `node:sqlite`, as `synap-recorder-local`
 * does.
 *
 * It exports how a file is opened (its kind and version are checked, its damage is found), used in transactions, and
 * closed, and errors that name the file and say what to do. Nothing here knows of Synap.
 */
export {
  closeDatabase,
  type DatabaseFormat,
  type DatabaseOptions,
  IN_MEMORY,
  inTransaction,
  openDatabase,
} from './internal/sqlite/database.js';
export { DatabaseFileError, type DatabaseProblem, isBusy, sqliteCode } from './internal/sqlite/errors.js';
export { openReadOnly } from './internal/sqlite/read-only.js';
