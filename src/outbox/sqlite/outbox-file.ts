import type { DatabaseSync } from 'node:sqlite';
import { closeDatabase, inTransaction } from '../../internal/sqlite/database.js';
import { Statements } from '../../internal/sqlite/statements.js';
import type { ClaimedEntry, ClaimLimits, DeadLetter, Progress, PutResult, Settlement } from '../outbox.js';
import { chooseEntries } from './claim.js';
import {
  added,
  addToCounters,
  type Counters,
  type CountersChange,
  noChange,
  type OutboxRow,
  readRow,
} from './counters.js';
import { listDeadLetters, purgeDeadLetters, replayDeadLetters } from './dead-letters.js';
import {
  forgetDelivered,
  hasOutstanding,
  insertEntry,
  requeueInFlight,
  settleClaimed,
  startClaimed,
  type WrittenDeadLetter,
  type WrittenEntry,
} from './entry-moves.js';
import type { Lease } from './lease.js';
import { type OutboxDatabaseOptions, openOutboxDatabase } from './open-file.js';
import { type OutboxStatements, SQL } from './schema.js';

/** Keys of delivered messages that are remembered. */
const REMEMBERED_KEYS = 100_000;

export interface OutboxFileOptions extends OutboxDatabaseOptions {
  /** Bytes of message JSON that the file holds at most. */
  readonly maxBytes: number;
  /** Messages that are pending or in flight at most. */
  readonly maxMessages: number;
}

/**
 * An outbox in a SQLite file. Each method is one transaction; one that throws has changed nothing. None waits for other
 * processes: then it throws SQLite's "busy".
 *
 * What is in flight belongs to whoever holds the lease: when that changes hands, it is pending again. {@link Lease} and
 * the file are apart, because a file may have to be opened again.
 */
export class OutboxFile {
  readonly #options: OutboxFileOptions;
  readonly #lease: Lease;
  readonly #db: DatabaseSync;
  readonly #statements: OutboxStatements;
  #counters: Counters = noChange();
  /** What the counters become with the transaction that is under way. */
  #draft: Counters = noChange();

  /** @throws DatabaseFileError the file can't be used */
  constructor(options: OutboxFileOptions, lease: Lease) {
    this.#options = options;
    this.#lease = lease;
    this.#db = openOutboxDatabase(options);
    this.#statements = new Statements(this.#db, SQL);
    try {
      // What can be opened may fail at its first use: until then, what is in it must be known.
      this.#row();
    } catch (error) {
      this.abandon();
      throw error;
    }
  }

  /** The counters, as they were when this process last read or wrote them. */
  get counters(): Counters {
    return this.#counters;
  }

  put(entry: WrittenEntry, { admitted }: { admitted: boolean }): PutResult {
    return this.#transaction(() => {
      const row = this.#row();
      if (this.holds(entry.key)) return 'duplicate';
      if (!admitted && this.#isFull(row, entry.bytes)) return 'full';
      insertEntry(this.#statements, row.newest + 1, entry);
      this.#count({ newest: 1, accepted: 1, pending: 1, pendingBytes: entry.bytes, bytes: entry.bytes });
      return 'accepted';
    });
  }

