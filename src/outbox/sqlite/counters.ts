import type { OutboxStats } from '../outbox.js';
import type { LeaseRow } from './lease.js';
import type { OutboxStatements } from './schema.js';

/** The one row of the table `outbox`, without the lease. */
export interface Ledger extends OutboxStats {
  /** The position given out last. */
  readonly newest: number;
  /** Dead letters that were purged; they stay in the books. */
  readonly purged: number;
  /** Delivered entries whose keys are not remembered any more. */
  readonly forgotten: number;
  readonly pendingBytes: number;
  readonly inFlightBytes: number;
  /** Of all messages in the file, dead letters included. */
  readonly bytes: number;
}

export type OutboxRow = Ledger & LeaseRow;

export type LedgerChange = { -readonly [Name in keyof Ledger]: number };

// In the order of the statement's parameters.
const COLUMNS: readonly (keyof Ledger)[] = [
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

export function noChange(): LedgerChange {
  return Object.fromEntries(COLUMNS.map(column => [column, 0])) as LedgerChange;
}

export function added(ledger: Ledger, change: Partial<LedgerChange>): Ledger {
  const sum = noChange();
  for (const column of COLUMNS) sum[column] = ledger[column] + (change[column] ?? 0);
  return sum;
}

export function readRow(statements: OutboxStatements): OutboxRow {
  return statements.get('row').get() as unknown as OutboxRow;
}

/** Adds to the books; negative numbers take away. */
export function book(statements: OutboxStatements, change: Partial<LedgerChange>): void {
  statements.get('book').run(...COLUMNS.map(column => change[column] ?? 0));
}
