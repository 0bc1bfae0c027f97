// Each message once: whoever gives the handler again, whoever handles the request, whatever ids the provider gives.

import { HumanMessage } from '@langchain/core/messages';
import { RunnableLambda } from '@langchain/core/runnables';
import { tool } from '@langchain/core/tools';
import { entrypoint, MemorySaver, task } from '@langchain/langgraph';
import { createReactAgent } from '@langchain/langgraph/prebuilt';
import * as web from '@langchain/langgraph/web';
import * as z from 'zod';
import { drain, type Reply, ScriptedModel } from '../support.js';
import { ask, calling, graphOf, human, model, prompt, saying } from './apps.js';
import type { Situation } from './processes.js';
import { type Case, runCases } from './run-cases.js';

const inner = ['user: Why?', 'assistant: Because.'];
const becauseInside = 'what runs inside a run belongs to it';
const thread = ({ config }: Pick<Situation, 'config'>) => ({ ...config, configurable: { thread_id: 't' } });

/** A graph whose node asks its model with something more in the call. */
const asking = (call: (config: object) => object) =>
  graphOf({
    say: async ({ messages }, config) => ({ messages: [await model('Because.').invoke(messages, call(config))] }),
  });

const thinking = (call: () => object) =>
  tool(async () => (await model('Inner thoughts.').invoke('Think', call())).text, {
    name: 'think',
    description: 't',
    schema: z.object({}),
  });

const given: Case[] = [
  {
    name: 'a node gives the handler to its model again',
    app: async on =>
      (
        await asking(() => on.config)
          .compile()
          .invoke(ask('Why?'), on.config)
      ).messages,
    sees: ['human: Why?', 'ai: Because.'],
    transcript: inner,
    because: becauseInside,
  },
  {
    name: 'a node gives its config and the handler to its model again',
    app: async on =>
      (
        await asking(config => ({ ...config, ...on.config }))
          .compile()
          .invoke(ask('Why?'), on.config)
      ).messages.length,
    transcript: inner,
    because: becauseInside,
  },
  {
    name: 'a node gives a second handler to its model',
    app: async on =>
      (
        await asking(() => on.another().config)
          .compile()
          .invoke(ask('Why?'), on.config)
      ).messages.length,
    transcript: inner,
    because: becauseInside,
  },
  {
    name: 'a node of the web build gives the handler to its model again',
    app: async on => {
      const graph = new web.StateGraph(web.MessagesAnnotation)
        .addNode('say', async ({ messages }) => ({ messages: [await model('Because.').invoke(messages, on.config)] }))
        .addEdge(web.START, 'say')
        .addEdge('say', web.END)
        .compile();
      return (await graph.invoke(ask('Why?'), on.config)).messages.length;
    },
    transcript: inner,
    because: becauseInside,
  },
  {
    name: 'a streamed graph whose node gives the handler again',
    app: async on =>
      (
        await drain(
          asking(() => on.config)
            .compile()
            .stream(ask('Why?'), { ...on.config, streamMode: 'messages' }),
        )
      ).length > 0,
    transcript: inner,
    because: becauseInside,
  },
  {
    name: 'a router gives the handler to its model again',
    app: async on => {
      const graph = graphOf({
        route: async ({ messages }) => {
          await model('to the answer').invoke(messages, on.config);
          return {};
        },
        say: saying(model('Because.')),
      });
      return (await graph.compile().invoke(ask('Why?'), on.config)).messages.length;
    },
    transcript: inner,
    because: becauseInside,
  },
  {
    name: 'a task gives the handler to its model again',
    app: async on => {
      const answer = task(
        'answer',
        async (question: string) => (await model('Because.').invoke(question, on.config)).text,
      );
      const flow = entrypoint('flow', async (question: string) => answer(question));
      return flow.invoke('Why?', on.config);
    },
    sees: 'Because.',
    transcript: inner,
    because: becauseInside,
  },
  ...(['the handler', 'a second handler'] as const).map(
    (which): Case => ({
      name: `a tool gives ${which} to its model`,
      app: async on => {
        const agent = createReactAgent({
          llm: model(calling('think'), 'Because.'),
          tools: [thinking(() => (which === 'the handler' ? on.config : on.another().config))],
        });
        return (await agent.invoke(ask('Why?'), on.config)).messages.length;
      },
      transcript: inner,
      because: 'a tool’s model speaks to the tool',
    }),
  ),
  {
    name: 'a node runs another graph with the handler',
    app: async on => {
      const worker = graphOf({ work: saying(model('Because.')) }).compile();
      const graph = graphOf({
        say: async ({ messages }) => ({ messages: (await worker.invoke({ messages }, on.config)).messages.slice(-1) }),
      });
      return (await graph.compile().invoke(ask('Why?'), on.config)).messages;
    },
    sees: ['human: Why?', 'ai: Because.'],
    transcript: inner,
    because: becauseInside,
  },
  {
    name: 'a lambda gives the handler to its model again',
    app: async on => {
      const lambda = RunnableLambda.from(
        async (question: string) => (await model('Because.').invoke(question, on.config)).text,
      );
      return lambda.invoke('Why?', on.config);
    },
    sees: 'Because.',
    transcript: inner,
    because: becauseInside,
  },
  {
    name: 'two handlers are given at once',
    app: async on => {
      const { handler } = on.another();
      const callbacks = [...(on.config.callbacks ?? []), ...(handler ? [handler] : [])];
      return (
        await asking(() => ({}))
          .compile()
          .invoke(ask('Why?'), { callbacks })
      ).messages.length;
    },
    transcript: inner,
    because: 'it is one question and one answer',
  },
  {
    name: 'the model has the handler from its constructor, the graph from its call',
    app: async on => {
      const graph = graphOf({ say: saying(new ScriptedModel(['Because.'], { ...on.config })) });
      return (await graph.compile().invoke(ask('Why?'), on.config)).messages.length;
    },
    transcript: inner,
    because: becauseInside,
  },
];

