import { AIMessage, HumanMessage } from '@langchain/core/messages';
import { tool } from '@langchain/core/tools';
import { Command, MemorySaver } from '@langchain/langgraph';
import { ChatOpenAI } from '@langchain/openai';
import {
  createAgent,
  createMiddleware,
  humanInTheLoopMiddleware,
  llmToolSelectorMiddleware,
  modelCallLimitMiddleware,
  modelFallbackMiddleware,
  piiMiddleware,
  providerStrategy,
  summarizationMiddleware,
  todoListMiddleware,
  toolStrategy,
} from 'langchain';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { scriptedModel } from '../../support/scripted-model.js';
import { calling, model, recordingOn, WAYS } from './support.js';

const said = (content: string) => ({ messages: [new HumanMessage(content)] });
const weather = tool(async () => 'sunny', { name: 'weather', description: 'The weather', schema: z.object({}) });
const City = z.object({ city: z.string() });

type Make = () => { agent: unknown; answer?: string; question?: string };

const cases: Record<string, Make> = {
  alone: () => ({ agent: createAgent({ model: model('It is sunny.'), tools: [] }) }),
  'with a tool': () => ({
    agent: createAgent({ model: model(calling('weather'), 'It is sunny.'), tools: [weather] }),
  }),
  'that speaks before its tool': () => ({
    agent: createAgent({
      model: model({ text: 'Let me check.', ...calling('weather') }, 'It is sunny.'),
      tools: [weather],
    }),
  }),
  'that calls tools side by side, and again': () => ({
    agent: createAgent({
      model: model(
        {
          toolCalls: [
            { name: 'weather', id: 'a' },
            { name: 'weather', id: 'b' },
          ],
        },
        calling('weather', {}, 'c'),
        'It is sunny.',
      ),
      tools: [weather],
    }),
  }),
  'whose middleware looks before and after': () => ({
    agent: createAgent({
      model: model('It is sunny.'),
      tools: [],
      middleware: [
        createMiddleware({
          name: 'Looking',
          beforeAgent: () => undefined,
          beforeModel: () => undefined,
          afterModel: () => undefined,
          afterAgent: () => undefined,
          wrapModelCall: (request, handler) => handler(request),
        }),
      ],
    }),
  }),
  'whose middleware asks a model of its own': () => ({
    agent: createAgent({
      model: model('It is sunny.'),
      tools: [],
      middleware: [
        createMiddleware({
          name: 'Judging',
          afterModel: async () => {
            await model('The answer is fine.').invoke('Judge it');
            return undefined;
          },
        }),
      ],
    }),
  }),
  'whose middleware answers instead': () => ({
    agent: createAgent({
      model: model('never asked'),
      tools: [],
      middleware: [
        createMiddleware({
          name: 'Guard',
          beforeAgent: {
            canJumpTo: ['end'],
            hook: () => ({ messages: [new AIMessage('I may not say.')], jumpTo: 'end' as const }),
          },
        }),
      ],
    }),
    answer: 'I may not say.',
  }),
  'whose calls are limited': () => ({
    agent: createAgent({
      model: model(calling('weather')),
      tools: [weather],
      middleware: [modelCallLimitMiddleware({ runLimit: 2, exitBehavior: 'end' })],
    }),
    answer: 'Model call limits exceeded: run level call limit reached with 2 model calls',
  }),
  'whose model falls back to another': () => ({
    agent: createAgent({
      model: model({ text: 'It is s', error: new Error('overloaded') }),
      tools: [],
      middleware: [modelFallbackMiddleware(model('It is sunny.'))],
    }),
  }),
  'that keeps a list of what to do': () => ({
    agent: createAgent({
      model: model(calling('write_todos', { todos: [{ content: 'Look', status: 'in_progress' }] }), 'It is sunny.'),
      tools: [],
      middleware: [todoListMiddleware()],
    }),
  }),
  'that sums up what was said': () => ({
    agent: createAgent({
      model: model('It is sunny.'),
      tools: [],
      middleware: [
        summarizationMiddleware({
          model: model('They spoke of bears.'),
          trigger: { messages: 3 },
          keep: { messages: 1 },
        }),
      ],
    }),
  }),
  'that hides an address from its model': () => ({
    agent: createAgent({
      model: model('It is sunny.'),
      tools: [],
      middleware: [piiMiddleware('email', { strategy: 'redact', applyToInput: true })],
    }),
    question: 'Weather? Write to ada@example.com',
  }),
  'that answers in a form, by its provider': () => ({
    agent: createAgent({ model: model('{"city":"Paris"}'), tools: [], responseFormat: providerStrategy(City) }),
    answer: '{"city":"Paris"}',
  }),
};

