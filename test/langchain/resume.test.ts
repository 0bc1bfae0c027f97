import { AIMessage, type BaseMessage, type HumanMessage } from '@langchain/core/messages';
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
  messagesStateReducer,
  START,
  StateGraph,
  task,
} from '@langchain/langgraph';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { SynapCallbackHandler } from '../../src/langchain/index.js';
import {
  agent,
  ask,
  asking,
  type Case,
  calling,
  chat,
  checkpointed,
  graphOf,
  human,
  idOf,
  inThread,
  invoking,
  model,
  saying,
  thread,
  waiting,
} from './resumed-graphs.js';
import { handlerOn } from './support.js';

// What a user replies to an interrupt, in each form.

const replies: Case[] = [
  [
    'a text, again and again',
    invoking(
      waiting(reply => reply),
      ask('Q1'),
      new Command({ resume: 'Q2' }),
      new Command({ resume: 'Q3' }),
    ),
    ['user: Q1', 'assistant: A1', 'user: Q2', 'assistant: A2', 'user: Q3', 'assistant: A3'],
  ],
  [
    'the same text twice',
    invoking(
      waiting(reply => reply),
      ask('Go on'),
      new Command({ resume: 'Go on' }),
      new Command({ resume: 'Go on' }),
    ),
    ['user: Go on', 'assistant: A1', 'user: Go on', 'assistant: A2', 'user: Go on', 'assistant: A3'],
  ],
  [
    'a text in an object',
    invoking(
      waiting((reply: { text: string }) => reply.text),
      ask('Q1'),
      new Command({ resume: { type: 'response', text: 'Q2' } }),
    ),
    ['user: Q1', 'assistant: A1', 'user: Q2', 'assistant: A2'],
  ],
  [
    'a list with one reply, as an inbox gives it',
    invoking(
      waiting(([reply]: [{ args: string }]) => reply.args),
      ask('Q1'),
      new Command({ resume: [{ type: 'response', args: 'Q2' }] }),
    ),
    ['user: Q1', 'assistant: A1', 'user: Q2', 'assistant: A2'],
  ],
  [
    'a message',
    invoking(
      waiting((reply: HumanMessage) => String(reply.content)),
      ask('Q1'),
      new Command({ resume: human('Q2') }),
    ),
    ['user: Q1', 'assistant: A1', 'user: Q2', 'assistant: A2'],
  ],
  [
    'a text that the app puts into a sentence of its own',
    invoking(
      waiting(reply => `Feedback of the user: ${reply}`),
      ask('Q1'),
      new Command({ resume: 'Make it shorter' }),
    ),
    ['user: Q1', 'assistant: A1', 'user: Make it shorter', 'assistant: A2'],
  ],
  [
    'the answer to a question of a tool',
    invoking(
      () => agent(model(calling('ask_human', { question: 'Which city?' }), 'Sunny.'), asking),
      ask('Weather?'),
      new Command({ resume: 'Paris' }),
    ),
    ['user: Weather?', 'assistant: Which city?', 'user: Paris', 'assistant: Sunny.'],
  ],
  [
    'the answers to two questions of a tool, both yes',
    invoking(
      () =>
        agent(
          model(
            calling('ask_human', { question: 'Really?' }),
            calling('ask_human', { question: 'Quite sure?' }, 'call-2'),
            'Done.',
          ),
          asking,
        ),
      ask('Delete it'),
      new Command({ resume: 'yes' }),
      new Command({ resume: 'yes' }),
    ),
    ['user: Delete it', 'assistant: Really?', 'user: yes', 'assistant: Quite sure?', 'user: yes', 'assistant: Done.'],
  ],
  [
    'the answer to a question of a tool that a node stands for',
    async on => {
      const from = model(calling('askHuman', { input: 'Where are you?' }), 'Sunny.');
      const graph = new StateGraph(MessagesAnnotation)
        .addNode('say', saying(from))
        .addNode('askHuman', () => {
          const content = interrupt('Please say where you are:');
          return { messages: [{ type: 'tool', role: 'tool', tool_call_id: 'call-1', content }] } as never;
        })
        .addEdge(START, 'say')
        .addConditionalEdges('say', ({ messages }) => (messages.at(-1)?.text === 'Sunny.' ? END : 'askHuman'))
        .addEdge('askHuman', 'say')
        .compile({ checkpointer: new MemorySaver() });
      await graph.invoke(ask('Weather?'), inThread(on));
      await graph.invoke(new Command({ resume: 'In Paris' }), inThread(on));
    },
    ['user: Weather?', 'assistant: Please say where you are:', 'user: In Paris', 'assistant: Sunny.'],
  ],
  [
    'a text that the tool tells on in a sentence of its own',
    invoking(
      () => {
        const tell = tool(async ({ question }: { question: string }) => `The user says: ${interrupt({ question })}`, {
          name: 'ask_human',
          description: 'asks',
          schema: z.object({ question: z.string() }),
        });
        return agent(model(calling('ask_human', { question: 'Which city?' }), 'Sunny.'), tell);
      },
      ask('Weather?'),
      new Command({ resume: 'Paris' }),
    ),
    ['user: Weather?', 'assistant: Which city?', 'user: Paris', 'assistant: Sunny.'],
  ],
  [
    'texts for two interrupts at once, by their ids',
    async on => {
      const asks = (question: string) => () => ({ messages: [human(interrupt(question) as string)] });
      const graph = new StateGraph(MessagesAnnotation)
        .addNode('name', asks('Your name?'))
        .addNode('city', asks('Your city?'))
        .addNode('say', saying(model('Hello')))
        .addEdge(START, 'name')
        .addEdge(START, 'city')
        .addEdge(['name', 'city'], 'say')
        .addEdge('say', END)
        .compile({ checkpointer: new MemorySaver() });
      await graph.invoke(ask('Hi'), inThread(on));
      const { tasks } = await graph.getState(thread);
      const ids = tasks.flatMap(({ interrupts }) => interrupts.map(interrupt => idOf(interrupt)));
      await graph.invoke(new Command({ resume: { [ids[0] ?? '']: 'Ada', [ids[1] ?? '']: 'London' } }), inThread(on));
    },
    // In the order of the state.
    ['user: Hi', 'user: London', 'user: Ada', 'assistant: Hello'],
  ],
  [
    'a text that the app writes in capitals',
    invoking(
      waiting((reply: string) => reply.toUpperCase()),
      ask('Q1'),
      new Command({ resume: 'go on' }),
    ),
    ['user: Q1', 'assistant: A1', 'user: go on', 'assistant: A2'],
  ],
  [
    'a text in a state under another name',
    async on => {
      const Chat = Annotation.Root({ chat: Annotation<BaseMessage[]>({ reducer: messagesStateReducer }) });
      const from = model('A1', 'A2');
      const graph = new StateGraph(Chat)
        .addNode('say', async ({ chat }) => ({ chat: [await from.invoke(chat)] }))
        .addNode('wait', () => ({ chat: [human(interrupt('?') as string)] }))
        .addEdge(START, 'say')
        .addEdge('say', 'wait')
        .addEdge('wait', 'say')
        .compile({ checkpointer: new MemorySaver() });
      const handler = new SynapCallbackHandler(on.recorder, { inputKey: 'chat', outputKey: 'chat', logger: false });
      for (const input of [{ chat: [human('Q1')] }, new Command({ resume: 'Q2' })])
        await graph.invoke(input as never, { ...thread, callbacks: [handler] });
    },
    ['user: Q1', 'assistant: A1', 'user: Q2', 'assistant: A2'],
  ],
  [
    'a text, and the model fails at it, and is asked again',
    async on => {
      const graph = chat(
        () => ({ messages: [human(interrupt('?') as string)] }),
        model('A1', { error: new Error('down') }, 'A2'),
      );
      await graph.invoke(ask('Q1'), inThread(on));
      await expect(graph.invoke(new Command({ resume: 'Q2' }), inThread(on))).rejects.toThrow('down');
      await graph.invoke(null, inThread(on));
    },
    ['user: Q1', 'assistant: A1', 'user: Q2', 'assistant: A2'],
  ],
  [
    'a text, and a model in the same node fails at it, and is asked again',
    async on => {
      const from = model({ error: new Error('down') }, 'A2');
      const graph = checkpointed({
        say: saying(model('A1')),
        wait: async ({ messages }) => {
          const reply = human(interrupt('?') as string);
          return { messages: [reply, await from.invoke([...messages, reply])] };
        },
      });
      await graph.invoke(ask('Q1'), inThread(on));
      await expect(graph.invoke(new Command({ resume: 'Q2' }), inThread(on))).rejects.toThrow('down');
      await graph.invoke(new Command({ resume: 'Q2' }), inThread(on));
    },
    ['user: Q1', 'assistant: A1', 'user: Q2', 'assistant: A2'],
  ],
  [
    'a draft that the user has edited is the answer, and nobody’s words',
    invoking(
      () =>
        checkpointed({
          draft: async () => ({ notes: await model('Notes').invoke('Write') }),
          review: () => ({ messages: [new AIMessage(interrupt('Edit it') as string)] }),
        }),
      ask('Write'),
      new Command({ resume: 'My own words' }),
    ),
    ['user: Write', 'assistant: My own words'],
  ],
  [
    'feedback that a model is told of in a state without messages',
    async on => {
      const Draft = Annotation.Root({ topic: Annotation<string>, draft: Annotation<string> });
      const from = model('First draft', 'Second draft');
      const graph = new StateGraph(Draft)
        .addNode('write', async ({ topic }) => ({ draft: (await from.invoke(topic)).text }))
        .addNode('review', async ({ draft }) => {
          const feedback = interrupt(draft) as string;
          return { draft: (await from.invoke([human(draft), human(`Change it: ${feedback}`)])).text };
        })
        .addEdge(START, 'write')
        .addEdge('write', 'review')
        .addEdge('review', END)
        .compile({ checkpointer: new MemorySaver() });
      await graph.invoke({ topic: 'Cats' }, inThread(on));
      await graph.invoke(new Command({ resume: 'less about dogs' }), inThread(on));
    },
    ['user: Cats', 'user: less about dogs', 'assistant: Second draft'],
  ],
  [
    'a text to an entrypoint',
    async on => {
      const from = model('Draft', 'Final');
      const write = task('write', async (topic: string) => (await from.invoke(topic)).text);
      const flow = entrypoint({ name: 'flow', checkpointer: new MemorySaver() }, async (topic: string) => {
        await write(topic);
        return (await from.invoke([human(interrupt('And?') as string)])) as never;
      });
      await flow.invoke('Cats', inThread(on));
      await flow.invoke(new Command({ resume: 'Longer' }), inThread(on));
    },
    ['user: Cats', 'user: Longer', 'assistant: Final'],
  ],
  [
    'a text to a graph inside a node of another one',
    async on => {
      const inner = graphOf({
        wait: () => ({ messages: [human(interrupt('And?') as string)] }),
        say: saying(model('A2')),
      }).compile();
      const graph = checkpointed({ say: saying(model('A1')), inner: inner as never });
      await graph.invoke(ask('Q1'), inThread(on));
      await graph.invoke(new Command({ resume: 'Q2' }), inThread(on));
    },
    ['user: Q1', 'assistant: A1', 'user: Q2', 'assistant: A2'],
  ],
  [
    'a text to a graph that is a step of a sequence',
    async on => {
      const graph = waiting(reply => reply)();
      const sequence = RunnableLambda.from((input: never) => input).pipe(graph as never);
      await sequence.invoke(ask('Q1') as never, inThread(on));
      await sequence.invoke(new Command({ resume: 'Q2' }) as never, inThread(on));
    },
    ['user: Q1', 'assistant: A1', 'user: Q2', 'assistant: A2'],
  ],
  [
    'a text to an interrupt of an agent that a tool calls',
    async on => {
      const worker = graphOf({
        ask: () => ({ messages: [human(interrupt('Which one?') as string)] }),
        work: saying(model('Worked')),
      }).compile();
      const work = tool(async () => String((await worker.invoke(ask('The task'))).messages.at(-1)?.content), {
        name: 'work',
        description: 'works',
        schema: z.object({}),
      });
      const graph = agent(model(calling('work'), 'Done.'), work);
      await graph.invoke(ask('Do it'), inThread(on));
      await graph.invoke(new Command({ resume: 'the red one' }), inThread(on));
    },
    ['user: Do it', 'assistant: Which one?', 'user: the red one', 'assistant: Done.'],
  ],
  [
    'the same text twice, where messages have no ids',
    async on => {
      const Chat = Annotation.Root({
        messages: Annotation<object[]>({ reducer: (before, added) => [...before, ...added], default: () => [] }),
      });
      const graph = new StateGraph(Chat)
        .addNode('say', () => ({ messages: [{ role: 'assistant', content: 'OK' }] }))
        .addNode('wait', () => ({ messages: [{ role: 'user', content: interrupt('?') }] }))
        .addEdge(START, 'say')
        .addEdge('say', 'wait')
        .addEdge('wait', 'say')
        .compile({ checkpointer: new MemorySaver() });
      await graph.invoke({ messages: [{ role: 'user', content: 'Go on' }] }, inThread(on));
      for (const resume of ['Go on', 'Go on']) await graph.invoke(new Command({ resume }), inThread(on));
    },
    Array.from({ length: 3 }, () => ['user: Go on', 'assistant: OK']).flat(),
  ],
];

describe('a resume with', () => {
  it.each(replies)('%s', async (_, run, transcript) => {
    await using on = await handlerOn();
    await run(on);
    expect(await on.transcript()).toEqual(transcript);
    expect(on.handler.openRuns).toBe(0);
  });
});
