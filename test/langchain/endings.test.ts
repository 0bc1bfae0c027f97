import { setTimeout as sleep } from 'node:timers/promises';
import { HumanMessage } from '@langchain/core/messages';
import { StringOutputParser } from '@langchain/core/output_parsers';
import { ChatPromptTemplate } from '@langchain/core/prompts';
import { RunnableLambda, RunnableMap } from '@langchain/core/runnables';
import { tool } from '@langchain/core/tools';
import { createAgent } from 'langchain';
import { afterEach, describe, expect, it, vi } from 'vitest';
import * as z from 'zod';
import { turns } from '../support/turns.js';
import { drain, gate, handlerOn, isOldCore, type On, type Reply, ScriptedModel } from './support.js';

afterEach(() => void vi.useRealTimers());

const prompt = ChatPromptTemplate.fromTemplate('Question: {question}');
const question = { question: 'Why?' };
const model = (...replies: (Reply | string)[]) => new ScriptedModel(replies, { maxRetries: 0 });
const chain = (reply: Reply) => prompt.pipe(model(reply)).pipe(new StringOutputParser());
const overloaded = new Error('overloaded');
const never = new Promise<void>(() => {});
const weather = tool(async () => 'sunny', { name: 'weather', description: 'w', schema: z.object({}) });
const hi = { messages: [new HumanMessage('Weather?')] };

/** Reads the first few chunks of a stream, then acts. */
async function readSome(stream: AsyncIterable<unknown> | Promise<AsyncIterable<unknown>>, count: number) {
  const iterator = (await stream)[Symbol.asyncIterator]();
  for (let index = 0; index < count; index++) await iterator.next();
  return iterator;
}

type Row = [name: string, run: (on: On) => Promise<unknown>, transcript: string[], error?: string];

const failures: Row[] = [
  ['a model fails', ({ config }) => model({ error: overloaded }).invoke('Hi', config), ['user: Hi']],
  [
    'a model fails in mid-stream',
    ({ config }) => drain(model({ text: 'Hello A', error: overloaded }).stream('Hi', config)),
    ['user: Hi', 'assistant (error): Hello A'],
  ],
  ['a chain fails', ({ config }) => chain({ error: overloaded }).invoke(question, config), ['user: Why?']],
  [
    'a chain fails in mid-stream',
    ({ config }) => drain(chain({ text: 'Because o', error: overloaded }).stream(question, config)),
    ['user: Why?', 'assistant (error): Because o'],
  ],
  [
    'a streamed lambda fails, which got its input late',
    ({ config }) =>
      drain(
        RunnableLambda.from((_: string): string => {
          throw overloaded;
        }).stream('Why?', config),
      ),
    ['user: Why?'],
  ],
  [
    'a step before the model fails',
    ({ config }) =>
      RunnableLambda.from((_: object): typeof question => {
        throw overloaded;
      })
        .pipe(prompt)
        .invoke(question, config),
    ['user: Why?'],
  ],
  [
    'an agent fails in its second step: what it said on the way is no answer',
    ({ config }) =>
      createAgent({
        model: model(
          { text: 'Let me check.', toolCalls: [{ name: 'weather' }] },
          { text: 'It is s', error: overloaded },
        ),
        tools: [weather],
      })
        .stream(hi, { ...config, streamMode: 'messages' })
        .then(drain),
    ['user: Weather?', 'assistant (error): It is s'],
  ],
  [
    'one of two models side by side fails in mid-stream: whose text it would be can’t be told',
    ({ config }) =>
      drain(
        RunnableMap.from({
          joke: prompt.pipe(model({ text: 'Ha', wait: turns(), error: overloaded })),
          poem: prompt.pipe(model({ text: 'Oh', wait: never })),
        }).stream(question, config),
      ),
    ['user: Why?'],
  ],
  [
    'the model behind the one that decides fails in mid-stream',
    ({ config }) =>
      drain(
        RunnableLambda.from(async (input: typeof question, config) => {
          await model({ text: 'billing' }).invoke('Classify', config);
          return prompt.pipe(model({ text: 'It costs', error: overloaded })).invoke(input, config);
        }).streamEvents(question, { ...config, version: 'v2' }),
      ),
    ['user: Why?', 'assistant (error): It costs'],
  ],
  [
    'an attempt fails in mid-stream, and so does the next: the last text counts',
    ({ config }) => {
      const attempts = model({ text: 'First', error: overloaded }, { text: 'Second', error: overloaded });
      return RunnableLambda.from(async (_: object, config) => {
        await drain(attempts.stream('Hi', config)).catch(() => {});
        return drain(attempts.stream('Hi', config));
      }).invoke(question, config);
    },
    ['user: Why?', 'assistant (error): Second'],
  ],
  [
    'every attempt fails',
    ({ config }) =>
      prompt
        .pipe(model({ error: new Error('first') }).withFallbacks([model({ error: overloaded })]))
        .invoke(question, config),
    ['user: Why?'],
  ],
];

