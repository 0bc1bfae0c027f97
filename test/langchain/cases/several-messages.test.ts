// Several messages of the assistant's after one question: one answer where nothing explains them, the last where something does.

import { AIMessage } from '@langchain/core/messages';
import { Command, END, MemorySaver, MessagesAnnotation, START, StateGraph } from '@langchain/langgraph';
import { createReactAgent } from '@langchain/langgraph/prebuilt';
import { drain } from '../support.js';
import { ask, calling, graphOf, model, saying, weather } from './apps.js';
import { type Case, runCases } from './run-cases.js';

const disclaimer = () => ({ messages: [new AIMessage('Not a forecast.')] });
const joined = ['user: Weather?', 'assistant: Sunny.\n\nNot a forecast.'];

/** Nodes that run side by side. */
function sideBySide(...answers: string[]) {
  const graph = new StateGraph(MessagesAnnotation) as StateGraph<typeof MessagesAnnotation.spec, never, never, string>;
  answers.forEach((answer, index) => {
    graph.addNode(`say${index}`, saying(model(answer)) as never);
    graph.addEdge(START, `say${index}` as never);
    graph.addEdge(`say${index}` as never, END);
  });
  return graph;
}

const together: Case[] = [
  {
    name: 'an answer and a canned disclaimer',
    app: async on =>
      (
        await graphOf({ say: saying(model('Sunny.')), disclaimer })
          .compile()
          .invoke(ask('Weather?'), on.config)
      ).messages,
    sees: ['human: Weather?', 'ai: Sunny.', 'ai: Not a forecast.'],
    transcript: joined,
    because: 'both were on the screen, one below the other',
  },
  {
    name: 'an answer and a canned disclaimer, streamed',
    app: async on =>
      (
        await drain(
          graphOf({ say: saying(model('Sunny.')), disclaimer })
            .compile()
            .stream(ask('Weather?'), { ...on.config, streamMode: 'messages' }),
        )
      ).length > 0,
    transcript: joined,
    because: 'both were on the screen, one below the other',
  },
  {
    name: 'an answer and a disclaimer in the second turn of a thread',
    app: async on => {
      const graph = graphOf({ say: saying(model('Hello.', 'Sunny.')), disclaimer }).compile({
        checkpointer: new MemorySaver(),
      });
      const thread = { ...on.config, configurable: { thread_id: 't' } };
      await graph.invoke(ask('Hi'), thread);
      return (await graph.invoke(ask('Weather?'), thread)).messages.length;
    },
    sees: 6,
    transcript: ['user: Hi', 'assistant: Hello.\n\nNot a forecast.', ...joined],
    because: 'what stands after the question belongs to it, and nothing before it',
  },
  {
    name: 'two nodes that answer side by side',
    app: async on =>
      (await sideBySide('Sunny.', 'Not a forecast.').compile().invoke(ask('Weather?'), on.config)).messages,
    sees: ['human: Weather?', 'ai: Sunny.', 'ai: Not a forecast.'],
    transcript: joined,
    because: 'both were on the screen; the state has their order',
  },
  {
    name: 'one node that answers with two messages',
    app: async on => {
      const graph = graphOf({ say: () => ({ messages: [new AIMessage('Sunny.'), new AIMessage('Not a forecast.')] }) });
      return (await graph.compile().invoke(ask('Weather?'), on.config)).messages.length;
    },
    transcript: joined,
    because: 'both were on the screen',
  },
  {
    name: 'three nodes, one of which says nothing',
    app: async on => {
      const graph = graphOf({
        say: saying(model('Sunny.')),
        silent: () => ({ messages: [new AIMessage('')] }),
        disclaimer,
      });
      return (await graph.compile().invoke(ask('Weather?'), on.config)).messages.length;
    },
    transcript: joined,
    because: 'an empty message is no paragraph',
  },
  {
    name: 'a greeting, a tool, and the answer with its disclaimer',
    app: async on => {
      const agent = createReactAgent({ llm: model(calling('weather', 'Let me see.'), 'Sunny.'), tools: [weather] });
      const graph = graphOf({ agent: agent as never, disclaimer }).compile();
      return (await graph.invoke(ask('Weather?'), on.config)).messages.length;
    },
    sees: 5,
    transcript: joined,
    because: 'the tool explains what was said before it; nothing explains the disclaimer',
  },
];

const explained: Case[] = [
  {
    name: 'talk on the way to a tool',
    app: async on => {
      const agent = createReactAgent({ llm: model(calling('weather', 'Let me see.'), 'Sunny.'), tools: [weather] });
      return (await agent.invoke(ask('Weather?'), on.config)).messages.length;
    },
    sees: 4,
    transcript: ['user: Weather?', 'assistant: Sunny.'],
    because: 'a tool explains it',
  },
  {
    name: 'a worker that hands back to its supervisor',
    app: async on => {
      const graph = new StateGraph(MessagesAnnotation)
        .addNode('supervisor', ({ messages }) => new Command({ goto: messages.length === 1 ? 'worker' : 'say' }), {
          ends: ['worker', 'say'],
        })
        .addNode(
          'worker',
          async ({ messages }) =>
            new Command({ goto: 'supervisor', update: { messages: [await model('Found: sun').invoke(messages)] } }),
          { ends: ['supervisor'] },
        )
        .addNode('say', saying(model('Sunny.')))
        .addEdge(START, 'supervisor')
        .addEdge('say', END)
        .compile();
      return (await graph.invoke(ask('Weather?'), on.config)).messages;
    },
    sees: ['human: Weather?', 'ai: Found: sun', 'ai: Sunny.'],
    transcript: ['user: Weather?', 'assistant: Sunny.'],
    because: 'the handoff explains the worker’s report',
  },
  {
    name: 'a draft that is replaced in the state',
    app: async on => {
      const draft = new AIMessage({ content: 'Sunny?', id: 'draft' });
      const graph = graphOf({
        draft: () => ({ messages: [draft] }),
        revise: () => ({ messages: [new AIMessage({ content: 'Sunny.', id: 'draft' })] }),
      });
      return (await graph.compile().invoke(ask('Weather?'), on.config)).messages;
    },
    sees: ['human: Weather?', 'ai: Sunny.'],
    transcript: ['user: Weather?', 'assistant: Sunny.'],
    because: 'the state holds one answer',
  },
  {
    name: 'a history of several answers in the input',
    app: async on => {
      const history = [
        { role: 'user', content: 'Hi' },
        { role: 'assistant', content: 'Hello.' },
        { role: 'assistant', content: 'What is it?' },
      ];
      const graph = graphOf({ say: saying(model('Sunny.')) }).compile();
      return (await graph.invoke({ messages: [...history, { role: 'user', content: 'Weather?' }] } as never, on.config))
        .messages.length;
    },
    transcript: ['user: Weather?', 'assistant: Sunny.'],
    because: 'what stands before the question is of earlier turns',
  },
];

runCases('several messages that nothing explains', together);
runCases('several messages that something explains', explained);
