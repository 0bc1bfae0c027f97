// AI SDK 7 over a real provider package and a scripted model server.

import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import * as ai from 'ai';
import { describe, expect, it } from 'vitest';
import * as z from 'zod/v4';
import { wrapAISDK, wrapModel } from '../../src/ai-sdk/index.js';
import { conversationUuid } from '../../src/index.js';
import type { WireMessage } from '../../src/synap/messages.js';
import { recorderOn } from '../support/recorder.js';
import { type ModelScript, scriptedModel } from '../support/scripted-model.js';
import { turns } from '../support/turns.js';

async function setup(script: ModelScript) {
  const server = await scriptedModel(script);
  const on = await recorderOn();
  const provider = createOpenAICompatible({ name: 'scripted', baseURL: server.url, apiKey: 'k', includeUsage: true });
  return {
    ...on,
    server,
    model: provider('gpt-x'),
    transcript: async () => {
      await on.recorder.flush();
      return on.synap.stored.map(line);
    },
    async [Symbol.asyncDispose]() {
      await on[Symbol.asyncDispose]();
      await server.close();
    },
  };
}

function line({ role, content, metadata }: WireMessage): string {
  const status = metadata?.status && metadata.status !== 'complete' ? ` (${metadata.status})` : '';
  return `${role}${status}: ${content}`;
}

const weather = ai.tool({
  description: 'The weather of a city',
  inputSchema: z.object({ city: z.string() }),
  execute: async ({ city }) => `sunny in ${city}`,
});

const loop: ModelScript = ({ messages }) =>
  messages.at(-1)?.role === 'tool'
    ? { text: ['It is ', 'sunny.'], usage: { prompt_tokens: 20, completion_tokens: 7 } }
    : { text: ['Let me check. '], toolCalls: [{ name: 'weather', arguments: { city: 'Paris' } }] };

// Only its first bytes matter.
const PNG = Uint8Array.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

const synap = { synap: { userId: 'ada', conversationId: 'chat-42' } };

