import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { type SqliteOutboxOptions, sqliteOutbox } from '../../src/outbox/sqlite/index.js';
import { InvalidInputError } from '../../src/synap/errors.js';
import { anEntry, listen, tempFile, WHOLE_TURN } from './outbox-support.js';

const path = 'unused.db';

it.each([
  ['path', {}],
  ['path', { path: '' }],
  ['path', { path: ':memory:' }],
  ['durability', { path, durability: 'extreme' }],
  ['maxBytes', { path, maxBytes: 0 }],
  ['maxMessages', { path, maxMessages: 1.5 }],
  ['leaseMs', { path, leaseMs: 99 }],
  ['file', { path, file: './outbox.db' }],
  ['options', undefined],
])('a wrong %s is named', (field, options) => {
  const make = () => sqliteOutbox(options as SqliteOutboxOptions);
  expect(make).toThrow(InvalidInputError);
  expect(make).toThrow(
    expect.objectContaining({ field, message: expect.stringContaining(`sqliteOutbox: ${field}: `) }),
  );
});

it('makes no file before it is opened', async () => {
  const path = tempFile();
  const outbox = sqliteOutbox({ path });
  expect(existsSync(path)).toBe(false);
  const { lines, logger } = listen();
  outbox.open?.(logger);
  expect(existsSync(path)).toBe(true);
  expect(lines).toEqual([]);
  await outbox.close();
});

it('opens the file at the first call if nobody has', async () => {
  const path = tempFile();
  const outbox = sqliteOutbox({ path });
  expect(await outbox.put(anEntry('a'), WHOLE_TURN)).toBe('accepted');
  expect(existsSync(path)).toBe(true);
  await outbox.close();
});

it('keeps to its file when the working directory changes', async () => {
  const path = tempFile();
  const before = process.cwd();
  process.chdir(join(path, '..'));
  const outbox = sqliteOutbox({ path: 'here.db' });
  process.chdir(before);
  await outbox.put(anEntry('a'), WHOLE_TURN);
  await outbox.close();
  expect(existsSync(join(path, '..', 'here.db'))).toBe(true);
});

it.each([
  [10_000, 1000],
  [400, 100],
])('with a lease of %i ms looks every %i ms', (leaseMs, pollMs) => {
  expect(sqliteOutbox({ path, leaseMs })).toMatchObject({ durable: true, pollMs });
});

it('takes nothing after it was closed, and still knows its stats', async () => {
  const outbox = sqliteOutbox({ path: tempFile() });
  await outbox.put(anEntry('a'), WHOLE_TURN);
  const before = outbox.stats();
  expect(await outbox.close()).toEqual([]);
  expect(() => outbox.put(anEntry('b'), WHOLE_TURN)).toThrow('this outbox is closed');
  expect(() => outbox.replay()).toThrow('this outbox is closed');
  expect(await outbox.settle([{ key: 'a', to: 'delivered' }])).toBe('stale');
  expect(outbox.stats()).toEqual(before);
  expect(await outbox.progress()).toMatchObject({ outstanding: 1 });
  expect(await outbox.close()).toEqual([]);
});

it('counts dead letters as bytes until they are purged', async () => {
  const outbox = sqliteOutbox({ path: tempFile(), maxBytes: 150 });
  await outbox.put(anEntry('a'), WHOLE_TURN);
  await outbox.claim({ maxMessages: 1, maxBytes: 1, onePerConversation: false, except: new Set() });
  await outbox.settle([{ key: 'a', to: 'dead', error: 'refused' }]);
  expect(await outbox.put(anEntry('b'), WHOLE_TURN)).toBe('full');
  await outbox.purge();
  expect(await outbox.put(anEntry('b'), WHOLE_TURN)).toBe('accepted');
  await outbox.close();
});

it('is durable through a power cut when it is told to', async () => {
  const path = tempFile();
  const outbox = sqliteOutbox({ path, durability: 'full' });
  expect(await outbox.put(anEntry('a'), WHOLE_TURN)).toBe('accepted');
  await outbox.close();
});
