// Apps that retry, fall back, fail, cache, stop and go on; handlers in every place; many calls at once.

import { createContext, runInContext } from 'node:vm';
import { InMemoryCache as AnswerCache } from '@langchain/core/caches';
import { AIMessage, type BaseMessage, HumanMessage } from '@langchain/core/messages';
import { StringOutputParser } from '@langchain/core/output_parsers';
import { RunnableLambda } from '@langchain/core/runnables';
import { tool } from '@langchain/core/tools';
import { Command, END, interrupt, MemorySaver, MessagesAnnotation, START, StateGraph } from '@langchain/langgraph';
import { createReactAgent } from '@langchain/langgraph/prebuilt';
import { InMemoryCache as NodeCache } from '@langchain/langgraph-checkpoint';
import * as z from 'zod';
import { turns } from '../../support/turns.js';
import { drain, type Reply, ScriptedModel } from '../support.js';
import { ask, beginning, graphOf, human, model, prompt, readOnAfter, readThen, saying } from './apps.js';
import { type Case, runCases } from './run-cases.js';

const never = new Promise(() => {});
const hangs: Reply = { text: 'It is a', wait: never };
const broken: Reply = { text: 'It is a', error: new Error('socket hang up') };
const question = { question: 'Why?' };
// A model that honours its signal.
const stopped = (): Reply => ({
  text: 'It is a',
  wait: new Promise((_, reject) => setTimeout(reject, 25, new DOMException('timed out', 'TimeoutError'))),
});

const secondTries: Case[] = [
  {
    name: 'a model fails in mid-stream and is tried again by withRetry',
    app: async ({ config }) => {
      const chain = prompt
        .pipe(model(broken, 'It is good.').withRetry({ stopAfterAttempt: 2 }))
        .pipe(new StringOutputParser());
      return chain.invoke(question, config);
    },
    sees: 'It is good.',
    transcript: ['user: Why?', 'assistant: It is good.'],
    because: 'the first try has no answer',
  },
  {
    name: 'a model fails at once, and another answers in its place, streamed',
    app: async ({ config }) => {
      const chain = prompt.pipe(model({ error: new Error('overloaded') }).withFallbacks([model('It is good.')]));
      return (await drain(await chain.stream(question, config))).map(piece => (piece as AIMessage).text).join('');
    },
    sees: 'It is good.',
    transcript: ['user: Why?', 'assistant: It is good.'],
    because: 'the second model has answered',
  },
  {
    name: 'a model with a fallback fails in mid-stream',
    app: async ({ config }) =>
      drain(await prompt.pipe(model(broken).withFallbacks([model('It is good.')])).stream(question, config)),
    sees: { thrown: 'socket hang up' },
    transcript: ['user: Why?', 'assistant (error): It is a'],
    because: 'LangChain falls back before the first piece only; the reader got those pieces',
  },
  {
    name: 'all fallbacks fail',
    app: async ({ config }) => prompt.pipe(model(broken).withFallbacks([model(broken)])).invoke(question, config),
    sees: { thrown: 'socket hang up' },
    transcript: ['user: Why?', { maybe: /^assistant \(error\): / }],
    because: 'nothing was answered',
  },
  {
    name: 'a node fails in mid-stream and is tried again by its retry policy',
    app: async ({ config }) => {
      const llm = model(broken, 'It is good.');
      const graph = new StateGraph(MessagesAnnotation)
        .addNode('say', saying(llm), {
          retryPolicy: { maxAttempts: 2, initialInterval: 1, jitter: false, retryOn: () => true },
        })
        .addEdge(START, 'say')
        .addEdge('say', END)
        .compile();
      return (await drain(await graph.stream(ask('Why?'), { ...config, streamMode: 'messages' }))).length > 0;
    },
    sees: true,
    transcript: ['user: Why?', 'assistant: It is good.'],
    because: 'the second try stands in the state',
  },
  {
    name: 'a node is tried again until it gives up',
    app: async ({ config }) => {
      const graph = new StateGraph(MessagesAnnotation)
        .addNode('say', saying(model(broken)), {
          retryPolicy: { maxAttempts: 2, initialInterval: 1, jitter: false, retryOn: () => true },
        })
        .addEdge(START, 'say')
        .addEdge('say', END)
        .compile();
      return drain(await graph.stream(ask('Why?'), { ...config, streamMode: 'messages' }));
    },
    sees: { thrown: 'socket hang up' },
    transcript: ['user: Why?', 'assistant (error): It is a'],
    because: 'the last try is what stands on the screen',
  },
  {
    name: 'a node catches its model’s error and apologises',
    app: async ({ config }) => {
      const graph = graphOf({
        say: async ({ messages }) => {
          try {
            return { messages: [await model(broken).invoke(messages)] };
          } catch {
            return { messages: [new AIMessage('Sorry, try later.')] };
          }
        },
      }).compile();
      return (await drain(await graph.stream(ask('Why?'), { ...config, streamMode: 'messages' }))).length > 0;
    },
    sees: true,
    transcript: ['user: Why?', 'assistant: Sorry, try later.'],
    because: 'the run ended well',
  },
  {
    name: 'an answer comes from a cache the second time',
    app: async ({ config }) => {
      const llm = new ScriptedModel(['Once.'], { cache: new AnswerCache() });
      await llm.invoke('Why?', config);
      return llm.invoke('Why?', config);
    },
    sees: 'ai: Once.',
    transcript: ['user: Why?', 'assistant: Once.', 'user: Why?', 'assistant: Once.'],
    because: 'the user asked twice and was answered twice',
  },
  {
    name: 'a cached answer in a streamed chain',
    app: async ({ config }) => {
      const chain = prompt
        .pipe(new ScriptedModel(['Once.'], { cache: new AnswerCache() }))
        .pipe(new StringOutputParser());
      await chain.invoke(question, config);
      return chain.invoke(question, config);
    },
    sees: 'Once.',
    transcript: ['user: Why?', 'assistant: Once.', 'user: Why?', 'assistant: Once.'],
    because: 'the user asked twice and was answered twice',
  },
  {
    name: 'a node’s result is cached, and the node is skipped',
    app: async ({ config }) => {
      const graph = new StateGraph(MessagesAnnotation)
        .addNode('say', saying(model('Once.')), { cachePolicy: { keyFunc: () => 'same', ttl: 60 } as never })
        .addEdge(START, 'say')
        .addEdge('say', END)
        .compile({ cache: new NodeCache() } as never);
      await graph.invoke(ask('Why?'), config);
      return (await drain(await graph.stream(ask('Why?'), { ...config, streamMode: 'updates' }))).length;
    },
    sees: 1,
    transcript: ['user: Why?', 'assistant: Once.', 'user: Why?', 'assistant: Once.'],
    because: 'the user asked twice and was answered twice',
  },
];