describe.each(['wrapAISDK', 'wrapModel'] as const)('%s on ai 7', way => {
  const wrap = (on: Awaited<ReturnType<typeof setup>>) =>
    way === 'wrapAISDK'
      ? { ...wrapAISDK(ai, on.recorder), model: on.model }
      : { ...ai, model: wrapModel(on.model, on.recorder) };

  it('records generateText: both turns, once, with what is known of them', async () => {
    await using on = await setup(() => ({ text: 'Hello Ada', model: 'gpt-x-2026' }));
    const { generateText, model } = wrap(on);
    const result = await generateText({ model, prompt: 'Hi', providerOptions: synap });
    expect(result.text).toBe('Hello Ada');
    expect(await on.transcript()).toEqual(['user: Hi', 'assistant: Hello Ada']);
    const [user, assistant] = on.synap.stored;
    expect(user?.conversation_id).toBe(conversationUuid('chat-42', { userId: 'ada' }));
    expect(assistant?.metadata).toMatchObject({
      framework: 'ai-sdk',
      model: 'gpt-x',
      response_model: 'gpt-x-2026',
      provider: 'scripted.chat',
      input_tokens: 10,
      output_tokens: 5,
      total_tokens: 15,
      finish_reason: 'stop',
      status: 'complete',
      steps: 1,
      latency_ms: expect.any(Number),
    });
    expect(assistant?.metadata).not.toHaveProperty('time_to_first_token_ms');
    expect(JSON.stringify(on.server.requests)).not.toContain('synap');
  });

  it('records streamText, with the time to its first token', async () => {
    await using on = await setup(() => ({ text: ['Hel', 'lo ', 'Ada'], delayMs: 20 }));
    const { streamText, model } = wrap(on);
    const result = streamText({ model, messages: [{ role: 'user', content: 'Hi' }], providerOptions: synap });
    let text = '';
    for await (const chunk of result.textStream) text += chunk;
    expect(text).toBe('Hello Ada');
    expect(await on.transcript()).toEqual(['user: Hi', 'assistant: Hello Ada']);
    const { latency_ms, time_to_first_token_ms } = (on.synap.stored[1]?.metadata ?? {}) as Record<string, number>;
    expect(time_to_first_token_ms).toBeGreaterThanOrEqual(15);
    expect(latency_ms).toBeGreaterThan(time_to_first_token_ms as number);
  });

  it.each(['generateText', 'streamText'] as const)('records a tool loop of %s as one turn', async fn => {
    await using on = await setup(loop);
    const { model, ...sdk } = wrap(on);
    const options = {
      model,
      prompt: 'Weather?',
      tools: { weather },
      stopWhen: ai.isStepCount(5),
      providerOptions: synap,
    };
    if (fn === 'generateText') await sdk.generateText(options);
    else await sdk.streamText(options).consumeStream();
    expect(await on.transcript()).toEqual(['user: Weather?', 'assistant: Let me check. \n\nIt is sunny.']);
    expect(on.synap.stored[1]?.metadata).toMatchObject({
      steps: 2,
      tool_calls: ['weather'],
      input_tokens: 30,
      output_tokens: 12,
      finish_reason: 'stop',
    });
  });

  it('keeps twenty concurrent turns apart, tool loops included', async () => {
    await using on = await setup(async ({ messages }) => {
      await turns(Math.random() * 30);
      const user = String(messages.find(message => message.role === 'user')?.content);
      if (messages.at(-1)?.role === 'tool') return { text: `done ${user}` };
      return { toolCalls: [{ id: 'call-1', name: 'weather', arguments: { city: 'Paris' } }] };
    });
    const { streamText, model } = wrap(on);
    await Promise.all(
      Array.from({ length: 20 }, (_, n) =>
        streamText({
          model,
          prompt: `q${n}`,
          tools: { weather },
          stopWhen: ai.isStepCount(5),
          providerOptions: { synap: { userId: `u${n}`, conversationId: 'default' } },
        }).consumeStream(),
      ),
    );
    await on.recorder.flush();
    for (let n = 0; n < 20; n++)
      expect(on.synap.transcript(conversationUuid('default', { userId: `u${n}` }))).toEqual([
        `user: q${n}`,
        `assistant: done q${n}`,
      ]);
    expect(on.synap.stored).toHaveLength(40);
  });

  it('records only what is new of a chat with history', async () => {
    await using on = await setup(() => ({ text: 'Lovelace' }));
    const { generateText, model } = wrap(on);
    await generateText({
      model,
      system: 'Be brief',
      messages: [
        { role: 'user', content: 'Hi' },
        { role: 'assistant', content: 'Hello' },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'Who is this?' },
            { type: 'image', image: PNG },
          ],
        },
      ],
      providerOptions: synap,
    });
    expect(await on.transcript()).toEqual(['user: Who is this?\n[image: image/png]', 'assistant: Lovelace']);
  });

  it('records an abort in mid-answer with the text so far', async () => {
    await using on = await setup(() => ({ text: ['One ', 'two ', 'three ', 'four'], delayMs: 30 }));
    const { streamText, model } = wrap(on);
    const abort = new AbortController();
    const result = streamText({ model, prompt: 'Count', abortSignal: abort.signal, providerOptions: synap });
    let text = '';
    for await (const chunk of result.textStream) {
      text += chunk;
      if (text.includes('two')) abort.abort();
    }
    expect(await on.transcript()).toEqual(['user: Count', 'assistant (aborted): One two ']);
  });

  it('records the message of the user once when a refused call is tried again', async () => {
    await using on = await setup((_, index) => (index < 1 ? { status: 500 } : { text: 'Hello' }));
    const { generateText, model } = wrap(on);
    await generateText({ model, prompt: 'Hi', maxRetries: 1, providerOptions: synap });
    expect(await on.transcript()).toEqual(['user: Hi', 'assistant: Hello']);
    expect(on.synap.stored[1]?.metadata).toMatchObject({ steps: 1, status: 'complete' });
  });

  it('passes errors through as they are, and records what the user said', async () => {
    await using on = await setup(() => ({ status: 400 }));
    const { generateText, model } = wrap(on);
    const wrapped = await generateText({ model, prompt: 'Hi', maxRetries: 0, providerOptions: synap }).catch(
      error => error,
    );
    expect(ai.APICallError.isInstance(wrapped)).toBe(true);
    expect(wrapped.message).toBe('scripted 400');
    expect(await on.transcript()).toEqual(['user: Hi']);
  });

  it('records nothing of a call that says so', async () => {
    await using on = await setup(() => ({ text: 'Secret' }));
    const { generateText, model } = wrap(on);
    await generateText({ model, prompt: 'Hi', providerOptions: { synap: { record: false } } });
    expect(await on.transcript()).toEqual([]);
    expect(JSON.stringify(on.server.requests)).not.toContain('synap');
  });
});

