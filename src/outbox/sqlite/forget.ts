import { closeDatabase, inTransaction, patiently } from '../../internal/sqlite/database.js';
import { Statements } from '../../internal/sqlite/statements.js';
import { listAccounts } from './accounts.js';
import { addToCounters, readRow } from './counters.js';
import { requeueInFlight } from './entry-moves.js';
import { type KeptEntry, type KeptState, OutboxReader } from './inspect.js';
import { purgeMessages } from './kept-messages.js';
import { isDelivering } from './lease-watch.js';
import { openOutboxDatabase } from './open-file.js';
import { OwnerLock } from './owner-lock.js';
import { SQL } from './statements.js';

const BUSY_TIMEOUT_MS = 5000;

const PURGED = ['pending', 'held', 'dead', 'expired'] as const;
const ALL: readonly KeptState[] = [...PURGED, 'in_flight'];

/** How many messages were taken out, by what they were; what is being sent stays. */
export interface Forgotten {
  readonly pending: number;
  readonly deadLetters: number;
  readonly inFlight: number;
}

/**
 * Counts the messages of a file that match.
 *
 * @throws DatabaseFileError there is no such file, or it is none of ours
 */
export function countMatching(path: string, matches: (entry: KeptEntry) => boolean): Forgotten {
  return find(path, matches).counts;
}

/**
 * Takes messages out of a file for good, whatever they wait for. What was pending counts as a dead letter that was purged. What
 * a process is sending stays; what one that died had in flight does not. Their texts are overwritten, and may stand in the
 * log for a while: see `eraseNow`.
 *
 * @throws DatabaseFileError there is no such file, it is none of ours, or others keep it locked
 */
export function forgetMatching(path: string, matches: (entry: KeptEntry) => boolean): Forgotten {
  find(path, () => false);
  const db = openOutboxDatabase({ path, durability: 'normal' });
  try {
    const statements = new Statements(db, SQL);
    const lock = new OwnerLock(path);
    for (const { account } of listAccounts(statements, () => false)) {
      const requeue = () => {
        const row = readRow(statements, account);
        if (row.inFlight === 0 || isDelivering(lock, row)) return;
        addToCounters(statements, row, requeueInFlight(statements, row));
        // Whoever had it in flight may only have been suspended: what it says of that counts no more.
        statements.get('releaseLease').run(row.leaseOwner);
      };
      patiently(() => inTransaction(db, requeue), BUSY_TIMEOUT_MS);
    }
    const { counts, keys } = find(path, matches);
    for (const [account, list] of keys) purgeMessages(db, statements, { account, keys: list }, PURGED);
    return counts;
  } finally {
    closeDatabase(db);
  }
}

function find(path: string, matches: (entry: KeptEntry) => boolean) {
  const reader = new OutboxReader(path);
  const counts = { pending: 0, deadLetters: 0, inFlight: 0 };
  const keys = new Map<string, string[]>();
  try {
    for (const entry of reader.entries(ALL)) {
      if (!matches(entry)) continue;
      const { account, key, state } = entry;
      if (state === 'in_flight') counts.inFlight++;
      else if (state === 'dead' || state === 'expired') counts.deadLetters++;
      else counts.pending++;
      const list = keys.get(account) ?? [];
      keys.set(account, list);
      if (state !== 'in_flight') list.push(key);
    }
  } finally {
    reader.close();
  }
  return { counts, keys };
}
