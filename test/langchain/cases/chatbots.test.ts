// Chatbots as they are built: retrieval with a history, agents with tools and middleware, graphs in graphs, handoffs, workflows.

import { InMemoryChatMessageHistory } from '@langchain/core/chat_history';
import {
  AIMessage,
  type BaseMessage,
  HumanMessage,
  RemoveMessage,
  SystemMessage,
  ToolMessage,
} from '@langchain/core/messages';
import { StringOutputParser } from '@langchain/core/output_parsers';
import { ChatPromptTemplate, MessagesPlaceholder } from '@langchain/core/prompts';
import {
  RunnableBranch,
  RunnableLambda,
  RunnableMap,
  RunnablePassthrough,
  RunnableSequence,
  RunnableWithMessageHistory,
} from '@langchain/core/runnables';
import { tool } from '@langchain/core/tools';
import {
  Annotation,
  Command,
  END,
  entrypoint,
  MemorySaver,
  MessagesAnnotation,
  Send,
  START,
  StateGraph,
  task,
} from '@langchain/langgraph';
import { createReactAgent } from '@langchain/langgraph/prebuilt';
import {
  createAgent,
  createMiddleware,
  dynamicSystemPromptMiddleware,
  modelFallbackMiddleware,
  summarizationMiddleware,
} from 'langchain';
import * as z from 'zod';
import { drain } from '../support.js';
import { ask, calling, graphOf, human, model, saying, weather } from './apps.js';
import { type Case, runCases } from './run-cases.js';

const withHistory = ChatPromptTemplate.fromMessages([
  ['system', 'Context: {context}'],
  new MessagesPlaceholder('chat_history'),
  ['human', '{question}'],
]);
const condensePrompt = ChatPromptTemplate.fromMessages([
  new MessagesPlaceholder('chat_history'),
  ['human', 'Make it stand alone: {question}'],
]);
const documents = RunnableLambda.from(async () => 'Cats purr.');

/** The retrieval template of LangChain's docs: a question is condensed if there is a history, then answered. */
function retrieval(condensed: string, answer: string) {
  const condense = RunnableBranch.from([
    [
      (input: { chat_history: unknown[] }) => input.chat_history.length > 0,
      condensePrompt.pipe(model(condensed)).pipe(new StringOutputParser()),
    ],
    RunnableLambda.from((input: { question: string }) => input.question),
  ] as never);
  return RunnableSequence.from([
    RunnablePassthrough.assign({ standalone: condense as never }),
    RunnablePassthrough.assign({ context: documents }),
    withHistory,
    model(answer),
    new StringOutputParser(),
  ] as never);
}

const oldTalk = [human('What purrs?'), new AIMessage('Cats do.')];

