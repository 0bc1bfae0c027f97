import type { DatabaseSync } from 'node:sqlite';
import { inTransaction } from '../../internal/sqlite/database.js';
import type {
  AccountStats,
  ClaimedEntry,
  ClaimLimits,
  DeadLetter,
  Progress,
  PurgeableState,
  PutResult,
  Settlement,
} from '../outbox.js';
import { adoptAccount, adoptVersion1, listAccounts } from './accounts.js';
import { chooseEntries } from './claim.js';
import {
  added,
  addToCounters,
  type CountersChange,
  ensureRow,
  type FileCounters,
  type OutboxRow,
  readRow,
} from './counters.js';
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
import { listDeadLetters, purgeMessages, replayDeadLetters, type Selection } from './kept-messages.js';
import type { Leases } from './lease.js';
import type { LeaseRow } from './lease-row.js';
import { checkVersion, type OutboxDatabaseOptions } from './open-file.js';
import { SharedHandle } from './shared-handle.js';
import type { OutboxStatements } from './statements.js';

/** Keys of delivered messages that are remembered, of all accounts. Each has the same share. */
const REMEMBERED_KEYS = 100_000;

export interface OutboxFileOptions extends OutboxDatabaseOptions {
  /** Bytes of message JSON that the file holds at most, of all accounts. */
  readonly maxBytes: number;
  /** Messages that are pending or in flight at most, of all accounts. */
  readonly maxMessages: number;
  /** How long the right to deliver lasts without a sign of life. */
  readonly leaseMs: number;
}

/**
 * An outbox in a SQLite file. Each method is one transaction; one that throws has changed nothing. None waits for other
 * processes: then it throws SQLite's "busy".
 *
 * What is in flight belongs to whoever holds the account's lease: when that changes hands, it is pending again.
 * {@link Leases} and the file are apart, because a file may have to be opened again.
 */
export class OutboxFile {
  readonly #options: OutboxFileOptions;
  readonly #leases: Leases;
  readonly #handle: SharedHandle;
  readonly #db: DatabaseSync;
  readonly #statements: OutboxStatements;
  /** How many messages an older version had left, when they were given to the account of the recorder that opens it. */
  readonly adopted: number | undefined;
  /** The rows of the accounts, as they were when this process last read or wrote them. */
  readonly #rows: Map<string, OutboxRow>;
  /** What a row becomes with the transaction that is under way. */
  #draft: OutboxRow | undefined;