describe.each(WAYS)('an agent of langchain’s, %s', (_, run) => {
  it.each(Object.keys(cases))('%s, is one question and one answer', async name => {
    const { agent, question = 'Weather?', answer = 'It is sunny.' } = cases[name]?.() ?? {};
    await using on = await recordingOn();
    await run(agent as never, said(question), on.config);
    expect(await on.transcript()).toEqual([`user: ${question}`, `assistant: ${answer}`]);
  });

  it('that answers in a form, by a tool, is recorded with that form', async () => {
    const responseFormat = toolStrategy(City);
    // The name of its tool has a number that is counted up.
    const { name = '' } = responseFormat[0] ?? {};
    const agent = createAgent({ model: model(calling(name, { city: 'Paris' })), tools: [], responseFormat });
    await using on = await recordingOn();
    await run(agent as never, said('Which city?'), on.config);
    expect(await on.transcript()).toEqual(['user: Which city?', 'assistant: {"city":"Paris"}']);
  });

  it('that picks its tools by a model, is not recorded with its picks', async () => {
    await using server = await scriptedModel(() => ({ text: '{"tools":["weather"]}' }));
    const picking = new ChatOpenAI({ model: 'gpt-5', apiKey: 'k', configuration: { baseURL: server.url } });
    const agent = createAgent({
      model: model(calling('weather'), 'It is sunny.'),
      tools: [weather],
      middleware: [llmToolSelectorMiddleware({ model: picking })],
    });
    await using on = await recordingOn();
    await run(agent as never, said('Weather?'), on.config);
    expect(server.requests).toHaveLength(2);
    expect(await on.transcript()).toEqual(['user: Weather?', 'assistant: It is sunny.']);
  });

  it('with a memory, is recorded once a turn', async () => {
    await using on = await recordingOn();
    const agent = createAgent({
      model: model(calling('weather'), 'It is sunny.', calling('weather', {}, 'again'), 'Still sunny.'),
      tools: [weather],
      checkpointer: new MemorySaver(),
    });
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

  it.each([
    ['approved', { type: 'approve' }],
    ['edited', { type: 'edit', editedAction: { name: 'send', args: { to: 'bob' } } }],
  ])('that waits until a person has %s what it does, records no message of that', async (_, decision) => {
    await using on = await recordingOn();
    const send = tool(async ({ to }) => `sent to ${to}`, {
      name: 'send',
      description: 'Sends a message',
      schema: z.object({ to: z.string() }),
    });
    const agent = createAgent({
      model: model(calling('send', { to: 'ada' }), 'Done.'),
      tools: [send],
      checkpointer: new MemorySaver(),
      middleware: [humanInTheLoopMiddleware({ interruptOn: { send: true } })],
    });
    const config = { ...on.config, configurable: { thread_id: 't1' } };
    await run(agent as never, said('Send it'), config);
    await run(agent as never, new Command({ resume: { decisions: [decision] } }) as never, config);
    expect(await on.transcript()).toEqual(['user: Send it', 'assistant: Done.']);
  });
});

it('an agent whose middleware throws after the answer was on the screen is recorded with that answer', async () => {
  await using on = await recordingOn();
  const agent = createAgent({
    model: model('It is sunny.'),
    tools: [],
    middleware: [
      createMiddleware({
        name: 'Throwing',
        afterModel: () => {
          throw new Error('boom');
        },
      }),
    ],
  });
  const reading = WAYS[2]?.[1](agent as never, said('Weather?'), on.config);
  await expect(reading).rejects.toThrow('boom');
  expect(await on.transcript()).toEqual(['user: Weather?', 'assistant (error): It is sunny.']);
});
