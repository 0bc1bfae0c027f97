import { createHash } from 'node:crypto';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { closeDatabase, type DatabaseFormat, inTransaction, openDatabase } from 'synap-recorder/node-sqlite';

const FORMAT: DatabaseFormat = {
  // "SYNI" in ASCII.
  applicationId: 0x53594e49,
  schemaVersion: 1,
  // One row a message: 16 bytes of a hash of where it goes and of its key, and whether it is known to have arrived.
  createSchema: `
    CREATE TABLE messages (
      hash      BLOB PRIMARY KEY,
      delivered INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
  `,
};

const BUSY_TIMEOUT_MS = 1000;
const HASH_BYTES = 16;

/** What an earlier run knows of a message: Synap has it, or may have it. */
export type Progress = 'delivered' | 'maybe';

/**
 * What an import has delivered, in a small file, so that an interrupted import goes on, and a finished one sends nothing
 * again. A message is written down as `maybe` before it is sent, so that one whose outcome a crash left open is known. The
 * file contains hashes, and no message text.
 */
export class ImportState {
  readonly #db: DatabaseSync;
  readonly #target: string;
  readonly #find: StatementSync;
  readonly #put: StatementSync;
  readonly #delete: StatementSync;

  /**
   * @param path a file, created when missing, or `:memory:`
   * @param target where the messages go: each target has progress of its own
   * @throws DatabaseFileError the file can't be used, or another import has it open
   */
  constructor(path: string, target: string) {
    this.#target = target;
    this.#db = openDatabase({ path, ...FORMAT, synchronous: 'NORMAL', busyTimeoutMs: BUSY_TIMEOUT_MS });
    // Two imports of a file at the same time would send everything twice. The lock is taken with the first write.
    this.#db.exec(
      `PRAGMA locking_mode = EXCLUSIVE; BEGIN IMMEDIATE; PRAGMA user_version = ${FORMAT.schemaVersion}; COMMIT`,
    );
    this.#find = this.#db.prepare('SELECT delivered FROM messages WHERE hash = ?');
    this.#put = this.#db.prepare(
      'INSERT INTO messages (hash, delivered) VALUES (?, ?) ON CONFLICT (hash) DO UPDATE SET delivered = excluded.delivered',
    );
    this.#delete = this.#db.prepare('DELETE FROM messages WHERE hash = ?');
  }

  progressOf(key: string): Progress | undefined {
    const row = this.#find.get(this.#hash(key));
    return row && (row.delivered === 1 ? 'delivered' : 'maybe');
  }

  /** Writes down what is known of messages; undefined: they have not arrived. */
  note(changes: Iterable<readonly [key: string, progress: Progress | undefined]>): void {
    inTransaction(this.#db, () => {
      for (const [key, progress] of changes) {
        if (progress === undefined) this.#delete.run(this.#hash(key));
        else this.#put.run(this.#hash(key), progress === 'delivered' ? 1 : 0);
      }
    });
  }

  close(): void {
    closeDatabase(this.#db);
  }

  #hash(key: string): Uint8Array {
    return createHash('sha256')
      .update(JSON.stringify([this.#target, key]))
      .digest()
      .subarray(0, HASH_BYTES);
  }
}
