import { Annotation, Command, END, MemorySaver, MessagesAnnotation, START, StateGraph } from '@langchain/langgraph';
import { describe, expect, it } from 'vitest';
import { SynapCallbackHandler } from '../../src/langchain/index.js';
import {
  approving,
  ask,
  type Case,
  chat,
  checkpointed,
  human,
  inThread,
  invoking,
  model,
  saying,
  thread,
} from './resumed-graphs.js';
import { gate, handlerOn } from './support.js';

// Words that are put into the state of a thread before it goes on.

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
      await graph.invoke(new Command({ update: ask('Q1'), goto: 'say' }), inThread(on));
      await graph.invoke(
        new Command({ update: [['messages', [{ role: 'user', content: 'Q2' }]]] as never, goto: 'say' }),
        inThread(on),
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
      await graph.invoke(ask('Q1'), inThread(on));
      for (const question of ['Q2', 'Q3']) {
        await graph.updateState(thread, ask(question));
        await graph.invoke(null, inThread(on));
      }
    },
    ['user: Q1', 'assistant: A1', 'user: Q2', 'assistant: A2', 'user: Q3', 'assistant: A3'],
  ],
  [
    'updateState that is given the handler, too',
    async on => {
      const graph = chat(() => ({}), undefined, { interruptBefore: ['wait'] });
      await graph.invoke(ask('Q1'), inThread(on));
      await graph.updateState(inThread(on), ask('Q2'));
      await graph.invoke(null, inThread(on));
      await graph.updateState(inThread(on), ask('Q3'), 'wait');
      await graph.invoke(null, inThread(on));
    },
    ['user: Q1', 'assistant: A1', 'user: Q2', 'assistant: A2', 'user: Q3', 'assistant: A3'],
  ],
  [
    'invoke(null) after a failure, which says nothing new',
    async on => {
      const graph = checkpointed({ say: saying(model({ error: new Error('down') }, 'A1')) });
      await graph.invoke(ask('Q1'), inThread(on)).catch(() => {});
      await graph.invoke(null, inThread(on));
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
      await graph.invoke(ask('Q1'), inThread(on));
      await graph.invoke(null, inThread(on));
    },
    ['user: Q1', 'assistant: A1'],
  ],
  [
    'a fork that edits the question, and a replay of the first one',
    async on => {
      const graph = checkpointed({ say: saying(model('A1', 'A2', 'A3')) });
      await graph.invoke(ask('Q1', 'm1'), inThread(on));
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
      await graph.invoke(ask('Q1'), inThread(on));
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
  [
    'nothing at all, to a thread that has ended',
    async on => {
      const graph = checkpointed({ say: saying(model('A1')) });
      await graph.invoke(ask('Q1'), inThread(on));
      const callbacks = [new SynapCallbackHandler(on.recorder, { logger: false })];
      for (const input of [null, new Command({ resume: 'Hello?' })])
        await graph.invoke(input as never, { ...thread, callbacks }).catch(() => {});
    },
    ['user: Q1', 'assistant: A1'],
  ],
  [
    'updateState after a node, and invoke(null)',
    async on => {
      const graph = checkpointed({ say: saying(model('A1')), more: saying(model('A2')) }, { interruptAfter: ['say'] });
      await graph.invoke(ask('Q1'), inThread(on));
      await graph.updateState(thread, ask('Q2'));
      await graph.invoke(null, inThread(on));
    },
    ['user: Q1', 'assistant: A1', 'user: Q2', 'assistant: A2'],
  ],
];

describe('words that come with', () => {
  it.each(updates)('%s', async (_, run, transcript) => {
    await using on = await handlerOn();
    await run(on);
    expect(await on.transcript()).toEqual(transcript);
  });
});

describe('an edited question', () => {
  it('has another key, and says that it was edited', async () => {
    await using on = await handlerOn();
    const graph = checkpointed({ say: saying(model('A1', 'A2')) });
    await graph.invoke(ask('Q1', 'm1'), inThread(on));
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

describe('words that only the first model of a graph is told', () => {
  it('are recorded when that starts, and once', async () => {
    await using on = await handlerOn();
    const Form = Annotation.Root({ subject: Annotation<string>, body: Annotation<string>, reply: Annotation<string> });
    const wait = gate();
    const from = model({ text: 'Noted', wait: wait.promise }, 'Done');
    const graph = new StateGraph(Form)
      .addNode('read', async ({ subject, body }) => ({
        body: (await from.invoke([human(`${subject}: ${body}`)])).text,
      }))
      .addNode('write', async ({ body }) => ({ reply: (await from.invoke([human(body)])).text }))
      .addEdge(START, 'read')
      .addEdge('read', 'write')
      .addEdge('write', END)
      .compile();
    const running = graph.invoke({ subject: 'Cats', body: 'Why?' }, { ...on.config, ...thread });
    await expect.poll(() => on.transcript()).toEqual(['user: Cats: Why?']);
    wait.resolve();
    await running;
    expect(await on.transcript()).toEqual(['user: Cats: Why?', 'assistant: Done']);
  });
});
