// Agents that are made of agents, while somebody reads and stops them; and handlers that are given twice.

import { HumanMessage } from '@langchain/core/messages';
import { tool } from '@langchain/core/tools';
import { MemorySaver } from '@langchain/langgraph';
import { createSupervisor } from '@langchain/langgraph-supervisor';
import { createHandoffTool, createSwarm } from '@langchain/langgraph-swarm';
import { createDeepAgent } from 'deepagents';
import { createAgent, createMiddleware } from 'langchain';
import { describe, expect, it, vi } from 'vitest';
import * as z from 'zod';
import { SynapCallbackHandler } from '../../../src/langchain/index.js';
import type { Reply } from '../../langchain/support.js';
import { calling, model, recordingOn, WAYS } from './support.js';

const said = (content: string) => ({ messages: [new HumanMessage(content)] });
const weather = tool(async () => 'sunny', { name: 'weather', description: 'The weather', schema: z.object({}) });
const hangs = (text: string): Reply => ({ text, wait: new Promise(() => {}) });

const forecaster = (...replies: (Reply | string)[]) =>
  createAgent({ name: 'forecaster', model: model(...replies), tools: [weather] }).graph as never;

const supervisor =
  (...replies: (Reply | string)[]) =>
  (worker: readonly (Reply | string)[]) =>
    createSupervisor({ agents: [forecaster(...worker)], llm: model(...replies) }).compile();

const swarm = (...replies: (Reply | string)[]) =>
  createSwarm({
    agents: [
      createAgent({
        name: 'alice',
        model: model({ text: 'I ask Bob.', ...calling('transfer_to_bob') }),
        tools: [createHandoffTool({ agentName: 'bob', description: 'Bob knows the weather' })],
      }).graph as never,
      createAgent({ name: 'bob', model: model(...replies), tools: [weather] }).graph as never,
    ],
    defaultActiveAgent: 'alice',
  }).compile({ checkpointer: new MemorySaver() });

const deepAgent = (replies: readonly (Reply | string)[], inner: readonly (Reply | string)[]) =>
  createDeepAgent({
    model: model(
      { text: 'I ask.', ...calling('task', { description: 'Find out', subagent_type: 'forecaster' }) },
      ...replies,
    ),
    subagents: [
      {
        name: 'forecaster',
        description: 'Knows the weather',
        systemPrompt: 'You know the weather.',
        model: model(...inner),
        tools: [weather],
      },
    ],
  });

interface Streamed {
  stream(input: object, config: object): Promise<AsyncIterable<unknown>>;
}

/** Reads an agent's messages until a text has come, and stops it. `subgraphs`: those of the agents inside, too. */
async function stopAt(text: string, agent: unknown, config: object) {
  const abort = new AbortController();
  let all = '';
  try {
    const stream = await (agent as Streamed).stream(said('Weather?'), {
      ...config,
      signal: abort.signal,
      streamMode: 'messages',
      subgraphs: true,
      configurable: { thread_id: 't1' },
    });
    for await (const piece of stream as AsyncIterable<[unknown, [{ text: string }, unknown]]>) {
      all += piece[1][0].text;
      if (all.endsWith(text)) abort.abort();
    }
  } catch {}
  return all;
}

const STOPPED: Record<string, { agent: () => unknown; at: string; answer?: string }> = {
  'a supervisor that sums up': {
    agent: () => supervisor(calling('transfer_to_forecaster'), hangs('It is sunny'))([calling('weather'), 'Sunny.']),
    at: 'It is sunny',
    answer: 'It is sunny',
  },
  'a swarm after a handoff': {
    agent: () => swarm(calling('weather'), hangs('It is sunny')),
    at: 'It is sunny',
    answer: 'It is sunny',
  },
  'a swarm before a handoff': {
    agent: () =>
      createSwarm({
        agents: [
          createAgent({
            name: 'alice',
            model: model(hangs('It is sunny')),
            tools: [createHandoffTool({ agentName: 'bob', description: 'Bob knows more' })],
          }).graph as never,
          createAgent({ name: 'bob', model: model('never asked'), tools: [weather] }).graph as never,
        ],
        defaultActiveAgent: 'alice',
      }).compile({ checkpointer: new MemorySaver() }),
    at: 'It is sunny',
    answer: 'It is sunny',
  },
  'a deep agent that answers': {
    agent: () => deepAgent([hangs('It is sunny')], ['The forecast.']),
    at: 'It is sunny',
    answer: 'It is sunny',
  },
  'a deep agent whose sub-agent is at work': {
    agent: () => deepAgent(['It is sunny.'], [hangs('The forecast')]),
    at: 'The forecast',
  },
  'a supervisor whose worker is at work': {
    agent: () => supervisor(calling('transfer_to_forecaster'), 'It is sunny')([hangs('The forecast')]),
    at: 'The forecast',
  },
};

