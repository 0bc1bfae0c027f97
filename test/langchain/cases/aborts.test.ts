// Who stops an answer: the app's signal, a reader that leaves, something derived from either. And what was read by then.

import { StringOutputParser } from '@langchain/core/output_parsers';
import { Command, END, interrupt, MemorySaver, MessagesAnnotation, START, StateGraph } from '@langchain/langgraph';
import { createAgent, createMiddleware } from 'langchain';
import { expect } from 'vitest';
import { turns } from '../../support/turns.js';
import { drain, isOldCore, type Reply } from '../support.js';
import { ask, beginning, graphOf, human, model, prompt, readOnAfter, readThen, saying, weather } from './apps.js';
import type { Situation } from './processes.js';
import { type Case, runCases } from './run-cases.js';

// Who leaves a graph of LangGraph's old line aborts nothing: then only silence tells.
const leftUnseen = isOldCore ? { options: { idleMs: 200 } } : {};
const never = new Promise(() => {});
const story = 'It is a very long story.';
const question = { question: 'Why?' };
const hangs: Reply = { text: 'It is a', wait: never };

/** Something that streams an answer, and how it is read. */
type Open = (on: Situation, signal: AbortSignal, reply: Reply | string) => Promise<AsyncIterable<unknown>>;

const agentOf = (reply: Reply | string) => createAgent({ model: model(reply), tools: [weather] });
const say = (reply: Reply | string) => graphOf({ say: saying(model(reply)) }).compile();

const streams: [name: string, open: Open][] = [
  ['a model', async ({ config }, signal, reply) => model(reply).stream('Why?', { ...config, signal })],
  ['a chain', async ({ config }, signal, reply) => prompt.pipe(model(reply)).stream(question, { ...config, signal })],
  [
    'a graph, in messages',
    async ({ config }, signal, reply) => say(reply).stream(ask('Why?'), { ...config, signal, streamMode: 'messages' }),
  ],
  [
    'an agent, in messages',
    async ({ config }, signal, reply) =>
      agentOf(reply).stream(ask('Why?'), { ...config, signal, streamMode: 'messages' }),
  ],
];

const eventsOf: [name: string, open: Open][] = [
  [
    'a chain, in events',
    async ({ config }, signal, reply) =>
      texts(prompt.pipe(model(reply)).streamEvents(question, { ...config, signal, version: 'v2' })),
  ],
  [
    'a graph, in events',
    async ({ config }, signal, reply) =>
      texts(say(reply).streamEvents(ask('Why?'), { ...config, signal, version: 'v2' })),
  ],
];

async function* texts(events: AsyncIterable<{ event: string; data: { chunk?: unknown } }>) {
  for await (const { event, data } of events) if (event === 'on_chat_model_stream') yield data.chunk;
}

const stoppedWhileItReads: Case[] = [...streams, ...eventsOf].map(
  ([name, open]): Case => ({
    name: `${name}: the model is at work`,
    app: async on => {
      const abort = new AbortController();
      return readThen(open(on, abort.signal, hangs), 2, () => abort.abort());
    },
    sees: 'It is ',
    transcript: ['user: Why?', beginning('aborted', 'It is a', 'It is ')],
    because: 'the app has stopped it, and this is what the reader could have by then',
  }),
);

const slowReaders: Case[] = [...streams, ...eventsOf].flatMap(([name, open]): Case[] => [
  {
    name: `${name}: its reader is slower than the model, aborts and leaves`,
    app: async on => {
      const abort = new AbortController();
      return readThen(open(on, abort.signal, story), 2, () => abort.abort());
    },
    sees: 'It is ',
    // A graph runs ahead of its reader: where it had ended by then, the whole answer had arrived.
    transcript: ['user: Why?', isPulled(name) ? beginning('aborted', story, 'It is ') : stopped()],
    because: 'LangChain tells nobody of this abort, but the signal is known',
  },
  {
    name: `${name}: its reader is slower than the model, aborts and reads on`,
    app: async on => {
      const abort = new AbortController();
      return readOnAfter(open(on, abort.signal, story), 2, () => abort.abort());
    },
    transcript: ['user: Why?', isPulled(name) ? beginning('aborted', story, 'It is ') : stopped()],
    because: 'the stream throws at the reader, and the callbacks hear nothing',
  },
]);

