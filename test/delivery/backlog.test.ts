import { describe, expect, it, vi } from 'vitest';
import { BacklogWatch } from '../../src/delivery/backlog.js';
import { type Backlog, memoryOutbox, type Outbox, type RecorderOptions } from '../../src/index.js';
import { sqliteOutbox } from '../../src/outbox/sqlite/index.js';
import { recorderOn } from '../support/recorder.js';
import { tempFolder } from '../support/temp-folder.js';

/** A recorder that says of its backlogs. */
async function watched(options: RecorderOptions, script?: Parameters<typeof recorderOn>[0]) {
  const backlogs: Backlog[] = [];
  const on = await recorderOn(script, { onBacklog: one => void backlogs.push(one), ...options });
  const say = (count: number) => {
    for (let index = 0; index < count; index++) on.recorder.turn({ conversationId: `c${index % 5}` }).user(`${index}`);
  };
  return { ...on, backlogs, say, [Symbol.asyncDispose]: () => on[Symbol.asyncDispose]() };
}

const outboxes: [string, () => Outbox][] = [
  ['in memory, by messages', () => memoryOutbox({ maxMessages: 20 })],
  ['in a file, by messages', () => sqliteOutbox({ path: `${tempFolder()}/outbox.db`, maxMessages: 20 })],
];

describe.each(outboxes)('an outbox %s', (_, outbox) => {
  it('says that it is half full, and nearly full: once, and again after it was over', async () => {
    let isDown = true;
    await using on = await watched({ outbox: outbox(), batch: { lingerMs: 0 } }, () =>
      isDown ? { status: 503 } : undefined,
    );
    on.say(9);
    expect(on.backlogs).toEqual([]);
    on.say(9);
    expect(on.backlogs).toMatchObject([
      { reason: 'outbox', pending: expect.any(Number), fullness: 0.5, waitMs: undefined },
      { reason: 'outbox', fullness: 0.9 },
    ]);
    // Those under way take room, too.
    for (const { pending, fullness } of on.backlogs) expect(pending).toBe(20 * (fullness ?? 0));
    expect(on.log.filter(line => /the outbox is (50|90) % full/.test(line))).toHaveLength(2);
    on.say(2);
    expect(on.backlogs).toHaveLength(2);
    isDown = false;
    await on.recorder.flush();
    on.say(1);
    isDown = true;
    await on.recorder.flush({ timeoutMs: 50 });
    on.say(12);
    expect(on.backlogs.map(({ fullness }) => fullness)).toHaveLength(3);
    await on.recorder.close({ timeoutMs: 0 });
  });
});

it.each<[string, (maxBytes: number) => Outbox]>([
  ['in memory', maxBytes => memoryOutbox({ maxBytes })],
  ['in a file', maxBytes => sqliteOutbox({ path: `${tempFolder()}/outbox.db`, maxBytes })],
])('an outbox %s says that it is full by its bytes, too', async (_, outbox) => {
  await using on = await watched({ outbox: outbox(10_000) }, () => ({ status: 503 }));
  on.recorder.turn({ conversationId: 'c' }).user('x'.repeat(9000));
  expect(on.backlogs).toMatchObject([{ reason: 'outbox', fullness: expect.closeTo(0.93, 1) }]);
  await on.recorder.close({ timeoutMs: 0 });
});

it('what the app throws in onBacklog reaches nobody', async () => {
  const onBacklog = () => {
    throw new Error('boom');
  };
  await using on = await watched({ outbox: memoryOutbox({ maxMessages: 2 }), onBacklog }, () => ({ status: 503 }));
  expect(() => on.say(2)).not.toThrow();
  expect(on.log.join('\n')).toMatch(/onBacklog threw: Error/);
  await on.recorder.close({ timeoutMs: 0 });
});

describe('the rate limit', () => {
  it('is said to let less go than arrives', async () => {
    await using on = await watched({
      rateLimit: { requestsPerMinute: 4, burst: 1 },
      batch: { maxMessages: 2, lingerMs: 0 },
    });
    on.say(2);
    await expect.poll(() => on.synap.stored.length).toBe(2);
    on.say(6);
    await expect.poll(() => on.backlogs.length).toBe(1);
    expect(on.backlogs).toMatchObject([
      { reason: 'rate_limit', pending: expect.any(Number), waitMs: expect.any(Number) },
    ]);
    expect(on.log.filter(line => line.includes('more messages arrive than the rate limit lets go'))).toHaveLength(1);
    await on.recorder.close({ timeoutMs: 2000 });
  });

  it('is not said to where a burst is gone soon', async () => {
    await using on = await watched({
      rateLimit: { requestsPerMinute: 600, burst: 1 },
      batch: { maxMessages: 2, lingerMs: 0 },
    });
    on.say(12);
    await on.recorder.flush();
    expect(on.backlogs).toEqual([]);
  });

  it('is lifted when the recorder is closed', async () => {
    await using on = await watched({
      rateLimit: { requestsPerMinute: 1, burst: 1 },
      batch: { maxMessages: 2, lingerMs: 0 },
    });
    on.say(20);
    expect(await on.recorder.close()).toMatchObject({ pending: 0 });
    expect(on.synap.stored).toHaveLength(20);
  });

  it('holds again once Synap asks for it, also then', async () => {
    let requests = 0;
    await using on = await watched(
      { rateLimit: { requestsPerMinute: 1, burst: 1 }, batch: { maxMessages: 2, lingerMs: 0 } },
      () => (++requests === 3 ? { status: 429, headers: { 'retry-after': '0' } } : undefined),
    );
    on.say(20);
    await on.recorder.close({ timeoutMs: 500 });
    expect(on.synap.requests.length).toBeLessThanOrEqual(4);
  });

  it('holds for a flush', async () => {
    await using on = await watched({
      rateLimit: { requestsPerMinute: 1, burst: 1 },
      batch: { maxMessages: 2, lingerMs: 0 },
    });
    on.say(20);
    await on.recorder.flush({ timeoutMs: 200 });
    expect(on.synap.requests).toHaveLength(1);
    await on.recorder.close({ timeoutMs: 1000 });
  });
});

describe('a watch', () => {
  function watch() {
    const warn = vi.fn();
    const report = vi.fn();
    const logger = { info() {}, warn, error() {} };
    const options = { rateLimit: { requestsPerMinute: 48, burst: 8 }, batch: { maxMessages: 50, maxBytes: 262_144 } };
    return { watch: new BacklogWatch({ ...options, logger, report }), report };
  }
  const waiting = (pending: number) => ({ pending, pendingBytes: pending * 100, fullness: 0 });

  it('warns of a wait again only once it was short', () => {
    const { watch: one, report } = watch();
    one.paced(1250, waiting(600));
    one.paced(1250, waiting(700));
    one.paced(0, waiting(400));
    one.paced(1250, waiting(800));
    expect(report).toHaveBeenCalledTimes(1);
    one.paced(0, waiting(40));
    one.paced(1250, waiting(800));
    expect(report).toHaveBeenCalledTimes(2);
    expect(report).toHaveBeenLastCalledWith({ reason: 'rate_limit', pending: 800, fullness: 0, waitMs: 21_250 });
  });

  it('counts bytes where they fill the batches sooner', () => {
    const { watch: one, report } = watch();
    one.paced(1250, { pending: 20, pendingBytes: 20 * 262_144, fullness: 0 });
    expect(report).toHaveBeenCalledTimes(1);
  });
});