  /**
   * @param rows is kept up to date with what is known of each account
   * @param account whose recorder opens it
   * @param warn is told what is unwise about the file
   * @throws DatabaseFileError the file can't be used
   */
  constructor(
    options: OutboxFileOptions,
    leases: Leases,
    rows: Map<string, OutboxRow>,
    account?: string,
    warn: (message: string) => void = () => {},
  ) {
    this.#options = options;
    this.#leases = leases;
    this.#rows = rows;
    const isTheirs = (account: string, lease: LeaseRow) => leases.of(account).stateOf(lease) === 'theirs';
    const isDeliveredByOthers = (statements: OutboxStatements) =>
      listAccounts(statements, isTheirs).some(({ delivering }) => delivering);
    this.#handle = new SharedHandle(options, { isDeliveredByOthers, warn });
    this.#db = this.#handle.db;
    this.#statements = this.#handle.statements;
    try {
      this.#checkVersion();
      this.adopted = account === undefined ? undefined : adoptVersion1(this.#db, this.#statements, account);
      for (const name of new Set([...rows.keys(), account ?? ''])) this.#row(name);
    } catch (error) {
      this.abandon();
      throw error;
    }
  }

  put(entry: WrittenEntry, { admitted }: { admitted: boolean }): PutResult {
    const { account = '' } = entry;
    return this.#transaction(account, () => {
      const row = this.#row(account, ensureRow);
      if (this.#holds(row, entry.key)) return 'duplicate';
      if (!admitted && this.#isFull(row, entry.bytes)) return 'full';
      insertEntry(this.#statements, this.#now(account, row), row.newest + 1, entry);
      this.#count({ newest: 1, accepted: 1, pending: 1, pendingBytes: entry.bytes, bytes: entry.bytes });
      return 'accepted';
    });
  }

  /** Adds what had to wait in memory. @returns the position of each entry; undefined for one whose key is known */
  insertFromMemory(entries: readonly WrittenEntry[], letters: readonly WrittenDeadLetter[]): (number | undefined)[] {
    const add = (entry: WrittenEntry | WrittenDeadLetter) => {
      const row = ensureRow(this.#statements, entry.account ?? '');
      if (this.#holds(row, entry.key)) return undefined;
      const position = row.newest + 1;
      insertEntry(this.#statements, this.#now(entry.account ?? '', row), position, entry);
      const change = { newest: 1, accepted: 1, bytes: entry.bytes };
      if ('state' in entry) {
        const died = { [entry.state === 'dead' ? 'deadLettered' : 'expired']: 1 };
        addToCounters(this.#statements, row, { ...change, ...died });
      } else addToCounters(this.#statements, row, { ...change, pending: 1, pendingBytes: entry.bytes });
      return position;
    };
    const positions = this.#transaction('', () => {
      this.#row('');
      const positions = entries.map(add);
      letters.forEach(add);
      return positions;
    });
    this.#refresh();
    return positions;
  }

  /** Whether this key is known: of an entry in any state, delivered ones included. */
  holds(account: string, key: string): boolean {
    return this.#holds(readRow(this.#statements, account), key);
  }

  hasOutstanding(account: string, conversationId: string): boolean {
    const { id } = readRow(this.#statements, account);
    return hasOutstanding(this.#statements, id, conversationId);
  }

  claim(limits: ClaimLimits & { readonly account: string }): ClaimedEntry[] {
    const { account } = limits;
    const lease = this.#leases.of(account);
    // Most calls find nothing to do. They should lock nothing.
    if (!lease.mayClaim(this.#row(account))) return [];
    const claimed = this.#transaction(account, () => {
      const row = this.#row(account);
      if (!lease.mayClaim(row)) return [];
      // Whoever held the lease before has died, or has been suspended for too long.
      if (!lease.isHeld(row)) this.#count(requeueInFlight(this.#statements, row));
      const carriedMs = row.carriedMs + lease.acquire(this.#statements, row);
      const entries = chooseEntries(this.#statements, { ...row, carriedMs }, limits);
      this.#count(startClaimed(this.#statements, entries));
      return entries;
    });
    for (const { key, position, bytes, message } of claimed)
      lease.claimed.set(key, { position, bytes, conversationId: message.conversationId });
    return claimed;
  }

  settle(account: string, settlements: readonly Settlement[]): 'settled' | 'stale' {
    const lease = this.#leases.of(account);
    const inFlight = lease.claimed;
    const known = settlements.filter(({ key }) => inFlight.has(key));
    if (known.length === 0) return lease.isLost(this.#row(account)) ? 'stale' : 'settled';
    const answer = this.#transaction(account, () => {
      const row = this.#row(account);
      if (!lease.isHeld(row)) return 'stale';
      const change = settleClaimed(this.#statements, row.id, known, inFlight);
      const tooMany = row.delivered + change.delivered - row.forgotten - Math.floor(REMEMBERED_KEYS / row.accounts);
      // Where the share has become smaller, it takes a while.
      change.forgotten = forgetDelivered(this.#statements, row.id, Math.min(tooMany, 2 * change.delivered));
      this.#count(change);
      if (inFlight.size === known.length && row.pending + change.pending === 0) lease.release(this.#statements);
      else lease.renew(this.#statements);
      return 'settled';
    });
    for (const { key } of known) inFlight.delete(key);
    this.#leases.releaseUnusedLock();
    if (known.some(({ to }) => to === 'delivered')) this.#handle.deleted();
    return answer;
  }

  /** Keeps the lease of an account, if it is still held. @returns whether it is */
  renew(account: string): boolean {
    this.#checkVersion();
    return this.#leases.of(account).renew(this.#statements);
  }

  /** As {@link renew}, but where nothing can be written now, it only looks. */
  stillHolds(account: string): boolean {
    try {
      return this.renew(account);
    } catch {
      return this.#leases.of(account).isHeld(this.#row(account));
    }
  }

  /** What is counted of an account; what a process that has died had in flight counts as pending. */
  stats(account: string): OutboxRow {
    this.#checkVersion();
    const row = this.#row(account);
    const { pending, inFlight, pendingBytes, inFlightBytes } = row;
    const state = this.#leases.of(account).stateOf(row);
    this.#leases.releaseUnusedLock();
    if (state !== 'free') return row;
    return {
      ...row,
      pending: pending + inFlight,
      inFlight: 0,
      pendingBytes: pendingBytes + inFlightBytes,
      inFlightBytes: 0,
    };
  }

  /** How old the oldest that waits is, by the account's time. */
  oldestAgeMs(account: string): number | undefined {
    const { id, carriedMs } = this.#now(account, this.#row(account));
    const oldest = this.#statements.get('oldestOf').get(id, id) as { carriedAtMs: number | null };
    return oldest.carriedAtMs === null ? undefined : Math.max(0, carriedMs - oldest.carriedAtMs);
  }

  accounts(): AccountStats[] {
    return listAccounts(this.#statements, (account, lease) => this.#isDelivering(account, lease));
  }

  progress(position: number, account?: string): Omit<Progress, 'position'> & { readonly newest: number } {
    const ends = [position, position, position];
    const progress =
      account === undefined
        ? this.#statements.get('progress').get(...ends)
        : this.#statements.get('accountProgress').get(...ends, account, account);
    return progress as unknown as Progress & { newest: number };
  }

  deadLetters(after: number, limit: number, account?: string): DeadLetter[] {
    return listDeadLetters(this.#statements, after, limit, account);
  }

  replay(selection: Selection): number {
    this.#checkVersion();
    const replayed = replayDeadLetters(this.#db, this.#statements, selection);
    this.#refresh();
    return replayed;
  }

  purge(selection: Selection, states?: readonly PurgeableState[]): number {
    this.#checkVersion();
    const purged = purgeMessages(this.#db, this.#statements, selection, states);
    this.#handle.deleted();
    this.#refresh();
    return purged;
  }

  adopt(from: string, to: string, isAlias: boolean): number | 'busy' {
    this.#checkVersion();
    const isBusy = (lease: LeaseRow) => this.#isDelivering(from, lease);
    const moved = adoptAccount(this.#db, this.#statements, { from, to, isAlias, isBusy });
    this.#refresh();
    return moved;
  }

  /** Puts back what this process has in flight, and lets go of the leases. */
  giveBack(): void {
    for (const [account, lease] of this.#leases.all)
      this.#transaction(account, () => {
        const row = this.#row(account);
        if (!lease.isHeld(row)) return;
        this.#count(requeueInFlight(this.#statements, row));
        lease.release(this.#statements);
      });
  }

  close(): void {
    this.#handle.close();
  }

  /** Leaves the file as it is. */
  abandon(): void {
    this.#handle.abandon();
  }

  /** `work` reads the row of the account before anything else. */
  #transaction<T>(account: string, work: () => T): T {
    const answer = inTransaction(this.#db, () => {
      this.#checkVersion();
      return work();
    });
    if (this.#draft) this.#rows.set(account, this.#draft);
    return answer;
  }

  #checkVersion(): void {
    checkVersion(this.#statements, this.#options.path);
  }

  #row(account: string, read: (statements: OutboxStatements, account: string) => OutboxRow = readRow): OutboxRow {
    const row = read(this.#statements, account);
    this.#draft = row;
    if (!this.#db.isTransaction) this.#rows.set(account, row);
    return row;
  }

  /** Reads again what is known of each account. */
  #refresh(): void {
    for (const name of this.#rows.keys()) this.#row(name);
  }

  #count(change: Partial<CountersChange>): void {
    if (this.#draft === undefined) return;
    addToCounters(this.#statements, this.#draft, change);
    this.#draft = added(this.#draft, change);
  }

  #isDelivering(account: string, lease: LeaseRow): boolean {
    return this.#leases.of(account).stateOf(lease) !== 'free';
  }

  /** With the account's time as it is now. */
  #now(account: string, row: OutboxRow): OutboxRow {
    return { ...row, carriedMs: row.carriedMs + this.#leases.of(account).uncountedMs };
  }

  #holds({ id }: OutboxRow, key: string): boolean {
    return this.#statements.get('find').get(id, key) !== undefined;
  }

  #isFull({ fileOutstanding, fileBytes }: FileCounters, more: number): boolean {
    return fileOutstanding >= this.#options.maxMessages || fileBytes + more > this.#options.maxBytes;
  }
}