describe('a run that fails', () => {
  it.each(failures)('%s', async (_, run, transcript) => {
    await using on = await handlerOn();
    await expect(run(on)).rejects.toThrow();
    expect(await on.transcript()).toEqual(transcript);
    expect(on.handler.openRuns).toBe(0);
  });

  it('says why', async () => {
    await using on = await handlerOn();
    await expect(drain(chain({ text: 'Because', error: overloaded }).stream(question, on.config))).rejects.toThrow();
    await on.transcript();
    expect(on.synap.stored[1]?.metadata).toMatchObject({
      status: 'error',
      error: 'Error: overloaded',
      model: 'scripted-1',
      steps: 1,
    });
  });

  it('is no turn again for a branch that goes on after it', async () => {
    await using on = await handlerOn();
    const slow = gate();
    const late = model('Too late');
    const map = RunnableMap.from({
      fails: RunnableLambda.from((_: object): string => {
        throw overloaded;
      }),
      goesOn: RunnableLambda.from(async (_: object, config) => {
        await slow.promise;
        return late.invoke('Name this chat', config);
      }),
    });
    await expect(map.invoke(question, on.config)).rejects.toThrow('overloaded');
    slow.resolve();
    await expect.poll(() => late.prompts).toHaveLength(1);
    await turns();
    expect(await on.transcript()).toEqual(['user: Why?']);
    expect(on.handler.openRuns).toBe(0);
  });
});

describe('a run that is aborted', () => {
  const aborts: [name: string, run: (on: On, signal: AbortSignal) => Promise<unknown>, transcript: string[]][] = [
    [
      'a model, in mid-stream',
      ({ config }, signal) =>
        drain(model({ text: 'Hello A', wait: sleepy(signal) }).stream('Hi', { ...config, signal })),
      ['user: Hi', 'assistant (aborted): Hello A'],
    ],
    [
      'a chain, in mid-stream',
      ({ config }, signal) => drain(chain({ text: 'Because o', wait: never }).stream(question, { ...config, signal })),
      ['user: Why?', 'assistant (aborted): Because o'],
    ],
    [
      'a chain, before its model has said anything',
      ({ config }, signal) => chain({ wait: never }).invoke(question, { ...config, signal }),
      ['user: Why?'],
    ],
    [
      'an agent, in mid-stream',
      async ({ config }, signal) =>
        drain(
          createAgent({ model: model({ text: 'It is s', wait: never }), tools: [weather] }).stream(hi, {
            ...config,
            signal,
            streamMode: 'messages',
          }),
        ),
      ['user: Weather?', 'assistant (aborted): It is s'],
    ],
  ];

  // With the old line, an aborted stream of a model that does not look at the signal ends without a word.
  it.each(aborts.filter(([name]) => !(isOldCore && name === 'a model, in mid-stream')))(
    '%s',
    async (_, run, transcript) => {
      await using on = await handlerOn();
      const controller = new AbortController();
      const ended = run(on, controller.signal).catch(error => error);
      await turns();
      controller.abort();
      expect(await ended).toBeInstanceOf(Error);
      await expect.poll(() => on.handler.openRuns).toBe(0);
      expect(await on.transcript()).toEqual(transcript);
    },
  );

  it('after its model’s last token is recorded with the whole text', async () => {
    await using on = await handlerOn();
    const { handler } = on;
    handler.handleChainStart({}, { question: 'Why?' }, 'root');
    handler.handleChatModelStart({}, [[]], 'call', 'root');
    handler.handleLLMNewToken('Because.', { prompt: 0, completion: 0 }, 'call');
    handler.handleLLMEnd({ generations: [[{ text: 'Because.' }]] }, 'call');
    handler.handleChainError(new DOMException('This operation was aborted', 'AbortError'), 'root');
    expect(await on.transcript()).toEqual(['user: Why?', 'assistant (aborted): Because.']);
  });

  function sleepy(signal: AbortSignal) {
    return new Promise<void>(resolve => signal.addEventListener('abort', () => resolve()));
  }
});

