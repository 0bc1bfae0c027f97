// The answer was on the screen, and then something failed.

import { AIMessage } from '@langchain/core/messages';
import { MemorySaver } from '@langchain/langgraph';
import { createAgent, createMiddleware } from 'langchain';
import { drain } from '../support.js';
import { ask, graphOf, model, type Node, saying, weather } from './apps.js';
import { type Case, runCases } from './run-cases.js';

const fails: Node = () => {
  throw new Error('database is gone');
};
const gone = { thrown: 'database is gone' };
const withError = ['user: Why?', 'assistant (error): Because.'];
const withoutAnswer = [/^user( \(error\))?: Why\?$/];
const messages = { streamMode: 'messages' } as const;

const answered: Case[] = [
  {
    name: 'a node behind the answer throws',
    app: async on => {
      const graph = graphOf({ say: saying(model('Because.')), save: fails }).compile();
      return drain(graph.stream(ask('Why?'), { ...on.config, ...messages }));
    },
    sees: gone,
    transcript: withError,
    because: 'the answer was read, and then the run failed',
    metadata: [undefined, { error: 'Error: database is gone', model: 'scripted-1' }],
  },
  {
    name: 'a node behind the answer throws, invoked',
    app: async on =>
      graphOf({ say: saying(model('Because.')), save: fails })
        .compile()
        .invoke(ask('Why?'), on.config),
    sees: gone,
    // Nobody who invokes a graph has read anything by then; but the state and its streams have it, so either is right.
    transcript: [/^user( \(error\))?: Why\?$/, { maybe: 'assistant (error): Because.' }],
    because: 'callbacks do not tell how a run is read',
  },
  {
    name: 'a node behind the answer throws in the second turn',
    app: async on => {
      let turn = 0;
      const graph = graphOf({
        say: saying(model('Hello.', 'Because.')),
        save: (state, config) => (++turn === 2 ? fails(state, config) : {}),
      }).compile({ checkpointer: new MemorySaver() });
      const thread = { ...on.config, configurable: { thread_id: 't' } };
      await drain(graph.stream(ask('Hi'), { ...thread, ...messages }));
      return drain(graph.stream(ask('Why?'), { ...thread, ...messages }));
    },
    sees: gone,
    transcript: ['user: Hi', 'assistant: Hello.', ...withError],
    because: 'the answer was read, and then the run failed',
  },
  {
    name: 'a middleware behind the model throws',
    on: '1.x',
    app: async on => {
      const guard = createMiddleware({ name: 'guard', afterModel: fails as never });
      const agent = createAgent({ model: model('Because.'), tools: [weather], middleware: [guard] });
      return drain(agent.stream(ask('Why?'), { ...on.config, ...messages }));
    },
    transcript: withError,
    because: 'the answer was read, and then the run failed',
  },
  {
    name: 'the model fails in the middle of its answer',
    app: async on => {
      const graph = graphOf({ say: saying(model({ text: 'Because.', error: new Error('database is gone') })) });
      return drain(graph.compile().stream(ask('Why?'), { ...on.config, ...messages }));
    },
    sees: gone,
    transcript: withError,
    because: 'that much was read',
  },
  {
    name: 'a summariser behind the answer fails in the middle',
    app: async on => {
      const graph = graphOf({
        say: saying(model('Because.')),
        summarise: async state => {
          await model({ text: 'The user asks', error: new Error('database is gone') }).invoke(state.messages);
          return {};
        },
      }).compile();
      return drain(graph.stream(ask('Why?'), { ...on.config, streamMode: 'updates' }));
    },
    sees: gone,
    transcript: withError,
    because: 'the answer stands in the state; a summary is none',
  },
  {
    name: 'an answer that no model has written, and then a node throws',
    app: async on => {
      const graph = graphOf({ say: () => ({ messages: [new AIMessage('Because.')] }), save: fails }).compile();
      return drain(graph.stream(ask('Why?'), { ...on.config, ...messages }));
    },
    sees: gone,
    // The design names what a model has streamed; this was on the screen as well.
    transcript: [/^user( \(error\))?: Why\?$/, { maybe: 'assistant (error): Because.' }],
    because: 'the answer was on the screen',
  },
];

const unanswered: Case[] = [
  {
    name: 'the router fails in the middle',
    app: async on => {
      const route = model({ text: 'route=answer becau', error: new Error('database is gone') });
      const graph = graphOf({
        route: async state => {
          await route.invoke(state.messages);
          return {};
        },
        say: saying(model('Because.')),
      }).compile();
      return drain(graph.stream(ask('Why?'), { ...on.config, streamMode: 'updates' }));
    },
    sees: gone,
    transcript: withoutAnswer,
    because: 'what a router says is no answer',
  },
  {
    name: 'the router has spoken, and the next node throws',
    app: async on => {
      const graph = graphOf({
        route: async state => {
          await model('route=answer').invoke(state.messages);
          return {};
        },
        say: fails,
      }).compile();
      return drain(graph.stream(ask('Why?'), { ...on.config, streamMode: 'updates' }));
    },
    sees: gone,
    transcript: withoutAnswer,
    because: 'what a router says is no answer',
  },
  {
    name: 'a judge of the question throws before the answer',
    on: '1.x',
    app: async on => {
      const judge = model('The question is harmless.');
      const guard = createMiddleware({
        name: 'guard',
        beforeModel: async state => {
          await judge.invoke(state.messages);
          throw new Error('database is gone');
        },
      });
      const agent = createAgent({ model: model('Because.'), tools: [weather], middleware: [guard] });
      return drain(agent.stream(ask('Why?'), { ...on.config, ...messages }));
    },
    transcript: withoutAnswer,
    because: 'what a judge says is no answer',
  },
  {
    name: 'the first node throws',
    app: async on =>
      drain(
        graphOf({ load: fails, say: saying(model('Because.')) })
          .compile()
          .stream(ask('Why?'), on.config),
      ),
    sees: gone,
    transcript: withoutAnswer,
    because: 'nothing was answered',
  },
  {
    name: 'a turn fails whose thread has an older answer',
    app: async on => {
      let turn = 0;
      const graph = graphOf({
        load: (state, config) => (++turn === 2 ? fails(state, config) : {}),
        say: saying(model('Hello.', 'Because.')),
      }).compile({ checkpointer: new MemorySaver() });
      const thread = { ...on.config, configurable: { thread_id: 't' } };
      await graph.invoke(ask('Hi'), thread);
      return drain(graph.stream(ask('Why?'), { ...thread, streamMode: 'values' }));
    },
    sees: gone,
    transcript: ['user: Hi', 'assistant: Hello.', ...withoutAnswer],
    because: 'the older answer is none to this question',
  },
];

runCases('an error after the answer', answered);
runCases('an error before the answer', unanswered);
