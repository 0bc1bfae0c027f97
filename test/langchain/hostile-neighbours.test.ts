import { setImmediate as soon } from 'node:timers/promises';
import { createContext, runInContext } from 'node:vm';
import { CallbackManager } from '@langchain/core/callbacks/manager';
import { BaseChatModel } from '@langchain/core/language_models/chat_models';
import { AIMessage, type BaseMessage } from '@langchain/core/messages';
import { StringOutputParser } from '@langchain/core/output_parsers';
import { RunnableLambda } from '@langchain/core/runnables';
import { describe, expect, it } from 'vitest';
import { watchModelStreams } from '../../src/langchain/model-streams.js';
import { turns } from '../support/turns.js';
import { ask, graphOf, model, prompt, saying } from './cases/apps.js';
import { drain, handlerOn, ScriptedModel } from './support.js';

const question = { question: 'Why?' };

describe('Models of an app’s own kind', () => {
  it('that override the stream are read as they stream', async () => {
    await using on = await handlerOn();
    class Loud extends ScriptedModel {
      override async *_streamIterator(...args: Parameters<ScriptedModel['_streamIterator']>) {
        for await (const chunk of super._streamIterator(...args)) {
          (chunk as { loud?: boolean }).loud = true;
          yield chunk;
        }
      }
    }
    const pieces = await drain(await new Loud(['It is good.']).stream('Why?', on.config));
    expect(pieces.every(piece => (piece as { loud?: boolean }).loud)).toBe(true);
    expect(await on.transcript()).toEqual(['user: Why?', 'assistant: It is good.']);
  });

  it('that give out chunks without reporting any are recorded by their end', async () => {
    await using on = await handlerOn();
    class Silent extends ScriptedModel {
      override async *_streamResponseChunks(messages: BaseMessage[], options: this['ParsedCallOptions']) {
        yield* super._streamResponseChunks(messages, options, undefined);
      }
    }
    await drain(await prompt.pipe(new Silent(['It is good.'])).stream(question, on.config));
    expect(await on.transcript()).toEqual(['user: Why?', 'assistant: It is good.']);
  });

  it('behind a proxy are recorded', async () => {
    await using on = await handlerOn();
    const proxy = new Proxy(model('It is good.'), {
      get(target, key) {
        const value = Reflect.get(target, key, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
    const text = (await drain(await proxy.stream('Why?', on.config))).map(piece => piece.text).join('');
    expect(text).toBe('It is good.');
    expect(await on.transcript()).toEqual(['user: Why?', 'assistant: It is good.']);
  });

  it('that are frozen are recorded', async () => {
    await using on = await handlerOn();
    const frozen = Object.freeze(model('It is good.'));
    await drain(await frozen.stream('Why?', on.config));
    expect(await on.transcript()).toEqual(['user: Why?', 'assistant: It is good.']);
  });

  it('whose stream returns something that is no generator keep it', async () => {
    await using on = await handlerOn();
    const odd = model('x');
    const own = {
      async *[Symbol.asyncIterator]() {
        yield new AIMessage('odd');
      },
    };
    Object.defineProperty(odd, '_streamIterator', { value: () => own });
    const read: unknown[] = [];
    for await (const piece of odd._streamIterator('Why?' as never, on.config as never)) read.push(piece);
    expect(read).toHaveLength(1);
  });
});

describe('What others do to LangChain’s classes', () => {
  it('a wrapper of the stream that comes after the handler sees all, and so does the recorder', async () => {
    await using on = await handlerOn();
    const { prototype } = BaseChatModel as unknown as { prototype: Record<string, unknown> };
    const before = Object.getOwnPropertyDescriptor(prototype, '_streamIterator') as PropertyDescriptor;
    let seen = 0;
    Object.defineProperty(prototype, '_streamIterator', {
      configurable: true,
      writable: true,
      value: async function* (this: unknown, ...args: unknown[]) {
        for await (const piece of before.value.apply(this, args)) {
          seen++;
          yield piece;
        }
      },
    });
    try {
      const text = (await drain(await model('It is good.').stream('Why?', on.config)))
        .map(piece => piece.text)
        .join('');
      expect(text).toBe('It is good.');
      expect(seen).toBeGreaterThan(2);
      expect(await on.transcript()).toEqual(['user: Why?', 'assistant: It is good.']);
    } finally {
      Object.defineProperty(prototype, '_streamIterator', before);
    }
  });

  it('a wrapper of _configureSync that comes after the handler hides no user', async () => {
    await using on = await handlerOn();
    const manager = CallbackManager as unknown as Record<string, unknown>;
    const before = Object.getOwnPropertyDescriptor(manager, '_configureSync') as PropertyDescriptor;
    Object.defineProperty(manager, '_configureSync', {
      configurable: true,
      writable: true,
      value(this: unknown, ...args: unknown[]) {
        return before.value.apply(this, args);
      },
    });
    try {
      await model('It is good.').invoke('Why?', { ...on.config, configurable: { user_id: 'ada' } });
      await on.recorder.flush();
      expect(on.synap.stored.map(({ user_id }) => user_id)).toEqual(['ada', 'ada']);
    } finally {
      Object.defineProperty(manager, '_configureSync', before);
    }
  });

  it('frozen prototypes leave the app as it is', async () => {
    const frozen = Object.freeze({
      _streamIterator: async function* () {
        yield 1;
      },
    });
    expect(() => watchModelStreams({ BaseChatModel: { prototype: frozen } } as never)).not.toThrow();
    expect(await drain(frozen._streamIterator())).toEqual([1]);
  });
});

describe('What reaches the handler from elsewhere', () => {
  it('messages of another realm are read', async () => {
    await using on = await handlerOn();
    const messages = runInContext('[{ role: "user", content: "Why?" }]', createContext({}));
    await graphOf({ say: saying(model('Glad.')) })
      .compile()
      .invoke({ messages }, on.config);
    expect(await on.transcript()).toEqual(['user: Why?', 'assistant: Glad.']);
  });

  it('a state with a getter that throws is none of the app’s trouble', async () => {
    await using on = await handlerOn();
    const input = Object.defineProperty({ question: 'Why?' }, 'secret', {
      enumerable: true,
      get() {
        throw new Error('no');
      },
    });
    const chain = RunnableLambda.from(
      async ({ question: said }: typeof input) => (await model('Glad.').invoke(said)).text,
    );
    expect(await chain.invoke(input, on.config)).toBe('Glad.');
    expect(await on.transcript()).toEqual(['user: Why?', 'assistant: Glad.']);
  });

  it('an input that holds itself is read', async () => {
    await using on = await handlerOn();
    const input: Record<string, unknown> = { question: 'Why?' };
    input.self = input;
    const chain = RunnableLambda.from(async (given: Record<string, unknown>) => ({
      ...given,
      reply: (await model('Glad.').invoke('x')).text,
    }));
    await chain.invoke(input, on.config);
    expect(await on.transcript()).toEqual(['user: Why?', 'assistant: Glad.']);
  });
});

describe('A recorder that is off or closed', () => {
  it('records nothing with enabled: false, and gives the app its answer', async () => {
    await using on = await handlerOn({}, { enabled: false });
    const graph = graphOf({ say: saying(model('Glad.')) }).compile();
    expect(
      (await drain(await graph.stream(ask('Why?'), { ...on.config, streamMode: 'messages' }))).length,
    ).toBeGreaterThan(0);
    expect(await on.transcript()).toEqual([]);
  });

  it('that closes while a run is open lets the run end as it would', async () => {
    await using on = await handlerOn();
    const wait = Promise.withResolvers<void>();
    const chain = prompt.pipe(model({ text: 'It is', wait: wait.promise })).pipe(new StringOutputParser());
    const reading = drain(await chain.stream(question, on.config));
    await turns(30);
    await on.recorder.close();
    wait.resolve();
    expect((await reading).join('')).toBe('It is');
    expect(on.synap.stored.map(({ content }) => content)).toContain('Why?');
    expect(await model('After.').invoke('More?', on.config)).toHaveProperty('content', 'After.');
  });
});

describe('An app of many turns', () => {
  it('rejects nothing that nobody handles, however its runs end', async () => {
    await using on = await handlerOn();
    const unhandled: unknown[] = [];
    const note = (reason: unknown) => void unhandled.push(reason);
    process.on('unhandledRejection', note);
    try {
      for (const end of ['break', 'abort', 'error', 'return'] as const) {
        const abort = new AbortController();
        const reply = end === 'error' ? { text: 'It is a', error: new Error('gone') } : { text: 'It is a long one' };
        const graph = graphOf({ say: saying(model(reply)) }).compile();
        for (const open of [
          () => graph.stream(ask('Why?'), { ...on.config, signal: abort.signal, streamMode: 'messages' }),
          () => prompt.pipe(model(reply)).stream(question, { ...on.config, signal: abort.signal }),
        ]) {
          try {
            for await (const _ of await (open as () => Promise<AsyncIterable<unknown>>)()) {
              if (end === 'break') break;
              if (end === 'abort') abort.abort(new Error('stop'));
            }
          } catch {}
        }
      }
      await turns(100);
      expect(unhandled).toEqual([]);
    } finally {
      process.off('unhandledRejection', note);
    }
  });

  it('gets its first token in the same turn of the loop as without', async () => {
    await using on = await handlerOn();
    const llm = () => model('It is good.');
    async function loopsUntilFirst(config: object) {
      let loops = 0;
      let done = false;
      const count = (async () => {
        while (!done) {
          await soon();
          loops++;
        }
      })();
      const stream = await prompt.pipe(llm()).stream(question, config);
      for await (const _ of stream) break;
      done = true;
      await count;
      return loops;
    }
    await loopsUntilFirst(on.config);
    const empty = {
      callbacks: [{ awaitHandlers: true, handleChainStart() {}, handleChatModelStart() {}, handleLLMNewToken() {} }],
    };
    expect(await loopsUntilFirst(on.config)).toBeLessThanOrEqual((await loopsUntilFirst(empty)) + 1);
  });
});
