import type { DatabaseSync, StatementSync } from 'node:sqlite';

/** Statements by name, each prepared when it is first used. */
export class Statements<Name extends string> {
  readonly #db: DatabaseSync;
  readonly #sql: Readonly<Record<Name, string>>;
  readonly #prepared = new Map<Name, StatementSync>();

  constructor(db: DatabaseSync, sql: Readonly<Record<Name, string>>) {
    this.#db = db;
    this.#sql = sql;
  }

  get(name: Name): StatementSync {
    let statement = this.#prepared.get(name);
    if (statement === undefined) {
      statement = this.#db.prepare(this.#sql[name]);
      this.#prepared.set(name, statement);
    }
    return statement;
  }
}