const foreign = (code: string) => runInContext(code, createContext({})) as unknown;

const thrown: Case[] = (
  [
    ['a text', () => 'out of luck'],
    ['nothing', () => undefined],
    ['null', () => null],
    ['a frozen error', () => Object.freeze(new Error('cold'))],
    ['an error of another realm', () => foreign('new TypeError("elsewhere")')],
    [
      'an object whose getters throw',
      () =>
        Object.defineProperty({}, 'message', {
          get: () => {
            throw new Error('no');
          },
        }),
    ],
    [
      'an error that causes itself',
      () => {
        const error = new Error('loop');
        error.cause = error;
        return error;
      },
    ],
    [
      'a proxy that throws',
      () =>
        new Proxy(new Error('proxy'), {
          get: (target, key) => {
            if (key === 'status') throw new Error('trap');
            return Reflect.get(target, key);
          },
        }),
    ],
  ] as [string, () => unknown][]
).flatMap(([what, make]): Case[] => [
  {
    name: `a step of a chain throws ${what}`,
    app: async ({ config }) => {
      const error = make();
      const chain = RunnableLambda.from(() => {
        throw error;
      });
      try {
        await prompt.pipe(chain).invoke(question, config);
        return 'nothing was thrown';
      } catch (caught) {
        return caught === error || error === undefined || error === null ? 'the same' : `another: ${typeof caught}`;
      }
    },
    sees: 'the same',
    transcript: ['user: Why?'],
    because: 'the run failed before it answered, and the app gets its very error',
  },
  {
    name: `a model in a graph throws ${what} in mid-stream`,
    app: async ({ config }) => {
      const error = make() as Error;
      const graph = graphOf({ say: saying(model({ text: 'It is a', error: error ?? new Error('none') })) }).compile();
      try {
        await drain(await graph.stream(ask('Why?'), { ...config, streamMode: 'messages' }));
        return 'nothing was thrown';
      } catch (caught) {
        return caught === error || error === undefined || error === null ? 'the same' : `another: ${typeof caught}`;
      }
    },
    transcript: ['user: Why?', 'assistant (error): It is a'],
    because: 'what came was on the screen',
  },
]);

