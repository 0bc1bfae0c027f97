import { realpathSync, type Stats, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { closeDatabase } from '../../internal/sqlite/database.js';
import { Statements } from '../../internal/sqlite/statements.js';
import { Housekeeping } from './housekeeping.js';
import { type OutboxDatabaseOptions, openOutboxDatabase, strengthen } from './open-file.js';
import { type OutboxStatements, SQL } from './statements.js';

/** What all outboxes on a file should have in common. */
const COMPARED = ['durability', 'maxBytes', 'maxMessages', 'leaseMs'] as const;

interface SharedOptions extends OutboxDatabaseOptions {
  readonly maxBytes: number;
  readonly maxMessages: number;
  readonly leaseMs: number;
}

interface Handle {
  readonly key: string;
  readonly db: DatabaseSync;
  readonly statements: OutboxStatements;
  readonly housekeeping: Housekeeping;
  readonly options: SharedOptions;
  readonly file: Stats | undefined;
  users: number;
  isDifferenceSaid: boolean;
}

// By the whole path, without links.
const handles = new Map<string, Handle>();

export interface ShareOptions {
  isDeliveredByOthers(statements: OutboxStatements): boolean;
  warn(message: string): void;
}

/**
 * A share in the one connection that this process has to an outbox file, however many outboxes it makes on it, under whatever
 * names: an app may make one for each request and never close it. The last one that closes closes the file.
 *
 * Each call of an outbox is one transaction from its beginning to its end, so two of them never meet on the connection.
 */
export class SharedHandle {
  readonly #handle: Handle;
  #isOpen = true;

  /** @throws DatabaseFileError the file can't be used */
  constructor(options: SharedOptions, { isDeliveredByOthers, warn }: ShareOptions) {
    const key = keyOf(options.path);
    const known = handles.get(key);
    this.#handle = known && isSameFile(known.file, statOf(key)) ? known : open(key, options, isDeliveredByOthers, warn);
    this.#handle.users++;
    if (known === this.#handle) this.#join(known, options, warn);
  }

  get db(): DatabaseSync {
    return this.#handle.db;
  }

  get statements(): OutboxStatements {
    return this.#handle.statements;
  }

  /** Something was deleted from the file. */
  deleted(): void {
    this.#handle.housekeeping.deleted();
  }

  /** Again is nothing. */
  close(): void {
    this.#leave(handle => {
      handle.housekeeping.finish();
      closeDatabase(handle.db);
    });
  }

  /**
   * The file has failed: whoever opens it from now on opens it anew. Those that share this connection find out by themselves.
   * Does nothing after close().
   */
  abandon(): void {
    if (!this.#isOpen) return;
    if (handles.get(this.#handle.key) === this.#handle) handles.delete(this.#handle.key);
    this.#leave(({ db }) => {
      if (db.isOpen) db.close();
    });
  }

  #leave(last: (handle: Handle) => void): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    const handle = this.#handle;
    handle.users--;
    if (handle.users > 0) return;
    if (handles.get(handle.key) === handle) handles.delete(handle.key);
    handle.housekeeping.stop();
    last(handle);
  }

  #join(handle: Handle, options: SharedOptions, warn: ShareOptions['warn']): void {
    if (options.durability === 'full') strengthen(handle.db);
    const different = COMPARED.filter(name => options[name] !== handle.options[name]);
    if (different.length === 0 || handle.isDifferenceSaid) return;
    handle.isDifferenceSaid = true;
    warn(
      `${options.path} is used by several outboxes of this process with different options (${different.join(', ')}): durability "full" of one counts for all, of the others each goes by its own. Give them the same options`,
    );
  }
}

function open(
  key: string,
  options: SharedOptions,
  isDeliveredByOthers: ShareOptions['isDeliveredByOthers'],
  warn: ShareOptions['warn'],
): Handle {
  const db = openOutboxDatabase({ ...options, warn });
  const statements = new Statements(db, SQL);
  const housekeeping = new Housekeeping(db, {
    path: options.path,
    isDeliveredByOthers: () => isDeliveredByOthers(statements),
    warn,
  });
  // A process that died, or an older version, may have left something.
  housekeeping.deleted();
  const handle = { key, db, statements, housekeeping, options, file: statOf(key), users: 0, isDifferenceSaid: false };
  handles.set(key, handle);
  return handle;
}

function keyOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    try {
      return join(realpathSync(dirname(path)), basename(path));
    } catch {
      return path;
    }
  }
}

function statOf(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

/** Somebody may have put another file in its place. */
function isSameFile(a: Stats | undefined, b: Stats | undefined): boolean {
  return a !== undefined && b !== undefined && a.dev === b.dev && a.ino === b.ino;
}
