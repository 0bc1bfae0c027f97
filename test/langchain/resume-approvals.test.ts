import { tool } from '@langchain/core/tools';
import { Annotation, Command, END, interrupt, MemorySaver, START, StateGraph } from '@langchain/langgraph';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import {
  agent,
  approving,
  ask,
  asking,
  type Case,
  calling,
  checkpointed,
  inThread,
  invoking,
  model,
  saying,
} from './resumed-graphs.js';
import { handlerOn, isOldCore, lineOf, type On, ScriptedModel } from './support.js';

// Approvals say nothing; the answer that follows one was made by both halves of its run.

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

describe('without words', () => {
  it.each(approvals)('%s', async (_, run, transcript) => {
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
    await graph.invoke(ask('Weather?'), inThread(on));
    await graph.invoke(null, inThread(other));
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
    await graph.invoke({ topic: 'Cats' }, inThread(on));
    await graph.invoke(new Command({ resume: true }), inThread(on));
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
    await graph.invoke(ask('Weather?'), inThread(on));
    await graph.invoke(new Command({ resume: 'Paris' }), inThread(on));
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
      await approved.invoke({ messages: [{ role: 'user', content: 'Weather?' }] }, inThread(on));
      await approved.invoke(new Command({ resume: { decisions: [decision] } }), inThread(on));
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
