// Agents that are limited, guarded, and made of one another; conversations that wait in tools, tasks and graphs.

import {
  AIMessage,
  type AIMessageChunk,
  type BaseMessage,
  HumanMessage,
  RemoveMessage,
} from '@langchain/core/messages';
import { RunnableLambda } from '@langchain/core/runnables';
import { tool } from '@langchain/core/tools';
import {
  Annotation,
  Command,
  END,
  entrypoint,
  interrupt,
  MemorySaver,
  MessagesAnnotation,
  START,
  StateGraph,
  task,
} from '@langchain/langgraph';
import { createReactAgent } from '@langchain/langgraph/prebuilt';
import {
  createAgent,
  createMiddleware,
  humanInTheLoopMiddleware,
  modelCallLimitMiddleware,
  todoListMiddleware,
} from 'langchain';
import * as z from 'zod';
import { drain, type Reply, type ScriptedModel } from '../support.js';
import { ask, beginning, calling, graphOf, human, model, readThen, saying, weather } from './apps.js';
import { type Case, runCases } from './run-cases.js';

const never = new Promise(() => {});
const hangs: Reply = { text: 'It is a', wait: never };
const thread = { configurable: { thread_id: 't' } };

/** The pieces of a stream that names the graph of each. */
async function* piecesOf(stream: Promise<AsyncIterable<[string[], unknown]>>) {
  for await (const [, piece] of await stream) yield piece;
}

const guarded: Case[] = [
  {
    name: 'a guard answers instead of the model and jumps to the end',
    on: '1.x',
    app: async ({ config }) => {
      const guard = createMiddleware({
        name: 'guard',
        beforeModel: {
          canJumpTo: ['end'],
          hook: async () => {
            await model('UNSAFE').invoke('Safe?');
            return { messages: [new AIMessage('I may not say that.')], jumpTo: 'end' as const };
          },
        },
      });
      const agent = createAgent({ model: model('never'), tools: [weather], middleware: [guard] });
      return (await agent.invoke(ask('How to pick a lock?'), config)).messages.length;
    },
    sees: 2,
    transcript: ['user: How to pick a lock?', 'assistant: I may not say that.'],
    because: 'the canned answer is what the user got',
  },
  {
    name: 'a guard takes the answer back and puts another in its place',
    on: '1.x',
    app: async ({ config }) => {
      const guard = createMiddleware({
        name: 'guard',
        afterModel: async ({ messages }) => ({
          messages: [new RemoveMessage({ id: messages.at(-1)?.id ?? '' }), new AIMessage('I may not say that.')],
        }),
      });
      const agent = createAgent({ model: model('With a pin.'), tools: [], middleware: [guard] });
      return (await agent.invoke(ask('How to pick a lock?'), config)).messages.map(({ text }) => text);
    },
    sees: ['How to pick a lock?', 'I may not say that.'],
    transcript: ['user: How to pick a lock?', 'assistant: I may not say that.'],
    because: 'what was taken back is not the answer',
  },
  {
    name: 'a node takes the answer back and says nothing',
    app: async ({ config }) => {
      const graph = graphOf({
        say: saying(model('With a pin.')),
        guard: ({ messages }) => ({ messages: [new RemoveMessage({ id: messages.at(-1)?.id ?? '' })] }),
      }).compile();
      return (await graph.invoke(ask('How to pick a lock?'), config)).messages.length;
    },
    sees: 1,
    transcript: ['user: How to pick a lock?'],
    because: 'the question stands without an answer',
  },
  {
    name: 'an agent reaches the limit of its model’s calls',
    on: '1.x',
    app: async ({ config }) => {
      const agent = createAgent({
        model: model(calling('weather')),
        tools: [weather],
        middleware: [modelCallLimitMiddleware({ runLimit: 2, exitBehavior: 'end' })],
      });
      return (await agent.invoke(ask('Weather?'), config)).messages.at(-1)?.getType();
    },
    sees: 'ai',
    transcript: ['user: Weather?', /^assistant: Model call limits exceeded/],
    because: 'LangChain says so as the assistant',
  },
  {
    name: 'an agent keeps a list of what it has to do',
    on: '1.x',
    app: async ({ config }) => {
      const todo = { toolCalls: [{ name: 'write_todos', args: { todos: [{ content: 'look', status: 'pending' }] } }] };
      const agent = createAgent({ model: model(todo, 'All done.'), tools: [], middleware: [todoListMiddleware()] });
      return (await agent.invoke(ask('Plan it'), config)).messages.at(-1)?.text;
    },
    sees: 'All done.',
    transcript: ['user: Plan it', 'assistant: All done.'],
    because: 'a list is a tool’s',
  },
  {
    name: 'a tool call is rejected with a reason',
    on: '1.x',
    app: async ({ config }) => {
      const agent = createAgent({
        model: model(calling('weather'), 'Then not.'),
        tools: [weather],
        checkpointer: new MemorySaver(),
        middleware: [humanInTheLoopMiddleware({ interruptOn: { weather: true } })],
      });
      await agent.invoke(ask('Weather?'), { ...config, ...thread });
      const resume = { decisions: [{ type: 'reject', message: 'I have a window' }] };
      return (await agent.invoke(new Command({ resume }) as never, { ...config, ...thread })).messages.at(-1)?.text;
    },
    sees: 'Then not.',
    transcript: ['user: Weather?', 'user: I have a window', 'assistant: Then not.'],
    because: 'a decision with a reason has words',
  },
];

