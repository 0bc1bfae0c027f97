import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { conversationUuid, createRecorder, type Outbox } from '../../src/index.js';
import { sqliteOutbox } from '../../src/outbox/sqlite/index.js';
import { OutboxReader } from '../../src/outbox/sqlite/inspect.js';
import { scriptedSynap } from '../support/scripted-synap.js';
import {
  anEntry,
  claimKeys,
  deliver,
  expectSound,
  keysOf,
  listen,
  NO_LIMITS,
  putAll,
  tempFile,
  WHOLE_TURN,
} from './outbox-support.js';
import { version1 } from './version-1-file.js';

const STATES = ['delivered', 'ready', 'waiting', 'dead', 'expired', 'ready'] as const;

/** A file of version 1 with a message in each state, and the process that wrote it. */
function filled(conversation = (name: string) => name) {
  const path = tempFile();
  const old = version1(path);
  onTestFinished(() => {
    try {
      old.close();
    } catch {}
  });
  STATES.forEach((state, index) => {
    old.put(`k${index}`, conversation(index < 3 ? 'c1' : `c${index}`), state);
  });
  return { path, old };
}

function open(path: string, account = 'mine', leaseMs = 10_000) {
  const { lines, logger } = listen();
  const outbox = sqliteOutbox({ path, leaseMs });
  outbox.open?.(logger, account);
  onTestFinished(async () => void (await outbox.close()));
  return { outbox, lines, account };
}

const claim = async (outbox: Outbox, account = 'mine') => keysOf(await outbox.claim({ ...NO_LIMITS, account }));

