import type { OutboxStats } from '../outbox.js';
import type { LeaseRow } from './lease-row.js';
import type { OutboxStatements } from './statements.js';

/** What the file counts of one account. */
export interface Counters extends OutboxStats {
  /** The position given out last, whose ever it was. */
  readonly newest: number;
  /** Dead letters that were purged; they stay in `deadLettered` and `expired`. */
  readonly purged: number;
  /** Delivered entries whose keys are not remembered any more. */
  readonly forgotten: number;
  readonly pendingBytes: number;
  readonly inFlightBytes: number;
  /** Of all its messages in the file, dead letters included. */
  readonly bytes: number;
}

/** What the file counts of all accounts. */
export interface FileCounters {
  readonly newest: number;
  readonly fileBytes: number;
  /** Pending or in flight. */
  readonly fileOutstanding: number;
  readonly accounts: number;
}

/** The row of an account in the table `accounts`, and what concerns all of them. */
export interface OutboxRow extends Counters, LeaseRow, FileCounters {
  /** 0 of an account that has no row yet. */
  readonly id: number;
  readonly carriedMs: number;
  /** Pending or in flight, of other accounts. */
  readonly foreign: number;
}

export type CountersChange = { -readonly [Name in keyof Counters]: number };

// In the order of the statement's parameters.
const COLUMNS: readonly (keyof Counters)[] = [
  'newest',
  'accepted',
  'pending',
  'inFlight',
  'delivered',
  'deadLettered',
  'expired',
  'purged',
  'forgotten',
  'pendingBytes',
  'inFlightBytes',
  'bytes',
];

export function noChange(): CountersChange {
  return Object.fromEntries(COLUMNS.map(column => [column, 0])) as CountersChange;
}

export function added<T extends Counters>(counters: T, change: Partial<CountersChange>): T {
  const sum = noChange();
  for (const column of COLUMNS) sum[column] = counters[column] + (change[column] ?? 0);
  return { ...counters, ...sum };
}

const NO_LEASE: LeaseRow = { leaseOwner: null, leaseUntil: 0, leaseMs: 0, leaseRenewals: 0, leaseHost: null };

/** Of an account of which nothing is known. */
export const NO_ROW: OutboxRow = {
  ...noChange(),
  ...NO_LEASE,
  ...{ id: 0, carriedMs: 0, foreign: 0, fileBytes: 0, fileOutstanding: 0, accounts: 0 },
};

/** The counters of several accounts in one. */
export function sumOf(rows: readonly OutboxRow[]): OutboxRow {
  const newest = Math.max(0, ...rows.map(row => row.newest));
  return { ...rows.reduce<OutboxRow>((sum, row) => added(sum, row), NO_ROW), newest };
}

/** The row of an account, which need not be there yet. */
export function readRow(statements: OutboxStatements, account: string): OutboxRow {
  const row = statements.get('row').get(account, account) as unknown as OutboxRow & { readonly id: number | null };
  const { newest, fileBytes, fileOutstanding, accounts } = row;
  if (row.id === null) return { ...NO_ROW, newest, fileBytes, fileOutstanding, accounts, foreign: fileOutstanding };
  return { ...row, foreign: fileOutstanding - row.pending - row.inFlight };
}

/** The row of an account, which is there afterwards. */
export function ensureRow(statements: OutboxStatements, account: string): OutboxRow {
  const row = readRow(statements, account);
  if (row.id !== 0) return row;
  statements.get('addAccount').run(account, account);
  return readRow(statements, account);
}

/** Adds to the counters of an account; negative numbers take away. `newest` counts from the newest of the row. */
export function addToCounters(
  statements: OutboxStatements,
  row: Pick<OutboxRow, 'id' | 'newest'>,
  change: Partial<CountersChange>,
): void {
  const [, ...counters] = COLUMNS;
  const newest = change.newest ? row.newest + change.newest : 0;
  statements.get('addToCounters').run(newest, ...counters.map(column => change[column] ?? 0), row.id);
}
