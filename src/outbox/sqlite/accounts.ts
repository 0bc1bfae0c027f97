import type { DatabaseSync } from 'node:sqlite';
import { inTransaction } from '../../internal/sqlite/database.js';
import { wallNow } from '../../internal/wall-clock.js';
import type { AccountStats } from '../outbox.js';
import { addToCounters, type Counters, ensureRow, noChange, type OutboxRow, readRow } from './counters.js';
import { requeueInFlight } from './entry-moves.js';
import type { LeaseRow } from './lease-row.js';
import type { OutboxStatements } from './statements.js';
import { VERSION_1_ACCOUNT } from './version-1.js';

/** All accounts of a file, with what is counted of each. */
export function listAccounts(
  statements: OutboxStatements,
  isDelivering: (account: string, lease: LeaseRow) => boolean,
): AccountStats[] {
  return statements
    .get('accounts')
    .all()
    .map(row => {
      const { account, accepted, pending, inFlight, delivered, deadLettered, expired } = row as unknown as AccountStats;
      const delivering = isDelivering(account, row as unknown as LeaseRow);
      const aliases = statements
        .get('aliases')
        .all(account)
        .map(({ alias }) => alias as string);
      return { account, aliases, accepted, pending, inFlight, delivered, deadLettered, expired, delivering };
    });
}

/**
 * Moves what is pending, and the dead letters, from one account to another, in one transaction; with `isAlias`, all of the
 * account, whose name then stands for the other.
 */
export function adoptAccount(
  db: DatabaseSync,
  statements: OutboxStatements,
  { from, to, isAlias, isBusy }: { from: string; to: string; isAlias: boolean; isBusy(lease: LeaseRow): boolean },
): number | 'busy' {
  return inTransaction(db, () => {
    const source = readRow(statements, from);
    if (source.inFlight > 0) {
      if (isBusy(source)) return 'busy';
      addToCounters(statements, source, requeueInFlight(statements, source));
      // Whoever had it in flight may only have been suspended: what it says of that counts no more.
      statements.get('releaseLease').run(source.leaseOwner);
    }
    const moved = source.id === 0 ? 0 : moveAll(statements, from, to, isAlias);
    if (isAlias) remember(statements, from, to);
    return moved;
  });
}

/**
 * Gives what an older version has left, in a file that it wrote, to the account of the recorder that opens it.
 *
 * @returns how many messages are outstanding; undefined when there was nothing to give
 */
export function adoptVersion1(db: DatabaseSync, statements: OutboxStatements, to: string): number | undefined {
  if (to === VERSION_1_ACCOUNT || readRow(statements, VERSION_1_ACCOUNT).id === 0) return undefined;
  return inTransaction(db, () => {
    const source = readRow(statements, VERSION_1_ACCOUNT);
    if (source.id === 0) return undefined;
    if (readRow(statements, to).id === 0) {
      const { account } = statements.get('accountOf').get(to, to) as { account: string };
      statements.get('rename').run(account, source.id);
    } else if (source.inFlight > 0 && mayBeUnderWay(source)) return undefined;
    else {
      addToCounters(statements, source, requeueInFlight(statements, source));
      moveAll(statements, VERSION_1_ACCOUNT, to, true);
    }
    return source.pending + source.inFlight;
  });
}

/** The owner is of version 1, which can renew nothing any more: its lease is told by the clock of the machine only. */
function mayBeUnderWay({ leaseOwner, leaseUntil, leaseMs }: LeaseRow): boolean {
  const now = wallNow();
  return leaseOwner !== null && leaseUntil > now && leaseUntil <= now + 2 * leaseMs;
}

function moveAll(statements: OutboxStatements, from: string, to: string, isAlias: boolean): number {
  const target = ensureRow(statements, to);
  const source = readRow(statements, from);
  if (source.id === target.id) return 0;
  const before = countOf(statements, source.id);
  statements.get('dropKnownMessages').run(target.id, source.id);
  statements.get('dropKnown').run(source.id, target.id);
  const { messages, change } = countOf(statements, source.id);
  statements.get('demoteReady').run(target.id);
  statements.get('move').run(target.id, target.carriedMs - source.carriedMs, source.id);
  statements.get('promoteAll').run(target.id, target.id);
  addToCounters(statements, source, negated(before.change));
  // What was newest there is the file's newest perhaps, which must not be given out again.
  addToCounters(statements, { ...target, newest: 0 }, { ...change, newest: source.newest });
  if (isAlias) moveDelivered(statements, from, source, target);
  return messages;
}

/** The rest of an account: what only counts, and the keys that were delivered. */
function moveDelivered(statements: OutboxStatements, from: string, source: OutboxRow, target: OutboxRow): void {
  const { accepted, delivered, deadLettered, expired, purged, forgotten } = readRow(statements, from);
  const dropped = Number(statements.get('dropKnownDelivered').run(source.id, target.id).changes);
  statements.get('moveDelivered').run(target.id, source.id);
  const counts = { accepted, delivered, deadLettered, expired, purged, forgotten: forgotten + dropped };
  addToCounters(statements, target, counts);
  statements.get('deleteAccount').run(source.id);
}

/** What an account has that can move, as counters. */
function countOf(statements: OutboxStatements, id: number) {
  const change = noChange();
  let messages = 0;
  for (const row of statements.get('countStates').all(id)) {
    const { state, messages: count, bytes } = row as { state: string; messages: number; bytes: number };
    messages += count;
    change.accepted += count;
    change.bytes += bytes;
    if (state === 'dead') change.deadLettered += count;
    else if (state === 'expired') change.expired += count;
    else {
      change.pending += count;
      change.pendingBytes += bytes;
    }
  }
  return { messages, change };
}

function negated(change: Partial<Record<keyof Counters, number>>) {
  return Object.fromEntries(Object.entries(change).map(([name, count]) => [name, -count]));
}

function remember(statements: OutboxStatements, from: string, to: string): void {
  const { account } = statements.get('accountOf').get(to, to) as { account: string };
  if (account === from) return;
  statements.get('moveAliases').run(account, from);
  statements.get('addAlias').run(from, account);
}