/** Two turns in one thread, of a model whose messages have such ids. */
function twoTurns(
  first: Reply | string,
  second: Reply | string,
  next: (on: Situation) => Promise<Pick<Situation, 'config'>>,
) {
  return async (on: Situation) => {
    const graph = graphOf({ say: saying(model(first, second)) }).compile({ checkpointer: new MemorySaver() });
    await graph.invoke(ask('Why?'), thread(on));
    const { messages } = await graph.invoke(ask('And then?'), thread(await next(on)));
    return messages.length;
  };
}

const same = { id: 'chatcmpl-1' };
const requests: [string, (on: Situation) => Promise<Pick<Situation, 'config'>>][] = [
  ['with one handler', async on => on],
  ['with a handler per request', async on => on.another()],
  ['in two processes', on => on.process()],
];
const both = ['user: Why?', 'assistant: Because.', 'user: And then?', 'assistant: Nothing.'];

const ids: Case[] = requests.flatMap(([name, next]): Case[] => [
  {
    name: `two turns, ${name}`,
    app: twoTurns('Because.', 'Nothing.', next),
    sees: 4,
    transcript: both,
    because: 'two questions, two answers',
  },
  {
    name: `two turns of a provider that repeats an id, ${name}`,
    app: twoTurns({ text: 'Because.', ...same }, { text: 'Nothing.', ...same }, next),
    sees: 3,
    transcript: both,
    because: 'LangGraph puts the second answer in the place of the first; it differs from the state before',
  },
  {
    name: `two turns of a provider that repeats an id and its words, ${name}`,
    app: twoTurns({ text: 'Because.', ...same }, { text: 'Because.', ...same }, next),
    sees: 3,
    transcript: ['user: Why?', 'assistant: Because.', 'user: And then?', 'assistant: Because.'],
    because: 'its reader got the same words twice',
  },
  {
    name: `two turns with a router, of a provider that repeats an id, ${name}`,
    app: async on => {
      const route = model('to the answer');
      const graph = graphOf({
        route: async ({ messages }) => {
          await route.invoke(messages);
          return {};
        },
        say: saying(model({ text: 'Because.', ...same }, { text: 'Nothing.', ...same })),
      }).compile({ checkpointer: new MemorySaver() });
      await graph.invoke(ask('Why?'), thread(on));
      return (await graph.invoke(ask('And then?'), thread(await next(on)))).messages;
    },
    sees: ['human: Why?', 'ai: Nothing.', 'human: And then?'],
    transcript: both,
    because: 'what differs from the state before is the answer, and not what stands last',
  },
  {
    name: `the same question twice, ${name}`,
    app: async on => {
      const graph = graphOf({ say: saying(model('Because.', 'Because.')) }).compile({
        checkpointer: new MemorySaver(),
      });
      await graph.invoke(ask('Why?'), thread(on));
      return (await graph.invoke(ask('Why?'), thread(await next(on)))).messages.length;
    },
    sees: 4,
    transcript: ['user: Why?', 'assistant: Because.', 'user: Why?', 'assistant: Because.'],
    because: 'it was asked twice, and answered twice',
  },
]);

const RUN_ID = '0190c0de-0000-4000-8000-000000000001';

