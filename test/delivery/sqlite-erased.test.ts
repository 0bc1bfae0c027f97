// What was delivered, purged or forgotten is not in the file any more, nor in what stands beside it.

import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it, onTestFinished } from 'vitest';
import { forgetMatching } from '../../src/outbox/sqlite/forget.js';
import { sqliteOutbox } from '../../src/outbox/sqlite/index.js';
import { anEntry, claimKeys, listen, NO_LIMITS, tempFile, WHOLE_TURN } from './outbox-support.js';
import { version1 } from './version-1-file.js';

const SECRET = 'tulip-4711';

function isIn(path: string, text = SECRET): string[] {
  const beside = readdirSync(dirname(path)).filter(name => name.startsWith(basename(path)));
  return beside.filter(name => readFileSync(join(dirname(path), name)).includes(text));
}

function entry(key: string, content: string, conversationId = key) {
  const base = anEntry(key, conversationId);
  return { ...base, message: { ...base.message, content } };
}

const long = (n: number) => `${SECRET} ${'x'.repeat(n % 9000)}`;

function openOutbox(path: string) {
  const { logger, lines } = listen();
  const outbox = sqliteOutbox({ path });
  outbox.open?.(logger, 'a');
  onTestFinished(() => void outbox.close());
  return { outbox, lines };
}

/** Everything that waits, delivered. */
async function deliverAll(outbox: ReturnType<typeof sqliteOutbox>): Promise<number> {
  for (let delivered = 0; ; ) {
    const keys = (await outbox.claim({ ...NO_LIMITS, account: 'a', maxMessages: 50 })).map(({ key }) => key);
    if (keys.length === 0) return delivered;
    await outbox.settle(
      keys.map(key => ({ key, to: 'delivered' })),
      'a',
    );
    delivered += keys.length;
  }
}

async function fill(outbox: ReturnType<typeof sqliteOutbox>, count: number) {
  for (let n = 0; n < count; n++) await outbox.put({ ...entry(`k${n}`, long(n * 37)), account: 'a' }, WHOLE_TURN);
}

describe('a text', () => {
  it('is in the file as long as it waits, and nowhere once it was delivered and the outbox is quiet', async () => {
    const path = tempFile();
    const { outbox } = openOutbox(path);
    await fill(outbox, 500);
    await outbox.put({ ...entry('kept', 'daffodil'), account: 'a' }, WHOLE_TURN);
    expect(isIn(path)).not.toEqual([]);
    const claimed = await outbox.claim({ ...NO_LIMITS, account: 'a', maxMessages: 500 });
    await outbox.settle(
      claimed.map(({ key }) => ({ key, to: 'delivered' })),
      'a',
    );
    await expect.poll(() => isIn(path), { timeout: 15_000 }).toEqual([]);
    await expect.poll(() => statSync(path).size, { timeout: 15_000 }).toBeLessThan(300_000);
    expect(isIn(path, 'daffodil')).not.toEqual([]);
  });

  it('is nowhere once the outbox is closed', async () => {
    const path = tempFile();
    const { outbox } = openOutbox(path);
    await fill(outbox, 300);
    expect(await deliverAll(outbox)).toBe(300);
    await outbox.close();
    expect(isIn(path)).toEqual([]);
  });

  it('is nowhere once it was purged, while another process has the file open', async () => {
    const path = tempFile();
    const other = new DatabaseSync(path);
    onTestFinished(() => other.close());
    const { outbox } = openOutbox(path);
    await fill(outbox, 50);
    expect(await outbox.purge(undefined, { states: ['pending'] })).toBe(50);
    await expect.poll(() => isIn(path), { timeout: 10_000 }).toEqual([]);
  });

  it('is nowhere once others no longer read it', async () => {
    const path = tempFile();
    const { outbox } = openOutbox(path);
    await fill(outbox, 50);
    const other = new DatabaseSync(path);
    onTestFinished(() => other.close());
    other.exec('BEGIN');
    other.prepare('SELECT * FROM messages').all();
    await deliverAll(outbox);
    await expect.poll(() => isIn(path), { interval: 100 }).not.toEqual([]);
    other.exec('COMMIT');
    await expect.poll(() => isIn(path), { timeout: 15_000 }).toEqual([]);
  });

  it('that a killed process has delivered is nowhere once another has opened the file', async () => {
    const path = tempFile();
    const raw = openOutbox(path);
    await fill(raw.outbox, 20);
    await deliverAll(raw.outbox);
    // The log as the process leaves it when it is killed.
    expect(existsSync(`${path}-wal`)).toBe(true);
    expect(isIn(path)).not.toEqual([]);
    const { outbox } = openOutbox(path);
    expect(await claimKeys(outbox)).toEqual([]);
    await expect.poll(() => isIn(path), { timeout: 10_000 }).toEqual([]);
  });
});