const retrievals: Case[] = [
  {
    name: 'a retrieval chain with a history, streamed',
    app: async ({ config }) =>
      (
        await drain(
          await retrieval('Why do cats purr?', 'They are glad.').stream(
            { question: 'Why?', chat_history: oldTalk },
            config,
          ),
        )
      ).join(''),
    sees: 'They are glad.',
    transcript: ['user: Why?', 'assistant: They are glad.'],
    because: 'the condensed question is the chain’s own affair',
    metadata: [undefined, { steps: 2, model: 'scripted-1' }],
  },
  {
    name: 'a retrieval chain with a history, in events',
    app: async ({ config }) => {
      const chain = retrieval('Why do cats purr?', 'They are glad.');
      const events = chain.streamEvents({ question: 'Why?', chat_history: oldTalk }, { ...config, version: 'v2' });
      return (await drain(events)).length > 0;
    },
    sees: true,
    transcript: ['user: Why?', 'assistant: They are glad.'],
    because: 'the condensed question is the chain’s own affair',
  },
  {
    name: 'a retrieval chain with a history, streamed as a log',
    app: async ({ config }) => {
      const chain = retrieval('Why do cats purr?', 'They are glad.');
      return (await drain(chain.streamLog({ question: 'Why?', chat_history: oldTalk }, config))).length > 0;
    },
    sees: true,
    transcript: ['user: Why?', 'assistant: They are glad.'],
    because: 'the condensed question is the chain’s own affair',
  },
  {
    name: 'a retrieval chain that gives its sources beside the answer',
    app: async ({ config }) => {
      const chain = RunnableMap.from({
        answer: withHistory.pipe(model('They are glad.')).pipe(new StringOutputParser()),
        sources: RunnableLambda.from(() => ['cats.md', 'purr.md']),
        question: RunnableLambda.from((input: { question: string }) => input.question),
      } as never);
      return chain.invoke({ question: 'Why?', chat_history: [], context: 'x' } as never, config);
    },
    transcript: ['user: Why?', 'assistant: They are glad.'],
    because: 'the answer stands under its name',
  },
  {
    name: 'two chains side by side whose answers have names of their own',
    app: async ({ config }) =>
      RunnableMap.from({ joke: model('Ha.'), poem: model('Oh.') } as never).invoke('Cats' as never, config),
    sees: { joke: 'ai: Ha.', poem: 'ai: Oh.' },
    transcript: ['user: Cats'],
    because: 'which one is the answer is not known',
    notices: [/outputKey/],
  },
  {
    name: 'a chat history that LangChain keeps, two turns, invoked and streamed',
    app: async ({ config }) => {
      const history = new InMemoryChatMessageHistory();
      const chat = new RunnableWithMessageHistory({
        runnable: withHistory.pipe(model('First.', 'Second.')),
        getMessageHistory: () => history,
        inputMessagesKey: 'question',
        historyMessagesKey: 'chat_history',
      });
      const session = { ...config, configurable: { sessionId: 's' } };
      await chat.invoke({ question: 'One?', context: '' }, session);
      await drain(chat.stream({ question: 'Two?', context: '' }, session));
      return (await history.getMessages()).length;
    },
    sees: 4,
    transcript: ['user: One?', 'assistant: First.', 'user: Two?', 'assistant: Second.'],
    because: 'each turn once',
  },
  {
    name: 'a chat history that LangChain keeps, around a chain of messages without keys',
    app: async ({ config }) => {
      const history = new InMemoryChatMessageHistory();
      const chat = new RunnableWithMessageHistory({
        runnable: model('First.', 'Second.'),
        getMessageHistory: () => history,
      });
      const session = { ...config, configurable: { sessionId: 's' } };
      await chat.invoke([human('One?')], session);
      await chat.invoke([human('Two?')], session);
    },
    transcript: ['user: One?', 'assistant: First.', 'user: Two?', 'assistant: Second.'],
    because: 'each turn once',
  },
  {
    name: 'a chain whose history is one string',
    app: async ({ config }) => {
      const chain = ChatPromptTemplate.fromTemplate('{chat_history}\nHuman: {question}\nAI:').pipe(model('Glad.'));
      return chain.invoke({ chat_history: 'Human: Hi\nAI: Hello', question: 'Why?' }, config);
    },
    sees: 'ai: Glad.',
    transcript: ['user: Why?', 'assistant: Glad.'],
    because: 'the history is known from before',
  },
  {
    name: 'a chain that is called with a text, and makes a map of it',
    app: async ({ config }) => {
      const chain = RunnableSequence.from([
        { question: new RunnablePassthrough(), context: documents },
        ChatPromptTemplate.fromTemplate('{context} {question}'),
        model('Glad.'),
        new StringOutputParser(),
      ] as never);
      return [await chain.invoke('Why?', config), (await drain(await chain.stream('How?', config))).join('')];
    },
    sees: ['Glad.', 'Glad.'],
    transcript: ['user: Why?', 'assistant: Glad.', 'user: How?', 'assistant: Glad.'],
    because: 'the input is the question',
  },
  {
    name: 'a chain with few-shot examples and a question of several messages',
    app: async ({ config }) => {
      const chain = ChatPromptTemplate.fromMessages([
        ['human', 'Example?'],
        ['ai', 'Sample.'],
        new MessagesPlaceholder('msgs'),
      ]).pipe(model('Both.'));
      return chain.invoke({ msgs: [human('First,'), human('then?')] }, config);
    },
    sees: 'ai: Both.',
    transcript: ['user: First,', 'user: then?', 'assistant: Both.'],
    because: 'examples are no part of the talk',
  },
  {
    name: 'a greeting of the assistant’s stands before the first question',
    app: async ({ config }) =>
      graphOf({ say: saying(model('Fine.')) })
        .compile()
        .invoke({ messages: [new AIMessage('Hello, I am Bo.'), human('How are you?')] }, config)
        .then(({ messages }) => messages.length),
    sees: 3,
    transcript: [{ maybe: 'assistant: Hello, I am Bo.' }, 'user: How are you?', 'assistant: Fine.'],
    because: 'a greeting is no answer to what follows it',
  },
  {
    name: 'instructions to the model stand behind the question',
    app: async ({ config }) => model('Fine.').invoke([human('How are you?'), new SystemMessage('Be short.')], config),
    sees: 'ai: Fine.',
    transcript: ['user: How are you?', 'assistant: Fine.'],
    because: 'instructions are no part of the talk',
  },
];