const stops: Case[] = [
  {
    name: 'a signal that is aborted already, for a chain',
    app: async ({ config }) => prompt.pipe(model('Glad.')).invoke(question, { ...config, signal: AbortSignal.abort() }),
    transcript: [{ maybe: 'user: Why?' }],
    because: 'nothing was answered',
  },
  {
    name: 'AbortSignal.timeout hits an invoked graph',
    app: async ({ config }) => {
      const graph = graphOf({ say: saying(model(hangs)) }).compile();
      await graph.invoke(ask('Why?'), { ...config, signal: AbortSignal.timeout(50) }).catch(() => {});
    },
    transcript: ['user: Why?', { maybe: /^assistant \(aborted\): It is a$/ }],
    because: 'an invoked graph shows nothing until its end',
  },
  {
    name: 'AbortSignal.timeout hits a streamed graph',
    app: async ({ config }) => {
      const graph = graphOf({ say: saying(model(hangs)) }).compile();
      return readOnAfter(
        graph.stream(ask('Why?'), { ...config, signal: AbortSignal.timeout(80), streamMode: 'messages' }),
        9,
        () => {},
      );
    },
    transcript: ['user: Why?', 'assistant (aborted): It is a'],
    because: 'the app set a limit',
  },
  {
    name: 'one of several signals stops a chain',
    app: async ({ config }) => {
      const abort = new AbortController();
      const signal = AbortSignal.any([AbortSignal.timeout(60_000), abort.signal]);
      return readThen(prompt.pipe(model(hangs)).stream(question, { ...config, signal }), 2, () =>
        abort.abort('user left'),
      );
    },
    sees: 'It is ',
    transcript: ['user: Why?', beginning('aborted', 'It is a', 'It is ')],
    because: 'the app has stopped it',
  },
  {
    name: 'a reader of values leaves when the answer is there, while a node is at work behind it',
    app: async ({ config }) => {
      const graph = graphOf({
        say: saying(model('Glad.')),
        tidy: async () => {
          await model(hangs).invoke('Sum up');
          return {};
        },
      }).compile();
      let last = 0;
      for await (const { messages } of await graph.stream(ask('Why?'), { ...config, streamMode: 'values' })) {
        last = messages.length;
        if (last === 2) {
          await turns(30);
          break;
        }
      }
      return last;
    },
    sees: 2,
    transcript: ['user: Why?', /^assistant( \(abandoned\))?: Glad\.$/],
    because: 'the reader has the whole answer',
    // On core 0.3 a graph whose reader leaves runs on: only its silence tells.
    options: { idleMs: 200 },
  },
  {
    name: 'a reader throws in the middle of its own loop',
    app: async ({ config }) => {
      const graph = graphOf({ say: saying(model(hangs)) }).compile();
      let count = 0;
      for await (const _ of await graph.stream(ask('Why?'), { ...config, streamMode: 'messages' })) {
        await turns(30);
        if (++count === 2) throw new Error('client closed');
      }
    },
    sees: { thrown: 'client closed' },
    transcript: ['user: Why?', beginning('abandoned', 'It is a', 'It is ')],
    because: 'the reader left',
    // On core 0.3 a graph whose reader leaves runs on: only its silence tells.
    options: { idleMs: 200 },
  },
  {
    name: 'a response made of a chain’s stream is cancelled',
    app: async ({ config }) => {
      const stream = await prompt.pipe(model(hangs)).pipe(new StringOutputParser()).stream(question, config);
      const reader = new Response(stream.pipeThrough(new TextEncoderStream())).body?.getReader();
      await reader?.read();
      await turns(30);
      await reader?.cancel();
    },
    transcript: ['user: Why?', beginning('abandoned', 'It is a', 'It ')],
    because: 'the client has closed the connection',
    options: { idleMs: 200 },
  },
  {
    name: 'one branch of two is stopped by a signal of its own, and the graph goes on',
    app: async ({ config }) => {
      const graph = graphOf({
        think: async () => {
          await model(stopped())
            .invoke('Think', { signal: AbortSignal.timeout(20) })
            .catch(() => {});
          return {};
        },
        say: saying(model('Without thinking.')),
      }).compile();
      return (await graph.invoke(ask('Why?'), config)).messages.length;
    },
    sees: 2,
    transcript: ['user: Why?', 'assistant: Without thinking.'],
    because: 'only a part was stopped',
  },
  {
    name: 'a model’s own signal stops it long before its graph ends',
    app: async ({ config }) => {
      const graph = graphOf({
        think: async () => {
          await model(stopped())
            .invoke('Think', { signal: AbortSignal.timeout(20) })
            .catch(() => {});
          return {};
        },
        rest: async () => {
          await new Promise(resolve => setTimeout(resolve, 500));
          return {};
        },
        say: saying(model('Without thinking.')),
      }).compile();
      return (await graph.invoke(ask('Why?'), config)).messages.length;
    },
    sees: 2,
    transcript: ['user: Why?', 'assistant: Without thinking.'],
    because: 'only a part was stopped; the answer came later than the signal’s grace',
  },
  {
    name: 'a streamed model meets a limit of its own, and another model answers slowly',
    app: async ({ config }) => {
      const slow = async (text: string) => {
        await model(stopped())
          .invoke(text, { signal: AbortSignal.timeout(20) })
          .catch(() => {});
        return model({
          text: ['Slow ', 'but ', 'good.'],
          wait: new Promise(resolve => setTimeout(resolve, 500)),
        }).invoke(text);
      };
      const events = RunnableLambda.from(slow).streamEvents('Why?', { ...config, version: 'v2' });
      return (await drain(events)).at(-1)?.event;
    },
    sees: 'on_chain_end',
    transcript: ['user: Why?', 'assistant: Slow but good.'],
    because: 'the app caught the abort, and answered',
  },
  {
    name: 'a streamed node meets a limit of its own, and another model answers slowly',
    app: async ({ config }) => {
      const graph = graphOf({
        say: async ({ messages }) => {
          await model(stopped())
            .invoke(messages, { signal: AbortSignal.timeout(20) })
            .catch(() => {});
          return {
            messages: [
              await model({
                text: ['Slow ', 'but ', 'good.'],
                wait: new Promise(resolve => setTimeout(resolve, 500)),
              }).invoke(messages),
            ],
          };
        },
      }).compile();
      return (await drain(await graph.stream(ask('Why?'), { ...config, streamMode: 'messages' }))).length > 0;
    },
    sees: true,
    transcript: ['user: Why?', 'assistant: Slow but good.'],
    because: 'the app caught the abort, and answered',
  },
  {
    name: 'a model meets a limit of its own, and its fallback answers slowly',
    app: async ({ config }) => {
      const fallback = model({ text: 'Slow.', wait: new Promise(resolve => setTimeout(resolve, 500)) });
      const first = model(stopped()).withConfig({ signal: AbortSignal.timeout(20) } as never);
      return prompt.pipe(first.withFallbacks([fallback])).invoke(question, config);
    },
    sees: 'ai: Slow.',
    transcript: ['user: Why?', 'assistant: Slow.'],
    because: 'the fallback has answered',
  },
  {
    name: 'a lambda gives its model a limit of its own, and takes another model when that is over',
    app: async ({ config }) => {
      const chain = RunnableLambda.from(async (text: string) => {
        const slow = await model(stopped())
          .invoke(text, { signal: AbortSignal.timeout(20) })
          .catch(() => undefined);
        if (slow) return slow;
        await new Promise(resolve => setTimeout(resolve, 400));
        return model('Quick.').invoke(text);
      });
      return chain.invoke('Why?', config);
    },
    sees: 'ai: Quick.',
    transcript: ['user: Why?', 'assistant: Quick.'],
    because: 'the app caught the abort, and answered',
  },
];

