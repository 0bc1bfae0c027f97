import { AIMessage, type BaseMessage, HumanMessage } from '@langchain/core/messages';
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
import { ToolNode } from '@langchain/langgraph/prebuilt';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { SynapCallbackHandler } from '../../src/langchain/index.js';
import { handlerOn, isOldCore, lineOf, type On, type Reply, ScriptedModel } from './support.js';

// The words of a resumed run, however they enter: each case is a graph, what is done with it, and the transcript.

type State = typeof MessagesAnnotation.State;

const human = (content: string, id?: string, name?: string) =>
  new HumanMessage({ content, ...(id !== undefined && { id }), ...(name !== undefined && { name }) });
const ask = (content: string, id?: string) => ({ messages: [human(content, id)] });
const model = (...replies: (Reply | string)[]) => new ScriptedModel(replies);
const saying = (from: ScriptedModel) => async (state: { messages: BaseMessage[] }) => ({
  messages: [await from.invoke(state.messages)],
});

/** Nodes one after the other, under a checkpointer. */
function chain(nodes: Record<string, (state: State) => Promise<object> | object>) {
  const graph = new StateGraph(MessagesAnnotation) as StateGraph<typeof MessagesAnnotation.spec, never, never, string>;
  let last: string = START;
  for (const [name, node] of Object.entries(nodes)) {
    graph.addNode(name, node as never);
    graph.addEdge(last as never, name as never);
    last = name;
  }
  graph.addEdge(last as never, END);
  return graph;
}

const checkpointed = (nodes: Parameters<typeof chain>[0], options: object = {}) =>
  chain(nodes).compile({ checkpointer: new MemorySaver(), ...options });

/** A chat that goes round: it answers, and waits for what the user says next. */
function chat(wait: (state: State) => Promise<object> | object, from = model('A1', 'A2', 'A3'), options: object = {}) {
  const graph = new StateGraph(MessagesAnnotation) as StateGraph<typeof MessagesAnnotation.spec, never, never, string>;
  graph.addNode('say', saying(from) as never);
  graph.addNode('wait', wait as never);
  graph.addEdge(START, 'say' as never);
  graph.addEdge('say' as never, 'wait' as never);
  graph.addEdge('wait' as never, 'say' as never);
  return graph.compile({ checkpointer: new MemorySaver(), ...options });
}

/** An agent with one tool, by hand: the same on both lines of core. */
function agent(from: ScriptedModel, used: object, options: object = {}) {
  const graph = new StateGraph(MessagesAnnotation)
    .addNode('say', saying(from))
    .addNode('tools', new ToolNode([used as never]))
    .addEdge(START, 'say')
    .addConditionalEdges('say', ({ messages }) => ((messages.at(-1) as AIMessage).tool_calls?.length ? 'tools' : END), [
      'tools',
      END,
    ])
    .addEdge('tools', 'say');
  return graph.compile({ checkpointer: new MemorySaver(), ...options });
}

const calling = (name: string, args: object = {}, id = 'call-1'): Reply => ({
  toolCalls: [{ name, args: args as never, id }],
  usage: { input_tokens: 10, output_tokens: 1 },
});

const thread = { configurable: { thread_id: 't' } };
const on_ = ({ config }: On) => ({ ...config, ...thread });

/** Invokes a graph with one input after the other. */
const invoking =
  (make: () => { invoke(input: never, config: never): Promise<unknown> }, ...inputs: unknown[]) =>
  async (on: On) => {
    const graph = make();
    for (const input of inputs) await graph.invoke(input as never, on_(on) as never);
  };

const waiting = (read: (reply: never) => string) => () =>
  chat(() => ({ messages: [human(read(interrupt('And then?') as never))] }));

const asking = tool(async ({ question }: { question: string }) => interrupt(question), {
  name: 'ask_human',
  description: 'asks',
  schema: z.object({ question: z.string() }),
});

const approving = () => {
  interrupt('ok?');
  return {};
};

// langgraph 0.4 calls it so.
const idOf = (interrupt: object) =>
  String((interrupt as { id?: string }).id ?? (interrupt as { interrupt_id?: string }).interrupt_id);