const supervised: Case[] = [
  {
    name: 'an agent is the tool of another one',
    app: async ({ config }) => {
      const expert = createReactAgent({ llm: model(calling('weather'), 'Expert: sunny.'), tools: [weather] });
      const consult = tool(async () => (await expert.invoke(ask('Weather now?'))).messages.at(-1)?.text ?? '', {
        name: 'consult',
        description: 'c',
        schema: z.object({}),
      });
      const agent = createReactAgent({ llm: model(calling('consult'), 'It is sunny.'), tools: [consult] });
      const stream = await agent.stream(ask('Weather?'), { ...config, streamMode: 'messages', subgraphs: true });
      return (await drain(stream)).length > 0;
    },
    sees: true,
    transcript: ['user: Weather?', 'assistant: It is sunny.'],
    because: 'an agent in a tool speaks to the tool',
    metadata: [undefined, { tool_calls: ['consult'] }],
  },
  {
    name: 'agents hand over to one another as a swarm, over two turns',
    app: async ({ config }) => {
      const State = Annotation.Root({ ...MessagesAnnotation.spec, active: Annotation<string> });
      const name =
        (who: string, llm: ScriptedModel) =>
        async ({ messages }: { messages: BaseMessage[] }) => ({
          messages: [new AIMessage({ content: (await llm.invoke(messages)).text, name: who })],
        });
      const graph = new StateGraph(State)
        .addNode('ada', async () => new Command({ goto: 'bob', update: { active: 'bob' } }), { ends: ['bob'] })
        .addNode('bob', name('bob', model('Bob here.', 'Bob again.')))
        .addConditionalEdges(START, ({ active }) => active ?? 'ada', ['ada', 'bob'])
        .addEdge('bob', END)
        .compile({ checkpointer: new MemorySaver() });
      await graph.invoke(ask('Bob?'), { ...config, ...thread });
      return (await graph.invoke(ask('Still you?'), { ...config, ...thread })).messages.at(-1)?.text;
    },
    sees: 'Bob again.',
    transcript: ['user: Bob?', 'assistant: Bob here.', 'user: Still you?', 'assistant: Bob again.'],
    because: 'each turn has its answer',
  },
  {
    name: 'an agent as a graph in a graph is aborted in mid-stream',
    app: async ({ config }) => {
      const abort = new AbortController();
      const inner = createReactAgent({ llm: model(hangs), tools: [weather] });
      const graph = new StateGraph(MessagesAnnotation)
        .addNode('agent', inner as never)
        .addEdge(START, 'agent')
        .addEdge('agent', END)
        .compile();
      const stream = graph.stream(ask('Weather?'), {
        ...config,
        signal: abort.signal,
        streamMode: 'messages',
        subgraphs: true,
      });
      return readThen(piecesOf(stream as never), 2, () => abort.abort());
    },
    sees: 'It is ',
    transcript: ['user: Weather?', beginning('aborted', 'It is a', 'It is ')],
    because: 'the model’s text reaches the reader through both graphs',
  },
  {
    name: 'a graph’s response to the browser is cancelled',
    app: async ({ config }) => {
      const graph = graphOf({ say: saying(model(hangs)) }).compile();
      const stream = await graph.stream(ask('Why?'), {
        ...config,
        streamMode: 'messages',
        encoding: 'text/event-stream',
      } as never);
      const reader = new Response(stream as never).body?.getReader();
      await reader?.read();
      await reader?.read();
      await new Promise(resolve => setTimeout(resolve, 50));
      await reader?.cancel();
    },
    transcript: ['user: Why?', beginning('abandoned', 'It is a')],
    because: 'the client has closed the connection',
    // On core 0.3 a graph whose reader leaves runs on: only its silence tells.
    options: { idleMs: 200 },
  },
  {
    name: 'a graph streams events of version 3',
    on: '1.x',
    app: async ({ config }) => {
      const graph = graphOf({ say: saying(model('Glad to help.')) }).compile();
      const run = await (
        graph as never as { streamEvents(i: unknown, c: unknown): Promise<AsyncIterable<unknown>> }
      ).streamEvents(ask('Why?'), { ...config, version: 'v3' });
      return (await drain(run)).length > 0;
    },
    sees: true,
    transcript: ['user: Why?', 'assistant: Glad to help.'],
    because: 'events of a graph are one of the ways to read it',
  },
];