const ns = { configurable: { thread_id: 't' } };

const waits: Case[] = [
  {
    name: 'two branches wait at once, and a map resumes both',
    on: '1.x',
    app: async ({ config }) => {
      const asks = (what: string) => () => {
        const reply = interrupt(`Your ${what}?`);
        return { messages: [new HumanMessage(`My ${what} is ${reply}`)] };
      };
      const graph = new StateGraph(MessagesAnnotation)
        .addNode('name', asks('name'))
        .addNode('age', asks('age'))
        .addNode('say', saying(model('Welcome.')))
        .addEdge(START, 'name')
        .addEdge(START, 'age')
        .addEdge(['name', 'age'], 'say')
        .addEdge('say', END)
        .compile({ checkpointer: new MemorySaver() });
      const thread = { ...config, ...ns };
      const waiting = await graph.invoke(ask('Sign me up'), thread);
      const list = (waiting as never as { __interrupt__: { id: string; value: string }[] }).__interrupt__;
      const resume = Object.fromEntries(
        list.map(({ id, value }) => [id, value.includes('name') ? 'Ada Lovelace' : 'thirty six']),
      );
      return (await graph.invoke(new Command({ resume }) as never, thread)).messages.length;
    },
    sees: 4,
    transcript: [
      'user: Sign me up',
      /^user: (Ada Lovelace|thirty six)$/,
      /^user: (Ada Lovelace|thirty six)$/,
      'assistant: Welcome.',
    ],
    because: 'the words of both replies are the user’s',
  },
  {
    name: 'a breakpoint before a node, and another behind it',
    app: async ({ config }) => {
      const graph = graphOf({
        plan: async () => {
          await model('plan').invoke('plan');
          return {};
        },
        say: saying(model('Done.')),
        end: () => ({}),
      }).compile({
        checkpointer: new MemorySaver(),
        interruptBefore: ['say'] as never,
        interruptAfter: ['say'] as never,
      });
      const thread = { ...config, ...ns };
      await graph.invoke(ask('Do it'), thread);
      await graph.invoke(null, thread);
      await graph.invoke(null, thread);
    },
    transcript: ['user: Do it', 'assistant: Done.'],
    because: 'each is said once',
  },
  {
    name: 'a graph in a graph waits for words',
    app: async ({ config }) => {
      const inner = new StateGraph(MessagesAnnotation)
        .addNode('askMore', () => ({ messages: [new HumanMessage(interrupt('More?') as string)] }))
        .addNode('say', saying(model('I see.')))
        .addEdge(START, 'askMore')
        .addEdge('askMore', 'say')
        .addEdge('say', END)
        .compile();
      const graph = new StateGraph(MessagesAnnotation)
        .addNode('inner', inner as never)
        .addEdge(START, 'inner')
        .addEdge('inner', END)
        .compile({ checkpointer: new MemorySaver() });
      const thread = { ...config, ...ns };
      await graph.invoke(ask('Hear me'), thread);
      return (await graph.invoke(new Command({ resume: 'It hurts here' }) as never, thread)).messages.length;
    },
    sees: 3,
    transcript: ['user: Hear me', 'user: It hurts here', 'assistant: I see.'],
    because: 'the words of a resume are the user’s',
  },
  {
    name: 'a tool waits for an approval with an edited argument',
    app: async ({ config }) => {
      const book = tool(
        async ({ city }) => {
          const reply = interrupt({ action: 'book', city }) as { type: string; city?: string };
          return `Booked ${reply.city ?? city}`;
        },
        { name: 'book', description: 'b', schema: z.object({ city: z.string() }) },
      );
      const agent = createReactAgent({
        llm: model({ text: '', toolCalls: [{ name: 'book', args: { city: 'Rome' } }] }, 'Booked.'),
        tools: [book],
        checkpointSaver: new MemorySaver(),
      });
      const thread = { ...config, ...ns };
      await agent.invoke(ask('Book Rome'), thread);
      return (await agent.invoke(new Command({ resume: { type: 'edit', city: 'Oslo' } }) as never, thread)).messages
        .length;
    },
    sees: 4,
    transcript: ['user: Book Rome', 'assistant: Booked.'],
    because: 'an edited argument is no message',
  },
  {
    name: 'a thread is replayed from the checkpoint of its first question',
    app: async ({ config }) => {
      const llm = model('One.', 'Two.', 'One again.');
      const graph = graphOf({ say: saying(llm) }).compile({ checkpointer: new MemorySaver() });
      const thread = { ...config, ...ns };
      await graph.invoke(ask('1?'), thread);
      await graph.invoke(ask('2?'), thread);
      let fork: object | undefined;
      for await (const state of graph.getStateHistory(ns))
        if (state.next.includes('say') && state.values.messages.length === 1) fork = state.config;
      return (await graph.invoke(null, { ...config, ...fork })).messages.map(({ text }: BaseMessage) => text);
    },
    sees: ['1?', 'One again.'],
    transcript: ['user: 1?', 'assistant: One.', 'user: 2?', 'assistant: Two.', 'assistant: One again.'],
    because: 'the question was said before, its new answer was not',
  },
  {
    name: 'a run waits, and the user asks something else instead',
    app: async ({ config }) => {
      const graph = graphOf({
        say: saying(model('Draft.', 'Other.')),
        wait: () => {
          interrupt('ok?');
          return {};
        },
      }).compile({ checkpointer: new MemorySaver() });
      const thread = { ...config, ...ns };
      await graph.invoke(ask('1?'), thread);
      await graph.invoke(ask('Forget it, 2?'), thread);
      await graph.invoke(new Command({ resume: true }) as never, thread);
    },
    transcript: ['user: 1?', { maybe: 'assistant: Draft.' }, 'user: Forget it, 2?', 'assistant: Other.'],
    because: 'each said once',
  },
];

