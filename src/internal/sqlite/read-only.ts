import { statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { type DatabaseFormat, inspectFile, needsSchema } from './database.js';
import { DatabaseFileError, explain } from './errors.js';

/**
 * Opens a database that is there, to look at it only: nothing in it changes.
 *
 * @throws {@link DatabaseFileError} there is none, or it can't be used; the message says why and what to do
 */
export function openReadOnly(
  options: DatabaseFormat & { readonly path: string; readonly busyTimeoutMs: number },
): DatabaseSync {
  const { path, busyTimeoutMs } = options;
  let db: DatabaseSync | undefined;
  try {
    if (!statSync(path, { throwIfNoEntry: false }))
      throw new DatabaseFileError('inaccessible', `${path} does not exist: check the path`);
    inspectFile(options);
    db = new DatabaseSync(path, { readOnly: true });
    db.exec(`PRAGMA busy_timeout = ${busyTimeoutMs}`);
    if (needsSchema(db, options)) throw new DatabaseFileError('foreign', `${path} is empty: check the path`);
    return db;
  } catch (error) {
    db?.close();
    throw explain(error, path);
  }
}
