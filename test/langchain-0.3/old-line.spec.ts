import { readFileSync } from 'node:fs';
import { BaseCallbackHandler } from '@langchain/core/callbacks/base';
import { HumanMessage } from '@langchain/core/messages';
import { ChatPromptTemplate } from '@langchain/core/prompts';
import { tool } from '@langchain/core/tools';
import { MemorySaver } from '@langchain/langgraph';
import { createReactAgent } from '@langchain/langgraph/prebuilt';
import { ChatOpenAI } from '@langchain/openai';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { SynapCallbackHandler } from '../../src/langchain/index.js';
import { drain, gate, handlerOn, ScriptedModel } from '../langchain/support.js';
import { type ModelScript, scriptedModel } from '../support/scripted-model.js';
import { turns } from '../support/turns.js';

// The tests of test/langchain run on the old line, too: this file asserts that it is the old line, and holds what differs.

const here = new URL('.', import.meta.url);
const versionOf = (name: string) =>
  JSON.parse(readFileSync(new URL(`node_modules/${name}/package.json`, here), 'utf8')).version;

async function openAI(script: ModelScript) {
  const server = await scriptedModel(script);
  const model = new ChatOpenAI({
    model: 'gpt-5',
    apiKey: 'k',
    maxRetries: 0,
    configuration: { baseURL: server.url },
    useResponsesApi: false,
  });
  return { model, [Symbol.asyncDispose]: () => server.close() };
}

describe('the old line', () => {
  it('is what the handler is made of here', async () => {
    expect(versionOf('@langchain/core')).toMatch(/^0\.3\./);
    expect(versionOf('@langchain/langgraph')).toMatch(/^0\.4\./);
    expect(versionOf('@langchain/openai')).toMatch(/^0\.6\./);
    await using on = await handlerOn();
    expect(on.handler).toBeInstanceOf(BaseCallbackHandler);
    expect(Object.getPrototypeOf(SynapCallbackHandler)).toBe(BaseCallbackHandler);
    const installed = await import(new URL('node_modules/@langchain/core/callbacks/base.js', here).href);
    expect(installed.BaseCallbackHandler).toBe(BaseCallbackHandler);
    // It came with core 1.0.
    expect(new HumanMessage('Hi')).not.toHaveProperty('type', 'human');
  });
});

describe('with a real provider package', () => {
  it('an agent with a tool and a checkpointer is recorded once a turn, in the conversation of its thread', async () => {
    await using server = await openAI(({ messages }, index) =>
      messages.at(-1)?.role === 'tool'
        ? { text: ['It is ', 'sunny.'] }
        : { text: 'Let me check.', toolCalls: [{ id: `call-${index}`, name: 'weather', arguments: {} }] },
    );
    await using on = await handlerOn({}, { conversationId: undefined });
    const weather = tool(async () => 'sunny', { name: 'weather', description: 'w', schema: z.object({}) });
    const agent = createReactAgent({ llm: server.model, tools: [weather], checkpointer: new MemorySaver() });
    const thread = { ...on.config, configurable: { thread_id: 'thread-1' } };
    await agent.invoke({ messages: [new HumanMessage('Weather?')] }, thread);
    await drain(
      await agent.stream({ messages: [new HumanMessage('And now?')] }, { ...thread, streamMode: 'messages' }),
    );
    expect(await on.transcript()).toEqual([
      'user: Weather?',
      'assistant: It is sunny.',
      'user: And now?',
      'assistant: It is sunny.',
    ]);
    expect(new Set(on.synap.stored.map(message => message.metadata?.external_conversation_id))).toEqual(
      new Set(['thread-1']),
    );
    expect(on.synap.stored[3]?.metadata).toMatchObject({ model: 'gpt-5', steps: 2, tool_calls: ['weather'] });
    expect(on.handler.openRuns).toBe(0);
  });

  it.each([
    ['a model', (model: ChatOpenAI) => model],
    ['a chain', (model: ChatOpenAI) => ChatPromptTemplate.fromTemplate('{question}').pipe(model)],
  ])('an abort of %s in mid-stream keeps what has come', async (_, make) => {
    const more = gate();
    await using server = await openAI(() => ({ text: ['Hello', ' Ada', ' and', ' all'], delayMs: 20 }));
    await using on = await handlerOn();
    const controller = new AbortController();
    const reading = async () => {
      const runnable = make(server.model) as ReturnType<typeof ChatPromptTemplate.prototype.pipe>;
      const input = (runnable instanceof ChatOpenAI ? 'Hi' : { question: 'Hi' }) as never;
      for await (const chunk of await runnable.stream(input, { ...on.config, signal: controller.signal }))
        if ((chunk as { text: string }).text !== '') more.resolve();
    };
    const ended = reading().catch(error => error);
    await more.promise;
    controller.abort();
    expect(await ended).toBeInstanceOf(Error);
    await expect.poll(() => on.handler.openRuns).toBe(0);
    const [user, answer] = await on.transcript();
    expect(user).toBe('user: Hi');
    expect(answer).toMatch(/^assistant \(aborted\): Hello/);
  });
});

it('an aborted stream of a model that does not look at the signal ends as aborted: the signal tells', async () => {
  await using on = await handlerOn({ idleMs: 500 });
  const controller = new AbortController();
  const model = new ScriptedModel([{ text: 'Hello A', wait: new Promise(() => {}) }]);
  const ended = drain(model.stream('Hi', { ...on.config, signal: controller.signal })).catch(error => error);
  await turns();
  controller.abort();
  expect(await ended).toBeInstanceOf(Error);
  await expect.poll(() => on.transcript()).toEqual(['user: Hi', 'assistant (aborted): Hello A']);
  expect(on.handler.openRuns).toBe(0);
});
