import type { DatabaseSync } from 'node:sqlite';
import { openReadOnly } from '../../internal/sqlite/read-only.js';
import { Statements } from '../../internal/sqlite/statements.js';
import type { ClaimedEntry, MessageState, OutboxStats } from '../outbox.js';
import { readEntry, readText } from './claim.js';
import { readRow } from './counters.js';
import { FORMAT, SQL } from './schema.js';

const BUSY_TIMEOUT_MS = 5000;

/** A state in which a message is in the file with what it says. */
export type KeptState = Exclude<MessageState, 'delivered' | 'lost'>;

const STORED_AS: Record<KeptState, readonly string[]> = {
  pending: ['ready', 'waiting'],
  in_flight: ['in_flight'],
  dead: ['dead'],
  expired: ['expired'],
};

export interface OutboxStatus extends OutboxStats {
  /** Dead letters that are still there; `deadLettered` and `expired` count those that were purged, too. */
  readonly deadLetters: number;
  /** Bytes of message JSON in the file. */
  readonly bytes: number;
  /** When the oldest message that waits was accepted, in milliseconds since 1970. */
  readonly oldestPendingAt: number | undefined;
  /** Whether a process delivers from it now. */
  readonly delivering: boolean;
}

export interface KeptEntry extends ClaimedEntry {
  readonly state: KeptState;
  /** Of a dead letter: why, in words fit for a log. */
  readonly error: string | undefined;
  readonly diedAt: number | undefined;
}

/**
 * Reads the file of a durable outbox, and changes nothing in it.
 *
 * @throws DatabaseFileError there is no such file, or it is none of ours; the message says what to do
 */
export class OutboxReader {
  readonly #db: DatabaseSync;
  readonly #statements: Statements<keyof typeof SQL>;

  constructor(path: string) {
    this.#db = openReadOnly({ ...FORMAT, path, busyTimeoutMs: BUSY_TIMEOUT_MS });
    this.#statements = new Statements(this.#db, SQL);
  }

  status(): OutboxStatus {
    const row = readRow(this.#statements);
    const { accepted, pending, inFlight, delivered, deadLettered, expired, purged, bytes } = row;
    const oldest = this.#statements.get('oldest').get() as { acceptedAt: number | null } | undefined;
    return {
      accepted,
      pending,
      inFlight,
      delivered,
      deadLettered,
      expired,
      deadLetters: deadLettered + expired - purged,
      bytes,
      oldestPendingAt: oldest?.acceptedAt ?? undefined,
      delivering: row.leaseOwner !== null && row.leaseUntil > Date.now(),
    };
  }

  /** Messages in any of these states, in the order of the queue, as they are read. */
  *entries(states: readonly KeptState[], limit = Number.MAX_SAFE_INTEGER): Generator<KeptEntry> {
    const stored = new Set(states.flatMap(state => STORED_AS[state]));
    let left = limit;
    // All of them in one statement: what moves on meanwhile is seen as it was when this began.
    for (const row of this.#statements.get('kept').iterate()) {
      if (left === 0) return;
      if (!stored.has(row.state as string)) continue;
      left--;
      const [state] = Object.entries(STORED_AS).find(([, as]) => as.includes(row.state as string)) as [
        KeptState,
        unknown,
      ];
      const error = row.error === null ? undefined : readText(row.error);
      yield { ...readEntry(row), state, error, diedAt: (row.diedAt as number | null) ?? undefined };
    }
  }

  close(): void {
    this.#db.close();
  }
}