describe('wrapAISDK', () => {
  it('treats a call inside a tool as internal, unless it has an identity of its own', async () => {
    await using on = await setup(({ messages }) => {
      const last = messages.at(-1);
      if (last?.role === 'tool') return { text: 'Done' };
      if (String(last?.content).startsWith('inner')) return { text: 'inner answer' };
      return { toolCalls: [{ name: 'ask', arguments: {} }] };
    });
    const { generateText } = wrapAISDK(ai, on.recorder);
    const ask = ai.tool({
      inputSchema: z.object({}),
      execute: async () => {
        await generateText({ model: on.model, prompt: 'inner, internal' });
        await generateText({
          model: on.model,
          prompt: 'inner, own',
          providerOptions: { synap: { conversationId: 'own' } },
        });
        return 'ok';
      },
    });
    await generateText({
      model: on.model,
      prompt: 'Go',
      tools: { ask },
      stopWhen: ai.isStepCount(3),
      providerOptions: synap,
    });
    expect(await on.transcript()).toEqual([
      'user: Go',
      'user: inner, own',
      'assistant: inner answer',
      'assistant: Done',
    ]);
  });

  it('records once around a model that is wrapped itself', async () => {
    await using on = await setup(() => ({ text: 'Hello' }));
    const { generateText } = wrapAISDK(ai, on.recorder);
    await generateText({ model: wrapModel(on.model, on.recorder, { conversationId: 'of-the-model' }), prompt: 'Hi' });
    expect(await on.transcript()).toEqual(['user: Hi', 'assistant: Hello']);
    expect(on.synap.stored[0]?.conversation_id).toBe(conversationUuid('of-the-model', { userId: 'ada' }));
  });

  it('runs the callbacks of the app, once each, onEnd before onFinish as ai 7 does', async () => {
    await using on = await setup(() => ({ text: ['a', 'b'] }));
    const { streamText } = wrapAISDK(ai, on.recorder);
    const calls: string[] = [];
    const log = (name: string) => () => void calls.push(name);
    for (const options of [
      { onFinish: log('finish') },
      { onEnd: log('end') },
      { onEnd: log('end'), onFinish: log('never') },
    ])
      await streamText({ model: on.model, prompt: 'Hi', ...options }).consumeStream();
    expect(calls).toEqual(['finish', 'end', 'end']);
    expect(await on.transcript()).toHaveLength(6);
  });

  it('resolves models named by a string as the SDK does', async () => {
    await using on = await setup(() => ({ text: 'Hello' }));
    const provider = createOpenAICompatible({ name: 'scripted', baseURL: on.server.url, apiKey: 'k' });
    globalThis.AI_SDK_DEFAULT_PROVIDER = provider as never;
    try {
      const { generateText } = wrapAISDK(ai, on.recorder);
      await generateText({ model: 'some-model', prompt: 'Hi' });
    } finally {
      globalThis.AI_SDK_DEFAULT_PROVIDER = undefined as never;
    }
    expect(await on.transcript()).toEqual(['user: Hi', 'assistant: Hello']);
    expect(on.synap.stored[1]?.metadata).toMatchObject({ model: 'some-model' });
  });
});