  /**
   * Adds what had to wait in memory to the end of the queue.
   *
   * @returns the position of each entry; undefined for one whose key is known
   */
  insertFromMemory(entries: readonly WrittenEntry[], letters: readonly WrittenDeadLetter[]): (number | undefined)[] {
    return this.#transaction(() => {
      const change = noChange();
      let { newest } = this.#row();
      const add = (entry: WrittenEntry | WrittenDeadLetter) => {
        if (this.holds(entry.key)) return undefined;
        insertEntry(this.#statements, ++newest, entry);
        change.newest++;
        change.accepted++;
        change.bytes += entry.bytes;
        if ('state' in entry) change[entry.state === 'dead' ? 'deadLettered' : 'expired']++;
        else {
          change.pending++;
          change.pendingBytes += entry.bytes;
        }
        return newest;
      };
      const positions = entries.map(add);
      letters.forEach(add);
      this.#count(change);
      return positions;
    });
  }

  /** Whether this key is known: of an entry in any state, delivered ones included. */
  holds(key: string): boolean {
    return this.#statements.get('find').get(key) !== undefined;
  }

  hasOutstanding(conversationId: string): boolean {
    return hasOutstanding(this.#statements, conversationId);
  }

  claim(limits: ClaimLimits): ClaimedEntry[] {
    // Most calls find nothing to do. They should lock nothing.
    if (!this.#mayClaim(this.#row())) return [];
    const claimed = this.#transaction(() => {
      const row = this.#row();
      if (!this.#mayClaim(row)) return [];
      // Whoever held the lease before has died, or has been suspended for too long.
      if (!this.#lease.isHeld(row)) this.#count(requeueInFlight(this.#statements, row));
      this.#lease.acquire(this.#statements, row, Date.now());
      const entries = chooseEntries(this.#statements, limits);
      this.#count(startClaimed(this.#statements, entries));
      return entries;
    });
    for (const { key, position, bytes, message } of claimed)
      this.#lease.claimed.set(key, { position, bytes, conversationId: message.conversationId });
    return claimed;
  }

  settle(settlements: readonly Settlement[]): 'settled' | 'stale' {
    const inFlight = this.#lease.claimed;
    const known = settlements.filter(({ key }) => inFlight.has(key));
    if (known.length === 0) return this.#lease.isLost(this.#row()) ? 'stale' : 'settled';
    const answer = this.#transaction(() => {
      const row = this.#row();
      if (!this.#lease.isHeld(row)) return 'stale';
      const change = settleClaimed(this.#statements, known, inFlight);
      const remembered = row.delivered + change.delivered - row.forgotten;
      // No more keys are forgotten than have just been added.
      change.forgotten = forgetDelivered(this.#statements, remembered - REMEMBERED_KEYS);
      this.#count(change);
      if (inFlight.size === known.length && row.pending + change.pending === 0) this.#lease.release(this.#statements);
      else this.#lease.renew(this.#statements);
      return 'settled';
    });
    for (const { key } of known) inFlight.delete(key);
    return answer;
  }

  /** Keeps the lease, if it is still held. */
  renew(): void {
    this.#lease.renew(this.#statements);
  }

  /** The counters; what a process that has died had in flight counts as pending. */
  stats(): Counters {
    const row = this.#row();
    const { pending, inFlight, pendingBytes, inFlightBytes } = row;
    if (this.#lease.stateOf(row, Date.now()) !== 'free') return row;
    return {
      ...row,
      pending: pending + inFlight,
      inFlight: 0,
      pendingBytes: pendingBytes + inFlightBytes,
      inFlightBytes: 0,
    };
  }

  progress(position: number): Omit<Progress, 'position'> & { readonly newest: number } {
    const progress = this.#statements.get('progress').get(position, position, position);
    return progress as unknown as Progress & { newest: number };
  }

  deadLetters(after: number, limit: number): DeadLetter[] {
    return listDeadLetters(this.#statements, after, limit);
  }

  replay(keys?: readonly string[]): number {
    const replayed = replayDeadLetters(this.#db, this.#statements, keys);
    this.#row();
    return replayed;
  }

  purge(keys?: readonly string[]): number {
    const purged = purgeDeadLetters(this.#db, this.#statements, keys);
    this.#row();
    return purged;
  }

  /** Puts back what this process has in flight, lets go of the lease, and closes the file. */
  close(): void {
    try {
      this.#transaction(() => {
        const row = this.#row();
        if (!this.#lease.isHeld(row)) return;
        this.#count(requeueInFlight(this.#statements, row));
        this.#lease.release(this.#statements);
      });
    } finally {
      closeDatabase(this.#db);
    }
  }

  /** Closes the file as it is. */
  abandon(): void {
    if (this.#db.isOpen) this.#db.close();
  }

  /** `work` reads the row before anything else. */
  #transaction<T>(work: () => T): T {
    const answer = inTransaction(this.#db, work);
    this.#counters = this.#draft;
    return answer;
  }

  #row(): OutboxRow {
    const row = readRow(this.#statements);
    this.#draft = row;
    if (!this.#db.isTransaction) this.#counters = row;
    return row;
  }

  #count(change: Partial<CountersChange>): void {
    addToCounters(this.#statements, change);
    this.#draft = added(this.#draft, change);
  }

  #isFull({ pending, inFlight, bytes }: OutboxRow, more: number): boolean {
    return pending + inFlight >= this.#options.maxMessages || bytes + more > this.#options.maxBytes;
  }

  #mayClaim(row: OutboxRow): boolean {
    const left = this.#lease.isHeld(row) ? row.pending : row.pending + row.inFlight;
    return left > 0 && this.#lease.canAcquire(row, Date.now());
  }
}
