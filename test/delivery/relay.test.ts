import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { createRecorder, memoryOutbox, type Recorder } from '../../src/index.js';
import { balanced, recorderOn } from '../support/recorder.js';
import type { SeenRequest } from '../support/scripted-synap.js';
import { turns } from '../support/turns.js';

const FAST_CLOCK = new URL('../support/fast-clock.ts', import.meta.url).href;
const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** `count` turns of one message each, over `conversations` conversations: m0, m1, … */
function say(recorder: Recorder, count: number, conversations = 1): void {
  for (let n = 0; n < count; n++) recorder.turn({ conversationId: `c${n % conversations}` }).user(`m${n}`);
}

const contents = (on: { synap: { stored: { content: string }[] } }) => on.synap.stored.map(message => message.content);
const inOrder = (count: number) => Array.from({ length: count }, (_, n) => `m${n}`);
const holds = (request: SeenRequest, ...bad: string[]) =>
  request.messages.some(message => bad.includes(message.content));

describe('batches', () => {
  it('wait for more, then go together', async () => {
    await using on = await recorderOn(undefined, { batch: { lingerMs: 30 } });
    say(on.recorder, 10);
    await expect.poll(() => on.synap.stored.length).toBe(10);
    expect(on.synap.requests).toHaveLength(1);
    expect(contents(on)).toEqual(inOrder(10));
  });

  it('go at once when they are full, by number or by bytes', async () => {
    await using on = await recorderOn(undefined, { batch: { lingerMs: 60_000, maxMessages: 5 } });
    say(on.recorder, 12);
    await expect.poll(() => on.synap.stored.length).toBe(10);
    await on.recorder.flush();
    expect(on.synap.requests.map(request => request.messages.length)).toEqual([5, 5, 2]);

    await using small = await recorderOn(undefined, { batch: { lingerMs: 60_000, maxBytes: 2000 } });
    small.recorder.turn().user('x'.repeat(5000));
    await expect.poll(() => small.synap.stored.length).toBe(1);
  });

  it('keep order within a conversation through failures', async () => {
    let calls = 0;
    await using on = await recorderOn(() => (++calls % 3 === 0 ? undefined : { status: 503 }), {
      batch: { lingerMs: 0, maxMessages: 7 },
    });
    say(on.recorder, 60, 3);
    await on.recorder.flush();
    for (let c = 0; c < 3; c++)
      expect(contents(on).filter(content => Number(content.slice(1)) % 3 === c)).toEqual(
        inOrder(60).filter((_, n) => n % 3 === c),
      );
    expect(balanced(on.recorder)).toMatchObject({ accepted: 60, delivered: 60 });
  });
});

describe('what Synap refuses', () => {
  it.each([400, 422, 409, 413])('with %i takes none of its neighbours with it', async status => {
    await using on = await recorderOn(request => (holds(request, 'm3', 'm17') ? { status } : undefined));
    say(on.recorder, 20);
    expect(await on.recorder.flush()).toEqual({ delivered: 18, pending: 0, deadLettered: 2 });
    expect(contents(on)).toEqual(inOrder(20).filter(content => content !== 'm3' && content !== 'm17'));
    expect(on.losses).toMatchObject([{ reason: 'rejected' }, { reason: 'rejected' }]);
    expect(balanced(on.recorder)).toMatchObject({ deadLettered: 2 });
  });

  it('item by item in a batch is asked about alone, and only that', async () => {
    await using on = await recorderOn(request => {
      if (request.messages.length === 1) return holds(request, 'm1') ? { status: 422 } : undefined;
      const results = request.messages.map(({ content }) =>
        content === 'm1' || content === 'm2' ? { error: 'busy' } : { message_id: content },
      );
      return { json: { total: results.length, results } };
    });
    say(on.recorder, 4);
    expect(await on.recorder.flush()).toEqual({ delivered: 3, pending: 0, deadLettered: 1 });
    expect(on.synap.requests.map(request => request.messages.map(message => message.content))).toEqual([
      ['m0', 'm1', 'm2', 'm3'],
      ['m1'],
      ['m2'],
    ]);
  });
});