/** Whether the model goes no further than its reader; all others run ahead. */
function isPulled(name: string): boolean {
  return name === 'a model' || name === 'a chain';
}

function stopped(): RegExp {
  return new RegExp(`${beginning('aborted', story, 'It is ').source}|^assistant: ${story}$`);
}

const inside: Case[] = [
  {
    name: 'a graph is aborted while its router is at work',
    app: async on => {
      const abort = new AbortController();
      const graph = new StateGraph(MessagesAnnotation)
        .addNode(
          'route',
          async ({ messages }) => {
            await model({ text: 'route=answer becau', wait: never }).invoke(messages);
            return new Command({ goto: 'answer' });
          },
          { ends: ['answer'] },
        )
        .addNode('answer', saying(model(story)))
        .addEdge(START, 'route')
        .addEdge('answer', END)
        .compile();
      const stream = graph.stream(ask('Why?'), { ...on.config, signal: abort.signal, streamMode: 'messages' });
      return readThen(stream, 1, () => abort.abort());
    },
    transcript: ['user: Why?'],
    because: 'what a router says is no answer',
  },
  {
    name: 'a graph is aborted while its summariser is at work, behind the answer',
    app: async on => {
      const abort = new AbortController();
      const summarise = model({ text: 'The user asks why', wait: never });
      const graph = graphOf({
        say: saying(model(story)),
        summarise: async ({ messages }) => {
          await summarise.invoke(messages);
          return {};
        },
      }).compile();
      const stream = graph.stream(ask('Why?'), { ...on.config, signal: abort.signal, streamMode: 'updates' });
      const updates: string[] = [];
      for await (const update of await stream) {
        updates.push(...Object.keys(update));
        await turns(30);
        abort.abort();
        break;
      }
      return updates;
    },
    sees: ['say'],
    // The whole answer was read before the abort, but the run was stopped: the design allows both names for that end.
    transcript: ['user: Why?', /^assistant( \(aborted\))?: It is a very long story\.$/],
    because: 'the answer was read as a whole, and a summary is none',
  },
  {
    name: 'an agent is aborted while a middleware judges the question',
    on: '1.x',
    app: async on => {
      const abort = new AbortController();
      const judge = model({ text: 'The question is harm', wait: never });
      const guard = createMiddleware({
        name: 'guard',
        beforeModel: async ({ messages }) => void (await judge.invoke(messages)),
      });
      const agent = createAgent({ model: model(story), tools: [], middleware: [guard] });
      const stream = agent.stream(ask('Why?'), { ...on.config, signal: abort.signal, streamMode: 'messages' });
      return readThen(stream, 1, () => abort.abort());
    },
    transcript: ['user: Why?'],
    because: 'a judge’s words are no answer',
  },
  {
    name: 'an agent is aborted while a middleware judges the answer',
    on: '1.x',
    app: async on => {
      const abort = new AbortController();
      const judge = model({ text: 'The answer is harm', wait: never });
      const guard = createMiddleware({
        name: 'guard',
        afterModel: async ({ messages }) => void (await judge.invoke(messages)),
      });
      const agent = createAgent({ model: model(story), tools: [], middleware: [guard] });
      const stream = agent.stream(ask('Why?'), { ...on.config, signal: abort.signal, streamMode: 'messages' });
      return readThen(stream, 9, () => abort.abort());
    },
    transcript: ['user: Why?', /^assistant( \(aborted\))?: It is a very long story\.$/],
    because: 'the answer was fully streamed',
  },
  {
    name: 'a graph is aborted while the model inside a tool is at work',
    app: async on => {
      const abort = new AbortController();
      const think = model({ text: 'Inner thou', wait: never });
      const graph = graphOf({
        say: saying(model('Let me think.')),
        work: async () => {
          await think.invoke('Think', { tags: ['nostream'] });
          return {};
        },
      }).compile();
      const stream = graph.stream(ask('Why?'), { ...on.config, signal: abort.signal, streamMode: 'messages' });
      return readThen(stream, 3, () => abort.abort());
    },
    transcript: ['user: Why?', /^assistant( \(aborted\))?: Let me think\.$/],
    because: 'what is tagged nostream never reached the reader',
  },
];

