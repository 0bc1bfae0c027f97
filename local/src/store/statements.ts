import type { DatabaseSync, StatementSync } from 'node:sqlite';

/** The statements of a database, each prepared once. */
export class Statements {
  readonly #db: DatabaseSync;
  readonly #prepared = new Map<string, StatementSync>();

  constructor(db: DatabaseSync) {
    this.#db = db;
  }

  /** `sql` has a bounded number of forms: values go into its parameters. */
  of(sql: string): StatementSync {
    let statement = this.#prepared.get(sql);
    if (statement === undefined) {
      statement = this.#db.prepare(sql);
      this.#prepared.set(sql, statement);
    }
    return statement;
  }
}

const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });

/** A text that was selected as `CAST(… AS BLOB)`: node:sqlite of Node 22 ends a text at its first NUL when it reads one. */
export function textOf(bytes: unknown): string {
  return utf8.decode(bytes as Uint8Array);
}