describe('a batch that is refused in part', () => {
  it('stops at the first message that must wait, and goes on one by one of a conversation, so that order stays', async () => {
    let alone = 0;
    await using on = await recorderOn(request => {
      if (request.messages.length > 1) return { json: { results: request.messages.map(() => ({ error: 'busy' })) } };
      return ++alone === 1 ? { status: 429 } : undefined;
    });
    say(on.recorder, 3);
    expect(await on.recorder.flush()).toMatchObject({ delivered: 3 });
    expect(on.synap.requests.map(request => request.messages.map(message => message.content))).toEqual([
      ['m0', 'm1', 'm2'],
      ['m0'],
      ['m0'],
      ['m1'],
      ['m2'],
    ]);
  });

  it('keeps no later message of a conversation when there are enough others', async () => {
    await using on = await recorderOn(undefined, { batch: { maxMessages: 3 } });
    say(on.recorder, 12, 4);
    await on.recorder.flush();
    for (const { messages } of on.synap.requests)
      expect(new Set(messages.map(message => message.conversation_id)).size).toBe(messages.length);
  });
});

describe('a message that fails each time', () => {
  it.each([500, 'a broken connection'])('with %s keeps only its own conversation waiting', async failure => {
    await using on = await recorderOn(request => {
      if (!holds(request, 'm4')) return undefined;
      return failure === 500 ? { status: 500 } : { reset: 'before storing' };
    });
    say(on.recorder, 40, 8);
    const expected = inOrder(40).filter((_, n) => n % 8 !== 4);
    await expect.poll(() => new Set(contents(on)).size).toBe(expected.length);
    for (let c = 0; c < 8; c++) {
      const firsts = [...new Set(contents(on))].filter(content => Number(content.slice(1)) % 8 === c);
      expect(firsts).toEqual(expected.filter(content => Number(content.slice(1)) % 8 === c));
    }
    await expect.poll(() => balanced(on.recorder).delivered).toBe(35);
    expect(on.losses).toEqual([]);
  });

  it('is given up in the end, kept as a dead letter, and lets its conversation go on', async () => {
    await using on = await recorderOn(request => (holds(request, 'm0') ? { status: 500 } : undefined), {
      retry: { baseMs: 1, maxMs: 5, maxAgeMs: 50 },
    });
    say(on.recorder, 4, 2);
    expect(await on.recorder.flush()).toEqual({ delivered: 3, pending: 0, deadLettered: 1 });
    expect(contents(on).filter(content => content === 'm2')).toHaveLength(1);
    expect(on.losses).toMatchObject([{ reason: 'expired', messageKey: expect.any(String) }]);
    expect(balanced(on.recorder)).toMatchObject({ expired: 1, delivered: 3 });
    expect(await on.recorder.deadLetters.list()).toMatchObject([{ state: 'expired', message: { content: 'm0' } }]);
  });
});

describe('an unknown outcome', () => {
  it('is a dead letter where the app does not want anything twice', async () => {
    await using on = await recorderOn((_, index) => (index === 0 ? { reset: 'after storing' } : undefined), {
      retry: { ifUnknown: 'dead-letter' },
    });
    say(on.recorder, 2);
    expect(await on.recorder.flush()).toEqual({ delivered: 0, pending: 0, deadLettered: 2 });
    expect(contents(on)).toEqual(inOrder(2));
    expect(on.losses.map(loss => loss.reason)).toEqual(['unknown_outcome', 'unknown_outcome']);
    say(on.recorder, 1);
    expect(await on.recorder.flush()).toMatchObject({ delivered: 1 });
  });
});