const hints: Case[] = [
  {
    name: 'a sibling node throws while the answer is under way',
    app: async on => {
      const graph = new StateGraph(MessagesAnnotation)
        .addNode('say', saying(model(hangs)))
        .addNode('fail', async () => {
          await turns(40);
          throw new Error('database is gone');
        })
        .addEdge(START, 'say')
        .addEdge(START, 'fail')
        .compile();
      return drain(graph.stream(ask('Why?'), { ...on.config, streamMode: 'messages' }));
    },
    sees: { thrown: 'database is gone' },
    transcript: ['user: Why?', 'assistant (error): It is a'],
    because: 'LangGraph aborts the other node by a signal of its own; the cause is the error',
  },
  {
    name: 'a reader of a graph breaks',
    app: async on => {
      const stream = say(hangs).stream(ask('Why?'), { ...on.config, streamMode: 'messages' });
      return readThen(stream, 2, () => {});
    },
    sees: 'It is ',
    transcript: ['user: Why?', beginning('abandoned', 'It is a', 'It is ')],
    because: 'nobody aborted: the reader left',
    ...leftUnseen,
  },
  {
    name: 'a reader of a graph breaks, which was given a signal',
    app: async on => {
      const { signal } = new AbortController();
      const stream = say(hangs).stream(ask('Why?'), { ...on.config, signal, streamMode: 'messages' });
      return readThen(stream, 2, () => {});
    },
    sees: 'It is ',
    transcript: ['user: Why?', beginning('abandoned', 'It is a', 'It is ')],
    because: 'the app’s signal is not aborted; the one that LangGraph made of it is',
    ...leftUnseen,
  },
  {
    name: 'a reader of a graph’s events breaks',
    app: async on => {
      const stream = texts(say(hangs).streamEvents(ask('Why?'), { ...on.config, version: 'v2' }));
      return readThen(stream, 2, () => {});
    },
    sees: 'It is ',
    transcript: ['user: Why?', beginning('abandoned', 'It is a', 'It is ')],
    because: 'nobody aborted: the reader left',
    options: { idleMs: 200 },
  },
  {
    name: 'a reader of a chain breaks',
    app: async on => readThen(prompt.pipe(model(story)).stream(question, on.config), 2, () => {}),
    sees: 'It is ',
    transcript: ['user: Why?', beginning('abandoned', story, 'It is ')],
    because: 'nobody aborted: the reader left',
    options: { idleMs: 200 },
  },
  {
    name: 'a timeout passes after the whole answer arrived',
    app: async on => {
      const chain = prompt.pipe(model(story)).pipe(new StringOutputParser());
      const text = await chain.invoke(question, { ...on.config, timeout: 150 });
      await new Promise(resolve => setTimeout(resolve, 200));
      return text;
    },
    sees: story,
    transcript: ['user: Why?', `assistant: ${story}`],
    because: 'a whole answer that arrives beats it',
  },
  {
    name: 'a timeout of a model passes after the whole answer arrived',
    app: async on => {
      const { text } = await model(story).invoke('Why?', { ...on.config, timeout: 150 });
      await new Promise(resolve => setTimeout(resolve, 200));
      return text;
    },
    sees: story,
    transcript: ['user: Why?', `assistant: ${story}`],
    because: 'a whole answer that arrives beats it',
  },
  {
    name: 'a timeout hits in mid-stream',
    app: async on =>
      readOnAfter(prompt.pipe(model(hangs)).stream(question, { ...on.config, timeout: 100 }), 9, () => {}),
    transcript: ['user: Why?', /^assistant \((error|aborted)\): It is a$/],
    because: 'the app set a limit and the limit stopped it; the design gives no name of its own to that end',
  },
  {
    name: 'a timeout of a graph hits in mid-stream',
    app: async on => {
      const stream = say(hangs).stream(ask('Why?'), { ...on.config, timeout: 100, streamMode: 'messages' });
      return readOnAfter(stream, 9, () => {});
    },
    transcript: ['user: Why?', /^assistant \((error|aborted)\): It is a$/],
    because: 'the app set a limit and the limit stopped it',
  },
  {
    name: 'a signal is aborted after the answer was read',
    app: async on => {
      const abort = new AbortController();
      const { signal } = abort;
      const stream = say(story).stream(ask('Why?'), { ...on.config, signal, streamMode: 'messages' });
      const pieces = await drain(stream);
      abort.abort();
      return pieces.length > 0;
    },
    sees: true,
    transcript: ['user: Why?', `assistant: ${story}`],
    because: 'a finish that was read beats a later abort',
  },
  {
    name: 'a signal is aborted after a model’s answer was read',
    app: async on => {
      const abort = new AbortController();
      const pieces = await drain(model(story).stream('Why?', { ...on.config, signal: abort.signal }));
      abort.abort();
      return pieces.length > 0;
    },
    sees: true,
    transcript: ['user: Why?', `assistant: ${story}`],
    because: 'a finish that was read beats a later abort',
  },
  {
    name: 'a request is aborted before its graph has begun',
    app: async on => {
      const abort = new AbortController();
      abort.abort();
      return readOnAfter(say(story).stream(ask('Why?'), { ...on.config, signal: abort.signal }), 9, () => {});
    },
    transcript: [{ maybe: 'user: Why?' }],
    because: 'nothing was answered; where no run starts, no callback is called',
  },
];

