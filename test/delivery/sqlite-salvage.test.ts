// A damaged file of an outbox: what can be read of it is read into a new one.

import {
  copyFileSync,
  existsSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { sqliteOutbox } from '../../src/outbox/sqlite/index.js';
import { OutboxReader } from '../../src/outbox/sqlite/inspect.js';
import { salvage } from '../../src/outbox/sqlite/salvage/salvage.js';
import { anEntry, expectSound, NO_LIMITS, tempFile, WHOLE_TURN } from './outbox-support.js';
import { version1 } from './version-1-file.js';

const COUNT = 250;
const PAGE = 4096;

/** Texts of all lengths: within a page, over several, with what is no ASCII. */
const contentOf = (n: number) => `${n}: ${'ä€🙂 long text '.repeat((n * 13) % 300)}`;

/** A file with messages in every state, as a process leaves it that was killed: the rest is in its log. */
async function fileWithMessages({ isKilled = false } = {}): Promise<string> {
  const path = tempFile();
  const outbox = sqliteOutbox({ path });
  for (let n = 0; n < COUNT; n++) {
    const entry = anEntry(`k${n}`, `c${n % 40}`);
    const content = contentOf(n);
    const message = { ...entry.message, content, metadata: { message_key: `k${n}` } };
    const account = n % 10 === 0 ? 'b' : 'a';
    await outbox.put({ ...entry, account, message, bytes: JSON.stringify(message).length }, WHOLE_TURN);
  }
  const claimed = await outbox.claim({
    ...NO_LIMITS,
    account: 'a',
    maxMessages: 30,
    maxBytes: 1e9,
    onePerConversation: true,
  });
  await outbox.settle(
    claimed.map(({ key }, index) =>
      index < 10
        ? { key, to: 'delivered' }
        : index < 20
          ? { key, to: 'dead', error: `no ${key}` }
          : { key, to: 'pending', attempts: 1, maybeStored: true },
    ),
    'a',
  );
  await outbox.claim({ ...NO_LIMITS, account: 'b', maxMessages: 5 });
  if (!isKilled) await outbox.close();
  return path;
}

function entriesOf(path: string) {
  const reader = new OutboxReader(path);
  try {
    const all = ['pending', 'held', 'in_flight', 'dead', 'expired'] as const;
    return [...reader.entries(all)].map(({ account, key, state, message }) => ({
      account,
      key,
      state,
      content: message.content,
    }));
  } finally {
    reader.close();
  }
}

/** Copies the files away, damages the copy, and salvages it. */
function salvaged(path: string, damage: (copy: string) => void) {
  const copy = `${path}.copy`;
  for (const end of ['', '-wal']) if (existsSync(path + end)) copyFileSync(path + end, copy + end);
  damage(copy);
  const before = ['', '-wal'].map(end => (existsSync(copy + end) ? readFileSync(copy + end) : undefined));
  const result = salvage(copy, `${path}.new`);
  expect(['', '-wal'].map(end => (existsSync(copy + end) ? readFileSync(copy + end) : undefined))).toEqual(before);
  expect(existsSync(`${copy}-shm`)).toBe(false);
  expectSound(`${path}.new`);
  return { result, entries: entriesOf(`${path}.new`) };
}

function overwrite(path: string, page: number, bytes = Buffer.alloc(PAGE, 0xa5)): void {
  const file = openSync(path, 'r+');
  writeSync(file, bytes, 0, bytes.length, (page - 1) * PAGE);
}

/** What was in flight is pending afterwards. */
const asNew = (entries: ReturnType<typeof entriesOf>) =>
  entries.map(entry => ({ ...entry, state: entry.state === 'in_flight' ? 'pending' : entry.state }));

/** All that is there is as it was, and in its order. */
function expectInOrder(entries: ReturnType<typeof entriesOf>, whole: ReturnType<typeof entriesOf>): void {
  const keys = whole.map(({ key }) => key);
  const places = entries.map(({ key }) => keys.indexOf(key));
  expect(places).toEqual([...places].sort((a, b) => a - b));
  const contents = new Map(whole.map(({ key, content }) => [key, content]));
  for (const { key, content } of entries) expect(content).toBe(contents.get(key));
}

describe('salvage', () => {
  it('reads all of a file that is whole', async () => {
    const path = await fileWithMessages();
    const whole = entriesOf(path);
    const { result, entries } = salvaged(path, () => {});
    expect(entries).toEqual(asNew(whole));
    expect(result).toEqual({
      pending: COUNT - 20,
      deadLetters: 10,
      unsure: 0,
      lost: 0,
      expected: COUNT - 10,
      unreadablePages: 0,
      missingPages: 0,
      damagedRows: 0,
      // Of an empty log, as readers of the file leave one.
      pagesFromLog: 0,
    });
  });

  it('reads what is in the log only', async () => {
    const path = await fileWithMessages({ isKilled: true });
    const whole = entriesOf(path);
    const { result, entries } = salvaged(path, () => {});
    expect(entries).toEqual(asNew(whole));
    expect(result.pagesFromLog).toBeGreaterThan(10);
  });

  it('reads up to where a log is damaged', async () => {
    const path = await fileWithMessages({ isKilled: true });
    const { entries } = salvaged(path, copy => {
      const log = `${copy}-wal`;
      const file = openSync(log, 'r+');
      writeSync(file, Buffer.alloc(100, 1), 0, 100, Math.floor(statSync(log).size / 2));
    });
    expect(entries.length).toBeGreaterThan(10);
    expectInOrder(entries, entriesOf(path));
  });

  it('reads what the file has where its log is missing, and knows that it was', async () => {
    const path = await fileWithMessages({ isKilled: true });
    const db = new DatabaseSync(path);
    db.exec('PRAGMA wal_checkpoint(PASSIVE)');
    const whole = entriesOf(path);
    const { result, entries } = salvaged(path, copy => rmSync(`${copy}-wal`));
    expect(entries).toEqual(asNew(whole));
    expect(result.pagesFromLog).toBeUndefined();
    db.close();
  });

  it('reads the rest, in order, whichever page is damaged', async () => {
    const path = await fileWithMessages();
    const whole = entriesOf(path);
    const pages = Math.ceil(statSync(path).size / PAGE);
    for (let page = 1; page <= pages; page += page < 12 ? 1 : 41) {
      const { result, entries } = salvaged(path, copy => overwrite(copy, page));
      rmSync(`${path}.new`);
      expect(entries.length).toBeGreaterThan(whole.length - 60);
      expectInOrder(entries, whole);
      const { pending, deadLetters, lost, expected } = result;
      expect(pending + deadLetters).toBe(entries.length);
      // What is not there is counted, unless the only page that knew of it is the one that is damaged.
      if (expected !== undefined) expect(pending + deadLetters + lost).toBeLessThanOrEqual(expected + 1);
      for (const { key } of entries) expect(whole.some(entry => entry.key === key)).toBe(true);
    }
  }, 60_000);

  it('reads the rest where several pages are zero', async () => {
    const path = await fileWithMessages();
    const whole = entriesOf(path);
    const { entries } = salvaged(path, copy => {
      for (const page of [3, 5, 9, 20, 21, 22]) overwrite(copy, page, Buffer.alloc(PAGE));
    });
    expect(entries.length).toBeGreaterThan(whole.length / 2);
    expectInOrder(entries, whole);
  });

  it('reads the head of a file that was cut off, and says how much is missing', async () => {
    const path = await fileWithMessages();
    const whole = entriesOf(path);
    const { result, entries } = salvaged(path, copy => truncateSync(copy, Math.floor(statSync(copy).size / 2)));
    expect(entries.length).toBeGreaterThan(10);
    expectInOrder(entries, whole);
    expect(result.missingPages).toBeGreaterThan(10);
    expect(result.pending + result.deadLetters + result.lost).toBeLessThan(COUNT);
    expect(result.expected).toBe(COUNT - 10);
  });

  it('gives a file that delivers in order', async () => {
    const path = await fileWithMessages();
    salvaged(path, copy => overwrite(copy, 4));
    const outbox = sqliteOutbox({ path: `${path}.new` });
    const places: number[] = [];
    for (;;) {
      const claimed = await outbox.claim({ ...NO_LIMITS, account: 'a', maxBytes: 1e9 });
      if (claimed.length === 0) break;
      places.push(...claimed.filter(({ message }) => message.conversationId === 'c1').map(({ position }) => position));
      await outbox.settle(
        claimed.map(({ key }) => ({ key, to: 'delivered' })),
        'a',
      );
    }
    await outbox.close();
    expect(places.length).toBeGreaterThan(3);
    expect(places).toEqual([...places].sort((a, b) => a - b));
  });

  it('does not bring back what was delivered or purged', async () => {
    const path = tempFile();
    const old = version1(path);
    old.put('kept', 'c', 'ready');
    for (let n = 0; n < 200; n++) old.put(`k${n}`, `c${n}`, 'waiting');
    old.close();
    const db = new DatabaseSync(path);
    db.exec("UPDATE entries SET state = 'delivered' WHERE key <> 'kept'; DELETE FROM messages WHERE position > 1");
    db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    db.close();
    const { result } = salvaged(path, () => {});
    expect(result).toMatchObject({ pending: 1, deadLetters: 0, unsure: 0, lost: 0 });
  });

  it.each([
    ['an existing target', (path: string) => writeFileSync(`${path}.new`, ''), /is there already/],
    ['no such file', (path: string) => rmSync(path), /does not exist/],
    ['a file of zeros', (path: string) => writeFileSync(path, Buffer.alloc(100_000)), /nothing of an outbox/],
    ['a text', (path: string) => writeFileSync(path, 'hello '.repeat(5000)), /nothing of an outbox/],
    ['an empty file', (path: string) => writeFileSync(path, ''), /nothing of an outbox/],
  ])('refuses %s, and leaves nothing behind', async (_, change, message) => {
    const path = await fileWithMessages();
    change(path);
    const isThere = existsSync(`${path}.new`);
    expect(() => salvage(path, `${path}.new`)).toThrow(message);
    expect(existsSync(`${path}.new`)).toBe(isThere);
  });
});