describe('dead letters', () => {
  it('can be replayed once the reason is gone', async () => {
    let refuses = true;
    await using on = await recorderOn(request => (refuses && holds(request, 'm1') ? { status: 422 } : undefined));
    say(on.recorder, 3);
    await on.recorder.flush();
    expect(await on.recorder.deadLetters.list()).toMatchObject([
      { state: 'dead', message: { content: 'm1' }, error: expect.stringContaining('422') },
    ]);
    refuses = false;
    expect(await on.recorder.deadLetters.replay()).toBe(1);
    expect(await on.recorder.flush()).toEqual({ delivered: 1, pending: 0, deadLettered: 0 });
    expect(contents(on)).toEqual(['m0', 'm2', 'm1']);
    expect(balanced(on.recorder)).toMatchObject({ accepted: 3, delivered: 3, deadLettered: 0 });
  });

  it('can be purged', async () => {
    await using on = await recorderOn(() => ({ status: 422 }));
    say(on.recorder, 3);
    await on.recorder.flush();
    const [first] = await on.recorder.deadLetters.list({ limit: 1 });
    expect(await on.recorder.deadLetters.purge([first?.key ?? ''])).toBe(1);
    expect(await on.recorder.deadLetters.purge()).toBe(2);
    expect(await on.recorder.deadLetters.list()).toEqual([]);
    expect(balanced(on.recorder)).toMatchObject({ accepted: 3, deadLettered: 3 });
  });
});

describe('several batches at once', () => {
  it('never hold the same conversation twice', async () => {
    const open = new Set<string>();
    let most = 0;
    let batches = 0;
    const four = Promise.withResolvers<void>();
    await using on = await recorderOn(
      async request => {
        const conversations = [...new Set(request.messages.map(message => message.conversation_id))];
        for (const conversation of conversations) {
          if (open.has(conversation)) throw new Error('twice at once');
          open.add(conversation);
        }
        most = Math.max(most, ++batches);
        if (batches === 4) four.resolve();
        // The first ones wait for each other; the others leave turns for one too many.
        await four.promise;
        await turns();
        batches--;
        for (const conversation of conversations) open.delete(conversation);
        return undefined;
      },
      { maxInFlight: 4, batch: { maxMessages: 5, lingerMs: 0 } },
    );
    say(on.recorder, 200, 40);
    expect(await on.recorder.flush()).toMatchObject({ delivered: 200 });
    expect(most).toBe(4);
    for (let c = 0; c < 40; c++)
      expect(contents(on).filter(content => Number(content.slice(1)) % 40 === c)).toEqual(
        inOrder(200).filter((_, n) => n % 40 === c),
      );
  });

  it('become one while Synap fails', async () => {
    let open = 0;
    let most = 0;
    let broken = true;
    await using on = await recorderOn(
      async (_, index) => {
        open++;
        if (index >= 4) most = Math.max(most, broken ? open : 0);
        await turns();
        open--;
        return broken ? { status: 503 } : undefined;
      },
      { maxInFlight: 4, batch: { maxMessages: 5, lingerMs: 0 } },
    );
    say(on.recorder, 200, 200);
    await expect.poll(() => on.synap.requests.length).toBeGreaterThan(10);
    broken = false;
    expect(await on.recorder.flush()).toMatchObject({ pending: 0 });
    expect(most).toBe(1);
  });
});