describe('a file of version 0.1', () => {
  it('goes to the account of the recorder that opens it, whole and in order, and that is said', async () => {
    const { path, old } = filled();
    old.close();
    const { outbox, lines } = open(path);
    expect(expectSound(path).size).toBe(6);
    expect(lines).toEqual([
      `outbox file ${path} was written by synap-recorder 0.1, which knew no accounts: the 3 messages waiting in it now belong to the account of this recorder, mine`,
    ]);
    expect(outbox.stats('mine')).toMatchObject({
      accepted: 6,
      pending: 3,
      pendingBytes: 300,
      delivered: 1,
      deadLettered: 1,
      expired: 1,
      foreign: 0,
    });
    expect(await outbox.deadLetters({ account: 'mine' })).toMatchObject([
      { key: 'k3', state: 'dead', error: 'no k3', message: anEntry('k3', 'c3').message },
      { key: 'k4', state: 'expired' },
    ]);
    for (const key of ['k0', 'k1', 'k3'])
      expect(await outbox.put({ ...anEntry(key), account: 'mine' }, WHOLE_TURN)).toBe('duplicate');
    await outbox.put({ ...anEntry('new', 'c1'), account: 'mine' }, WHOLE_TURN);
    expect(await claim(outbox)).toEqual(['k1', 'k2', 'k5', 'new']);
    await outbox.settle(
      ['k1', 'k2', 'k5', 'new'].map(key => ({ key, to: 'delivered' })),
      'mine',
    );
    expectSound(path);
  });

  it('is migrated once: the next recorder has nothing of it', async () => {
    const { path, old } = filled();
    old.close();
    await open(path).outbox.close();
    const { outbox, lines } = open(path, 'another');
    expect(lines).toEqual([]);
    expect(outbox.stats('another')).toMatchObject({ accepted: 0, foreign: 3 });
    expect(await claim(outbox, 'another')).toEqual([]);
  });

  it('can be read without being changed', () => {
    const { path, old } = filled();
    old.close();
    const reader = new OutboxReader(path);
    const status = reader.status();
    const kept = [...reader.entries(['pending', 'dead', 'expired'])].map(({ key, state }) => [key, state]);
    reader.close();
    expect(status).toMatchObject({ accepted: 6, pending: 3, held: 0, deadLetters: 2, delivering: false });
    expect(kept).toEqual([
      ['k1', 'pending'],
      ['k2', 'pending'],
      ['k3', 'dead'],
      ['k4', 'expired'],
      ['k5', 'pending'],
    ]);
    const db = new DatabaseSync(path, { readOnly: true });
    expect(db.prepare('PRAGMA user_version').get()).toEqual({ user_version: 1 });
    db.close();
  });

  it('whose purge migrates it keeps what waits for the recorder that opens it next', async () => {
    const { path, old } = filled();
    old.close();
    const purging = sqliteOutbox({ path });
    expect(await purging.purge()).toBe(2);
    await purging.close();
    expect(await claim(open(path).outbox)).toEqual(['k1', 'k2', 'k5']);
    expectSound(path);
  });

  it('stays as it was when the migration fails', async () => {
    const { path, old } = filled();
    old.close();
    const breaks = new DatabaseSync(path);
    breaks.exec('CREATE TABLE accounts (id)');
    breaks.close();
    const { outbox, lines } = open(path);
    await putAll(outbox, 'a');
    expect(lines).toEqual([expect.stringMatching(/can't be used: .*messages wait in memory/)]);
    const db = new DatabaseSync(path, { readOnly: true });
    expect(db.prepare('SELECT (SELECT count(*) FROM entries) AS n, pending FROM outbox').get()).toEqual({
      n: 6,
      pending: 3,
    });
    db.close();
  });
});

describe('a rolling deploy', () => {
  it('stops the older process from writing, which can not do so unnoticed', async () => {
    const { path, old } = filled();
    const { outbox } = open(path);
    expect(outbox.stats('mine')).toMatchObject({ pending: 3 });
    expect(() => old.put('late', 'c1', 'waiting')).toThrow(/no such table: outbox/);
    expect(() => old.deliver('k1')).toThrow(/no such table: outbox/);
    expect(() => old.renew()).toThrow(/no such table: outbox/);
    expect(expectSound(path).has('late')).toBe(false);
  });

  it('leaves what the older process has in flight to it, until its lease has run out', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    onTestFinished(() => void vi.useRealTimers());
    const { path, old } = filled();
    old.put('flying', 'c9', 'in_flight');
    old.takeLease(10_000);
    const { outbox } = open(path);
    expect(await claim(outbox)).toEqual([]);
    expect(outbox.stats('mine')).toMatchObject({ pending: 3, inFlight: 1 });
    for (let n = 0; n < 4; n++) {
      vi.setSystemTime(Date.now() + 2500);
      outbox.stats('mine');
    }
    const claimed = await outbox.claim({ ...NO_LIMITS, account: 'mine' });
    expect(claimed.map(({ key, maybeStored }) => [key, maybeStored])).toEqual([
      ['k1', false],
      ['k2', false],
      ['k5', false],
      ['flying', true],
    ]);
    expectSound(path);
  });

  it('from this version on stops at the first write after the tables have changed, and says so', async () => {
    const { outbox, lines } = open(tempFile());
    await outbox.put({ ...anEntry('a', 'c1'), account: 'mine' }, WHOLE_TURN);
    await outbox.put({ ...anEntry('b', 'c2'), account: 'mine' }, WHOLE_TURN);
    expect(await claim(outbox)).toEqual(['a', 'b']);
    const newer = new DatabaseSync(outbox.location ?? '');
    newer.exec('PRAGMA user_version = 3');
    const count = () => newer.prepare("SELECT count(*) AS n FROM entries WHERE state <> 'in_flight'").get()?.n;
    expect(await outbox.settle([{ key: 'a', to: 'delivered' }], 'mine')).toBe('settled');
    expect(await outbox.put({ ...anEntry('c', 'c3'), account: 'mine' }, WHOLE_TURN)).toBe('accepted');
    expect(await outbox.put({ ...anEntry('d', 'c1'), account: 'mine' }, WHOLE_TURN)).toBe('accepted');
    expect(count()).toBe(0);
    expect(lines).toEqual([expect.stringMatching(/is in use by a newer synap-recorder.*messages wait in memory/)]);
    expect(outbox.stats('mine')).toMatchObject({ accepted: 4 });
    newer.exec('PRAGMA user_version = 2');
    newer.close();
    await outbox.close();
    expect(Object.fromEntries(expectSound(outbox.location ?? ''))).toEqual({
      a: 'delivered',
      b: 'ready',
      c: 'ready',
      d: 'ready',
    });
  });

  it('loses nothing: what the older process left is delivered by the newer one', async () => {
    const { path } = filled(name => conversationUuid(name, { userId: 'ada' }));
    await using synap = await scriptedSynap();
    const recorder = createRecorder({
      apiKey: 'k',
      baseUrl: synap.url,
      userId: 'ada',
      outbox: sqliteOutbox({ path }),
      rateLimit: false,
      logger: false,
    });
    expect(await recorder.flush()).toEqual({ delivered: 3, pending: 0, deadLettered: 0 });
    expect(synap.stored.map(({ content }) => content)).toEqual(['k1', 'k2', 'k5'].map(key => `content of ${key}`));
    await recorder.close();
  });
});

it('an outbox without accounts has what was put without one', async () => {
  const outbox = sqliteOutbox({ path: tempFile() });
  onTestFinished(async () => void (await outbox.close()));
  await putAll(outbox, 'a');
  expect(await claimKeys(outbox)).toEqual(['a']);
  expect(await deliver(outbox, 'a')).toBe('settled');
});
