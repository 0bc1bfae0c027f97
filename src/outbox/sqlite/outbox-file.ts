import type { DatabaseSync } from 'node:sqlite';
import { closeDatabase, inTransaction } from '../../internal/sqlite/database.js';
import { Statements } from '../../internal/sqlite/statements.js';
import type { ClaimedEntry, ClaimLimits, DeadLetter, OutboxEntry, Progress, PutResult, Settlement } from '../outbox.js';
import { chooseEntries } from './claim.js';
import { added, book, type Ledger, type LedgerChange, noChange, type OutboxRow, readRow } from './counters.js';
import { listDeadLetters, purgeDeadLetters, replayDeadLetters } from './dead-letters.js';
import type { Carried, Lease } from './lease.js';
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

/** An entry with its message as JSON. */
export interface WrittenEntry extends OutboxEntry {
  readonly json: string;
}

/** A dead letter with its message as JSON. */
export type WrittenDeadLetter = WrittenEntry & Pick<DeadLetter, 'state' | 'error' | 'diedAt'>;

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
  #ledger: Ledger = noChange();
  /** What the ledger becomes with the transaction that is under way. */
  #draft: Ledger = noChange();

  /** @throws DatabaseFileError the file can't be used */
  constructor(options: OutboxFileOptions, lease: Lease) {
    this.#options = options;
    this.#lease = lease;
    this.#db = openOutboxDatabase(options);
    this.#statements = new Statements(this.#db, SQL);
  }

  /** The books, as they were when this process last read or wrote them. */
  get ledger(): Ledger {
    return this.#ledger;
  }

  put(entry: WrittenEntry, { admitted }: { admitted: boolean }): PutResult {
    return this.#transaction(() => {
      const row = this.#row();
      if (this.holds(entry.key)) return 'duplicate';
      if (!admitted && this.#isFull(row, entry.bytes)) return 'full';
      this.#insert(row.newest + 1, entry);
      this.#book({ newest: 1, accepted: 1, pending: 1, pendingBytes: entry.bytes, bytes: entry.bytes });
      return 'accepted';
    });
  }

  /** Takes over what had to wait elsewhere, at the end of the line. Answers with the position of each entry. */
  adopt(entries: readonly WrittenEntry[], letters: readonly WrittenDeadLetter[]): (number | undefined)[] {
    return this.#transaction(() => {
      const change = noChange();
      let { newest } = this.#row();
      const add = (entry: WrittenEntry | WrittenDeadLetter) => {
        if (this.holds(entry.key)) return undefined;
        this.#insert(++newest, entry);
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
      this.#book(change);
      return positions;
    });
  }

  /** Whether this key is known: of an entry in any state, delivered ones included. */
  holds(key: string): boolean {
    return this.#statements.get('find').get(key) !== undefined;
  }

  hasOutstanding(conversationId: string): boolean {
    return this.#statements.get('findOutstanding').get(conversationId) !== undefined;
  }

  claim(limits: ClaimLimits): ClaimedEntry[] {
    // Most calls find nothing to do. They should lock nothing.
    if (!this.#mayClaim(this.#row())) return [];
    const claimed = this.#transaction(() => {
      const row = this.#row();
      if (!this.#mayClaim(row)) return [];
      // Whoever held the lease before has died, or has been suspended for too long.
      if (!this.#lease.isHeld(row)) this.#recall(row);
      this.#lease.take(this.#statements, row, Date.now());
      return this.#begin(limits);
    });
    for (const { key, position, bytes, message } of claimed)
      this.#lease.carried.set(key, { position, bytes, conversationId: message.conversationId });
    return claimed;
  }

  settle(settlements: readonly Settlement[]): 'settled' | 'stale' {
    const { carried } = this.#lease;
    const known = settlements.filter(({ key }) => carried.has(key));
    if (known.length === 0) return this.#lease.isLost(this.#row()) ? 'stale' : 'settled';
    const answer = this.#transaction(() => {
      const row = this.#row();
      if (!this.#lease.isHeld(row)) return 'stale';
      const change = noChange();
      const conversations = new Set<string>();
      for (const settlement of known) conversations.add(this.#end(settlement, change));
      for (const conversation of conversations) this.#promote(conversation);
      change.forgotten = this.#forget(row.delivered + change.delivered - row.forgotten - REMEMBERED_KEYS);
      this.#book(change);
      if (carried.size === known.length && row.pending + change.pending === 0) this.#lease.release(this.#statements);
      else this.#lease.renew(this.#statements);
      return 'settled';
    });
    for (const { key } of known) carried.delete(key);
    return answer;
  }

  /** Keeps the lease, if it is still held. */
  renew(): void {
    this.#lease.renew(this.#statements);
  }

  /** The books; what a carrier that has died had in flight counts as pending. */
  stats(): Ledger {
    const row = this.#row();
    const { pending, inFlight, pendingBytes, inFlightBytes } = row;
    if (this.#lease.isHeld(row) || !this.#lease.isFree(row, Date.now())) return row;
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
        this.#recall(row);
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
    this.#ledger = this.#draft;
    return answer;
  }

  #row(): OutboxRow {
    const row = readRow(this.#statements);
    this.#draft = row;
    if (!this.#db.isTransaction) this.#ledger = row;
    return row;
  }

  #book(change: Partial<LedgerChange>): void {
    book(this.#statements, change);
    this.#draft = added(this.#draft, change);
  }

  #isFull({ pending, inFlight, bytes }: OutboxRow, more: number): boolean {
    return pending + inFlight >= this.#options.maxMessages || bytes + more > this.#options.maxBytes;
  }

  #mayClaim(row: OutboxRow): boolean {
    const left = this.#lease.isHeld(row) ? row.pending : row.pending + row.inFlight;
    return left > 0 && this.#lease.isWithinReach(row, Date.now());
  }

  #insert(position: number, entry: WrittenEntry | WrittenDeadLetter): void {
    const { key, message, json, bytes, acceptedAt, attempts, maybeStored } = entry;
    const { conversationId } = message;
    const dead = 'state' in entry ? entry : undefined;
    const state = dead?.state ?? (this.hasOutstanding(conversationId) ? 'waiting' : 'ready');
    const end = [dead?.error ?? null, dead?.diedAt ?? null];
    this.#statements
      .get('insertEntry')
      .run(position, key, conversationId, state, bytes, acceptedAt, attempts, Number(maybeStored), ...end);
    this.#statements.get('insertMessage').run(position, json);
  }

  #begin(limits: ClaimLimits): ClaimedEntry[] {
    const claimed = chooseEntries(this.#statements, limits);
    const bytes = claimed.reduce((sum, entry) => sum + entry.bytes, 0);
    for (const { position } of claimed) this.#statements.get('begin').run(position);
    this.#book({
      pending: -claimed.length,
      inFlight: claimed.length,
      pendingBytes: -bytes,
      inFlightBytes: bytes,
    });
    return claimed;
  }

  /** Moves an entry that is in flight. Answers with its conversation. */
  #end(settlement: Settlement, change: LedgerChange): string {
    const { key, to } = settlement;
    const { position, conversationId, bytes } = this.#lease.carried.get(key) as Carried;
    change.inFlight--;
    change.inFlightBytes -= bytes;
    switch (to) {
      case 'pending':
        this.#statements.get('putBack').run(settlement.attempts, Number(settlement.maybeStored), position);
        change.pending++;
        change.pendingBytes += bytes;
        break;
      case 'delivered':
        this.#statements.get('deliver').run(position);
        this.#statements.get('deleteMessage').run(position);
        change.delivered++;
        change.bytes -= bytes;
        break;
      default:
        this.#statements.get('bury').run(to, settlement.error, Date.now(), position);
        change[to === 'dead' ? 'deadLettered' : 'expired']++;
    }
    return conversationId;
  }

  /** Everything in flight is pending again: Synap may have it. */
  #recall({ inFlight, inFlightBytes }: OutboxRow): void {
    if (inFlight === 0) return;
    const conversations = this.#statements.get('inFlightConversations').all();
    this.#statements.get('recall').run();
    for (const { conversationId } of conversations) this.#promote(conversationId as string);
    this.#book({
      pending: inFlight,
      inFlight: -inFlight,
      pendingBytes: inFlightBytes,
      inFlightBytes: -inFlightBytes,
    });
  }

  #promote(conversationId: string): void {
    this.#statements.get('promote').run(conversationId, conversationId);
  }

  /** Forgets no more keys than have just been added. */
  #forget(excess: number): number {
    if (excess <= 0) return 0;
    return Number(this.#statements.get('forget').run(excess).changes);
  }
}