describe('what may pass', () => {
  it.each([500, 502, 503, 504, 408])('as %i does, is tried again', async status => {
    await using on = await recorderOn((_, index) => (index < 3 ? { status, text: '<html>' } : undefined));
    say(on.recorder, 3);
    expect(await on.recorder.flush()).toEqual({ delivered: 3, pending: 0, deadLettered: 0 });
    expect(contents(on)).toEqual(inOrder(3));
    expect(on.log.filter(line => line.includes('tried again'))).toHaveLength(1);
  });

  it('and leaves open what was stored, is sent again under the same key', async () => {
    await using on = await recorderOn((_, index) => (index === 0 ? { reset: 'after storing' } : undefined));
    say(on.recorder, 2);
    await on.recorder.flush();
    expect(contents(on)).toEqual(['m0', 'm1', 'm0', 'm1']);
    expect(on.synap.stored[0]?.metadata?.message_key).toBe(on.synap.stored[2]?.metadata?.message_key);
    expect(on.recorder.stats().possibleDuplicates).toBe(2);
  });

  it('a rate limit is waited out as long as it says', async () => {
    const at: number[] = [];
    await using on = await recorderOn((_, index) => {
      at.push(performance.now());
      return index === 0 ? { status: 429, headers: { 'retry-after': '1' } } : undefined;
    });
    say(on.recorder, 2);
    await on.recorder.flush();
    expect((at[1] ?? 0) - (at[0] ?? 0)).toBeGreaterThanOrEqual(990);
    expect(contents(on)).toEqual(inOrder(2));
  });

  it.each([401, 402])('a refused account (%i) keeps everything, and says so once', async status => {
    await using on = await recorderOn(() => ({ status }));
    say(on.recorder, 5);
    await expect.poll(() => on.log.length).toBeGreaterThan(0);
    expect(await on.recorder.flush({ timeoutMs: 200 })).toEqual({ delivered: 0, pending: 5, deadLettered: 0 });
    expect(on.synap.requests).toHaveLength(1);
    expect(on.log.filter(line => line.includes('every minute'))).toHaveLength(1);
    expect(on.losses).toEqual([]);
  });

  it.each([403, 404, 409])('what may be a refused account (%i) keeps everything, and says so once', async status => {
    await using on = await recorderOn(() => ({ status }));
    say(on.recorder, 5);
    await expect.poll(() => on.log.length).toBeGreaterThan(1);
    expect(await on.recorder.flush({ timeoutMs: 200 })).toEqual({ delivered: 0, pending: 5, deadLettered: 0 });
    expect(on.log.filter(line => line.includes('is held'))).toHaveLength(1);
    expect(on.log.filter(line => line.includes('every minute'))).toHaveLength(1);
    // It is tried again and again.
    await expect.poll(() => balanced(on.recorder)).toMatchObject({ pending: 0, held: 5 });
    expect(on.losses).toEqual([]);
  });
});

describe('flush and close', () => {
  it('tell the truth when Synap is down', async () => {
    await using on = await recorderOn(() => 'handled');
    say(on.recorder, 3);
    expect(await on.recorder.flush({ timeoutMs: 100 })).toEqual({ delivered: 0, pending: 3, deadLettered: 0 });
    expect(balanced(on.recorder)).toMatchObject({ accepted: 3, inFlight: 3 });
    await on.recorder.close({ timeoutMs: 50 });
    expect(balanced(on.recorder)).toMatchObject({ accepted: 3, lostAtShutdown: 0, maybeLost: 3 });
    expect(on.losses.map(loss => loss.reason)).toEqual(Array(3).fill('maybe_lost'));
  });

  it('cover what was said before them, at once, and can overlap', async () => {
    await using on = await recorderOn(undefined, { batch: { lingerMs: 60_000 } });
    say(on.recorder, 2);
    const [first, second] = await Promise.all([on.recorder.flush(), on.recorder.flush()]);
    expect(first).toEqual({ delivered: 2, pending: 0, deadLettered: 0 });
    expect(second.pending).toBe(0);
    expect(await on.recorder.flush()).toEqual({ delivered: 0, pending: 0, deadLettered: 0 });
  });

  it('leave a client alone that they did not make', async () => {
    await using on = await recorderOn();
    await using other = await recorderOn();
    const { SynapClient } = await import('../../src/index.js');
    const client = new SynapClient({ apiKey: 'k', baseUrl: on.synap.url });
    const recorder = createRecorder({ client, userId: 'ada' });
    say(recorder, 1);
    await recorder.close();
    await client.conversation.recordMessage({
      conversationId: crypto.randomUUID(),
      role: 'user',
      content: 'm1',
      userId: 'ada',
    });
    expect(contents(on)).toEqual(inOrder(2));
    expect(contents(other)).toEqual([]);
    await client.close();
  });
});

describe('a full outbox', () => {
  it('refuses whole turns, the newest, and counts them', async () => {
    await using on = await recorderOn(() => 'handled', { outbox: memoryOutbox({ maxMessages: 3 }) });
    const turns = Array.from({ length: 5 }, (_, n) => on.recorder.turn({ conversationId: `c${n}` }));
    for (const turn of turns) turn.user('Hi');
    for (const turn of turns) turn.complete({ content: 'Hello' });
    expect(on.recorder.stats()).toMatchObject({ accepted: 6, refused: { outbox_full: 4 } });
    expect(on.losses).toHaveLength(4);
  });
});