type Case = [name: string, run: (on: On) => Promise<unknown>, transcript: string[]];

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
      await graph.invoke(ask('Weather?'), on_(on));
      await graph.invoke(new Command({ resume: 'In Paris' }), on_(on));
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
      await graph.invoke(ask('Hi'), on_(on));
      const { tasks } = await graph.getState(thread);
      const ids = tasks.flatMap(({ interrupts }) => interrupts.map(interrupt => idOf(interrupt)));
      await graph.invoke(new Command({ resume: { [ids[0] ?? '']: 'Ada', [ids[1] ?? '']: 'London' } }), on_(on));
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
      await graph.invoke(ask('Q1'), on_(on));
      await expect(graph.invoke(new Command({ resume: 'Q2' }), on_(on))).rejects.toThrow('down');
      await graph.invoke(null, on_(on));
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
      await graph.invoke(ask('Q1'), on_(on));
      await expect(graph.invoke(new Command({ resume: 'Q2' }), on_(on))).rejects.toThrow('down');
      await graph.invoke(new Command({ resume: 'Q2' }), on_(on));
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
      await graph.invoke({ topic: 'Cats' }, on_(on));
      await graph.invoke(new Command({ resume: 'less about dogs' }), on_(on));
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
      await flow.invoke('Cats', on_(on));
      await flow.invoke(new Command({ resume: 'Longer' }), on_(on));
    },
    ['user: Cats', 'user: Longer', 'assistant: Final'],
  ],
  [
    'a text to a graph inside a node of another one',
    async on => {
      const inner = chain({
        wait: () => ({ messages: [human(interrupt('And?') as string)] }),
        say: saying(model('A2')),
      }).compile();
      const graph = checkpointed({ say: saying(model('A1')), inner: inner as never });
      await graph.invoke(ask('Q1'), on_(on));
      await graph.invoke(new Command({ resume: 'Q2' }), on_(on));
    },
    ['user: Q1', 'assistant: A1', 'user: Q2', 'assistant: A2'],
  ],
  [
    'a text to a graph that is a step of a sequence',
    async on => {
      const graph = waiting(reply => reply)();
      const sequence = RunnableLambda.from((input: never) => input).pipe(graph as never);
      await sequence.invoke(ask('Q1') as never, on_(on));
      await sequence.invoke(new Command({ resume: 'Q2' }) as never, on_(on));
    },
    ['user: Q1', 'assistant: A1', 'user: Q2', 'assistant: A2'],
  ],
];

const approvals: Case[] = [
  true,
  'approve',
  'yes',
  { type: 'accept' },
  { decisions: [{ type: 'approve' }] },
  [{ type: 'accept', args: null }],
].map(resume => [
  `an approval, ${JSON.stringify(resume)}, is no message`,
  invoking(
    () =>
      checkpointed({
        draft: saying(model('Draft')),
        approve: () => {
          interrupt('Is it good?');
          return {};
        },
        publish: () => ({}),
      }),
    ask('Write'),
    new Command({ resume }),
  ),
  ['user: Write', 'assistant: Draft'],
]);

approvals.push([
  'an approval of a tool’s call is no message, whatever the tool says then',
  invoking(
    () => {
      const book = tool(
        async () => (interrupt({ action_request: { action: 'book' } }) === 'yes' ? 'yes, booked' : 'no'),
        {
          name: 'book',
          description: 'books',
          schema: z.object({}),
        },
      );
      return agent(model(calling('book'), 'Booked.'), book);
    },
    ask('Book it'),
    new Command({ resume: 'yes' }),
  ),
  ['user: Book it', 'assistant: Booked.'],
]);

