import { existsSync, readFileSync, statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { Outbox } from '../../src/index.js';
import { type SqliteOutboxOptions, sqliteOutbox } from '../../src/outbox/sqlite/index.js';
import { runs } from '../support/runs.js';
import {
  anEntry,
  balancedStats,
  claimKeys,
  deliver,
  expectSound,
  keysOf,
  NO_LIMITS,
  putAll,
  putBack,
  remoteOutbox,
  tempFile,
  WHOLE_TURN,
} from './outbox-support.js';

const LEASE_MS = 10_000;

let opened: Outbox[] = [];

/** An outbox on a file, as another process would have one. */
function open(path: string, options: Partial<SqliteOutboxOptions> = {}): Outbox {
  const outbox = sqliteOutbox({ path, leaseMs: LEASE_MS, ...options });
  outbox.stats();
  opened.push(outbox);
  onTestFinished(async () => {
    opened = [];
    await outbox.close();
  });
  return outbox;
}

/** Lets time pass by a fake clock, while all outboxes look at the file now and then, as their relays do. */
function pass(ms: number): void {
  const look = () => {
    for (const outbox of opened) outbox.stats();
  };
  look();
  for (let left = ms; left > 0; left -= LEASE_MS / 4) {
    vi.setSystemTime(Date.now() + Math.min(left, LEASE_MS / 4));
    look();
  }
}

function exec(path: string, sql: string): void {
  const db = new DatabaseSync(path);
  db.exec(sql);
  db.close();
}

/** How often the lease was renewed, as the file says. */
function renewals(path: string): number {
  const db = new DatabaseSync(path, { readOnly: true });
  try {
    return Number(db.prepare('SELECT lease_renewals FROM accounts').get()?.lease_renewals);
  } finally {
    db.close();
  }
}

/** Leaves an outbox as a process does that is killed. */
function forget(_outbox: Outbox): void {}

describe('a file that is opened again', () => {
  it('holds what was accepted, in order, and goes on behind it', async () => {
    const path = tempFile();
    const first = open(path);
    await putAll(first, 'a:c1', 'b:c2', 'c:c1');
    const { position } = await first.progress();
    await first.close();
    const second = open(path);
    expect(balancedStats(second)).toMatchObject({ accepted: 3, pending: 3, pendingBytes: 300 });
    await putAll(second, 'd:c2');
    expect((await second.progress()).position).toBeGreaterThan(position);
    expect(await claimKeys(second)).toEqual(['a', 'b', 'c', 'd']);
    expectSound(path);
  });

  it('has what was in flight pending again, as what Synap may have', async () => {
    const path = tempFile();
    const first = open(path);
    await putAll(first, 'a:c1', 'b:c1');
    await claimKeys(first, { maxMessages: 1 });
    expect(await first.close()).toEqual([]);
    expect(first.stats()).toMatchObject({ accepted: 2, pending: 2, inFlight: 0 });
    const claimed = await open(path).claim(NO_LIMITS);
    expect(claimed).toMatchObject([
      { key: 'a', attempts: 1, maybeStored: true },
      { key: 'b', attempts: 0, maybeStored: false },
    ]);
  });

  it('knows the keys that were delivered', async () => {
    const path = tempFile();
    const first = open(path);
    await putAll(first, 'a');
    await claimKeys(first);
    await deliver(first, 'a');
    await first.close();
    expect(await open(path).put(anEntry('a'), WHOLE_TURN)).toBe('duplicate');
  });

  it('knows the newest 100,000 of them', async () => {
    const path = tempFile();
    const first = open(path);
    await putAll(first, 'old');
    await claimKeys(first);
    await deliver(first, 'old');
    await first.close();
    exec(
      path,
      `WITH RECURSIVE n (i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)
      INSERT INTO entries SELECT i, 1, 'k' || i, 'c', 'delivered', 1, 0, 0, 0, NULL, NULL, NULL, 0 FROM n;
      UPDATE accounts SET newest = 100000, accepted = 100000, delivered = 100000`,
    );
    const second = open(path);
    expect(await second.put(anEntry('old'), WHOLE_TURN)).toBe('duplicate');
    await putAll(second, 'new');
    await claimKeys(second);
    await deliver(second, 'new');
    expect(await second.put(anEntry('new'), WHOLE_TURN)).toBe('duplicate');
    expect(await second.put(anEntry('k2'), WHOLE_TURN)).toBe('duplicate');
    expect(await second.put(anEntry('old'), WHOLE_TURN)).toBe('accepted');
    expect(balancedStats(second)).toMatchObject({ accepted: 100_002, delivered: 100_001 });
    expectSound(path);
  });

  it('has nothing beside it when it is closed, and is for its owner only', async () => {
    const path = tempFile();
    const outbox = open(path);
    await putAll(outbox, 'a');
    for (const file of [path, `${path}-wal`]) expect(statSync(file).mode & 0o777, file).toBe(0o600);
    await outbox.close();
    expect(existsSync(`${path}-wal`)).toBe(false);
  });
});

describe('outboxes on one file', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'] }));
  afterEach(() => void vi.useRealTimers());

  it('all put, and one carries', async () => {
    const path = tempFile();
    const [first, second, third] = [open(path), open(path), open(path)];
    await putAll(first, 'a:c1');
    await putAll(second, 'b:c2');
    await putAll(third, 'c:c3');
    expect(await claimKeys(second, { maxMessages: 1 })).toEqual(['a']);
    expect(await claimKeys(first)).toEqual([]);
    expect(await claimKeys(third)).toEqual([]);
    await deliver(second, 'a');
    expect(await claimKeys(third)).toEqual([]);
    expect(await claimKeys(second)).toEqual(['b', 'c']);
    for (const outbox of [first, second, third])
      expect(balancedStats(outbox)).toMatchObject({ accepted: 3, inFlight: 2, delivered: 1 });
  });

  it('hold a key once between them', async () => {
    const path = tempFile();
    await putAll(open(path), 'a');
    expect(await open(path).put(anEntry('a'), WHOLE_TURN)).toBe('duplicate');
  });

  it('pass the right to carry on when nothing is left', async () => {
    const path = tempFile();
    const [first, second] = [open(path), open(path)];
    await putAll(first, 'a');
    await claimKeys(first);
    await deliver(first, 'a');
    await putAll(first, 'b');
    expect(await claimKeys(second)).toEqual(['b']);
  });

  it('pass it on when the one that carries is closed', async () => {
    const path = tempFile();
    const [first, second] = [open(path), open(path)];
    await putAll(first, 'a:c1', 'b:c2');
    await claimKeys(first, { maxMessages: 1 });
    await first.close();
    expect(await claimKeys(second)).toEqual(['a', 'b']);
  });

  it('take over from one that has died, after its lease', async () => {
    const path = tempFile();
    const [first, second] = [open(path), open(path)];
    await putAll(first, 'a:c1', 'b:c1');
    await claimKeys(first, { maxMessages: 1 });
    forget(first);
    pass(LEASE_MS - 1);
    expect(await claimKeys(second)).toEqual([]);
    expect(balancedStats(second)).toMatchObject({ pending: 1, inFlight: 1 });
    pass(1);
    // A relay claims when something is pending.
    expect(balancedStats(second)).toMatchObject({ pending: 2, inFlight: 0, pendingBytes: 200 });
    expect(await second.claim(NO_LIMITS)).toMatchObject([
      { key: 'a', attempts: 1, maybeStored: true },
      { key: 'b', attempts: 0, maybeStored: false },
    ]);
    expect(balancedStats(second)).toMatchObject({ pending: 0, inFlight: 2 });
    expectSound(path);
  });

  it('refuse the settlement of one that has been replaced, and change nothing', async () => {
    const path = tempFile();
    const [first, second] = [open(path), open(path)];
    await putAll(first, 'a:c1', 'b:c2');
    await claimKeys(first);
    pass(LEASE_MS);
    expect(await claimKeys(second)).toEqual(['a', 'b']);
    const before = balancedStats(second);
    expect(await deliver(first, 'a')).toBe('stale');
    expect(balancedStats(second)).toEqual(before);
    await deliver(second, 'a', 'b');
    expect(await putBack(first, 'b')).toBe('stale');
    expect(balancedStats(second)).toMatchObject({ accepted: 2, delivered: 2 });
    expectSound(path);
  });

  it('refuse it even when nobody carries any more', async () => {
    const path = tempFile();
    const [first, second] = [open(path), open(path)];
    await putAll(first, 'a');
    await claimKeys(first);
    pass(LEASE_MS);
    await claimKeys(second);
    await deliver(second, 'a');
    expect(await deliver(first, 'a')).toBe('stale');
    expect(balancedStats(first)).toMatchObject({ delivered: 1 });
  });

  it('let one that has been replaced carry again only when it has settled what it had', async () => {
    const path = tempFile();
    const [first, second] = [open(path), open(path)];
    await putAll(first, 'a:c1', 'b:c2');
    await claimKeys(first);
    pass(LEASE_MS);
    await claimKeys(second);
    await second.close();
    expect(await claimKeys(first)).toEqual([]);
    expect(await deliver(first, 'a')).toBe('stale');
    expect(await claimKeys(first)).toEqual([]);
    expect(await deliver(first, 'b')).toBe('stale');
    expect(await claimKeys(first)).toEqual(['a', 'b']);
    expect(await deliver(first, 'a', 'b')).toBe('settled');
  });

  it('leave it to one whose lease has run out, as long as nobody has taken it', async () => {
    const path = tempFile();
    const [first, second] = [open(path), open(path)];
    await putAll(first, 'a:c1', 'b:c1');
    await claimKeys(first, { maxMessages: 1 });
    pass(10 * LEASE_MS);
    expect(await deliver(first, 'a')).toBe('settled');
    expect(await claimKeys(second)).toEqual([]);
    expect(await claimKeys(first)).toEqual(['b']);
  });

  it('do not take over because of one long pause of their own: the owner may have been suspended, too', async () => {
    const path = tempFile();
    const [first, second] = [open(path), open(path)];
    await putAll(first, 'a');
    await claimKeys(first);
    second.stats();
    vi.setSystemTime(Date.now() + 100 * LEASE_MS);
    expect(await claimKeys(second)).toEqual([]);
    expect(await deliver(first, 'a')).toBe('settled');
  });

  it('keep order, and never have a conversation in flight twice, whoever comes and goes', async () => {
    const step = fc.record({
      who: fc.nat(2),
      what: fc.constantFrom('put', 'put', 'put', 'claim', 'claim', 'deliver', 'deliver', 'put back', 'die', 'wait'),
      conversation: fc.nat(2),
      count: fc.integer({ min: 1, max: 4 }),
    });
    const property = fc.asyncProperty(fc.array(step, { maxLength: 60, size: 'max' }), async steps => {
      const path = tempFile();
      const outboxes = [0, 1, 2].map(() => open(path));
      const held: string[][] = [[], [], []];
      const delivered: string[] = [];
      const conversations: number[] = [];
      const claimOf = new Map<string, number>();
      for (const [at, { who, what, conversation, count }] of steps.entries()) {
        const outbox = outboxes[who] as Outbox;
        const mine = held[who] as string[];
        if (what === 'wait') pass(LEASE_MS / 2);
        else if (what === 'put') {
          await putAll(outbox, `${conversations.length}:c${conversation}`);
          conversations.push(conversation);
        } else if (what === 'die') {
          outboxes[who] = open(path);
          held[who] = [];
        } else if (what === 'claim') {
          const keys = await claimKeys(outbox, { maxMessages: count });
          for (const key of keys) claimOf.set(key, at);
          mine.push(...keys);
        } else {
          const keys = mine.splice(0, count);
          const answer = await (what === 'deliver' ? deliver(outbox, ...keys) : putBack(outbox, ...keys));
          if (answer === 'settled' && what === 'deliver') delivered.push(...keys);
        }
        balancedStats(outbox);
        const states = expectSound(path);
        for (const [key, state] of states) {
          if (state !== 'in_flight') continue;
          const inConversation = [...states].filter(([other]) => conversations[+other] === conversations[+key]);
          for (const [other, otherState] of inConversation) {
            if (otherState === 'in_flight') expect(claimOf.get(other)).toBe(claimOf.get(key));
            // Those that were put back out of the middle are the only older ones that may wait.
            else if (+other < +key && !claimOf.has(other)) expect(otherState).toBe('delivered');
          }
        }
      }
      const states = [...expectSound(path)];
      expect(states).toHaveLength(conversations.length);
      const ended = states.filter(([, state]) => state === 'delivered').map(([key]) => key);
      expect(ended).toEqual(delivered.sort((a, b) => +a - +b));
    });
    await fc.assert(property, { numRuns: runs(40, 400), interruptAfterTimeLimit: 60_000 });
  });
});