describe('pacing', () => {
  it('lets a burst through, then waits', async () => {
    await using on = await recorderOn(undefined, {
      rateLimit: { requestsPerMinute: 600, burst: 2 },
      batch: { maxMessages: 1, lingerMs: 0 },
    });
    const started = performance.now();
    say(on.recorder, 5);
    await on.recorder.flush();
    expect(on.synap.requests).toHaveLength(5);
    expect(performance.now() - started).toBeGreaterThan(250);
  });
});

describe('a process that ends by itself', () => {
  const run = (url: string, { options = '', flags = [] as string[] } = {}) =>
    promisify(execFile)(
      process.execPath,
      [
        ...flags,
        '--input-type=module',
        '--eval',
        `import { createRecorder } from './dist/index.js';
         const recorder = createRecorder({ apiKey: 'k', baseUrl: '${url}', userId: 'ada', ${options} });
         recorder.turn({ conversationId: 'c' }).user('Hi');`,
      ],
      { cwd: ROOT, timeout: 100_000 },
    );

  it('delivers first, without lingering and without being asked', async () => {
    await using on = await recorderOn();
    await run(on.synap.url, { options: 'batch: { lingerMs: 2 ** 30 }' });
    expect(contents(on)).toEqual(['Hi']);
  });

  it('is not held for long by a Synap that never answers, and says what may be lost', async () => {
    await using on = await recorderOn(() => 'handled');
    const { stderr } = await run(on.synap.url, { flags: ['--import', FAST_CLOCK] });
    expect(stderr).toBe('[synap-recorder] closed with 1 message that may be lost: a request with it was under way\n');
    // The first request was not waited for until its own end.
    expect(on.synap.requests).toHaveLength(1);
  });
});

describe('what a person reads in the log', () => {
  it('names a message of each reason, and not thousands of them', async () => {
    await using on = await recorderOn(() => ({ status: 422 }));
    say(on.recorder, 50);
    await on.recorder.flush();
    expect(on.losses).toHaveLength(50);
    expect(on.log.filter(line => line.includes('is not delivered (rejected)'))).toHaveLength(1);
  });
});

describe('a Synap that is back', () => {
  it('gets what waits when the recorder closes, though the backoff is not over', async () => {
    let down = true;
    await using on = await recorderOn(() => (down ? { status: 503 } : undefined), {
      retry: { baseMs: 600_000, maxMs: 600_000 },
    });
    say(on.recorder, 120, 3);
    await expect.poll(() => on.log.length).toBeGreaterThan(0);
    down = false;
    expect(await on.recorder.close()).toMatchObject({ delivered: 120, pending: 0 });
    expect(on.losses).toEqual([]);
  });

  it('is not waited for when nothing will be sent in time', async () => {
    await using on = await recorderOn(() => ({ status: 401 }));
    say(on.recorder, 1);
    const started = performance.now();
    expect(await on.recorder.flush({ timeoutMs: 50_000 })).toMatchObject({ pending: 1 });
    expect(performance.now() - started).toBeLessThan(50_000);
    expect(balanced(on.recorder)).toMatchObject({ held: 1, pending: 0 });
  });
});

describe('process.exit', () => {
  it('loses what waits in memory, and says so', async () => {
    await using on = await recorderOn();
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [
        '--input-type=module',
        '--eval',
        `import { createRecorder } from './dist/index.js';
         const onLoss = ({ reason, messageKey }) => console.log(reason, messageKey);
         const recorder = createRecorder({ apiKey: 'k', baseUrl: '${on.synap.url}', userId: 'ada', onLoss });
         const turn = recorder.turn({ conversationId: 'c' });
         turn.user('Hi', { messageId: 'one' });
         turn.append('Hel');
         process.exit(0);`,
      ],
      { cwd: ROOT, timeout: 100_000 },
    );
    expect(stdout).toMatch(/^shutdown .*:user:one:\S+\nshutdown .*:assistant\n$/);
  });
});