const waiting: Case[] = [
  {
    name: 'a workflow asks in a task and goes on with the words',
    app: async ({ config }) => {
      const askName = task('askName', async () => interrupt('Your name?') as string);
      const greet = task(
        'greet',
        async (name: string) => (await model(`Welcome.`).invoke([human(`My name is ${name}`)])).text,
      );
      const flow = entrypoint({ name: 'flow', checkpointer: new MemorySaver() }, async (_: string) =>
        greet(await askName()),
      );
      await flow.invoke('Sign me up', { ...config, ...thread });
      return flow.invoke(new Command({ resume: 'Ada Lovelace' }) as never, { ...config, ...thread });
    },
    sees: 'Welcome.',
    transcript: ['user: Sign me up', { maybe: 'assistant: Your name?' }, 'user: Ada Lovelace', 'assistant: Welcome.'],
    because: 'the words of a resume are in the model’s prompt',
  },
  {
    name: 'three questions of a form are answered by three resumes',
    app: async ({ config }) => {
      const asks = (what: string) => () => ({
        messages: [new AIMessage(`Your ${what}?`), new HumanMessage(String(interrupt(`Your ${what}?`)))],
      });
      const graph = graphOf({
        a: asks('name'),
        b: asks('town'),
        c: asks('age'),
        say: saying(model('Thanks.')),
      }).compile({ checkpointer: new MemorySaver() });
      await graph.invoke(ask('Sign me up'), { ...config, ...thread });
      for (const resume of ['Ada', 'London', 36])
        await graph.invoke(new Command({ resume }) as never, { ...config, ...thread });
    },
    transcript: [
      'user: Sign me up',
      { maybe: 'assistant: Your name?' },
      'user: Ada',
      { maybe: 'assistant: Your town?' },
      'user: London',
      { maybe: 'assistant: Your age?' },
      'user: 36',
      'assistant: Thanks.',
    ],
    because: 'a number that becomes a message of a human is what the user said',
  },
  {
    name: 'an agent stops at a breakpoint before its tools, and goes on',
    app: async ({ config }) => {
      const agent = createReactAgent({
        llm: model(calling('weather', 'Let me look.'), 'It is sunny.'),
        tools: [weather],
        checkpointSaver: new MemorySaver(),
        interruptBefore: ['tools'],
      });
      await agent.invoke(ask('Weather?'), { ...config, ...thread });
      return (await agent.invoke(null, { ...config, ...thread })).messages.length;
    },
    sees: 4,
    transcript: ['user: Weather?', 'assistant: It is sunny.'],
    because: 'what it said before the tool is talk on the way',
    metadata: [undefined, { steps: 2, tool_calls: ['weather'] }],
  },
  {
    name: 'a graph stops behind its planner, streamed in messages, and is given up',
    app: async ({ config }) => {
      const graph = graphOf({
        plan: async () => {
          await model('First this, then that.').invoke('Plan');
          return {};
        },
        say: saying(model('Done.')),
      }).compile({ checkpointer: new MemorySaver(), interruptAfter: ['plan'] as never });
      return (
        (await drain(await graph.stream(ask('Do it'), { ...config, ...thread, streamMode: 'messages' }))).length > 0
      );
    },
    sees: true,
    transcript: ['user: Do it'],
    because: 'a plan is no answer, and the graph waits',
  },
  {
    name: 'a graph ends by a command while an edge would lead on from another node',
    app: async ({ config }) => {
      const graph = new StateGraph(MessagesAnnotation)
        .addNode(
          'say',
          async ({ messages }) =>
            new Command({ goto: END, update: { messages: [await model('Short.').invoke(messages)] } }),
          { ends: ['more', END] },
        )
        .addNode('more', saying(model('Long.')))
        .addEdge(START, 'say')
        .addEdge('more', 'say')
        .compile();
      return (await graph.invoke(ask('Why?'), config)).messages.length;
    },
    sees: 2,
    transcript: ['user: Why?', 'assistant: Short.'],
    because: 'the graph has ended',
  },
  {
    name: 'a node streams its text without keeping it, and a branch with nothing to do ends the graph',
    app: async ({ config }) => {
      const graph = new StateGraph(MessagesAnnotation)
        .addNode('say', async ({ messages }) => {
          await model('Only streamed.').invoke(messages);
          return {};
        })
        .addNode('more', () => ({}))
        .addEdge(START, 'say')
        .addConditionalEdges('say', () => [], ['more'])
        .addEdge('more', END)
        .compile();
      return (await drain(await graph.stream(ask('Why?'), { ...config, streamMode: 'messages' }))).length > 0;
    },
    sees: true,
    transcript: ['user: Why?', 'assistant: Only streamed.'],
    because: 'the text of the only model is what the reader got',
  },
  {
    name: 'a node gives a chunk of a message, as a stream that was summed up',
    app: async ({ config }) => {
      const graph = graphOf({
        say: async ({ messages }) => {
          let sum: AIMessageChunk | undefined;
          for await (const piece of await model('Summed up.').stream(messages)) sum = sum ? sum.concat(piece) : piece;
          return { messages: [sum] };
        },
      }).compile();
      return (await drain(await graph.stream(ask('Why?'), { ...config, streamMode: ['values', 'custom'] }))).length > 0;
    },
    sees: true,
    transcript: ['user: Why?', 'assistant: Summed up.'],
    because: 'a chunk in the state is a message',
  },
  {
    name: 'a chat loop in a lambda keeps its own list and answers by a generator',
    app: async ({ config }) => {
      const chat = RunnableLambda.from(async function* (question: string) {
        yield 'Well, ';
        for await (const piece of await model('it is good.').stream(question)) yield piece.text;
      } as never);
      return (await drain(await chat.stream('Why?', config))).join('');
    },
    sees: 'Well, it is good.',
    transcript: [/^user: Why\?$/, 'assistant: Well, it is good.'],
    because: 'what the generator gave out is the answer',
  },
];

runCases('guards and limits', guarded);
runCases('agents of agents', supervised);
runCases('waiting in tools, tasks and graphs', waiting);