const agents: Case[] = [
  {
    name: 'an agent of createReactAgent, in several modes at once',
    app: async ({ config }) => {
      const agent = createReactAgent({
        llm: model(calling('weather', 'Let me look.'), 'It is sunny.'),
        tools: [weather],
      });
      const stream = await agent.stream(ask('Weather?'), { ...config, streamMode: ['updates', 'messages', 'values'] });
      return new Set((await drain(stream)).map(([mode]) => mode)).size;
    },
    sees: 3,
    transcript: ['user: Weather?', 'assistant: It is sunny.'],
    because: 'the draft before the tool is no answer',
    metadata: [undefined, { tool_calls: ['weather'], steps: 2 }],
  },
  {
    name: 'an agent calls two tools side by side, one of which fails',
    app: async ({ config }) => {
      const bad = tool(async () => Promise.reject(new Error('no map')), {
        name: 'map',
        description: 'm',
        schema: z.object({}),
      });
      const both = { toolCalls: [{ name: 'weather' }, { name: 'map' }] };
      const agent = createReactAgent({ llm: model(both, 'Sunny, but no map.'), tools: [weather, bad] });
      return (await agent.invoke(ask('Weather?'), config)).messages.length;
    },
    sees: 5,
    transcript: ['user: Weather?', 'assistant: Sunny, but no map.'],
    because: 'the agent went on',
  },
  {
    name: 'an agent of createReactAgent whose hook before the model sums the history up',
    app: async ({ config }) => {
      const agent = createReactAgent({
        llm: model('It is sunny.'),
        tools: [weather],
        preModelHook: async ({ messages }: { messages: BaseMessage[] }) => {
          const summary = await model('They spoke of rain.').invoke([human('Sum up')]);
          return { llmInputMessages: [new SystemMessage(summary.text), messages.at(-1)] };
        },
      } as never);
      return ((await agent.invoke(ask('Weather?'), config)) as { messages: unknown[] }).messages.length;
    },
    sees: 2,
    transcript: ['user: Weather?', 'assistant: It is sunny.'],
    because: 'the summary is for the model',
  },
  {
    name: 'an agent of createReactAgent whose hook behind the model checks the answer by another model',
    app: async ({ config }) => {
      const agent = createReactAgent({
        llm: model('It is sunny.'),
        tools: [weather],
        postModelHook: async () => {
          await model('SAFE').invoke([human('Safe?')]);
          return {};
        },
      } as never);
      return (
        (await drain(await agent.stream(ask('Weather?'), { ...config, streamMode: 'values' } as never))).length > 0
      );
    },
    sees: true,
    transcript: ['user: Weather?', 'assistant: It is sunny.'],
    because: 'a check is no answer',
  },
  {
    name: 'an agent falls back to a second model',
    on: '1.x',
    app: async ({ config }) => {
      const agent = createAgent({
        model: model({ text: 'It is', error: new Error('overloaded') }),
        tools: [],
        middleware: [modelFallbackMiddleware(model('It is sunny.'))],
      });
      const stream = await agent.stream(ask('Weather?'), { ...config, streamMode: 'messages' });
      return (await drain(stream)).length > 0;
    },
    sees: true,
    transcript: ['user: Weather?', 'assistant: It is sunny.'],
    because: 'what the first one began is not in the state',
  },
  {
    name: 'an agent whose middleware asks a small model how to answer',
    on: '1.x',
    app: async ({ config }) => {
      const agent = createAgent({
        model: model('It is sunny.'),
        tools: [weather],
        middleware: [
          dynamicSystemPromptMiddleware(async () => (await model('Be kind.').invoke('How to speak?')).text),
          createMiddleware({
            name: 'classify',
            wrapModelCall: async (request, next) => {
              await model('weather').invoke('Which topic?');
              return next(request);
            },
          }),
        ],
      });
      return (await agent.invoke(ask('Weather?'), config)).messages.length;
    },
    sees: 2,
    transcript: ['user: Weather?', 'assistant: It is sunny.'],
    because: 'what middleware asks is not said to the user',
  },
  {
    name: 'an agent sums up old messages and deletes them',
    on: '1.x',
    app: async ({ config }) => {
      const agent = createAgent({
        model: model('One.', 'Two.', 'Three.'),
        tools: [],
        checkpointer: new MemorySaver(),
        middleware: [
          summarizationMiddleware({ model: model('They counted.'), trigger: { messages: 3 }, keep: { messages: 1 } }),
        ],
      });
      const thread = { ...config, configurable: { thread_id: 't' } };
      for (const question of ['1?', '2?', '3?']) await agent.invoke(ask(question), thread);
    },
    transcript: ['user: 1?', 'assistant: One.', 'user: 2?', 'assistant: Two.', 'user: 3?', 'assistant: Three.'],
    because: 'the summary is for the model, and stands as a human’s message in the state',
  },
  {
    name: 'a tool updates the state by a command',
    app: async ({ config }) => {
      const remember = tool(
        async (_, runConfig) =>
          new Command({
            update: {
              messages: [
                new ToolMessage({
                  content: 'kept',
                  tool_call_id: (runConfig as never as { toolCall: { id: string } }).toolCall.id,
                }),
              ],
            },
          }),
        { name: 'remember', description: 'r', schema: z.object({}) },
      );
      const agent = createReactAgent({ llm: model(calling('remember'), 'I keep it.'), tools: [remember] });
      return (await agent.invoke(ask('I am Ada.'), config)).messages.length;
    },
    sees: 4,
    transcript: ['user: I am Ada.', 'assistant: I keep it.'],
    because: 'a tool’s command is a tool’s result',
  },
  {
    name: 'the model and the tools of an agent are called by hand in a loop',
    app: async ({ config }) => {
      const llm = model(calling('weather'), 'Sunny.');
      const loop = RunnableLambda.from(async (messages: BaseMessage[]) => {
        let list = messages;
        for (;;) {
          const reply = await llm.invoke(list);
          list = [...list, reply];
          if (!reply.tool_calls?.length) return list;
          for (const call of reply.tool_calls) list.push((await weather.invoke(call)) as ToolMessage);
        }
      });
      return (await loop.invoke([human('Weather?')], config)).length;
    },
    sees: 4,
    transcript: ['user: Weather?', 'assistant: Sunny.'],
    because: 'the list ends with the answer',
  },
  {
    name: 'an agent inside a chain, whose last message is taken out',
    app: async ({ config }) => {
      const agent = createReactAgent({ llm: model(calling('weather'), 'Sunny.'), tools: [weather] });
      const chain = RunnableSequence.from([
        (question: string) => ask(question),
        agent,
        ({ messages }: { messages: BaseMessage[] }) => messages.at(-1)?.text,
      ] as never);
      return chain.invoke('Weather?', config);
    },
    sees: 'Sunny.',
    transcript: ['user: Weather?', 'assistant: Sunny.'],
    because: 'what the chain gives is the answer',
  },
];

