import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Turn } from '../../src/index.js';
import { MAX_MESSAGE_BYTES } from '../../src/recorder/truncate.js';
import { ODD_VALUES } from '../support/odd-values.js';
import { recorderOn } from '../support/recorder.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const MiB = 1024 * 1024;

const thrower = (name: string) =>
  Object.defineProperty({ even: true }, name, {
    enumerable: true,
    get() {
      throw new Error('no');
    },
  });

/** A proxy that tells something else each time. */
const liar = (): object => {
  let told = 0;
  return new Proxy([] as unknown[], {
    get: (_, name) => (name === 'length' ? 10 ** ++told : { told: told++ }),
    ownKeys: () => ['length', `key ${told++}`],
    getOwnPropertyDescriptor: (target, name) =>
      Reflect.getOwnPropertyDescriptor(target, name) ?? {
        value: told++,
        configurable: true,
        enumerable: told % 2 === 0,
      },
  });
};

const diamond = (levels: number): object => {
  let both: object = { leaf: true };
  for (let level = 0; level < levels; level++) both = { left: both, right: both };
  return both;
};

const ODD: Record<string, () => unknown> = {
  ...ODD_VALUES,
  'a proxy that lies': liar,
  'a diamond of shared references': () => diamond(60),
  '12,000 names': () => Array.from({ length: 12_000 }, (_, n) => `tool ${n}`),
  '180 signed URLs': () =>
    Array.from({ length: 180 }, (_, n) => ({ url: `https://host/${n}?X-Amz-Signature=${'f'.repeat(1500)}` })),
  'a signed URL of 100 KB': () => [
    { url: `https://host/a.png?sig=${'f'.repeat(100_000)}`, filename: 'x'.repeat(100_000) },
  ],
  'a list that says it is endless': () => new Proxy([], { get: (_, name) => (name === 'length' ? Infinity : 'x') }),
  'an error of another kind': () => new AggregateError([thrower('message')], ''),
  infinity: () => Number.POSITIVE_INFINITY,
  'a very large number': () => 1e300,
};

// By their names: fast-check itself would stumble over some of them.
const maybe = fc.oneof(fc.constant('nothing'), fc.constantFrom(...Object.keys(ODD)));
const words = fc.oneof(
  fc.string({ minLength: 1, maxLength: 50, unit: 'grapheme' }),
  fc.string({ minLength: 1, maxLength: 50, unit: 'binary' }),
  fc.nat(3000).map(length => `${'word '.repeat(length)}.`),
);
const fields = fc.record({
  metadata: maybe,
  tag: maybe,
  attachments: maybe,
  attachment: maybe,
  toolCalls: maybe,
  usage: maybe,
  text: maybe,
  messageId: maybe,
  turnId: maybe,
  sessionId: maybe,
  error: maybe,
  end: fc.constantFrom('complete', 'fail', 'abort', 'abandon'),
});

describe('whatever stands beside the words', { timeout: 120_000 }, () => {
  it('they arrive whole, byte for byte', async () => {
    await using on = await recorderOn(undefined, { batch: { lingerMs: 1 } });
    await fc.assert(
      fc.asyncProperty(words, words, fields, async (question, answer, names) => {
        const given: Record<string, unknown> = { end: names.end };
        for (const [field, name] of Object.entries(names)) if (field !== 'end') given[field] = ODD[name]?.();
        const before = on.synap.stored.length;
        const turn = on.recorder.turn(
          { userId: 'ada', sessionId: given.sessionId as never },
          { id: given.turnId as never, metadata: given.metadata as never, framework: given.text as never },
        );
        const attachments = given.attachment === undefined ? given.attachments : [given.attachment];
        const details = {
          model: given.text,
          provider: given.text,
          finishReason: given.text,
          steps: given.text,
          usage: given.usage,
          toolCalls: given.toolCalls,
          attachments,
          metadata: { tag: given.tag, even: true },
        } as never;
        turn.user(question, {
          messageId: given.messageId as never,
          attachments: attachments as never,
          metadata: details,
        });
        turn.describe(details);
        turn.describe(given.usage as never);
        turn.append(answer, given.tag as never);
        if (given.end === 'complete') turn.complete(details);
        else if (given.end === 'abandon') turn.abandon(details);
        else turn[given.end as 'fail' | 'abort'](given.error, details);
        await on.recorder.flush();
        const said = on.synap.stored.slice(before);
        expect(said.map(({ content }) => content)).toEqual([question.toWellFormed(), answer.toWellFormed()]);
        expect(said[1]?.metadata).toMatchObject({ even: true });
        for (const { metadata } of said) expect(JSON.stringify(metadata).length).toBeLessThan(128 * 1024);
      }),
      { numRuns: Number(process.env.PROPERTY_RUNS ?? 100) },
    );
    expect(on.losses).toEqual([]);
  });

  it('they arrive in a process in which a library has put something on Object.prototype', async () => {
    const program = `
      import { createServer } from 'node:http';
      import { createRecorder } from './dist/index.js';
      const stored = [];
      const server = createServer((request, response) => {
        let body = '';
        request.on('data', data => { body += data; });
        request.on('end', () => {
          const { messages } = JSON.parse(body);
          stored.push(...(messages ?? [JSON.parse(body)]));
          response.end(JSON.stringify({ results: (messages ?? []).map(() => ({ message_id: 'm' })) }));
        });
      });
      await new Promise(resolve => server.listen(0, '127.0.0.1', resolve));
      Object.prototype.polluted = function polluted() {};
      Object.prototype.x = { y: 1 };
      for (const redact of [undefined, message => ({ ...message, metadata: { ...message.metadata, redacted: true } })]) {
        const recorder = createRecorder({
          apiKey: 'k', baseUrl: 'http://127.0.0.1:' + server.address().port, userId: 'ada', metadata: { app: 'a' }, redact,
          logger: { info() {}, warn: console.log, error: console.log },
        });
        const turn = recorder.turn({ conversationId: 'c' }, { metadata: { tag: 1 } });
        turn.user('question', { metadata: { other: [{ deep: true }] }, attachments: [{ mediaType: 'image/png' }] });
        turn.complete({ content: 'answer', model: 'gpt-5', usage: { inputTokens: 1 } });
        await recorder.close();
      }
      server.close();
      for (const { content, metadata } of stored) console.log(content, Object.keys(metadata).includes('polluted'), metadata.app, metadata.tag);
    `;
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', program], {
      cwd: ROOT,
    });
    expect(stdout.trim().split('\n')).toEqual([...Array(2)].flatMap(() => ['question false a 1', 'answer false a 1']));
  });
});

