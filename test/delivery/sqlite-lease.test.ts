import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, test, vi } from 'vitest';
import { Lease } from '../../src/outbox/sqlite/lease.js';
import type { LeaseRow } from '../../src/outbox/sqlite/lease-row.js';
import { hostOf, LeaseWatch } from '../../src/outbox/sqlite/lease-watch.js';
import { OwnerLock } from '../../src/outbox/sqlite/owner-lock.js';
import type { OutboxStatements } from '../../src/outbox/sqlite/statements.js';
import { isRunning, thisProcess } from '../../src/outbox/sqlite/this-process.js';

const NOW = 1_000_000;
const MS = 900;

const row = (fields: Partial<LeaseRow> = {}): LeaseRow & { id: number } => ({
  id: 1,
  leaseOwner: 'other',
  leaseUntil: NOW + MS,
  leaseMs: MS,
  leaseRenewals: 1,
  leaseHost: null,
  ...fields,
});

/** The file of an outbox, of which only the lock is used here. */
function aFile(): string {
  const folder = mkdtempSync(join(tmpdir(), 'synap-lease-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, 'outbox.db');
}

const HOLDER = fileURLToPath(new URL('programs/lock-holder.ts', import.meta.url));

/** Another process that has the lock. */
async function holdElsewhere(file: string) {
  const child = spawn(process.execPath, [HOLDER, `${file}-owner`, '60000'], { stdio: ['ignore', 'pipe', 'ignore'] });
  const end = async () => {
    if (child.exitCode === null && child.signalCode === null && child.kill('SIGKILL')) await once(child, 'exit');
  };
  onTestFinished(end);
  await once(child.stdout, 'data');
  return { end };
}

/** The one row, and the statements that change it as SQLite would. */
function table(first: Partial<LeaseRow> = { leaseOwner: null }) {
  let current = { ...row(first), carriedMs: 0 };
  const run: Record<string, (...values: never[]) => unknown> = {
    acquireLease: (leaseOwner: string, leaseUntil: number, leaseMs: number, leaseHost: string, carriedMs: number) => {
      const leaseRenewals = current.leaseRenewals + 1;
      current = {
        id: 1,
        leaseOwner,
        leaseUntil,
        leaseMs,
        leaseHost,
        leaseRenewals,
        carriedMs: current.carriedMs + carriedMs,
      };
    },
    renewLease: (leaseUntil: number, carriedMs: number, owner: string) => {
      if (current.leaseOwner !== owner) return { changes: 0 };
      const leaseRenewals = current.leaseRenewals + 1;
      current = { ...current, leaseUntil, leaseRenewals, carriedMs: current.carriedMs + carriedMs };
      return { changes: 1 };
    },
    releaseLease: (owner: string) => {
      if (current.leaseOwner === owner) current = { ...current, leaseOwner: null };
    },
  };
  const statements = { get: (name: string) => ({ run: run[name] }) } as unknown as OutboxStatements;
  return { statements, row: () => current };
}

const entry = { position: 1, conversationId: 'a', bytes: 1 };

/** Lets time pass, while somebody looks at the lease as often as a relay does. */
function pass(ms: number, look: () => void): void {
  look();
  for (let left = ms; left > 0; left -= MS / 4) {
    vi.setSystemTime(Date.now() + Math.min(left, MS / 4));
    look();
  }
}

beforeEach(() => {
  vi.useFakeTimers({ now: NOW });
});
afterEach(() => {
  vi.useRealTimers();
});

describe('a lease', () => {
  const aLease = (lock = new OwnerLock(aFile())) => {
    onTestFinished(() => lock.release());
    return new Lease(MS, lock);
  };

  it('is held from when it is acquired', () => {
    const { statements, row } = table();
    const lease = aLease();
    expect(lease.isHeld(row())).toBe(false);
    expect(lease.stateOf(row())).toBe('free');
    lease.acquire(statements, row());
    expect(lease.isHeld(row())).toBe(true);
    expect(lease.stateOf(row())).toBe('mine');
    expect(row()).toMatchObject({ leaseUntil: NOW + MS, leaseMs: MS, leaseRenewals: 2 });
  });

  it('keeps its token while it is held, and has another after it was lost', () => {
    const { statements, row } = table();
    const [one, two] = [aLease(), aLease()];
    one.acquire(statements, row());
    const token = row().leaseOwner;
    one.acquire(statements, row());
    expect(row().leaseOwner).toBe(token);
    two.acquire(statements, row());
    expect([one.isLost(row()), two.isLost(row())]).toEqual([true, false]);
    expect(one.renew(statements)).toBe(false);
    one.acquire(statements, row());
    expect(row().leaseOwner).not.toBe(token);
    expect([one.renew(statements), two.renew(statements)]).toEqual([true, false]);
  });

  it('that nobody had, or that was released, is not lost', () => {
    const { statements, row } = table();
    const lease = aLease();
    expect(lease.isLost(row())).toBe(false);
    lease.acquire(statements, row());
    lease.release(statements);
    expect(lease.isLost(row())).toBe(false);
    expect(row().leaseOwner).toBe(null);
    expect(lease.wasHeld).toBe(false);
  });

  it('of another outbox is neither renewed nor released', () => {
    const { statements, row } = table();
    const [one, two] = [aLease(), aLease()];
    one.acquire(statements, row());
    const before = row();
    expect(two.renew(statements)).toBe(false);
    two.release(statements);
    expect(row()).toEqual(before);
  });

  it('can not be acquired from another, until it was not renewed for its time', () => {
    const { statements, row } = table();
    const lock = new OwnerLock(aFile());
    const [one, two] = [aLease(lock), aLease(new OwnerLock(aFile()))];
    one.acquire(statements, row());
    pass(MS - 1, () => expect(two.canAcquire(row())).toBe(false));
    one.renew(statements);
    pass(MS - 1, () => expect(two.canAcquire(row())).toBe(false));
    vi.setSystemTime(Date.now() + 1);
    expect(two.canAcquire(row())).toBe(true);
  });

  it('that was lost can not be acquired before what was in flight is settled', () => {
    const { statements, row } = table();
    const [one, two] = [aLease(), aLease()];
    one.acquire(statements, row());
    one.claimed.set('key', entry);
    expect(one.canAcquire(row())).toBe(true);
    two.acquire(statements, row());
    two.release(statements);
    expect(one.canAcquire(row())).toBe(false);
    one.claimed.clear();
    expect(one.canAcquire(row())).toBe(true);
  });

  it('adds up the time of its owners, and what went by between them as far as the next one saw it', () => {
    const { statements, row } = table();
    const [one, two] = [aLease(), aLease()];
    one.acquire(statements, row());
    vi.setSystemTime(NOW + 5000);
    expect(one.uncountedMs).toBe(5000);
    one.renew(statements);
    expect(row().carriedMs).toBe(5000);
    pass(MS, () => two.canAcquire(row()));
    expect(two.acquire(statements, row())).toBe(MS);
    vi.setSystemTime(Date.now() + 100);
    expect(two.acquire(statements, row())).toBe(100);
    expect(row().carriedMs).toBe(5000 + MS + 100);
    two.release(statements);
    expect(two.uncountedMs).toBe(0);
    vi.setSystemTime(Date.now() + 60_000);
    expect(one.acquire(statements, row())).toBe(0);
  });

  it('is renewed three times in its time, as long as anything is in flight', () => {
    const lease = aLease();
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

describe("another's lease", () => {
  const here = thisProcess();
  if (here === undefined) throw new Error('this machine does not tell where a process runs');
  const watch = (file = aFile()) => {
    const watched = new LeaseWatch(new OwnerLock(file));
    return (fields: Partial<LeaseRow> = {}) => watched.isOver(row(fields), Date.now());
  };

  it('goes on with each sign of life: a renewal, or a later end of a version that counts none', () => {
    const isOver = watch();
    for (let n = 0; n < 10; n++) {
      pass(MS - 1, () => expect(isOver({ leaseRenewals: n })).toBe(false));
      pass(MS - 1, () => expect(isOver({ leaseRenewals: n, leaseUntil: n })).toBe(false));
    }
  });

  it('is not over by the clock of the machine, wherever that stands', () => {
    const isOver = watch();
    for (const leaseUntil of [0, NOW - 1, NOW + 10 * MS]) expect(isOver({ leaseUntil })).toBe(false);
  });

  it('is not over by one long pause of the one who watches', () => {
    const isOver = watch();
    expect(isOver()).toBe(false);
    vi.setSystemTime(NOW + 1000 * MS);
    expect(isOver()).toBe(false);
  });

  it('is over at once when its owner has let go of the lock', () => {
    const file = aFile();
    const lock = new OwnerLock(file);
    const place = lock.take();
    if (!place) throw new Error('the lock could not be taken');
    const leaseHost = hostOf('other', place);
    expect(watch(file)({ leaseHost })).toBe(false);
    lock.release();
    expect(watch(file)({ leaseHost })).toBe(true);
  });

  it.each<[string, (place: Record<string, unknown>) => unknown]>([
    ['of another kernel', place => ({ ...place, kernel: 'another' })],
    ['of another file', place => ({ ...place, file: '1:1' })],
    ['of an earlier tenure, which an older version has left there', place => ({ ...place, lease: 'earlier' })],
    ['of a process that runs, whatever the lock says', place => ({ ...place, pid: process.ppid })],
    ['without a process', place => ({ ...place, pid: 'none' })],
    ['that is no object', () => 'x'],
  ])('waits its time where the note of the lock is %s', (_, change) => {
    const file = aFile();
    const lock = new OwnerLock(file);
    const place = lock.take();
    lock.release();
    const leaseHost = JSON.stringify(change({ lease: 'other', ...place }));
    const isOver = watch(file);
    pass(MS - 1, () => expect(isOver({ leaseHost })).toBe(false));
    vi.setSystemTime(Date.now() + 1);
    expect(isOver({ leaseHost })).toBe(true);
  });

  it('in another namespace of processes is told by the lock alone', async () => {
    const file = aFile();
    const lock = new OwnerLock(file);
    const place = { ...lock.take(), namespace: 'pid:[1]', pid: process.ppid };
    const leaseHost = JSON.stringify({ lease: 'other', ...place });
    lock.release();
    const owner = await holdElsewhere(file);
    expect(watch(file)({ leaseHost })).toBe(false);
    await owner.end();
    expect(watch(file)({ leaseHost })).toBe(true);
  });
});

describe('the lock of an owner', () => {
  it('is one file, that stays empty', async () => {
    const file = aFile();
    const lock = new OwnerLock(file);
    expect(lock.take()).toMatchObject({ pid: process.pid });
    lock.release();
    const owner = await holdElsewhere(file);
    expect(lock.take()).toBe(undefined);
    await owner.end();
    expect(lock.take()).toBeDefined();
    expect(readFileSync(`${file}-owner`).length).toBe(0);
    lock.release();
  });

  it('is that of all outboxes of a process on a file, until the last of them lets go', async () => {
    const file = aFile();
    const [one, two] = [new OwnerLock(file), new OwnerLock(file)];
    const place = one.take();
    expect(two.take()).toBe(place);
    one.release();
    const other = holdElsewhere(file);
    let isOthers = false;
    void other.then(() => {
      isOthers = true;
    });
    vi.useRealTimers();
    await new Promise(resolve => setTimeout(resolve, 500));
    expect(isOthers).toBe(false);
    expect(place && two.stateOf(place)).toBe('here');
    two.release();
    await other;
    expect(one.take()).toBe(undefined);
  });

  it('is not had where there is a link in its place', () => {
    const file = aFile();
    symlinkSync(file, `${file}-owner`);
    expect(new OwnerLock(file).take()).toBe(undefined);
    expect(existsSync(file)).toBe(false);
  });

  it('is taken anew when its file was deleted', () => {
    const file = aFile();
    const lock = new OwnerLock(file);
    const first = lock.take();
    expect(lock.take()).toBe(first);
    rmSync(`${file}-owner`);
    expect(lock.take()).toBeDefined();
    expect(existsSync(`${file}-owner`)).toBe(true);
    expect(lock.take()).not.toBe(first);
    lock.release();
  });

  it("is left alone where something else stands in its file's place", () => {
    const file = aFile();
    writeFileSync(`${file}-owner`, 'notes of mine');
    const lock = new OwnerLock(file);
    expect(lock.take()).toBe(undefined);
    expect(readFileSync(`${file}-owner`, 'utf8')).toBe('notes of mine');
  });

  it('is not there where the folder is not', () => {
    const lock = new OwnerLock(join(aFile(), 'no-folder', 'outbox.db'));
    expect(lock.take()).toBe(undefined);
    lock.release();
  });
});

test('a process runs until it has ended', () => {
  expect(isRunning(process.pid)).toBe(true);
  expect(isRunning(process.ppid)).toBe(true);
  expect(isRunning(2 ** 22 + 1)).toBe(false);
});