const updates: Case[] = [
  [
    'a Command with an update, as the first input',
    async on => {
      const graph = new StateGraph(MessagesAnnotation)
        .addNode('start', () => ({}), { ends: ['say'] })
        .addNode('say', saying(model('A1', 'A2')))
        .addEdge(START, 'start')
        .addEdge('say', END)
        .compile({ checkpointer: new MemorySaver() });
      await graph.invoke(new Command({ update: ask('Q1'), goto: 'say' }), on_(on));
      await graph.invoke(
        new Command({ update: [['messages', [{ role: 'user', content: 'Q2' }]]] as never, goto: 'say' }),
        on_(on),
      );
    },
    ['user: Q1', 'assistant: A1', 'user: Q2', 'assistant: A2'],
  ],
  [
    'a Command with an approval and an update',
    invoking(() => chat(approving), ask('Q1'), new Command({ resume: true, update: ask('Q2') })),
    ['user: Q1', 'assistant: A1', 'user: Q2', 'assistant: A2'],
  ],
  [
    'a Command with the words both as the resume and as an update',
    invoking(() => chat(approving), ask('Q1'), new Command({ resume: 'Q2', update: ask('Q2') })),
    ['user: Q1', 'assistant: A1', 'user: Q2', 'assistant: A2'],
  ],
  [
    'updateState at a breakpoint, and invoke(null)',
    async on => {
      const graph = chat(() => ({}), undefined, { interruptBefore: ['wait'] });
      await graph.invoke(ask('Q1'), on_(on));
      for (const question of ['Q2', 'Q3']) {
        await graph.updateState(thread, ask(question));
        await graph.invoke(null, on_(on));
      }
    },
    ['user: Q1', 'assistant: A1', 'user: Q2', 'assistant: A2', 'user: Q3', 'assistant: A3'],
  ],
  [
    'updateState that is given the handler, too',
    async on => {
      const graph = chat(() => ({}), undefined, { interruptBefore: ['wait'] });
      await graph.invoke(ask('Q1'), on_(on));
      await graph.updateState(on_(on), ask('Q2'));
      await graph.invoke(null, on_(on));
      await graph.updateState(on_(on), ask('Q3'), 'wait');
      await graph.invoke(null, on_(on));
    },
    ['user: Q1', 'assistant: A1', 'user: Q2', 'assistant: A2', 'user: Q3', 'assistant: A3'],
  ],
  [
    'invoke(null) after a failure, which says nothing new',
    async on => {
      const graph = checkpointed({ say: saying(model({ error: new Error('down') }, 'A1')) });
      await graph.invoke(ask('Q1'), on_(on)).catch(() => {});
      await graph.invoke(null, on_(on));
    },
    ['user: Q1', 'assistant: A1'],
  ],
  [
    'invoke(null) at a state that ends with what an agent reports as a human',
    async on => {
      const graph = checkpointed(
        { research: () => ({ messages: [human('Found it', undefined, 'research')] }), say: saying(model('A1')) },
        { interruptBefore: ['say'] },
      );
      await graph.invoke(ask('Q1'), on_(on));
      await graph.invoke(null, on_(on));
    },
    ['user: Q1', 'assistant: A1'],
  ],
  [
    'a fork that edits the question, and a replay of the first one',
    async on => {
      const graph = checkpointed({ say: saying(model('A1', 'A2', 'A3')) });
      await graph.invoke(ask('Q1', 'm1'), on_(on));
      const states = [];
      for await (const state of graph.getStateHistory(thread)) states.push(state);
      const before = states.find(({ next }) => next.includes('say'));
      const fork = await graph.updateState(before?.config ?? {}, ask('Q1, edited', 'm1'));
      await graph.invoke(null, { ...on.config, ...fork });
      await graph.invoke(null, { ...on.config, ...before?.config });
    },
    ['user: Q1', 'assistant: A1', 'user: Q1, edited', 'assistant: A2', 'assistant: A3'],
  ],
  [
    'a replay from a late checkpoint, after which nothing is said',
    async on => {
      const graph = checkpointed({ say: saying(model('A1')), tidy: () => ({}), more: () => ({}) });
      await graph.invoke(ask('Q1'), on_(on));
      const states = [];
      for await (const state of graph.getStateHistory(thread)) states.push(state);
      for (const node of ['tidy', 'more'])
        await graph.invoke(null, { ...on.config, ...states.find(({ next }) => next.includes(node))?.config });
    },
    ['user: Q1', 'assistant: A1'],
  ],
  [
    'a provider that gives every answer the same id',
    invoking(
      () => checkpointed({ say: saying(model({ text: 'A1', id: 'chatcmpl-1' }, { text: 'A1', id: 'chatcmpl-1' })) }),
      ask('Q1'),
      ask('Q2'),
    ),
    ['user: Q1', 'assistant: A1', 'user: Q2', 'assistant: A1'],
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

describe('without words', () => {
  it.each(approvals)('%s', async (_, run, transcript) => {
    await using on = await handlerOn();
    await run(on);
    expect(await on.transcript()).toEqual(transcript);
  });
});

describe('words that come with', () => {
  it.each(updates)('%s', async (_, run, transcript) => {
    await using on = await handlerOn();
    await run(on);
    expect(await on.transcript()).toEqual(transcript);
  });
});

const weather = tool(async () => 'sunny', { name: 'weather', description: 'w', schema: z.object({}) });
const spent = (input: number, output: number) => ({ usage: { input_tokens: input, output_tokens: output } });

/** An agent that waits for an approval before its tools are called. */
const stopping = (from: ScriptedModel) => agent(from, weather, { interruptBefore: ['tools'] });

describe('the answer after an interrupt', () => {
  it.each([
    ['one handler', (on: On) => on],
    ['a handler and a recorder per request', (on: On) => handlerOn({}, { baseUrl: on.synap.url })],
  ])('says what both halves took, with %s', async (_, next) => {
    await using on = await handlerOn();
    await using other = await next(on);
    const replies = [
      { ...calling('weather'), ...spent(10, 2) },
      { text: 'Sunny.', ...spent(20, 3) },
    ];
    const graph = stopping(new ScriptedModel(replies));
    await graph.invoke(ask('Weather?'), on_(on));
    await graph.invoke(null, on_(other));
    await on.recorder.flush();
    await other.recorder.flush();
    expect(on.synap.stored.map(lineOf)).toEqual(['user: Weather?', 'assistant: Sunny.']);
    expect(on.synap.stored[1]?.metadata).toMatchObject({
      ...{ steps: 2, input_tokens: 30, output_tokens: 5, total_tokens: 35, tool_calls: ['weather'] },
    });
  });

  it('says so of a model that is no part of the state, too', async () => {
    await using on = await handlerOn();
    const Draft = Annotation.Root({ topic: Annotation<string>, notes: Annotation<string>, answer: Annotation<string> });
    const from = new ScriptedModel([
      { text: 'Notes', ...spent(10, 2) },
      { text: 'Answer', ...spent(20, 3) },
    ]);
    const graph = new StateGraph(Draft)
      .addNode('think', async ({ topic }) => ({ notes: (await from.invoke(topic)).text }))
      .addNode('approve', approving)
      .addNode('write', async ({ notes }) => ({ answer: (await from.invoke(notes)).text }))
      .addEdge(START, 'think')
      .addEdge('think', 'approve')
      .addEdge('approve', 'write')
      .addEdge('write', END)
      .compile({ checkpointer: new MemorySaver() });
    await graph.invoke({ topic: 'Cats' }, on_(on));
    await graph.invoke(new Command({ resume: true }), on_(on));
    expect((await on.transcript()).at(-1)).toBe('assistant: Answer');
    expect(on.synap.stored.at(-1)?.metadata).toMatchObject({ steps: 2, input_tokens: 30, output_tokens: 5 });
  });

  it('says nothing of what took an answer before it', async () => {
    await using on = await handlerOn();
    const graph = agent(
      new ScriptedModel([
        { ...calling('ask_human', { question: 'Which city?' }), ...spent(10, 2) },
        { text: 'Sunny.', ...spent(20, 3) },
      ]),
      asking,
    );
    await graph.invoke(ask('Weather?'), on_(on));
    await graph.invoke(new Command({ resume: 'Paris' }), on_(on));
    await on.recorder.flush();
    expect(on.synap.stored.map(({ metadata }) => metadata?.input_tokens)).toEqual([undefined, 10, undefined, 20]);
    expect(on.synap.stored[1]?.metadata).toMatchObject({
      model: 'scripted-1',
      status: 'complete',
      tool_calls: ['ask_human'],
    });
    expect(on.synap.stored[3]?.metadata).toMatchObject({ steps: 1, status: 'complete' });
  });
});

describe('an edited question', () => {
  it('has another key, and says that it was edited', async () => {
    await using on = await handlerOn();
    const graph = checkpointed({ say: saying(model('A1', 'A2')) });
    await graph.invoke(ask('Q1', 'm1'), on_(on));
    const states = [];
    for await (const state of graph.getStateHistory(thread)) states.push(state);
    const fork = await graph.updateState(
      states.find(({ next }) => next.includes('say'))?.config ?? {},
      ask('Q2', 'm1'),
    );
    await graph.invoke(null, { ...on.config, ...fork });
    await on.recorder.flush();
    const [first, , edited] = on.synap.stored.map(({ metadata }) => metadata);
    expect(first).not.toHaveProperty('edited');
    expect(edited).toMatchObject({ edited: true });
    expect(edited?.message_key).not.toBe(first?.message_key);
  });
});

describe.skipIf(isOldCore)('an agent with approvals by middleware', () => {
  const deciding = async (decision: object) => {
    const { createAgent, humanInTheLoopMiddleware } = await import('langchain');
    return async (on: On) => {
      const approved = createAgent({
        model: model(calling('weather'), 'Done.'),
        tools: [weather],
        middleware: [humanInTheLoopMiddleware({ interruptOn: { weather: true } })],
        checkpointer: new MemorySaver(),
      });
      await approved.invoke({ messages: [{ role: 'user', content: 'Weather?' }] }, on_(on));
      await approved.invoke(new Command({ resume: { decisions: [decision] } }), on_(on));
    };
  };

  it.each([
    ['approve', { type: 'approve' }, []],
    ['edit', { type: 'edit', editedAction: { name: 'weather', args: { city: 'sunny' } } }, []],
    ['reject', { type: 'reject' }, []],
    ['reject with a reason', { type: 'reject', message: 'Use another source' }, ['user: Use another source']],
  ])('%s: only what the user says is a message', async (_, decision, words) => {
    await using on = await handlerOn();
    await (await deciding(decision))(on);
    expect(await on.transcript()).toEqual(['user: Weather?', ...words, 'assistant: Done.']);
  });
});
