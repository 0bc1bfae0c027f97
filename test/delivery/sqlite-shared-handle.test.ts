// However many outboxes a process makes on a file, it opens it once.

import { existsSync, mkdirSync, readdirSync, readlinkSync, realpathSync, renameSync, symlinkSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createRecorder } from '../../src/index.js';
import { type SqliteOutboxOptions, sqliteOutbox } from '../../src/outbox/sqlite/index.js';
import { scriptedSynap } from '../support/scripted-synap.js';
import { anEntry, claimKeys, deliver, listen, putAll, tempFile, WHOLE_TURN } from './outbox-support.js';

/** How many descriptors this process has of a file and of what stands beside it. */
function descriptors(path: string): number {
  const folder = realpathSync(dirname(path));
  const targets = readdirSync('/proc/self/fd').map(fd => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      return '';
    }
  });
  return targets.filter(target => target.startsWith(folder)).length;
}

const openOutbox = (path: string, options: Partial<SqliteOutboxOptions> = {}) => {
  const { logger, lines } = listen();
  const outbox = sqliteOutbox({ path, ...options });
  outbox.open?.(logger);
  return { outbox, lines };
};

describe.runIf(existsSync('/proc/self/fd'))('outboxes on one file', () => {
  it('take no more descriptors than one, also under other names', async () => {
    const path = tempFile();
    const first = openOutbox(path);
    await putAll(first.outbox, 'a');
    const one = descriptors(path);
    const link = join(dirname(path), 'link.db');
    const linkedFolder = `${dirname(path)}/folder`;
    symlinkSync(path, link);
    mkdirSync(join(dirname(path), 'in'));
    symlinkSync(dirname(path), linkedFolder);
    const names = [
      path,
      link,
      relative(process.cwd(), path),
      join(dirname(path), 'in/../outbox.db'),
      join(linkedFolder, 'outbox.db'),
    ];
    const others = names.flatMap(name => Array.from({ length: 20 }, () => openOutbox(name)));
    for (const [index, { outbox }] of others.entries()) await putAll(outbox, `b${index}`);
    expect(descriptors(path)).toBe(one);
    expect(first.outbox.stats().pending).toBe(101);
    for (const { outbox } of others) await outbox.close();
    expect(descriptors(path)).toBe(one);
    await first.outbox.close();
    expect(descriptors(path)).toBe(0);
  });

  it('do not close each other', async () => {
    const path = tempFile();
    const [a, b] = [openOutbox(path), openOutbox(path)];
    await putAll(a.outbox, 'a:c1');
    await a.outbox.close();
    await a.outbox.close();
    expect(await claimKeys(b.outbox)).toEqual(['a']);
    await deliver(b.outbox, 'a');
    await putAll(b.outbox, 'b:c1');
    const one = descriptors(path);
    const c = openOutbox(path);
    expect(c.outbox.stats().accepted).toBe(2);
    expect(descriptors(path)).toBe(one);
    await c.outbox.close();
    expect(b.outbox.stats()).toMatchObject({ accepted: 2, delivered: 1, pending: 1 });
    await b.outbox.close();
    expect([...a.lines, ...b.lines]).toEqual([]);
  });

  it('still have one that delivers', async () => {
    const path = tempFile();
    const [a, b] = [openOutbox(path), openOutbox(path)];
    await putAll(a.outbox, 'a:c1', 'b:c2');
    expect(await claimKeys(a.outbox, { maxMessages: 1 })).toEqual(['a']);
    expect(await claimKeys(b.outbox)).toEqual([]);
    await a.outbox.close();
    expect(await claimKeys(b.outbox)).toEqual(['a', 'b']);
    await b.outbox.close();
  });

  it('with other options say so, once', async () => {
    const path = tempFile();
    const first = openOutbox(path);
    const same = openOutbox(path);
    const others = [openOutbox(path, { maxMessages: 1, durability: 'full' }), openOutbox(path, { maxMessages: 2 })];
    const lines = [first, same, ...others].flatMap(({ lines }) => lines);
    expect(lines).toEqual([
      expect.stringMatching(/used by several outboxes .* different options \(durability, maxMessages\)/),
    ]);
    expect(await others[0]?.outbox.put(anEntry('a'), WHOLE_TURN)).toBe('accepted');
    expect(await others[0]?.outbox.put(anEntry('b', 'c2'), WHOLE_TURN)).toBe('full');
    expect(await first.outbox.put(anEntry('b', 'c2'), WHOLE_TURN)).toBe('accepted');
    for (const { outbox } of [first, same, ...others]) await outbox.close();
  });

  it('that are made after the file was replaced open the new one', async () => {
    const path = tempFile();
    const first = openOutbox(path);
    await putAll(first.outbox, 'a');
    for (const end of ['', '-wal', '-shm']) renameSync(path + end, `${path}.old${end}`);
    const second = openOutbox(path);
    expect(second.outbox.stats().accepted).toBe(0);
    await putAll(second.outbox, 'b');
    expect(existsSync(path)).toBe(true);
    await second.outbox.close();
    await first.outbox.close();
  });

  it('of a recorder for each request, none of them closed, take no more than one', async () => {
    const path = tempFile();
    const synap = await scriptedSynap();
    const request = (n: number) => {
      const recorder = createRecorder({
        ...{ apiKey: 'k', baseUrl: synap.url, userId: 'ada', logger: false, rateLimit: false },
        outbox: sqliteOutbox({ path }),
      });
      recorder.turn({ conversationId: `c${n}` }).user(`message ${n}`);
      return recorder;
    };
    const recorders = [request(0)];
    const one = descriptors(path);
    for (let n = 1; n < 60; n++) recorders.push(request(n));
    expect(descriptors(path)).toBe(one);
    await recorders[0]?.flush();
    for (const recorder of recorders) await recorder.close();
    expect(synap.stored).toHaveLength(60);
    await synap.close();
  }, 20_000);
});