const runIds: Case[] = [
  {
    name: 'two turns under one run id',
    app: async on => {
      const chain = prompt.pipe(model('Because.', 'Nothing.'));
      const config = { ...on.config, runId: RUN_ID };
      await chain.invoke({ question: 'Why?' }, config);
      return (await chain.invoke({ question: 'And then?' }, config)).text;
    },
    sees: 'Nothing.',
    transcript: both,
    because: 'an app’s run id that is used again is another turn',
  },
  {
    name: 'two turns under one run id with the same words',
    app: async on => {
      const chain = prompt.pipe(model('Because.', 'Because.'));
      const config = { ...on.config, runId: RUN_ID };
      await chain.invoke({ question: 'Why?' }, config);
      return (await chain.invoke({ question: 'Why?' }, config)).text;
    },
    transcript: ['user: Why?', 'assistant: Because.', 'user: Why?', 'assistant: Because.'],
    because: 'the first was answered, so that the second is asked again',
  },
  {
    name: 'a run that failed is tried again under its own id',
    app: async on => {
      const chain = prompt.pipe(model({ error: new Error('overloaded') }, 'Because.'));
      const config = { ...on.config, runId: RUN_ID };
      await chain.invoke({ question: 'Why?' }, config).catch(() => {});
      return (await chain.invoke({ question: 'Why?' }, config)).text;
    },
    transcript: ['user: Why?', 'assistant: Because.'],
    because: 'it was asked once',
  },
  {
    name: 'two turns of a graph under one run id',
    app: async on => {
      const graph = graphOf({ say: saying(model('Because.', 'Nothing.')) }).compile({
        checkpointer: new MemorySaver(),
      });
      await graph.invoke(ask('Why?'), { ...thread(on), runId: RUN_ID });
      return (await graph.invoke(ask('And then?'), { ...thread(on), runId: RUN_ID })).messages.length;
    },
    transcript: both,
    because: 'an app’s run id that is used again is another turn',
  },
];

const retries: Case[] = [
  {
    name: 'a request that failed in its first node is sent again with the same message',
    app: async on => {
      const graph = graphOf({ say: saying(model({ error: new Error('overloaded') }, 'Because.')) }).compile({
        checkpointer: new MemorySaver(),
      });
      const question = new HumanMessage({ content: 'Why?', id: 'm1' });
      await graph.invoke({ messages: [question] }, thread(on)).catch(() => {});
      return (await graph.invoke({ messages: [question] }, thread(on))).messages;
    },
    sees: ['human: Why?', 'ai: Because.'],
    transcript: ['user: Why?', 'assistant: Because.'],
    because: 'the same id and the same words are one message',
  },
  {
    name: 'a request that failed is sent again with the same message, in another process',
    app: async on => {
      const graph = graphOf({ say: saying(model({ error: new Error('overloaded') }, 'Because.')) }).compile({
        checkpointer: new MemorySaver(),
      });
      const question = () => new HumanMessage({ content: 'Why?', id: 'm1' });
      await graph.invoke({ messages: [question()] }, thread(on)).catch(() => {});
      return (await graph.invoke({ messages: [question()] }, thread(await on.process()))).messages.length;
    },
    sees: 2,
    transcript: ['user: Why?', 'assistant: Because.'],
    because: 'the key is made of what LangGraph keeps, so that Synap knows the message again',
  },
  {
    name: 'a run that failed in its first node goes on with nothing, in another process',
    app: async on => {
      const graph = graphOf({ say: saying(model({ error: new Error('overloaded') }, 'Because.')) }).compile({
        checkpointer: new MemorySaver(),
      });
      await graph.invoke(ask('Why?'), thread(on)).catch(() => {});
      return (await graph.invoke(null, thread(await on.process()))).messages;
    },
    sees: ['human: Why?', 'ai: Because.'],
    transcript: ['user: Why?', 'assistant: Because.'],
    because: 'the question was recorded by the first process, and the answer is new',
  },
  {
    name: 'a history with ids of the app’s is sent whole with each request',
    app: async on => {
      const graph = graphOf({ say: saying(model('Because.', 'Nothing.')) }).compile();
      const first = new HumanMessage({ content: 'Why?', id: 'm1' });
      const { messages } = await graph.invoke({ messages: [first] }, on.config);
      const second = await on.process();
      return (await graph.invoke({ messages: [...messages, human('And then?')] }, second.config)).messages.length;
    },
    sees: 4,
    transcript: both,
    because: 'only the end of it is new',
  },
];

const crowd: Case[] = [
  {
    name: 'a child that starts after 20,000 others have closed',
    app: async ({ handler }) => {
      if (!handler) return;
      handler.handleChainStart({}, { question: 'Why?' }, 'root');
      handler.handleChainEnd({ output: 'Because.' }, 'root');
      for (let index = 0; index < 20_100; index++) {
        handler.handleChainStart({}, {}, `other-${index}`, undefined, ['langsmith:hidden']);
        handler.handleChainEnd({}, `other-${index}`);
      }
      handler.handleChatModelStart({}, [[human('Name this chat')]], 'late', 'root');
      handler.handleLLMEnd({ generations: [[{ text: 'About why' }]] }, 'late');
    },
    transcript: inner,
    because: 'what starts inside a run that has ended is no turn, however long ago that was',
  },
];

runCases('a handler that is given again inside', given);
runCases('messages with ids and without', ids);
runCases('run ids of the app’s', runIds);
runCases('a request that is sent again', retries);
runCases('many runs', crowd);
