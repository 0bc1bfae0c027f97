// The package in Vercel's edge runtime.

import { AsyncLocalStorage } from 'node:async_hooks';
import { EdgeVM } from '@edge-runtime/vm';
import { describe, expect, it } from 'vitest';
import { scriptedModel } from '../../support/scripted-model.js';
import { scriptedSynap } from '../../support/scripted-synap.js';
import { bundle } from '../bundle.js';

const CHAT = `
  import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
  import * as ai from 'ai';
  import { createRecorder } from 'synap-recorder';
  import { wrapAISDK } from 'synap-recorder/ai-sdk';

  export async function chat({ baseUrl, modelUrl }, waitUntil) {
    const recorder = createRecorder({ apiKey: 'k', baseUrl, userId: 'ada', waitUntil, closeOnSignals: true });
    const { streamText } = wrapAISDK(ai, recorder);
    const { chatModel } = createOpenAICompatible({ name: 'scripted', baseURL: modelUrl, apiKey: 'scripted' });
    return recorder.withIdentity({ conversationId: 'chat-42' }, () =>
      streamText({ model: chatModel('gpt-5'), prompt: 'Why is the sky blue?' }).toTextStreamResponse(),
    );
  }`;

interface Chat {
  chat(urls: object, waitUntil: (promise: Promise<unknown>) => void): Promise<Response>;
}

/** What Next.js adds to the runtime: variables, and a process of which everything else only throws. */
const NEXT_PROCESS = new Proxy(
  { env: {} },
  {
    get: (target, name) =>
      name in target
        ? Reflect.get(target, name)
        : () => {
            throw new Error(
              `A Node.js API is used (process.${String(name)}) which is not supported in the Edge Runtime.`,
            );
          },
  },
);

/** Starts a program in Vercel's edge runtime; answers with what it exports. */
async function start<T>(program: string, globals: object = {}): Promise<T> {
  const { code } = await bundle(program, 'edge-light', { format: 'cjs' });
  const exports = {} as T;
  // What Next.js lets code there import of Node.js.
  const require = (name: string) => {
    if (name === 'node:async_hooks') return { AsyncLocalStorage };
    throw new Error(`there is no ${name} here`);
  };
  new EdgeVM({ extend: context => Object.assign(context, { exports, require, ...globals }) }).evaluate(code);
  return exports;
}

describe.each<[string, object]>([
  ['Vercel’s edge runtime', {}],
  ['Next.js’s edge runtime', { process: NEXT_PROCESS }],
])('in %s', (_, globals) => {
  it('a streamed answer is recorded', async () => {
    await using synap = await scriptedSynap();
    await using model = await scriptedModel(() => ({ text: ['Air scatters blue light ', 'more than red.'] }));
    const { chat } = await start<Chat>(CHAT, globals);
    const background: Promise<unknown>[] = [];
    const answer = await chat({ baseUrl: synap.url, modelUrl: model.url }, promise => background.push(promise));
    expect(await answer.text()).toBe('Air scatters blue light more than red.');
    await Promise.all(background);
    expect(background).not.toEqual([]);
    expect(synap.stored.map(({ role, content }) => `${role}: ${content}`)).toEqual([
      'user: Why is the sky blue?',
      'assistant: Air scatters blue light more than red.',
    ]);
  });

  it('a request without an answer ends in time', async () => {
    await using synap = await scriptedSynap(() => 'handled');
    const { ask } = await start<{ ask(baseUrl: string): Promise<unknown> }>(
      `import { SynapClient } from 'synap-recorder';
       export const ask = baseUrl =>
         new SynapClient({ apiKey: 'k', baseUrl, timeoutMs: 300 }).conversation
           .recordMessage({ conversationId: crypto.randomUUID(), role: 'user', content: 'Hi', userId: 'ada' })
           .catch(({ name, sent }) => ({ name, sent }));`,
      globals,
    );
    expect(await ask(synap.url)).toEqual({ name: 'TimeoutError', sent: 'unknown' });
  });
});
