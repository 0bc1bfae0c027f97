import type { DatabaseSync } from 'node:sqlite';
import { closeDatabase, inTransaction } from '../../internal/sqlite/database.js';
import { Statements } from '../../internal/sqlite/statements.js';
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
import { checkVersion, type OutboxDatabaseOptions, openOutboxDatabase } from './open-file.js';
import { type OutboxStatements, SQL } from './statements.js';

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
   * @throws DatabaseFileError the file can't be used
   */
  constructor(options: OutboxFileOptions, leases: Leases, rows: Map<string, OutboxRow>, account?: string) {
    this.#options = options;
    this.#leases = leases;
    this.#rows = rows;
    this.#db = openOutboxDatabase(options);
    this.#statements = new Statements(this.#db, SQL);
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
      insertEntry(this.#statements, row, row.newest + 1, entry);
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
      insertEntry(this.#statements, row, position, entry);
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
    if (!lease.mayClaim(this.#row(account), Date.now())) return [];
    const claimed = this.#transaction(account, () => {
      const row = this.#row(account);
      if (!lease.mayClaim(row, Date.now())) return [];
      // Whoever held the lease before has died, or has been suspended for too long.
      if (!lease.isHeld(row)) this.#count(requeueInFlight(this.#statements, row));
      lease.acquire(this.#statements, row, Date.now());
      const entries = chooseEntries(this.#statements, row.id, limits);
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
    return answer;
  }

  /** Keeps the lease of an account, if it is still held. */
  renew(account: string): void {
    this.#checkVersion();
    this.#leases.of(account).renew(this.#statements);
  }

  /** What is counted of an account; what a process that has died had in flight counts as pending. */
  stats(account: string): OutboxRow {
    this.#checkVersion();
    const row = this.#row(account);
    const { pending, inFlight, pendingBytes, inFlightBytes } = row;
    if (this.#leases.of(account).stateOf(row, Date.now()) !== 'free') return row;
    return {
      ...row,
      pending: pending + inFlight,
      inFlight: 0,
      pendingBytes: pendingBytes + inFlightBytes,
      inFlightBytes: 0,
    };
  }

  /** When the oldest that waits was accepted. */
  oldestAt(account: string): number | undefined {
    const row = this.#statements.get('oldestOf').get(account, account, account, account);
    return (row as { acceptedAt: number | null } | undefined)?.acceptedAt ?? undefined;
  }

  accounts(): AccountStats[] {
    return listAccounts(this.#statements);
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
    this.#refresh();
    return purged;
  }

  adopt(from: string, to: string, isAlias: boolean): number | 'busy' {
    this.#checkVersion();
    const moved = adoptAccount(this.#db, this.#statements, { from, to, isAlias });
    this.#refresh();
    return moved;
  }

  /** Puts back what this process has in flight, lets go of the leases, and closes the file. */
  close(): void {
    try {
      for (const [account, lease] of this.#leases.all)
        this.#transaction(account, () => {
          const row = this.#row(account);
          if (!lease.isHeld(row)) return;
          this.#count(requeueInFlight(this.#statements, row));
          lease.release(this.#statements);
        });
    } finally {
      closeDatabase(this.#db);
    }
  }

  /** Closes the file as it is. */
  abandon(): void {
    if (this.#db.isOpen) this.#db.close();
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

  #holds({ id }: OutboxRow, key: string): boolean {
    return this.#statements.get('find').get(id, key) !== undefined;
  }

  #isFull({ fileOutstanding, fileBytes }: FileCounters, more: number): boolean {
    return fileOutstanding >= this.#options.maxMessages || fileBytes + more > this.#options.maxBytes;
  }
}
