import type { OutboxStats } from '../outbox.js';
import type { LeaseRow } from './lease.js';
import type { OutboxStatements } from './schema.js';

/** The one row of the table `outbox`, without the lease. */
export interface Counters extends OutboxStats {
  /** The position given out last. */
  readonly newest: number;
  /** Dead letters that were purged; they stay in `deadLettered` and `expired`. */
  readonly purged: number;
  /** Delivered entries whose keys are not remembered any more. */
  readonly forgotten: number;
  readonly pendingBytes: number;
  readonly inFlightBytes: number;
  /** Of all messages in the file, dead letters included. */
  readonly bytes: number;
}

export type OutboxRow = Counters & LeaseRow;

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

export function added(counters: Counters, change: Partial<CountersChange>): Counters {
  const sum = noChange();
  for (const column of COLUMNS) sum[column] = counters[column] + (change[column] ?? 0);
  return sum;
}

export function readRow(statements: OutboxStatements): OutboxRow {
  return statements.get('row').get() as unknown as OutboxRow;
}

/** Adds to the counters in the file; negative numbers take away. */
export function addToCounters(statements: OutboxStatements, change: Partial<CountersChange>): void {
  statements.get('addToCounters').run(...COLUMNS.map(column => change[column] ?? 0));
}
