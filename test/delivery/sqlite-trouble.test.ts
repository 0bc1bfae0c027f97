import { existsSync, mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import * as fc from 'fast-check';
import { startLocalSynap } from 'synap-recorder-local';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { Outbox } from '../../src/index.js';
import { sqliteOutbox } from '../../src/outbox/sqlite/index.js';
import { runs } from '../support/runs.js';
import {
  addDeadLetter,
  anEntry,
  balancedStats,
  claimKeys,
  deliver,
  expectSound,
  keysOf,
  listen,
  NO_LIMITS,
  putAll,
  putBack,
  tempFile,
  WHOLE_TURN,
} from './outbox-support.js';

const SECOND = 1000;
const MINUTE = 60 * SECOND;

// Waiting for a lock goes by quickly here: each look at the clock is 50 ms later than the one before.
let now = 0;
beforeEach(() => {
  vi.spyOn(Date, 'now').mockImplementation(() => (now += 50));
  onTestFinished(() => void vi.restoreAllMocks());
});
const pass = (ms: number) => {
  now += ms;
};

/** An outbox, and what it says. */
function open(path: string): { outbox: Outbox; log: string[] } {
  const { lines, logger } = listen();
  const outbox = sqliteOutbox({ path });
  outbox.open?.(logger);
  onTestFinished(async () => void (await outbox.close()));
  return { outbox, log: lines };
}

/** Keeps others from writing to a file, until it is called. */
function lock(path: string): () => void {
  const other = new DatabaseSync(path);
  other.exec('BEGIN IMMEDIATE');
  const unlock = () => {
    if (other.isOpen) other.close();
  };
  onTestFinished(unlock);
  return unlock;
}

function exec(path: string, sql: string): void {
  const db = new DatabaseSync(path);
  db.exec(sql);
  db.close();
}

/** The file of an outbox with some messages in it, closed. */
async function filled(): Promise<string> {
  const path = tempFile();
  const outbox = sqliteOutbox({ path });
  for (let n = 0; n < 200; n++) await outbox.put(anEntry(`old${n}`, `c${n}`), WHOLE_TURN);
  await outbox.close();
  return path;
}

describe('a file that can not be used', () => {
  const files: [string, RegExp, () => string | Promise<string>][] = [
    ['in a folder that is not there', /can't be made: its folder does not exist/, () => join(tempFile(), 'outbox.db')],
    [
      'below a file',
      /can't be made: its folder does not exist/,
      () => {
        const path = tempFile();
        writeFileSync(path, 'a file');
        return join(path, 'outbox.db');
      },
    ],
    [
      'that is a folder',
      /is not a file: choose another place/,
      () => {
        const path = tempFile();
        mkdirSync(path);
        return path;
      },
    ],
    [
      'of text',
      /is not a SQLite database: choose another file/,
      () => {
        const path = tempFile();
        writeFileSync(path, 'Dear diary,\n'.repeat(1000));
        return path;
      },
    ],
    [
      'that is damaged',
      /is damaged: put a backup in its place, or choose another file. It was left as it is/,
      async () => {
        const path = await filled();
        const bytes = readFileSync(path);
        bytes.fill(0x5a, 8192, 20_000);
        writeFileSync(path, bytes);
        return path;
      },
    ],
    [
      'that was cut short',
      /is damaged/,
      async () => {
        const path = await filled();
        truncateSync(path, 20_000);
        return path;
      },
    ],
    [
      'of a newer version',
      /was written by a newer synap-recorder .*update synap-recorder, or choose another file/,
      async () => {
        const path = await filled();
        exec(path, 'PRAGMA user_version = 99');
        return path;
      },
    ],
    [
      'of another program',
      /is a database of another program: choose another file/,
      () => {
        const path = tempFile();
        exec(path, "CREATE TABLE notes (text TEXT); INSERT INTO notes VALUES ('mine')");
        return path;
      },
    ],
    [
      'of a local Synap',
      /is a database of another program: choose another file/,
      async () => {
        const path = tempFile();
        await (await startLocalSynap({ database: path })).close();
        return path;
      },
    ],
  ];

  it.each(files)('%s is named, left as it is, and messages are sent from memory', async (_what, reason, make) => {
    const path = await make();
    const bytes = read(path);
    const { outbox, log } = open(path);
    expect(log).toEqual([expect.stringMatching(reason)]);
    expect(log[0]).toContain(path);
    expect(log[0]).toContain('messages wait in memory');
    await putAll(outbox, 'a:c1', 'b:c2');
    expect(await claimKeys(outbox)).toEqual(['a', 'b']);
    expect(await deliver(outbox, 'a')).toBe('settled');
    pass(10 * MINUTE);
    expect(await outbox.put(anEntry('a'), WHOLE_TURN)).toBe('duplicate');
    expect(balancedStats(outbox)).toMatchObject({ accepted: 2, inFlight: 1, delivered: 1 });
    expect(keysOf(await outbox.close())).toEqual(['b']);
    expect(read(path)).toEqual(bytes);
  });

  it.each(files)('%s is said to be so once', async (_what, _reason, make) => {
    const { outbox, log } = open(await make());
    for (let n = 0; n < 20; n++) {
      await putAll(outbox, `a${n}`);
      outbox.stats();
      pass(15 * SECOND);
    }
    expect(log).toHaveLength(1);
  });

  it('is used when it can be, and takes what waited in memory, in order', async () => {
    const path = join(dirname(tempFile()), 'later', 'outbox.db');
    const { outbox, log } = open(path);
    await putAll(outbox, 'a:c1', 'b:c2', 'c:c1');
    mkdirSync(dirname(path));
    // It is not tried at every call.
    await putAll(outbox, 'd:c2');
    expect(existsSync(path)).toBe(false);
    pass(6 * SECOND);
    await putAll(outbox, 'e:c1');
    expect([...expectSound(path).keys()]).toHaveLength(5);
    expect(log).toHaveLength(2);
    expect(log[1]).toMatch(/^outbox file recovered/);
    expect(balancedStats(outbox)).toMatchObject({ accepted: 5, pending: 5, pendingBytes: 500 });
    expect(await outbox.close()).toEqual([]);
    expect(await claimKeys(open(path).outbox)).toEqual(['a', 'b', 'c', 'd', 'e']);
  });

  it('is tried again when the relay looks, too', async () => {
    const path = join(dirname(tempFile()), 'later', 'outbox.db');
    const { outbox } = open(path);
    await putAll(outbox, 'a');
    mkdirSync(dirname(path));
    pass(6 * SECOND);
    outbox.stats();
    expect(expectSound(path).size).toBe(1);
  });

  it('can be replaced by a person while the app runs', async () => {
    const path = tempFile();
    writeFileSync(path, 'Dear diary,\n'.repeat(1000));
    const { outbox } = open(path);
    await putAll(outbox, 'a', 'b');
    rmSync(path);
    pass(MINUTE);
    expect(await claimKeys(outbox, { maxMessages: 1 })).toEqual(['a']);
    await deliver(outbox, 'a');
    const states = expectSound(path);
    expect(Object.fromEntries(states)).toEqual({ a: 'delivered', b: 'ready' });
  });

  it('gives nothing of a conversation that is in flight from memory, when it can be read again', async () => {
    const path = await filled();
    const bytes = readFileSync(path);
    writeFileSync(path, 'Dear diary,\n'.repeat(1000));
    const { outbox } = open(path);
    await putAll(outbox, 'new:c1');
    expect(await claimKeys(outbox)).toEqual(['new']);
    writeFileSync(path, bytes);
    pass(MINUTE);
    const others = await claimKeys(outbox);
    expect(others).toHaveLength(199);
    expect(others).not.toContain('old1');
    await deliver(outbox, 'new');
    expect(await claimKeys(outbox)).toEqual(['old1']);
  });

  it('does not let what is put now overtake what is in flight from it', async () => {
    const path = tempFile();
    const { outbox, log } = open(path);
    await putAll(outbox, 'a:c1');
    await claimKeys(outbox);
    exec(path, 'PRAGMA wal_checkpoint(TRUNCATE)');
    const bytes = readFileSync(path);
    writeFileSync(path, Buffer.alloc(bytes.length, 0x5a));
    await putAll(outbox, 'b:c1', 'c:c2');
    expect(log).toEqual([expect.stringMatching(/is (damaged|not a SQLite database)/)]);
    expect(balancedStats(outbox)).toMatchObject({ accepted: 3, pending: 2, inFlight: 1 });
    expect(await claimKeys(outbox)).toEqual(['c']);
    expect(await deliver(outbox, 'a', 'c')).toBe('settled');
    expect(await claimKeys(outbox)).toEqual(['b']);
    writeFileSync(path, bytes);
    pass(MINUTE);
    balancedStats(outbox);
    await putAll(outbox, 'd:c2');
    expect(Object.fromEntries(expectSound(path))).toEqual({ a: 'delivered', d: 'ready' });
    expect(balancedStats(outbox)).toMatchObject({ accepted: 4, pending: 1, inFlight: 1, delivered: 2 });
  });

  it('gets what is in memory at the last moment, when the outbox is closed', async () => {
    const path = join(dirname(tempFile()), 'later', 'outbox.db');
    const { outbox } = open(path);
    await putAll(outbox, 'a:c1', 'b:c1', 'c:c2');
    await claimKeys(outbox, { maxMessages: 1 });
    mkdirSync(dirname(path));
    expect(await outbox.close()).toEqual([]);
    expect(balancedStats(outbox)).toMatchObject({ accepted: 3, pending: 3 });
    expect(await open(path).outbox.claim(NO_LIMITS)).toMatchObject([
      { key: 'a', attempts: 1, maybeStored: true },
      { key: 'b', attempts: 0, maybeStored: false },
      { key: 'c' },
    ]);
  });

  it('does not keep memory from being full', async () => {
    const { outbox } = open(join(tempFile(), 'outbox.db'));
    const large = (key: string) => anEntry(key, key, { bytes: 16 * 1024 * 1024 });
    expect(await outbox.put(large('a'), WHOLE_TURN)).toBe('accepted');
    expect(await outbox.put(large('b'), WHOLE_TURN)).toBe('accepted');
    expect(await outbox.put(large('c'), WHOLE_TURN)).toBe('full');
    expect(await outbox.put(large('c'), { admitted: true })).toBe('accepted');
  });
});

describe('a file that another program keeps locked', () => {
  it('is waited for a little, then messages go to memory until it is free', async () => {
    const path = tempFile();
    const { outbox, log } = open(path);
    await putAll(outbox, 'a:c1');
    const unlock = lock(path);
    await putAll(outbox, 'b:c1', 'c:c2');
    expect(log).toEqual([expect.stringMatching(/is locked by another program: close that first/)]);
    expect(balancedStats(outbox)).toMatchObject({ accepted: 3, pending: 3, pendingBytes: 300 });
    unlock();
    pass(2 * SECOND);
    await putAll(outbox, 'd:c1');
    expect(log).toHaveLength(2);
    expect(await claimKeys(outbox)).toEqual(['a', 'b', 'c', 'd']);
    expect(expectSound(path).size).toBe(4);
  });

  it('now and then is not said to be so all the time', async () => {
    const path = tempFile();
    const { outbox, log } = open(path);
    for (let n = 0; n < 5; n++) {
      const unlock = lock(path);
      await putAll(outbox, `locked${n}`);
      unlock();
      pass(2 * SECOND);
      await putAll(outbox, `free${n}`);
    }
    expect(log).toEqual([expect.stringMatching(/is locked/), expect.stringMatching(/^outbox file recovered/)]);
    pass(MINUTE);
    lock(path);
    await putAll(outbox, 'later');
    expect(log).toHaveLength(3);
  });

  it('keeps the order: what is in memory waits for what can be read in the file', async () => {
    const path = tempFile();
    const { outbox } = open(path);
    await putAll(outbox, 'a:c1');
    const unlock = lock(path);
    await putAll(outbox, 'b:c1', 'c:c2', 'd:c2', 'e:c1');
    expect(await claimKeys(outbox)).toEqual(['c', 'd']);
    await deliver(outbox, 'c', 'd');
    expect(await claimKeys(outbox)).toEqual([]);
    unlock();
    pass(2 * SECOND);
    expect(await claimKeys(outbox)).toEqual(['a', 'b', 'e']);
  });

  it('still tells a message that it holds already', async () => {
    const path = tempFile();
    const { outbox } = open(path);
    await putAll(outbox, 'a');
    lock(path);
    await putAll(outbox, 'b');
    expect(await outbox.put(anEntry('a'), WHOLE_TURN)).toBe('duplicate');
    expect(await outbox.put(anEntry('b'), WHOLE_TURN)).toBe('duplicate');
  });

  it('hears later what became of its messages', async () => {
    const path = tempFile();
    const { outbox } = open(path);
    await putAll(outbox, 'a:c1', 'b:c2', 'c:c3', 'd:c1');
    const { position } = await outbox.progress();
    await claimKeys(outbox, { onePerConversation: true });
    const unlock = lock(path);
    expect(await deliver(outbox, 'a')).toBe('settled');
    expect(await addDeadLetter(outbox, 'b')).toBe('settled');
    expect(await putBack(outbox, 'c')).toBe('settled');
    expect(await outbox.progress(position)).toEqual({ position, outstanding: 2, deadLetters: 1 });
    balancedStats(outbox);
    unlock();
    pass(2 * SECOND);
    outbox.stats();
    expect(Object.fromEntries(expectSound(path))).toEqual({ a: 'delivered', b: 'dead', c: 'ready', d: 'ready' });
    expect(await outbox.progress(position)).toEqual({ position, outstanding: 2, deadLetters: 1 });
  });

  it('takes nothing of a conversation that is in flight from memory', async () => {
    const path = tempFile();
    const { outbox } = open(path);
    const unlock = lock(path);
    await putAll(outbox, 'a:c1', 'b:c1', 'c:c2');
    expect(await claimKeys(outbox, { maxMessages: 1 })).toEqual(['a']);
    unlock();
    pass(2 * SECOND);
    await putAll(outbox, 'd:c1', 'e:c2');
    expect(Object.fromEntries(expectSound(path))).toEqual({ c: 'ready', e: 'waiting' });
    expect(await claimKeys(outbox)).toEqual(['c', 'e']);
    await putBack(outbox, 'a');
    expect(balancedStats(outbox)).toMatchObject({ accepted: 5, pending: 3, inFlight: 2 });
    expect(await claimKeys(outbox)).toEqual(['a', 'b', 'd']);
  });

  it('never has what others have put in between mistaken for what was put before a flush', async () => {
    const path = tempFile();
    const { outbox } = open(path);
    const { outbox: other } = open(path);
    await putAll(outbox, 'a:a1');
    const unlock = lock(path);
    await putAll(outbox, 'b:a2');
    const asked = await outbox.progress();
    expect(asked.outstanding).toBe(2);
    await putAll(outbox, 'c:a3');
    const later = await outbox.progress();
    unlock();
    pass(2 * SECOND);
    await putAll(other, 'x:b1', 'y:b2', 'z:b3');
    expect((await outbox.progress(asked.position)).outstanding).toBeGreaterThanOrEqual(2);
    outbox.stats();
    await putAll(outbox, 'd:a4');
    expect((await outbox.progress()).position).toBeGreaterThanOrEqual(later.position);
    await claimKeys(outbox);
    await deliver(outbox, 'a', 'd', 'x', 'y', 'z', 'c');
    expect((await outbox.progress(asked.position)).outstanding).toBe(1);
    await deliver(outbox, 'b');
    expect((await outbox.progress(asked.position)).outstanding).toBe(0);
  });

  it('gets the dead letters, too', async () => {
    const path = tempFile();
    const { outbox } = open(path);
    const unlock = lock(path);
    await putAll(outbox, 'a:c1', 'b:c2', 'c:c3');
    await claimKeys(outbox);
    await addDeadLetter(outbox, 'a', 'b');
    expect(keysOf(await outbox.deadLetters())).toEqual(['a', 'b']);
    expect(await outbox.purge(['b'])).toBe(1);
    unlock();
    pass(2 * SECOND);
    expect(balancedStats(outbox)).toMatchObject({ accepted: 3, inFlight: 1, deadLettered: 2 });
    expect(Object.fromEntries(expectSound(path))).toEqual({ a: 'dead' });
    expect(await outbox.deadLetters()).toMatchObject([{ key: 'a', error: 'no a', message: anEntry('a').message }]);
    expect(await outbox.replay()).toBe(1);
    expect(await claimKeys(outbox)).toEqual(['a']);
  });

  it('moves thousands without holding up the app for all of them at once', async () => {
    const path = tempFile();
    const { outbox } = open(path);
    const unlock = lock(path);
    for (let n = 0; n < 2000; n++) await putAll(outbox, `k${n}:c${n % 100}`);
    unlock();
    pass(2 * SECOND);
    outbox.stats();
    expect(expectSound(path).size).toBeLessThan(500);
    for (let calls = 0; calls < 40; calls++) balancedStats(outbox);
    expect(expectSound(path).size).toBe(2000);
    const keys = await claimKeys(outbox, { maxMessages: 5000 });
    expect(keys).toEqual(Array.from({ length: 2000 }, (_, n) => `k${n}`));
  });
});

describe('a file that is locked when it is opened', () => {
  it('may hold what must go before what is said meanwhile, so nothing goes', async () => {
    const path = tempFile();
    const { outbox: earlier } = open(path);
    await putAll(earlier, 'a:c1');
    await earlier.close();
    const unlock = lock(path);
    const { outbox } = open(path);
    await putAll(outbox, 'b:c1', 'c:c2');
    expect(await claimKeys(outbox)).toEqual([]);
    unlock();
    pass(2 * SECOND);
    expect(await claimKeys(outbox)).toEqual(['a', 'b', 'c']);
  });

  it('has its dead letters neither moved nor forgotten, and says so', async () => {
    const path = tempFile();
    const { outbox } = open(path);
    await putAll(outbox, 'a:c1');
    await claimKeys(outbox);
    await addDeadLetter(outbox, 'a');
    const unlock = lock(path);
    await putAll(outbox, 'b:c1');
    expect(() => outbox.replay()).toThrow(/try again/);
    expect(() => outbox.purge()).toThrow(/try again/);
    unlock();
    pass(2 * SECOND);
    expect(await outbox.replay()).toBe(1);
  });
});

describe('a file that is locked now and then', () => {
  it('loses nothing, has nothing twice, and keeps the order of each conversation', async () => {
    const step = fc.record({
      what: fc.constantFrom('put', 'put', 'put', 'claim', 'claim', 'deliver', 'deliver', 'put back', 'lock', 'unlock'),
      conversation: fc.nat(2),
      count: fc.integer({ min: 1, max: 4 }),
      ms: fc.constantFrom(0, 0, 2 * SECOND),
    });
    const property = fc.asyncProperty(fc.array(step, { maxLength: 60, size: 'max' }), async steps => {
      const path = tempFile();
      const { outbox } = open(path);
      const conversations: number[] = [];
      const delivered: number[] = [];
      let held: string[] = [];
      let unlock = () => {};
      const claim = async (maxMessages: number) => {
        const keys = await claimKeys(outbox, { maxMessages });
        const busy = new Set(held.map(key => conversations[+key]));
        expect(keys.filter(key => busy.has(conversations[+key]))).toEqual([]);
        held.push(...keys);
      };
      const settle = async (keys: string[], to: 'delivered' | 'pending') => {
        held = held.filter(key => !keys.includes(key));
        await (to === 'delivered' ? deliver(outbox, ...keys) : putBack(outbox, ...keys));
        if (to === 'delivered') delivered.push(...keys.map(Number));
      };
      for (const { what, conversation, count, ms } of steps) {
        pass(ms);
        if (what === 'put') {
          await putAll(outbox, `${conversations.length}:c${conversation}`);
          conversations.push(conversation);
        } else if (what === 'claim') await claim(count);
        else if (what === 'deliver') await settle(held.slice(0, count), 'delivered');
        // As a relay does: what comes after a failure is put back, too.
        else if (what === 'put back') await settle(held, 'pending');
        else {
          unlock();
          unlock = what === 'lock' ? lock(path) : () => {};
        }
        expect(balancedStats(outbox).accepted).toBe(conversations.length);
      }
      unlock();
      for (let rounds = 0; delivered.length < conversations.length && rounds < 200; rounds++) {
        pass(2 * SECOND);
        await claim(10);
        await settle(held, 'delivered');
      }
      expect(delivered.toSorted((a, b) => a - b)).toEqual(conversations.map((_, n) => n));
      for (const conversation of [0, 1, 2]) {
        const order = delivered.filter(n => conversations[n] === conversation);
        expect(order).toEqual(order.toSorted((a, b) => a - b));
      }
      // What was delivered while the file was locked is written down when it is tried again.
      pass(2 * SECOND);
      expect(balancedStats(outbox)).toMatchObject({ delivered: delivered.length, pending: 0, inFlight: 0 });
      await outbox.close();
      expectSound(path);
    });
    await fc.assert(property, { numRuns: runs(40, 400), interruptAfterTimeLimit: 60_000 });
  });
});

function read(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch {
    return undefined;
  }
}
