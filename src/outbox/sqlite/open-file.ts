import type { DatabaseSync } from 'node:sqlite';
import { openDatabase } from '../../internal/sqlite/database.js';
import { FORMAT } from './schema.js';

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
}

/**
 * Opens the file of an outbox. From then on no statement waits for other processes by itself.
 *
 * @throws DatabaseFileError the file can't be used
 */
export function openOutboxDatabase({ path, durability }: OutboxDatabaseOptions): DatabaseSync {
  const synchronous = durability === 'full' ? 'FULL' : 'NORMAL';
  const db = openDatabase({ ...FORMAT, path, synchronous, busyTimeoutMs: BUSY_TIMEOUT_MS });
  db.exec(`PRAGMA busy_timeout = 0; PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES}`);
  // macOS keeps what was synced in the disk's own cache, unless it is asked for more.
  if (durability === 'full') db.exec('PRAGMA fullfsync = ON');
  return db;
}