const child = () => graphOf({ draft: saying(model('Inner answer.')) });

const graphs: Case[] = [
  {
    name: 'a compiled graph is a node and keeps a thread of its own, streamed with its subgraphs',
    app: async ({ config }) => {
      const inner = child().compile({ checkpointer: true });
      const graph = new StateGraph(MessagesAnnotation)
        .addNode('inner', inner as never)
        .addEdge(START, 'inner' as never)
        .addEdge('inner' as never, END)
        .compile({ checkpointer: new MemorySaver() });
      const thread = {
        ...config,
        configurable: { thread_id: 't' },
        subgraphs: true,
        streamMode: ['updates', 'messages'],
      };
      for (const question of ['One?', 'Two?'])
        await drain((await graph.stream(ask(question), thread as never)) as never);
    },
    transcript: ['user: One?', 'assistant: Inner answer.', 'user: Two?', 'assistant: Inner answer.'],
    because: 'each turn has its answer, the same words twice',
  },
  {
    name: 'a graph with another state is called in a node',
    app: async ({ config }) => {
      const State = Annotation.Root({ topic: Annotation<string>, text: Annotation<string> });
      const inner = new StateGraph(State)
        .addNode('write', async ({ topic }) => ({ text: (await model('On cats.').invoke(topic)).text }))
        .addEdge(START, 'write')
        .addEdge('write', END)
        .compile();
      const graph = graphOf({
        say: async ({ messages }) => ({
          messages: [new AIMessage((await inner.invoke({ topic: messages.at(-1)?.text ?? '' })).text)],
        }),
      }).compile();
      return (await graph.invoke(ask('Cats?'), config)).messages.length;
    },
    sees: 2,
    transcript: ['user: Cats?', 'assistant: On cats.'],
    because: 'the outer state has the answer',
    metadata: [undefined, { model: 'scripted-1' }],
  },
  {
    name: 'jokes are told side by side, and the best is picked',
    app: async ({ config }) => {
      const State = Annotation.Root({
        ...MessagesAnnotation.spec,
        jokes: Annotation<string[]>({ reducer: (a, b) => a.concat(b), default: () => [] }),
        subject: Annotation<string>,
      });
      const graph = new StateGraph(State)
        .addNode('joke', async ({ subject }: { subject: string }) => ({
          jokes: [(await model(`A joke on ${subject}.`).invoke(subject)).text],
        }))
        .addNode('best', async ({ jokes }) => ({ messages: [new AIMessage(`The best: ${[...jokes].sort()[0]}`)] }))
        .addConditionalEdges(START, () => ['cats', 'dogs', 'newts'].map(subject => new Send('joke', { subject })), [
          'joke',
        ])
        .addEdge('joke', 'best')
        .addEdge('best', END)
        .compile();
      return (await graph.invoke(ask('Make me laugh'), config)).messages.length;
    },
    sees: 2,
    transcript: ['user: Make me laugh', 'assistant: The best: A joke on cats.'],
    because: 'only the last node speaks to the user',
  },
  {
    name: 'an agent in a graph hands over to another one in the parent',
    app: async ({ config }) => {
      const alice = new StateGraph(MessagesAnnotation)
        .addNode(
          'alice_says',
          async () =>
            new Command({
              goto: 'bob',
              graph: Command.PARENT,
              update: { messages: [new AIMessage({ content: 'I hand you to Bob.', name: 'alice' })] },
            }),
        )
        .addEdge(START, 'alice_says')
        .compile();
      const graph = new StateGraph(MessagesAnnotation)
        .addNode('alice', alice as never, { ends: ['bob'] })
        .addNode('bob', async ({ messages }) => ({
          messages: [new AIMessage({ content: (await model('I am Bob.').invoke(messages)).text, name: 'bob' })],
        }))
        .addEdge(START, 'alice')
        .addEdge('bob', END)
        .compile();
      return (await graph.invoke(ask('Bob, please'), config)).messages.map(({ text }) => text);
    },
    transcript: ['user: Bob, please', 'assistant: I am Bob.'],
    because: 'what was said before a handoff in another’s name is no part of the answer',
  },
  {
    name: 'nodes hand over by goto, three in a row, and the last one speaks',
    app: async ({ config }) => {
      const hop = (to: string) => async () => {
        await model(`go to ${to}`).invoke('Where?');
        return new Command({ goto: to });
      };
      const graph = new StateGraph(MessagesAnnotation)
        .addNode('a', hop('b'), { ends: ['b'] })
        .addNode('b', hop('c'), { ends: ['c'] })
        .addNode('c', saying(model('Here.')))
        .addEdge(START, 'a')
        .addEdge('c', END)
        .compile();
      return (await drain(await graph.stream(ask('Where?'), { ...config, streamMode: 'messages' }))).length > 0;
    },
    sees: true,
    transcript: ['user: Where?', 'assistant: Here.'],
    because: 'routers say nothing to the user',
  },
  {
    name: 'a node writes its own tokens to a custom stream',
    app: async ({ config }) => {
      const graph = graphOf({
        say: async (_: unknown, runConfig: { writer?: (chunk: unknown) => void }) => {
          for (const word of ['Hel', 'lo']) runConfig.writer?.({ word });
          return { messages: [new AIMessage('Hello')] };
        },
      } as never).compile();
      return drain(await graph.stream(ask('Hi'), { ...config, streamMode: 'custom' }));
    },
    sees: [{ word: 'Hel' }, { word: 'lo' }],
    transcript: ['user: Hi', 'assistant: Hello'],
    because: 'the state has the answer',
  },
  {
    name: 'a deferred node sums up two branches of different length',
    app: async ({ config }) => {
      const graph = new StateGraph(MessagesAnnotation)
        .addNode('a', async () => {
          await model('Part A').invoke('a');
          return {};
        })
        .addNode('b', async () => ({}))
        .addNode('b2', async () => {
          await model('Part B').invoke('b');
          return {};
        })
        .addNode('sum', saying(model('All together.')), { defer: true })
        .addEdge(START, 'a')
        .addEdge(START, 'b')
        .addEdge('b', 'b2')
        .addEdge('a', 'sum')
        .addEdge('b2', 'sum')
        .addEdge('sum', END)
        .compile();
      return (await graph.invoke(ask('Sum?'), config)).messages.length;
    },
    sees: 2,
    transcript: ['user: Sum?', 'assistant: All together.'],
    because: 'the branches work for the last node',
  },
  {
    name: 'a graph whose output schema leaves the messages out',
    app: async ({ config }) => {
      const Output = Annotation.Root({ reply: Annotation<string> });
      const State = Annotation.Root({ ...MessagesAnnotation.spec, ...Output.spec });
      const graph = new StateGraph({ input: MessagesAnnotation, output: Output, stateSchema: State } as never)
        .addNode('say', (async ({ messages }: { messages: BaseMessage[] }) => {
          const reply = await model('Glad.').invoke(messages);
          return { messages: [reply], reply: reply.text };
        }) as never)
        .addEdge(START, 'say' as never)
        .addEdge('say' as never, END)
        .compile();
      return graph.invoke(ask('Why?') as never, config);
    },
    sees: { reply: 'Glad.' },
    transcript: ['user: Why?', 'assistant: Glad.'],
    because: 'the answer stands under its name',
  },
  {
    name: 'a graph that is asked by a question and grades its documents',
    app: async ({ config }) => {
      const State = Annotation.Root({
        question: Annotation<string>,
        documents: Annotation<string[]>,
        generation: Annotation<string>,
        grade: Annotation<string>,
      });
      const graph = new StateGraph(State)
        .addNode('retrieve', async () => ({ documents: ['Cats purr.', 'Dogs bark.'] }))
        .addNode('judge', async ({ question }) => ({ grade: (await model('yes').invoke(question)).text }))
        .addNode('rewrite', async ({ question }) => ({
          question: (await model('Why do cats purr?').invoke(question)).text,
        }))
        .addNode('generate', async ({ question }) => ({
          generation: (await model('They are glad.').invoke(question)).text,
        }))
        .addEdge(START, 'retrieve')
        .addEdge('retrieve', 'judge')
        .addEdge('judge', 'rewrite')
        .addEdge('rewrite', 'generate')
        .addEdge('generate', END)
        .compile();
      return Object.keys(await graph.invoke({ question: 'Why?' }, config)).length;
    },
    sees: 4,
    transcript: ['user: Why?', 'assistant: They are glad.'],
    because:
      'the corrective-retrieval graph of LangGraph’s docs: the answer is the generation, and the question what the user asked',
  },
  {
    name: 'a state keeps its talk under another name, without ids',
    app: async ({ config }) => {
      const State = Annotation.Root({
        dialog: Annotation<BaseMessage[]>({ reducer: (a, b) => a.concat(b), default: () => [] }),
      });
      const llm = model('One.', 'Two.');
      const graph = new StateGraph(State)
        .addNode('say', async ({ dialog }) => ({ dialog: [await llm.invoke(dialog)] }))
        .addEdge(START, 'say')
        .addEdge('say', END)
        .compile({ checkpointer: new MemorySaver() });
      const thread = { ...config, configurable: { thread_id: 't' } };
      await graph.invoke({ dialog: [human('1?')] }, thread);
      return (await graph.invoke({ dialog: [human('2?')] }, thread)).dialog.length;
    },
    sees: 4,
    transcript: ['user: 1?', 'assistant: One.', 'user: 2?', 'assistant: Two.'],
    because: 'each turn once',
  },
  {
    name: 'messages are plain objects and are never read by LangChain',
    app: async ({ config }) => {
      type Plain = { role: string; content: string };
      const State = Annotation.Root({
        messages: Annotation<Plain[]>({ reducer: (a, b) => a.concat(b), default: () => [] }),
      });
      const llm = model('Yes.', 'Yes.');
      const graph = new StateGraph(State)
        .addNode('say', async ({ messages }) => ({
          messages: [{ role: 'assistant', content: (await llm.invoke(messages)).text }],
        }))
        .addEdge(START, 'say')
        .addEdge('say', END)
        .compile({ checkpointer: new MemorySaver() });
      const thread = { ...config, configurable: { thread_id: 't' } };
      await graph.invoke({ messages: [{ role: 'user', content: 'Really?' }] }, thread);
      return (await graph.invoke({ messages: [{ role: 'user', content: 'Really?' }] }, thread)).messages.length;
    },
    sees: 4,
    transcript: ['user: Really?', 'assistant: Yes.', 'user: Really?', 'assistant: Yes.'],
    because: 'the same question twice is two turns',
  },
  {
    name: 'messages come as tuples, and one of them as a text',
    app: async ({ config }) => {
      const graph = graphOf({ say: saying(model('Fine.')) }).compile();
      const first = await graph.invoke(
        {
          messages: [
            ['system', 'Be kind.'],
            ['user', 'Hi'],
            ['assistant', 'Hello'],
            ['human', 'How are you?'],
          ],
        } as never,
        config,
      );
      const second = await graph.invoke({ messages: 'And now?' } as never, config);
      return [first.messages.length, second.messages.length];
    },
    sees: [5, 2],
    transcript: ['user: How are you?', 'assistant: Fine.', 'user: And now?', 'assistant: Fine.'],
    because: 'what LangChain takes for messages are messages',
  },
  {
    name: 'a question with an image, in a graph',
    app: async ({ config }) => {
      const graph = graphOf({ say: saying(model('A cat.')) }).compile();
      const content = [
        { type: 'text', text: 'What is this?' },
        { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } },
      ];
      return (await graph.invoke({ messages: [new HumanMessage({ content } as never)] }, config)).messages.length;
    },
    sees: 2,
    transcript: [/^user: What is this\?\s*\[image: image\/png\]$/, 'assistant: A cat.'],
    because: 'a placeholder stands for the image',
  },
  {
    name: 'old messages are deleted behind the answer',
    app: async ({ config }) => {
      const llm = model('One.', 'Two.', 'Three.');
      const graph = graphOf({
        say: saying(llm),
        tidy: ({ messages }) => ({
          messages: messages.slice(0, -1).map(({ id }) => new RemoveMessage({ id: id ?? '' })),
        }),
      }).compile({ checkpointer: new MemorySaver() });
      const thread = { ...config, configurable: { thread_id: 't' } };
      let left = 0;
      for (const question of ['1?', '2?', '3?']) left = (await graph.invoke(ask(question), thread)).messages.length;
      return left;
    },
    sees: 1,
    transcript: ['user: 1?', 'assistant: One.', 'user: 2?', 'assistant: Two.', 'user: 3?', 'assistant: Three.'],
    because: 'the user’s message is gone from the state, the answer is not',
  },
  {
    name: 'all messages are deleted behind the answer, and a summary stays',
    app: async ({ config }) => {
      const State = Annotation.Root({ ...MessagesAnnotation.spec, summary: Annotation<string> });
      const llm = model('One.', 'Two.');
      const graph = new StateGraph(State)
        .addNode('say', saying(llm))
        .addNode('sum', async ({ messages }) => ({
          summary: (await model('They counted.').invoke('Sum up')).text,
          messages: messages.map(({ id }) => new RemoveMessage({ id: id ?? '' })),
        }))
        .addEdge(START, 'say')
        .addEdge('say', 'sum')
        .addEdge('sum', END)
        .compile({ checkpointer: new MemorySaver() });
      const thread = { ...config, configurable: { thread_id: 't' } };
      for (const question of ['1?', '2?'])
        await drain(await graph.stream(ask(question), { ...thread, streamMode: 'messages' }));
    },
    transcript: ['user: 1?', 'assistant: One.', 'user: 2?', 'assistant: Two.'],
    because: 'the answer was streamed and stood in the state; the summary is for the model',
  },
  {
    name: 'a reducer keeps the last two messages',
    app: async ({ config }) => {
      const State = Annotation.Root({
        messages: Annotation<BaseMessage[]>({ reducer: (a, b) => a.concat(b).slice(-2), default: () => [] }),
      });
      const llm = model('Same.', 'Same.', 'Same.');
      const graph = new StateGraph(State)
        .addNode('say', async ({ messages }) => ({ messages: [await llm.invoke(messages)] }))
        .addEdge(START, 'say')
        .addEdge('say', END)
        .compile({ checkpointer: new MemorySaver() });
      const thread = { ...config, configurable: { thread_id: 't' } };
      for (const question of ['1?', '1?', '2?']) await graph.invoke({ messages: [human(question)] }, thread);
    },
    transcript: ['user: 1?', 'assistant: Same.', 'user: 1?', 'assistant: Same.', 'user: 2?', 'assistant: Same.'],
    because: 'messages without ids move to other places',
  },
  {
    name: 'a reducer keeps the last message only',
    app: async ({ config }) => {
      const State = Annotation.Root({
        messages: Annotation<BaseMessage[]>({ reducer: (_, b) => b, default: () => [] }),
      });
      const graph = new StateGraph(State)
        .addNode('say', async ({ messages }) => ({ messages: [await model('Glad.').invoke(messages)] }))
        .addEdge(START, 'say')
        .addEdge('say', END)
        .compile({ checkpointer: new MemorySaver() });
      const thread = { ...config, configurable: { thread_id: 't' } };
      for (const question of ['1?', '2?']) await graph.invoke({ messages: [human(question)] }, thread);
    },
    transcript: ['user: 1?', 'assistant: Glad.', 'user: 2?', 'assistant: Glad.'],
    because: 'the state ends with the answer',
  },
  {
    name: 'the answer is made anew: the old one is removed, and the graph goes on with nothing',
    app: async ({ config }) => {
      const llm = model('One.', 'Better.');
      const graph = graphOf({ say: saying(llm) }).compile({ checkpointer: new MemorySaver() });
      const thread = { ...config, configurable: { thread_id: 't' } };
      const { messages } = await graph.invoke(ask('1?'), thread);
      await graph.updateState(
        thread,
        { messages: [new RemoveMessage({ id: messages.at(-1)?.id ?? '' })] },
        '__start__',
      );
      return (await graph.invoke(null, thread)).messages.map(({ text }: BaseMessage) => text);
    },
    sees: ['1?', 'Better.'],
    transcript: ['user: 1?', 'assistant: One.', 'assistant: Better.'],
    because: 'the question was said once, and answered twice',
  },
];

