import type { DatabaseSync } from 'node:sqlite';
import { openReadOnly } from '../../internal/sqlite/read-only.js';
import { Statements } from '../../internal/sqlite/statements.js';
import type { AccountStats, ClaimedEntry, MessageState, OutboxStats } from '../outbox.js';
import { listAccounts } from './accounts.js';
import { readEntry, readText } from './claim.js';
import { type FileCounters, readRow, sumOf } from './counters.js';
import { isDelivering } from './lease-watch.js';
import { OwnerLock } from './owner-lock.js';
import { FORMAT } from './schema.js';
import { type OutboxStatements, SQL } from './statements.js';
import { readAsVersion2 } from './version-1.js';

const BUSY_TIMEOUT_MS = 5000;

/** A state in which a message is in the file with what it says. `held` is `pending`, and was refused singly. */
export type KeptState = Exclude<MessageState, 'delivered' | 'lost'> | 'held';

const STORED_AS: Readonly<Record<string, Exclude<KeptState, 'held'>>> = {
  ready: 'pending',
  waiting: 'pending',
  in_flight: 'in_flight',
  dead: 'dead',
  expired: 'expired',
};

/** What the file has of one account. */
export interface AccountStatus extends AccountStats {
  /** Of what is pending: what Synap refused singly. */
  readonly held: number;
  /** Dead letters that are still there. */
  readonly deadLetters: number;
}

export interface OutboxStatus extends OutboxStats {
  /** Of what is pending: what Synap refused singly. */
  readonly held: number;
  /** Dead letters that are still there; `deadLettered` and `expired` count those that were purged, too. */
  readonly deadLetters: number;
  /** Bytes of message JSON in the file. */
  readonly bytes: number;
  /** When the oldest message that waits was accepted, in milliseconds since 1970. */
  readonly oldestPendingAt: number | undefined;
  /** Whether a process delivers from it now. */
  readonly delivering: boolean;
  readonly accounts: readonly AccountStatus[];
}

export interface KeptEntry extends ClaimedEntry {
  readonly account: string;
  readonly state: KeptState;
  /** Of a dead letter, or of what is held: why, in words fit for a log. */
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
  readonly #statements: OutboxStatements;
  readonly #lock: OwnerLock;

  constructor(path: string) {
    this.#db = openReadOnly({ ...FORMAT, path, busyTimeoutMs: BUSY_TIMEOUT_MS });
    readAsVersion2(this.#db);
    this.#statements = new Statements(this.#db, SQL);
    this.#lock = new OwnerLock(path);
  }

  status(): OutboxStatus {
    const accounts = listAccounts(this.#statements, (_, lease) => isDelivering(this.#lock, lease)).map(stats => {
      const { id, deadLettered, expired, purged } = readRow(this.#statements, stats.account);
      const held = Number(this.#statements.get('countHeld').get(id)?.messages);
      return { ...stats, held, deadLetters: deadLettered + expired - purged };
    });
    const rows = accounts.map(({ account }) => readRow(this.#statements, account));
    const { accepted, pending, inFlight, delivered, deadLettered, expired, purged } = sumOf(rows);
    const oldest = this.#statements.get('oldest').get() as { acceptedAt: number | null } | undefined;
    const { fileBytes } = this.#statements.get('file').get() as unknown as FileCounters;
    return {
      accepted,
      pending,
      held: accounts.reduce((sum, { held }) => sum + held, 0),
      inFlight,
      delivered,
      deadLettered,
      expired,
      deadLetters: deadLettered + expired - purged,
      bytes: fileBytes,
      oldestPendingAt: oldest?.acceptedAt ?? undefined,
      delivering: accounts.some(({ delivering }) => delivering),
      accounts,
    };
  }

  /** The account that a name stands for. */
  accountOf(name: string): string {
    return this.#statements.get('accountOf').get(name, name)?.account as string;
  }

  /**
   * Messages in any of these states, in the order of the queue, as they are read. `pending` includes what is held.
   *
   * @param account of this one only
   */
  *entries(
    states: readonly KeptState[],
    { limit = Number.MAX_SAFE_INTEGER, account }: { limit?: number; account?: string | undefined } = {},
  ): Generator<KeptEntry> {
    const wanted = account === undefined ? undefined : this.accountOf(account);
    let left = limit;
    // All of them in one statement: what moves on meanwhile is seen as it was when this began.
    for (const row of this.#statements.get('kept').iterate()) {
      if (left === 0) return;
      const name = row.account as string;
      const stored = STORED_AS[row.state as string];
      if (stored === undefined || (wanted !== undefined && name !== wanted)) continue;
      const state = stored === 'pending' && row.refusedAt !== null ? 'held' : stored;
      if (!states.includes(state) && !states.includes(stored)) continue;
      left--;
      const error = row.error === null ? undefined : readText(row.error);
      yield {
        ...readEntry(row, name),
        account: name,
        state,
        error,
        diedAt: (row.diedAt as number | null) ?? undefined,
      };
    }
  }

  close(): void {
    this.#db.close();
  }
}