describe('outboxes of several processes', () => {
  it.runIf(process.platform === 'linux')('keep the locks of a process that opens the file twice', async () => {
    const path = tempFile();
    await putAll(open(path), 'a');
    const { ino } = statSync(path);
    const locks = () =>
      readFileSync('/proc/locks', 'utf8')
        .split('\n')
        .filter(line => line.includes(`:${ino} `));
    expect(locks()).toHaveLength(1);
    open(path);
    expect(locks()).toHaveLength(1);
  });

  // None of these ends while a test runs, however slow the machine is.
  const LONG_MS = 600_000;

  it('carry one at a time', async () => {
    const path = tempFile();
    const remotes = await Promise.all([1, 2, 3, 4].map(() => remoteOutbox({ path, leaseMs: LONG_MS })));
    await Promise.all(remotes.map((remote, n) => remote.call('put', anEntry(`k${n}`, `c${n}`), WHOLE_TURN)));
    const claims = await Promise.all(remotes.map(remote => remote.call<unknown[]>('claim', NO_LIMITS)));
    expect(claims.filter(claimed => claimed.length > 0)).toHaveLength(1);
    expect(claims.flat()).toHaveLength(4);
  });

  it('take over at once from one that was killed with messages in flight', async () => {
    const path = tempFile();
    const victim = await remoteOutbox({ path, leaseMs: LONG_MS });
    for (const key of ['a', 'b', 'c']) await victim.call('put', anEntry(key), WHOLE_TURN);
    expect(await victim.call('claim', { ...NO_LIMITS, maxMessages: 2 })).toHaveLength(2);
    const heir = open(path, { leaseMs: LONG_MS });
    expect(await claimKeys(heir)).toEqual([]);
    victim.kill('SIGKILL');
    await expect.poll(() => heir.stats().pending).toBe(3);
    const claimed = await heir.claim(NO_LIMITS);
    expect(keysOf(claimed)).toEqual(['a', 'b', 'c']);
    expect(claimed.map(({ maybeStored }) => maybeStored)).toEqual([true, true, false]);
    expectSound(path);
  });

  it('do not take over from one that lives, however long its request takes', async () => {
    const path = tempFile();
    const carrier = await remoteOutbox({ path, leaseMs: 3000 });
    await carrier.call('put', anEntry('a'), WHOLE_TURN);
    await carrier.call('put', anEntry('b', 'c2'), WHOLE_TURN);
    await carrier.call('claim', { ...NO_LIMITS, maxMessages: 1 });
    const other = open(path, { leaseMs: 3000 });
    const first = renewals(path);
    vi.useFakeTimers({ toFake: ['Date'] });
    onTestFinished(() => void vi.useRealTimers());
    for (let round = 1; round <= 3; round++) {
      other.stats();
      vi.setSystemTime(Date.now() + 2900);
      expect(await claimKeys(other)).toEqual([]);
      await expect.poll(() => renewals(path)).toBeGreaterThan(first + round);
    }
    expect(await carrier.call('settle', [{ key: 'a', to: 'delivered' }])).toBe('settled');
  });

  it('refuse one that was suspended for too long, which goes on as if it were new', async () => {
    const path = tempFile();
    const suspended = await remoteOutbox({ path, leaseMs: LONG_MS });
    await suspended.call('put', anEntry('a'), WHOLE_TURN);
    expect(await suspended.call('claim', NO_LIMITS)).toHaveLength(1);
    suspended.kill('SIGSTOP');
    vi.useFakeTimers({ toFake: ['Date'] });
    onTestFinished(() => void vi.useRealTimers());
    const other = open(path, { leaseMs: LONG_MS });
    pass(LONG_MS);
    expect(await claimKeys(other)).toEqual(['a']);
    suspended.kill('SIGCONT');
    expect(await suspended.call('settle', [{ key: 'a', to: 'dead', error: 'refused' }])).toBe('stale');
    expect(await suspended.call('claim', NO_LIMITS)).toEqual([]);
    expect(await deliver(other, 'a')).toBe('settled');
    await suspended.call('put', anEntry('b'), WHOLE_TURN);
    expect(await suspended.call('claim', NO_LIMITS)).toMatchObject([{ key: 'b' }]);
    expect(await suspended.call('settle', [{ key: 'b', to: 'delivered' }])).toBe('settled');
    expect(balancedStats(other)).toMatchObject({ accepted: 2, delivered: 2 });
    expectSound(path);
  });
});