/** What was recorded of an answer of which all is said in `end`. */
async function recorded(end: (turn: Turn) => void) {
  const on = await recorderOn();
  const turn = on.recorder.turn({ conversationId: 'c' });
  turn.user('Hi');
  end(turn);
  await on.recorder.flush();
  const [, answer] = on.synap.stored;
  await on[Symbol.asyncDispose]();
  return { content: answer?.content ?? '', metadata: answer?.metadata ?? {}, log: on.log, losses: on.losses };
}

describe('a list of ours that is too long', () => {
  it('of tool names is cut to 100, and the message says so', async () => {
    const toolCalls = Array.from({ length: 12_000 }, (_, n) => `tool ${n}`);
    const { metadata } = await recorded(turn => turn.complete({ content: 'Hello', toolCalls }));
    expect(metadata.tool_calls).toEqual(toolCalls.slice(0, 100));
    expect(metadata.truncated_fields).toEqual(['tool_calls']);
  });

  it('of attachments is cut to 16 KiB, and loses no signature to those who read', async () => {
    const attachments = Array.from({ length: 180 }, (_, n) => ({
      mediaType: 'image/png',
      url: `https://host/${n}.png?${'a=1&'.repeat(300)}X-Amz-Signature=0f3a`,
    }));
    const { metadata } = await recorded(turn => turn.complete({ content: 'Hello', attachments }));
    expect(JSON.stringify(metadata.attachments).length).toBeLessThanOrEqual(16 * 1024);
    expect(metadata.truncated_fields).toEqual(['attachments']);
    expect(JSON.stringify(metadata)).not.toContain('0f3a');
  });

  it('a URL that is too long loses its query, and a name its end', async () => {
    const attachments = [
      { url: `https://host/a.png?sig=${'f'.repeat(100_000)}`, filename: 'x'.repeat(1000) },
      { url: `https://host/${'f'.repeat(100_000)}`, mediaType: 'image/png' },
    ];
    const { metadata } = await recorded(turn =>
      turn.complete({ content: 'Hello', model: 'm'.repeat(2000), attachments }),
    );
    expect(metadata.attachments).toEqual([
      { url: 'https://host/a.png', filename: `${'x'.repeat(200)}…` },
      { media_type: 'image/png' },
    ]);
    expect(metadata.model).toBe(`${'m'.repeat(1000)}…`);
    expect(metadata.truncated_fields).toEqual(['model', 'attachments']);
  });
});