const timing: Case[] = [
  {
    name: 'a router answers before the answer begins',
    app: async on => {
      const begin = Promise.withResolvers<void>();
      const graph = graphOf({
        route: async ({ messages }) => {
          await model('answer').invoke(messages);
          setTimeout(begin.resolve, 60);
          return {};
        },
        say: async ({ messages }) => {
          await begin.promise;
          return { messages: [await model(story).invoke(messages)] };
        },
      }).compile();
      return (await drain(graph.stream(ask('Why?'), { ...on.config, streamMode: 'messages' }))).length > 0;
    },
    transcript: ['user: Why?', `assistant: ${story}`],
    because: 'time to first token is the answer’s',
    check: ({ metadata }) => expect(metadata[1]?.time_to_first_token_ms).toBeGreaterThanOrEqual(55),
  },
  {
    name: 'a judge speaks after a graph was interrupted and resumed',
    app: async on => {
      const graph = graphOf({
        say: saying(model(story)),
        wait: () => {
          interrupt({ kind: 'approval' });
          return {};
        },
        judge: async () => {
          await model('fine').invoke([human('Judge')]);
          return {};
        },
      }).compile({ checkpointer: new MemorySaver() });
      const thread = { ...on.config, configurable: { thread_id: 't' } };
      await graph.invoke(ask('Why?'), thread);
      await graph.invoke(new Command({ resume: true }) as never, thread);
    },
    transcript: ['user: Why?', `assistant: ${story}`],
    because: 'a judge’s words are no answer, and the answer was recorded',
  },
];

runCases('an abort while the model is at work', stoppedWhileItReads);
runCases('an abort that LangChain tells nobody', slowReaders);
runCases('an abort while something else is at work', inside);
runCases('a derived signal is only a hint', hints);
runCases('time to first token', timing);