describe('a file of version 0.1', () => {
  function oldFile(path: string) {
    const old = version1(path);
    for (let n = 0; n < 400; n++) old.put(`k${n} ${SECRET.repeat(20)}`, `c${n}`, n % 100 === 0 ? 'ready' : 'delivered');
    old.close();
    const db = new DatabaseSync(path);
    // What was delivered stays readable in the free pages of such a file.
    db.exec('PRAGMA secure_delete = OFF; PRAGMA journal_mode = WAL');
    const insert = db.prepare('INSERT INTO messages (position, message) VALUES (?, ?)');
    for (let n = 0; n < 300; n++) insert.run(10_000 + n, long(5000));
    db.exec('DELETE FROM messages WHERE position >= 10000; PRAGMA wal_checkpoint(TRUNCATE)');
    const autoVacuum = db.prepare('PRAGMA auto_vacuum').get()?.auto_vacuum;
    db.close();
    expect(autoVacuum).toBe(0);
    expect(statSync(path).size).toBeGreaterThan(1_000_000);
  }
  const modeOf = (path: string) => {
    const db = new DatabaseSync(path);
    try {
      return db.prepare('PRAGMA auto_vacuum').get()?.auto_vacuum;
    } finally {
      db.close();
    }
  };

  it('is written anew once, and shrinks', async () => {
    const path = tempFile();
    oldFile(path);
    const { outbox, lines } = openOutbox(path);
    await expect.poll(() => statSync(path).size, { timeout: 10_000 }).toBeLessThan(500_000);
    expect(isIn(path, 'xxxxxxxxxx')).toEqual([]);
    expect(await deliverAll(outbox)).toBe(4);
    await outbox.close();
    expect(modeOf(path)).toBe(2);
    expect(lines.filter(line => line.includes('deleted'))).toEqual([]);
  });

  it('is written anew when a process that did not live long closes it', async () => {
    const path = tempFile();
    oldFile(path);
    const { outbox } = openOutbox(path);
    await outbox.close();
    expect(isIn(path, 'xxxxxxxxxx')).toEqual([]);
    expect(modeOf(path)).toBe(2);
  });

  it('is delivered from while others hold it up, and written anew later', async () => {
    const path = tempFile();
    oldFile(path);
    const { outbox } = openOutbox(path);
    const other = new DatabaseSync(path);
    onTestFinished(() => other.close());
    other.exec('BEGIN');
    other.prepare('SELECT * FROM messages').all();
    expect(await deliverAll(outbox)).toBe(4);
    await expect.poll(() => modeOf(path), { timeout: 10_000 }).toBe(2);
    expect(isIn(path, 'xxxxxxxxxx')).not.toEqual([]);
    other.exec('COMMIT');
    await expect.poll(() => isIn(path, 'xxxxxxxxxx'), { timeout: 15_000 }).toEqual([]);
  });

  it('is not written anew while another process delivers from it', async () => {
    const path = tempFile();
    oldFile(path);
    const { outbox } = openOutbox(path);
    const claimed = await outbox.claim({ ...NO_LIMITS, account: 'a', maxMessages: 1 });
    const db = new DatabaseSync(path);
    onTestFinished(() => db.close());
    db.exec("UPDATE accounts SET lease_owner = 'somebody', lease_until = 9e15, lease_ms = 9e15");
    await outbox.close();
    expect(modeOf(path)).toBe(0);
    expect(claimed).toHaveLength(1);
  });
});

describe('what is forgotten while somebody has it in flight', () => {
  const claimed = async () => {
    const path = tempFile();
    const { outbox } = openOutbox(path);
    await fill(outbox, 2);
    await outbox.claim({ ...NO_LIMITS, account: 'a', maxMessages: 1 });
    return { path, outbox };
  };
  const settle = (outbox: ReturnType<typeof sqliteOutbox>) => outbox.settle([{ key: 'k0', to: 'delivered' }], 'a');

  it('stays where that one lives', async () => {
    const { path, outbox } = await claimed();
    expect(forgetMatching(path, () => true)).toEqual({ pending: 1, deadLetters: 0, inFlight: 1 });
    expect(await settle(outbox)).toBe('settled');
  });

  it('is gone where that one gives no sign of life, and counts no more if it comes back', async () => {
    const { path, outbox } = await claimed();
    const db = new DatabaseSync(path);
    db.exec('UPDATE accounts SET lease_until = 0, lease_host = NULL');
    db.close();
    expect(forgetMatching(path, () => true)).toEqual({ pending: 2, deadLetters: 0, inFlight: 0 });
    await settle(outbox);
    expect(outbox.stats('a')).toMatchObject({ pending: 0, inFlight: 0, delivered: 0, deadLettered: 2 });
  });
});