describe('an agent of agents that is stopped by its reader', () => {
  it.each(Object.keys(STOPPED))('%s, is recorded with what it said to the user', async name => {
    const { agent, at, answer } = STOPPED[name] ?? { agent: () => undefined, at: '' };
    await using on = await recordingOn();
    expect(await stopAt(at, agent(), on.config)).toMatch(new RegExp(`${at}$`));
    await vi.waitFor(() => expect(on.handler.openRuns).toBe(0), { timeout: 1000 });
    expect(await on.transcript()).toEqual([
      'user: Weather?',
      ...(answer === undefined ? [] : [`assistant (aborted): ${answer}`]),
    ]);
  });
});

describe.each(WAYS)('with a handler that is given twice, %s', (_, run) => {
  const answers = ['user: Weather?', 'assistant: It is sunny.'];

  it('to an agent and to its call', async () => {
    await using on = await recordingOn();
    const agent = createAgent({ model: model(calling('weather'), 'It is sunny.'), tools: [weather] });
    await run(agent.withConfig({ callbacks: [on.handler] }) as never, said('Weather?'), on.config);
    expect(await on.transcript()).toEqual(answers);
  });

  it('to an agent and its model', async () => {
    await using on = await recordingOn();
    const llm = model(calling('weather'), 'It is sunny.');
    llm.callbacks = [on.handler];
    await run(createAgent({ model: llm, tools: [weather] }) as never, said('Weather?'), on.config);
    expect(await on.transcript()).toEqual(answers);
  });

  it('as another of the same recorder', async () => {
    await using on = await recordingOn();
    using second = new SynapCallbackHandler(on.recorder);
    const config = { ...on.config, callbacks: [on.handler, second] };
    const agent = createAgent({ model: model(calling('weather'), 'It is sunny.'), tools: [weather] });
    await run(agent as never, said('Weather?'), config);
    expect(await on.transcript()).toEqual(answers);
  });

  it('to an agent, and to a model that its tool and its middleware ask', async () => {
    await using on = await recordingOn();
    const inner = model('Inner words.');
    const asking = tool(async () => String((await inner.invoke('Inner?', { callbacks: [on.handler] })).content), {
      name: 'weather',
      description: 'w',
      schema: z.object({}),
    });
    const judging = createMiddleware({
      name: 'Judging',
      beforeModel: async () => void (await inner.invoke('Judge!', { callbacks: [on.handler] })),
    });
    const agent = createAgent({
      model: model(calling('weather'), 'It is sunny.'),
      tools: [asking],
      middleware: [judging],
    });
    await run(agent as never, said('Weather?'), on.config);
    expect(await on.transcript()).toEqual(answers);
  });

  it('to a supervisor and to an agent inside a tool of its worker', async () => {
    await using on = await recordingOn();
    const asking = tool(
      async () => {
        const agent = createAgent({ model: model('Inner words.'), tools: [] });
        return (await agent.invoke(said('Inner?'), { callbacks: [on.handler] })).messages.at(-1)?.text ?? '';
      },
      { name: 'weather', description: 'w', schema: z.object({}) },
    );
    const worker = createAgent({ name: 'forecaster', model: model(calling('weather'), 'Sunny.'), tools: [asking] });
    const team = createSupervisor({
      agents: [worker.graph as never],
      llm: model(calling('transfer_to_forecaster'), 'It is sunny.'),
    }).compile();
    await run(team as never, said('Weather?'), on.config);
    expect(await on.transcript()).toEqual(answers);
  });
});