const workflows: Case[] = [
  {
    name: 'a workflow with two tasks, streamed',
    app: async ({ config }) => {
      const plan = task('plan', async (topic: string) => (await model('Plan: cats').invoke(topic)).text);
      const write = task('write', async (made: string) => (await model('An essay on cats.').invoke(made)).text);
      const flow = entrypoint('flow', async (topic: string) => write(await plan(topic)));
      return (await drain(await flow.stream('Cats', { ...config, streamMode: 'messages' } as never))).length > 0;
    },
    sees: true,
    transcript: ['user: Cats', 'assistant: An essay on cats.'],
    because: 'what the workflow gives is the answer',
  },
  {
    name: 'a chat as a workflow that saves its messages and returns the last',
    app: async ({ config }) => {
      const llm = model('One.', 'Two.');
      const call = task('call', async (messages: BaseMessage[]) => llm.invoke(messages));
      const flow = entrypoint(
        { name: 'chat', checkpointer: new MemorySaver() },
        async (messages: BaseMessage[], runConfig) => {
          const before = (runConfig as { previous?: BaseMessage[] }).previous ?? [];
          const all = [...before, ...messages];
          const reply = await call(all);
          return entrypoint.final({ value: reply, save: [...all, reply] });
        },
      );
      const thread = { ...config, configurable: { thread_id: 't' } };
      await flow.invoke([human('1?')], thread);
      await drain(await flow.stream([human('2?')], { ...thread, streamMode: 'values' } as never));
    },
    transcript: ['user: 1?', 'assistant: One.', 'user: 2?', 'assistant: Two.'],
    because: 'each turn once',
  },
  {
    name: 'a workflow whose tasks run side by side and are joined',
    app: async ({ config }) => {
      const part = task('part', async (name: string) => (await model(`On ${name}.`).invoke(name)).text);
      const flow = entrypoint('flow', async (names: string[]) =>
        (await Promise.all(names.map(name => part(name)))).join(' '),
      );
      return flow.invoke(['cats', 'dogs'], config);
    },
    sees: 'On cats. On dogs.',
    transcript: [{ maybe: /^user: / }, 'assistant: On cats. On dogs.'],
    because: 'what the workflow gives is the answer',
  },
];

runCases('retrieval and histories', retrievals);
runCases('agents', agents);
runCases('graphs', graphs);
runCases('workflows', workflows);
