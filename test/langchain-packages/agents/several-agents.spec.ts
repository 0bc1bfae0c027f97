import { HumanMessage } from '@langchain/core/messages';
import { tool } from '@langchain/core/tools';
import { MemorySaver } from '@langchain/langgraph';
import { createSupervisor } from '@langchain/langgraph-supervisor';
import { createHandoffTool, createSwarm } from '@langchain/langgraph-swarm';
import { createDeepAgent } from 'deepagents';
import { createAgent } from 'langchain';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { calling, model, recordingOn, WAYS } from './support.js';

const said = (content: string) => ({ messages: [new HumanMessage(content)] });
const weather = tool(async () => 'sunny', { name: 'weather', description: 'The weather', schema: z.object({}) });

describe.each(WAYS)('a supervisor, %s', (_, run) => {
  const supervisor = (...replies: Parameters<typeof model>) =>
    createSupervisor({
      agents: [
        createAgent({ name: 'forecaster', model: model(calling('weather'), 'The forecast: sunny.'), tools: [weather] })
          .graph as never,
      ],
      llm: model(...replies),
    });

  it('that hands over and sums up is recorded with what it says at last', async () => {
    await using on = await recordingOn();
    const team = supervisor(calling('transfer_to_forecaster'), 'It is sunny.').compile();
    await run(team as never, said('Weather?'), on.config);
    expect(await on.transcript()).toEqual(['user: Weather?', 'assistant: It is sunny.']);
  });

  it('that answers by itself is recorded once', async () => {
    await using on = await recordingOn();
    await run(supervisor('Hello!').compile() as never, said('Hi'), on.config);
    expect(await on.transcript()).toEqual(['user: Hi', 'assistant: Hello!']);
  });

  it('with a memory, is recorded once a turn', async () => {
    await using on = await recordingOn();
    const team = supervisor(calling('transfer_to_forecaster'), 'It is sunny.', 'You are welcome.').compile({
      checkpointer: new MemorySaver(),
    });
    const config = { ...on.config, configurable: { thread_id: 't1' } };
    await run(team as never, said('Weather?'), config);
    await run(team as never, said('Thanks'), config);
    expect(await on.transcript()).toEqual([
      'user: Weather?',
      'assistant: It is sunny.',
      'user: Thanks',
      'assistant: You are welcome.',
    ]);
  });
});

describe.each(WAYS)('a swarm, %s', (_, run) => {
  const swarm = () =>
    createSwarm({
      agents: [
        createAgent({
          name: 'alice',
          model: model(calling('transfer_to_bob')),
          tools: [createHandoffTool({ agentName: 'bob', description: 'Bob knows the weather' })],
        }).graph as never,
        createAgent({
          name: 'bob',
          model: model(calling('weather'), 'It is sunny.', 'Still me.'),
          tools: [weather],
        }).graph as never,
      ],
      defaultActiveAgent: 'alice',
    }).compile({ checkpointer: new MemorySaver() });

  it('is recorded with what the agent says who took over, turn by turn', async () => {
    await using on = await recordingOn();
    const team = swarm();
    const config = { ...on.config, configurable: { thread_id: 't1' } };
    await run(team as never, said('Weather?'), config);
    await run(team as never, said('And who are you?'), config);
    expect(await on.transcript()).toEqual([
      'user: Weather?',
      'assistant: It is sunny.',
      'user: And who are you?',
      'assistant: Still me.',
    ]);
  });
});

describe.each(WAYS)('a deep agent, %s', (_, run) => {
  it('is one question and one answer', async () => {
    await using on = await recordingOn();
    const agent = createDeepAgent({ model: model(calling('weather'), 'It is sunny.'), tools: [weather] });
    await run(agent as never, said('Weather?'), on.config);
    expect(await on.transcript()).toEqual(['user: Weather?', 'assistant: It is sunny.']);
  });

  it('is not recorded with its lists and files', async () => {
    await using on = await recordingOn();
    const agent = createDeepAgent({
      model: model(
        calling('write_todos', { todos: [{ content: 'Look', status: 'in_progress' }] }),
        calling('write_file', { file_path: '/notes.md', content: 'Sunny' }),
        calling('read_file', { file_path: '/notes.md' }),
        'It is sunny.',
      ),
    });
    await run(agent as never, said('Weather?'), on.config);
    expect(await on.transcript()).toEqual(['user: Weather?', 'assistant: It is sunny.']);
  });

  it('is not recorded with what its sub-agent is asked and says', async () => {
    await using on = await recordingOn();
    const agent = createDeepAgent({
      model: model(
        calling('task', { description: 'Find out the weather', subagent_type: 'forecaster' }),
        'It is sunny.',
      ),
      subagents: [
        {
          name: 'forecaster',
          description: 'Knows the weather',
          systemPrompt: 'You know the weather.',
          model: model(calling('weather'), 'The forecast: sunny.'),
          tools: [weather],
        },
      ],
    });
    await run(agent as never, said('Weather?'), on.config);
    expect(await on.transcript()).toEqual(['user: Weather?', 'assistant: It is sunny.']);
  });

  it('with a memory, is recorded once a turn', async () => {
    await using on = await recordingOn();
    const agent = createDeepAgent({ model: model('It is sunny.', 'Still sunny.'), checkpointer: new MemorySaver() });
    const config = { ...on.config, configurable: { thread_id: 't1' } };
    await run(agent as never, said('Weather?'), config);
    await run(agent as never, said('And now?'), config);
    expect(await on.transcript()).toEqual([
      'user: Weather?',
      'assistant: It is sunny.',
      'user: And now?',
      'assistant: Still sunny.',
    ]);
  });
});
