import { afterEach, beforeEach, describe, expect, it, test, vi } from 'vitest';
import { Lease, type LeaseRow, leaseState } from '../../src/outbox/sqlite/lease.js';
import type { OutboxStatements } from '../../src/outbox/sqlite/statements.js';

const NOW = 1_000_000;
const MS = 900;

const row = (fields: Partial<LeaseRow> = {}): LeaseRow & { id: number } => ({
  id: 1,
  leaseOwner: 'other',
  leaseUntil: NOW + MS,
  leaseMs: MS,
  ...fields,
});

test.each<[string, Partial<LeaseRow>, 'mine' | 'free' | 'theirs']>([
  ['nobody has', { leaseOwner: null }, 'free'],
  ['another has', {}, 'theirs'],
  ['another has for one more millisecond', { leaseUntil: NOW + 1 }, 'theirs'],
  ['another has had until now', { leaseUntil: NOW }, 'free'],
  ['this outbox has', { leaseOwner: 'own' }, 'mine'],
  ['this outbox has had, and nobody has taken since', { leaseOwner: 'own', leaseUntil: NOW - 1 }, 'mine'],
  ['lasts longer than it may, since the clock was set back', { leaseUntil: NOW + 2 * MS + 1 }, 'free'],
  ['lasts as long as it may', { leaseUntil: NOW + 2 * MS }, 'theirs'],
])('a lease that %s is %s', (_, fields, expected) => {
  expect(leaseState(row(fields), 'own', NOW)).toBe(expected);
});

test('to an outbox that never had it, a lease that nobody has is free', () => {
  expect(leaseState(row({ leaseOwner: null }), undefined, NOW)).toBe('free');
});

/** The one row, and the statements that change it as SQLite would. */
function table(first: Partial<LeaseRow> = { leaseOwner: null }) {
  let current = row(first);
  const run: Record<string, (...values: never[]) => void> = {
    acquireLease: (leaseOwner: string, leaseUntil: number, leaseMs: number) => {
      current = { id: 1, leaseOwner, leaseUntil, leaseMs };
    },
    renewLease: (leaseUntil: number, owner: string) => {
      if (current.leaseOwner === owner) current = { ...current, leaseUntil };
    },
    releaseLease: (owner: string) => {
      if (current.leaseOwner === owner) current = { ...current, leaseOwner: null };
    },
  };
  const statements = { get: (name: string) => ({ run: run[name] }) } as unknown as OutboxStatements;
  return { statements, row: () => current };
}

const entry = { position: 1, conversationId: 'a', bytes: 1 };

describe('a lease', () => {
  beforeEach(() => {
    vi.useFakeTimers({ now: NOW });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('is held from when it is acquired, for its time', () => {
    const { statements, row } = table();
    const lease = new Lease(MS);
    expect(lease.isHeld(row())).toBe(false);
    lease.acquire(statements, row(), NOW);
    expect(lease.isHeld(row())).toBe(true);
    expect(row()).toMatchObject({ leaseUntil: NOW + MS, leaseMs: MS });
  });

  it('keeps its token while it is held, and has another after it was lost', () => {
    const { statements, row } = table();
    const [one, two] = [new Lease(MS), new Lease(MS)];
    one.acquire(statements, row(), NOW);
    const token = row().leaseOwner;
    one.acquire(statements, row(), NOW);
    expect(row().leaseOwner).toBe(token);
    two.acquire(statements, row(), NOW + MS);
    expect([one.isLost(row()), two.isLost(row())]).toEqual([true, false]);
    one.acquire(statements, row(), NOW + 2 * MS);
    expect(row().leaseOwner).not.toBe(token);
  });

  it('that nobody had, or that was released, is not lost', () => {
    const { statements, row } = table();
    const lease = new Lease(MS);
    expect(lease.isLost(row())).toBe(false);
    lease.acquire(statements, row(), NOW);
    lease.release(statements);
    expect(lease.isLost(row())).toBe(false);
    expect(row().leaseOwner).toBe(null);
  });

  it('of another outbox is neither renewed nor released', () => {
    const { statements, row } = table();
    const [one, two] = [new Lease(MS), new Lease(MS)];
    one.acquire(statements, row(), NOW);
    const before = row();
    two.renew(statements);
    two.release(statements);
    expect(row()).toEqual(before);
  });

  it('can not be acquired from another, until it has run out', () => {
    const { statements, row } = table();
    const [one, two] = [new Lease(MS), new Lease(MS)];
    one.acquire(statements, row(), NOW);
    expect(two.canAcquire(row(), NOW)).toBe(false);
    expect(two.canAcquire(row(), NOW + MS)).toBe(true);
  });

  it('that was lost can not be acquired before what was in flight is settled', () => {
    const { statements, row } = table();
    const [one, two] = [new Lease(MS), new Lease(MS)];
    one.acquire(statements, row(), NOW);
    one.claimed.set('key', entry);
    expect(one.canAcquire(row(), NOW)).toBe(true);
    two.acquire(statements, row(), NOW + MS);
    two.release(statements);
    expect(one.canAcquire(row(), NOW + MS)).toBe(false);
    one.claimed.clear();
    expect(one.canAcquire(row(), NOW + MS)).toBe(true);
  });

  it('is renewed three times in its time, as long as anything is in flight', () => {
    const lease = new Lease(MS);
    const renew = vi.fn();
    lease.keep(renew);
    vi.advanceTimersByTime(10 * MS);
    expect(renew).not.toHaveBeenCalled();
    lease.claimed.set('key', entry);
    lease.keep(renew);
    lease.keep(renew);
    vi.advanceTimersByTime(MS);
    expect(renew).toHaveBeenCalledTimes(3);
    lease.claimed.clear();
    lease.keep(renew);
    expect(vi.getTimerCount()).toBe(0);
  });
});