const many = [...Array(12).keys()];

const handlers: Case[] = [
  {
    name: 'twelve threads at once through one handler, each for its user',
    app: async ({ config }) => {
      const graph = graphOf({
        say: async ({ messages }) => ({
          messages: [await new ScriptedModel(([message]) => `For ${message?.text}`).invoke(messages)],
        }),
      }).compile({ checkpointer: new MemorySaver() });
      const all = await Promise.all(
        many.map(n =>
          graph.invoke(ask(`q${n}`), {
            ...config,
            configurable: { thread_id: `t${n}`, user_id: `u${n}` },
            metadata: { conversation_id: `c${n}` },
          }),
        ),
      );
      return all.map(({ messages }) => messages.at(-1)?.text);
    },
    sees: many.map(n => `For q${n}`),
    transcript: many.flatMap(() => [/^user: q\d+$|^assistant: For q\d+$/, /^user: q\d+$|^assistant: For q\d+$/]),
    because: 'each call is its own turn',
  },
  {
    name: 'a handler for each request, on one thread',
    app: async on => {
      const graph = graphOf({ say: saying(model('One.', 'Two.', 'Three.')) }).compile({
        checkpointer: new MemorySaver(),
      });
      for (const text of ['1?', '2?', '3?']) await graph.invoke(ask(text), { ...on.another().config, ...ns });
    },
    transcript: ['user: 1?', 'assistant: One.', 'user: 2?', 'assistant: Two.', 'user: 3?', 'assistant: Three.'],
    because: 'each said once',
  },
  {
    name: 'the handler in withConfig, in the call, on the model and in the model’s call',
    app: async ({ config, handler }) => {
      const llm = new ScriptedModel(['Once.'], handler ? { callbacks: [handler] } : {});
      const graph = graphOf({
        say: async ({ messages }) => ({ messages: [await llm.withConfig(config).invoke(messages, config)] }),
      }).compile();
      return (await graph.withConfig(config).invoke(ask('Why?'), config)).messages.length;
    },
    sees: 2,
    transcript: ['user: Why?', 'assistant: Once.'],
    because: 'one turn, whichever way the handler came',
  },
  {
    name: 'the model of a chain has the handler from its constructor only',
    app: async ({ handler }) => {
      const llm = new ScriptedModel(['Once.'], handler ? { callbacks: [handler] } : {});
      return (await drain(await prompt.pipe(llm).pipe(new StringOutputParser()).stream(question))).join('');
    },
    sees: 'Once.',
    transcript: [/^user: (Say it shortly: )?Why\?$/, 'assistant: Once.'],
    because: 'the handler hears of the model alone',
  },
  {
    name: 'a model in a node has callbacks of its own that throw',
    app: async ({ config }) => {
      const own = {
        handleLLMNewToken() {
          throw new Error('not ours');
        },
        handleLLMEnd() {
          throw new Error('not ours');
        },
      };
      const llm = new ScriptedModel(['Once.'], { callbacks: [own] });
      const graph = graphOf({ say: saying(llm) }).compile();
      return (await graph.invoke(ask('Why?'), config)).messages.length;
    },
    sees: 2,
    transcript: ['user: Why?', 'assistant: Once.'],
    because: 'another handler’s trouble is not ours',
  },
  {
    name: 'a batch of a graph, for three users at once',
    app: async ({ config }) => {
      const graph = graphOf({
        say: async ({ messages }) => ({
          messages: [await new ScriptedModel(([message]) => `For ${message?.text}`).invoke(messages)],
        }),
      }).compile();
      const all = await graph.batch(
        ['a', 'b', 'c'].map(ask),
        ['a', 'b', 'c'].map(name => ({ ...config, metadata: { user_id: name, conversation_id: name } })) as never,
      );
      return all.length;
    },
    sees: 3,
    transcript: ['a', 'b', 'c'].flatMap(() => [
      /^user: [abc]$|^assistant: For [abc]$/,
      /^user: [abc]$|^assistant: For [abc]$/,
    ]),
    because: 'three turns',
  },
  {
    name: 'a batch of a model',
    app: async ({ config }) =>
      (await model('x', 'x', 'x').batch(['1?', '2?', '3?'], { ...config, maxConcurrency: 2 })).length,
    sees: 3,
    transcript: [1, 2, 3].flatMap(() => [/^user: \d\?$|^assistant: x$/, /^user: \d\?$|^assistant: x$/]),
    because: 'three turns',
  },
  {
    name: 'a private part of a turn is left out',
    app: async ({ config, recorder }) => {
      const chain = prompt.pipe(model('Secret.'));
      const hide = recorder ? recorder.withoutRecording.bind(recorder) : (act: () => unknown) => act();
      await hide(() => chain.invoke({ question: 'Hidden?' }, config));
      return prompt.pipe(model('Open.')).invoke(question, config);
    },
    sees: 'ai: Open.',
    transcript: ['user: Why?', 'assistant: Open.'],
    because: 'withoutRecording records nothing',
  },
  {
    name: 'a graph is streamed where nothing is to be recorded',
    app: async ({ config, recorder }) => {
      const graph = graphOf({ say: saying(model('Secret.')) }).compile();
      const hide = recorder ? recorder.withoutRecording.bind(recorder) : (act: () => unknown) => act();
      return (
        (
          (await hide(async () =>
            drain(await graph.stream(ask('Hidden?'), { ...config, streamMode: 'messages' })),
          )) as unknown[]
        ).length > 0
      );
    },
    sees: true,
    transcript: [],
    because: 'withoutRecording records nothing',
  },
  {
    name: 'a node hides one model by withoutRecording',
    app: async ({ config, recorder }) => {
      const hide = recorder ? recorder.withoutRecording.bind(recorder) : (act: () => unknown) => act();
      const graph = graphOf({
        say: async ({ messages }) => {
          await hide(() => model('Inner.').invoke('Inner?', config));
          return { messages: [await model('Open.').invoke(messages)] };
        },
      }).compile();
      return (await graph.invoke(ask('Why?'), config)).messages.length;
    },
    sees: 2,
    transcript: ['user: Why?', 'assistant: Open.'],
    because: 'the rest is recorded',
  },
  {
    name: 'a very large answer',
    app: async ({ config }) =>
      (await model({ text: Array(2000).fill(`${'x'.repeat(499)} `) }).invoke('Much?', config)).text.length,
    sees: 1_000_000,
    transcript: ['user: Much?', /^assistant: x/],
    because: 'it is recorded, whole or cut',
  },
  {
    name: 'a thread of a thousand messages',
    app: async ({ config }) => {
      const graph = graphOf({ say: saying(model('Done.')) }).compile({ checkpointer: new MemorySaver() });
      const long = many.flatMap(() =>
        Array.from({ length: 42 }, (_, n) => [human(`q${n}`), new AIMessage(`a${n}`)]).flat(),
      );
      await graph.invoke({ messages: [...long, human('Last?')] }, { ...config, ...ns });
      return (await graph.invoke(ask('Really last?'), { ...config, ...ns })).messages.length;
    },
    transcript: ['user: Last?', 'assistant: Done.', 'user: Really last?', 'assistant: Done.'],
    because: 'only what is new is recorded',
  },
];

runCases('second tries', secondTries);
runCases('what is thrown', thrown);
runCases('stops', stops);
runCases('waiting', waits);
runCases('handlers', handlers);