describe('the tags of a message', () => {
  it('that are too large are left out alone, and the message says how many', async () => {
    const tags = { blob: 'b'.repeat(10 * MiB), shared: diamond(60), app: 'support' };
    const { metadata, log } = await recorded(turn => turn.complete({ content: 'Hello', metadata: tags }));
    expect(metadata).toMatchObject({ app: 'support', dropped_tags: 2 });
    expect(metadata).not.toHaveProperty('blob');
    expect(log.filter(line => line.includes('"blob"'))).toHaveLength(1);
  });

  it('are 64 KiB in all: the largest are left out', async () => {
    const tags = Object.fromEntries(Array.from({ length: 20 }, (_, n) => [`tag${n}`, 'y'.repeat(500 * n)]));
    const { metadata } = await recorded(turn => turn.complete({ content: 'Hello', metadata: tags }));
    expect(metadata).toHaveProperty('tag15');
    expect(metadata).not.toHaveProperty('tag19');
    expect(metadata.dropped_tags).toBeGreaterThan(0);
  });

  it('that share parts without end are read 5,000 values deep at most', async () => {
    let reads = 0;
    const counted = (levels: number): object =>
      Object.defineProperties(
        {},
        Object.fromEntries(
          ['left', 'right'].map(side => [
            side,
            { enumerable: true, get: () => (++reads && levels > 0 ? counted(levels - 1) : 1) },
          ]),
        ),
      );
    const tags = Object.fromEntries(Array.from({ length: 30 }, (_, n) => [`tag${n}`, counted(40)]));
    const { content } = await recorded(turn => turn.complete({ content: 'Hello', metadata: tags }));
    expect(content).toBe('Hello');
    expect(reads).toBeLessThan(60_000);
  });

  it('of a turn and a message stand together where one of them can’t be read', async () => {
    await using on = await recorderOn(undefined, { metadata: { app: 'support' } });
    const turn = on.recorder.turn({ conversationId: 'c' }, { metadata: thrower('of the turn') });
    turn.user('Hi', { metadata: Object.assign(thrower('of the message'), { channel: 'web' }) });
    await on.recorder.flush();
    expect(on.synap.stored).toMatchObject([
      { content: 'Hi', metadata: { app: 'support', even: true, channel: 'web' } },
    ]);
  });
});

describe('an answer without end', () => {
  it('is kept as far as a message goes, and counted', async () => {
    const piece = 'word '.repeat(20_000);
    const { content, metadata } = await recorded(turn => {
      for (let n = 0; n < 50; n++) turn.append(piece);
      turn.complete();
    });
    expect(content).toMatch(/^(word )+.{0,4}\n\n\[cut by synap-recorder: \d+ of 5000000 characters\]$/);
    expect(content.length).toBeGreaterThan(MAX_MESSAGE_BYTES - 2000);
    expect(metadata).toMatchObject({ truncated: true, original_length: 5_000_000 });
  });

  it('of more characters than a string can have breaks nothing', async () => {
    const piece = 'x'.repeat(2 ** 28);
    const { content, metadata } = await recorded(turn => {
      for (let n = 0; n < 3; n++) turn.append(piece);
      turn.append('end');
      turn.complete();
    });
    expect(content).toContain(`of ${3 * 2 ** 28 + 3} characters`);
    expect(metadata).toMatchObject({ original_length: 3 * 2 ** 28 + 3 });
  });

  it('is cut where redact has seen all of it', async () => {
    const secret = '4111111111111111';
    await using on = await recorderOn(undefined, {
      redact: message => ({ ...message, content: message.content.replaceAll(secret, '') }),
    });
    const turn = on.recorder.turn({ conversationId: 'c' });
    // What is redacted makes room for the place at which the rest was lost.
    for (let n = 0; n < 20_000; n++) turn.append(`${secret} and so on. `);
    turn.complete();
    await on.recorder.flush();
    expect(on.synap.stored[0]?.content).not.toMatch(/4111/);
    expect(on.synap.stored[0]?.metadata).toMatchObject({ truncated: true });
  });

  it('stays whole up to the size of a message', async () => {
    const words = 'x'.repeat(MAX_MESSAGE_BYTES - 2000);
    const { content } = await recorded(turn => {
      turn.append(words);
      turn.complete();
    });
    expect(content).toBe(words);
  });
});

describe('an id that is too long', () => {
  it('of a user is nobody’s: it is counted and said, and never cut to be somebody else’s', async () => {
    await using on = await recorderOn();
    for (const end of ['a', 'b']) on.recorder.turn({ userId: 'x'.repeat(MiB) + end }).user('Hi');
    await on.recorder.flush();
    expect(on.synap.stored).toEqual([]);
    expect(on.recorder.stats().refused).toEqual({ missing_user_id: 2 });
    expect(on.log).toEqual([expect.stringContaining('userId has 1048577 characters')]);
  });

  it('of a chat is recorded as the UUID that it stands for, and cut in the metadata', async () => {
    await using on = await recorderOn();
    on.recorder.turn({ conversationId: 'x'.repeat(60_000) }).user('Hi');
    await on.recorder.flush();
    expect(on.synap.stored[0]?.metadata).toMatchObject({
      external_conversation_id: `${'x'.repeat(1000)}…`,
      truncated_fields: ['external_conversation_id'],
    });
  });
});

describe('redact', () => {
  it('that answers a tag which is not JSON loses the tag, not the words', async () => {
    await using on = await recorderOn(undefined, {
      redact: message => ({ ...message, metadata: { ...message.metadata, when: new Date(), fine: 1 } }),
    });
    on.recorder.turn({ conversationId: 'c' }).user('Hi');
    await on.recorder.flush();
    expect(on.synap.stored).toMatchObject([{ content: 'Hi', metadata: { fine: 1 } }]);
    expect(on.synap.stored[0]?.metadata).not.toHaveProperty('when');
    expect(on.losses).toEqual([]);
  });
});