describe('a stream that nobody reads to its end', () => {
  const broken: [
    name: string,
    open: (on: On) => Promise<AsyncIterable<unknown>>,
    chunks: number,
    transcript: string[],
  ][] = [
    [
      'a model’s',
      async ({ config }) => model('It is a long story').stream('Hi', config),
      2,
      ['user: Hi', expect.stringMatching(/^assistant \(abandoned\): It is /)],
    ],
    [
      'a chain’s',
      async ({ config }) => chain({ text: 'It is a long story' }).stream(question, config),
      2,
      ['user: Why?', expect.stringMatching(/^assistant \(abandoned\): It is /)],
    ],
    [
      'a chain’s, read no further than its first piece',
      async ({ config }) => chain({ text: ['', 'It'] }).stream(question, config),
      0,
      ['user: Why?'],
    ],
  ];

  it.each(broken)('%s', async (_, open, chunks, transcript) => {
    await using on = await handlerOn({ idleMs: 200 });
    const iterator = await readSome(open(on), chunks);
    if (chunks > 0) await iterator.return?.();
    await expect.poll(() => on.transcript()).toHaveLength(transcript.length);
    // An idle time later, nothing has come to it.
    await sleep(300);
    expect(await on.transcript()).toEqual(transcript);
  });

  it('an agent’s, whose root says that it was aborted or says nothing', async () => {
    await using on = await handlerOn({ idleMs: 200 });
    const stream = createAgent({ model: model('It is a very long story'), tools: [weather] }).stream(hi, {
      ...on.config,
      streamMode: 'messages',
    });
    await (await readSome(stream, 2)).return?.();
    await expect.poll(() => on.handler.openRuns).toBe(0);
    const [user, answer, ...more] = await on.transcript();
    expect(user).toBe('user: Weather?');
    expect(answer).toMatch(/^assistant \((aborted|abandoned)\): It is /);
    expect(more).toEqual([]);
  });

  it('is given up after five quiet minutes by default, and lets go of everything within an hour', async () => {
    await using on = await handlerOn();
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date'] });
    const { handler } = on;
    start(handler, 'silent');
    start(handler, 'talking');
    handler.handleLLMNewToken('Hel', { prompt: 0, completion: 0 }, 'talking');
    vi.advanceTimersByTime(299_000);
    expect(handler.openRuns).toBe(2);
    handler.handleLLMNewToken('lo', { prompt: 0, completion: 0 }, 'talking');
    vi.advanceTimersByTime(2_000);
    expect(handler.openRuns).toBe(2);
    vi.advanceTimersByTime(299_000);
    expect(handler.openRuns).toBe(1);
    vi.advanceTimersByTime(60 * 60_000);
    expect(handler.openRuns).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
    vi.useRealTimers();
    expect(await on.transcript()).toEqual(['user: silent', 'user: talking', 'assistant (abandoned): Hello']);
  });

  it('may still be answered after it was given up, when nothing had been said', async () => {
    await using on = await handlerOn({ idleMs: 1000 });
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date'] });
    start(on.handler, 'slow');
    vi.advanceTimersByTime(5000);
    on.handler.handleLLMEnd({ generations: [[{ text: 'At last' }]] }, 'slow');
    vi.useRealTimers();
    expect(on.handler.openRuns).toBe(0);
    expect(await on.transcript()).toEqual(['user: slow', 'assistant: At last']);
  });

  function start(handler: On['handler'], id: string) {
    handler.handleChatModelStart({}, [[new HumanMessage(id)]], id);
  }
});

describe('close', () => {
  it('abandons what is under way with its text so far, and records nothing more', async () => {
    await using on = await handlerOn();
    const iterator = await readSome(chain({ text: 'It is a long story' }).stream(question, on.config), 2);
    on.handler.close();
    expect(on.handler.openRuns).toBe(0);
    while (!(await iterator.next()).done);
    await model('Hello').invoke('Hi', on.config);
    expect(await on.transcript()).toEqual([
      'user: Why?',
      expect.stringMatching(/^assistant \(abandoned\): It is (a )?$/),
    ]);
  });

  it('of the recorder abandons what is under way, too', async () => {
    await using on = await handlerOn();
    await readSome(chain({ text: 'It is a long story' }).stream(question, on.config), 2);
    await on.recorder.close();
    expect(await on.transcript()).toEqual([
      'user: Why?',
      expect.stringMatching(/^assistant \(abandoned\): It is (a )?$/),
    ]);
  });
});
