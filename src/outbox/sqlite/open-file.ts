import type { DatabaseSync } from 'node:sqlite';
import { openDatabase } from '../../internal/sqlite/database.js';
import { DatabaseFileError } from '../../internal/sqlite/errors.js';
import { FORMAT } from './schema.js';
import type { OutboxStatements } from './statements.js';

/** How long a call may wait for other processes, in milliseconds: it holds up the app. Their transactions are short. */
export const BUSY_TIMEOUT_MS = 250;

/**
 * Pages after which the write-ahead log is moved into the file: about 300 messages. The one of them that moves it takes
 * some milliseconds, so twice SQLite's default keeps it well out of the 99th percentile.
 */
const CHECKPOINT_PAGES = 2000;

export interface OutboxDatabaseOptions {
  readonly path: string;
  /** What is committed survives the end of the process, or a power cut, too. */
  readonly durability: 'normal' | 'full';
  /** Is told who else can get at the file. */
  readonly warn?: ((message: string) => void) | undefined;
}

/**
 * Opens the file of an outbox. From then on no statement waits for other processes by itself.
 *
 * @throws DatabaseFileError the file can't be used
 */
export function openOutboxDatabase({ path, durability, warn }: OutboxDatabaseOptions): DatabaseSync {
  const timing = { synchronous: 'NORMAL', busyTimeoutMs: BUSY_TIMEOUT_MS } as const;
  const db = openDatabase({ ...FORMAT, ...timing, path, erasesDeleted: true, warn });
  // What SQLite needs for a while is in memory, not in a file that others might read.
  db.exec(`PRAGMA busy_timeout = 0; PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES}; PRAGMA temp_store = MEMORY`);
  if (durability === 'full') strengthen(db);
  return db;
}

/** From now on what is committed survives a power cut. macOS keeps what was synced in the disk's own cache, unless it is asked for more. */
export function strengthen(db: DatabaseSync): void {
  db.exec('PRAGMA synchronous = FULL; PRAGMA fullfsync = ON');
}

/**
 * A newer version may have changed the tables while this one has the file open: then this one writes nothing any more.
 *
 * @throws DatabaseFileError the file is of another version by now
 */
export function checkVersion(statements: OutboxStatements, path: string): void {
  const version = Number(statements.get('version').get()?.user_version);
  if (version === FORMAT.schemaVersion) return;
  throw new DatabaseFileError(
    'newer',
    `${path} is in use by a newer synap-recorder, which has changed its tables (its schema is ${version}, this one knows ${FORMAT.schemaVersion}): update synap-recorder in this process, or end it`,
  );
}
