// The package in a context without anything of Node.js.

import { AsyncLocalStorage } from 'node:async_hooks';
import { createContext, runInContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { scriptedSynap } from '../support/scripted-synap.js';
import { bundle } from './bundle.js';

/** All that a program has besides the language itself: what the web's standards define, and AsyncLocalStorage. */
const { fetch, URL, TextEncoder, TextDecoder, AbortController, AbortSignal, ReadableStream, crypto, performance } =
  globalThis;
const { setTimeout, clearTimeout, setInterval, clearInterval, structuredClone, console } = globalThis;
const web = {
  ...{ fetch, URL, TextEncoder, TextDecoder, AbortController, AbortSignal, ReadableStream, crypto, performance },
  ...{ setTimeout, clearTimeout, setInterval, clearInterval, structuredClone, console },
};

/**
 * Bundles the body of an async function, whose imports stand before it, and runs it where there is nothing of Node.js. It
 * answers with JSON, because what it makes is of another realm.
 */
async function run(imports: string, body: string, globals: object = {}): Promise<unknown> {
  const program = `${imports}\nexport const done = (async () => { ${body} })();`;
  const { code } = await bundle(program, 'workerd', { format: 'cjs' });
  const exports: { done?: Promise<unknown> } = {};
  const context = createContext({
    ...web,
    ...globals,
    exports,
    require: (name: string) => {
      if (name === 'node:async_hooks') return { AsyncLocalStorage };
      throw new Error(`there is no ${name} here`);
    },
  });
  runInContext(code, context);
  return JSON.parse(JSON.stringify(await exports.done));
}

describe('with the web’s globals only', () => {
  it('there is nothing of Node.js', async () => {
    expect(await run('', 'return [typeof process, typeof Buffer, typeof global, typeof setImmediate];')).toEqual(
      Array(4).fill('undefined'),
    );
  });

  it('a client gets its receipt', async () => {
    await using synap = await scriptedSynap();
    const receipt = await run(
      `import { conversationUuid, SynapClient } from 'synap-recorder';`,
      `const client = new SynapClient({ apiKey: 'k', baseUrl: '${synap.url}' });
       const conversationId = conversationUuid('chat-42', { userId: 'ada' });
       return client.conversation.recordMessage({ conversationId, role: 'user', content: 'Hi', userId: 'ada' });`,
    );
    expect(receipt).toMatchObject({ messageId: 'm0', recordedAt: '2026-01-01T00:00:00.000Z' });
    expect(synap.requests[0]?.headers).toMatchObject({
      authorization: 'Bearer k',
      'user-agent': expect.stringMatching(/^synap-recorder\//),
    });
  });

  it('a recorder records a turn, through a failure, and its stats balance', async () => {
    let calls = 0;
    await using synap = await scriptedSynap(() => (++calls === 1 ? { status: 503 } : undefined));
    const stats = await run(
      `import { createRecorder } from 'synap-recorder';`,
      `const recorder = createRecorder({
         apiKey: 'k', baseUrl: '${synap.url}', userId: 'ada', retry: { baseMs: 5 }, logger: false,
         redact: async message => ({ ...message, content: message.content.toUpperCase() }),
       });
       recorder.withIdentity({ conversationId: 'chat-42' }, () => {
         const turn = recorder.turn();
         turn.user('Hi');
         turn.append('Hello');
         turn.complete({ model: 'm' });
       });
       await recorder.flush();
       await recorder.close();
       return recorder.stats();`,
    );
    expect(stats).toMatchObject({ accepted: 2, delivered: 2, pending: 0, lostAtShutdown: 0, refused: {} });
    expect(synap.stored.map(({ role, content }) => `${role}: ${content}`)).toEqual(['user: HI', 'assistant: HELLO']);
  });

  // The oldest runtimes have no FinalizationRegistry and no WeakRef: Workers before the compatibility date 2025-05-05.
  it.each([
    ['', {}],
    [', without FinalizationRegistry', { FinalizationRegistry: undefined, WeakRef: undefined }],
  ])('a wrapped model is recorded as it streams%s', async (_, globals) => {
    await using synap = await scriptedSynap();
    const read = await run(
      `import { createRecorder } from 'synap-recorder';
       import { wrapModel } from 'synap-recorder/ai-sdk';`,
      `const recorder = createRecorder({ apiKey: 'k', baseUrl: '${synap.url}', userId: 'ada', conversationId: 'c' });
       const parts = [
         { type: 'stream-start', warnings: [] },
         { type: 'text-start', id: '0' },
         { type: 'text-delta', id: '0', delta: 'Hel' },
         { type: 'text-delta', id: '0', delta: 'lo' },
         { type: 'text-end', id: '0' },
         { type: 'finish', finishReason: { unified: 'stop', raw: 'stop' }, usage: { inputTokens: {}, outputTokens: {} } },
       ];
       const model = wrapModel({
         specificationVersion: 'v4', provider: 'scripted', modelId: 'm', supportedUrls: {},
         doStream: async () => ({
           stream: new ReadableStream({ start(to) { parts.forEach(part => to.enqueue(part)); to.close(); } }),
         }),
       }, recorder);
       const { stream } = await model.doStream({ prompt: [{ role: 'user', content: [{ type: 'text', text: 'Hi' }] }] });
       const read = [];
       for (const reader = stream.getReader(); ; ) {
         const { done, value } = await reader.read();
         if (done) break;
         read.push(value.type);
       }
       await recorder.close();
       return read;`,
      globals,
    );
    expect(read).toEqual(['stream-start', 'text-start', 'text-delta', 'text-delta', 'text-end', 'finish']);
    expect(synap.stored.map(({ role, content }) => `${role}: ${content}`)).toEqual(['user: Hi', 'assistant: Hello']);
  });

  it('a LangChain handler is made, and records a message history', async () => {
    await using synap = await scriptedSynap();
    const messages = await run(
      `import { createRecorder } from 'synap-recorder';
       import { SynapCallbackHandler, SynapChatMessageHistory } from 'synap-recorder/langchain';`,
      `const recorder = createRecorder({ apiKey: 'k', baseUrl: '${synap.url}', userId: 'ada' });
       new SynapCallbackHandler(recorder);
       const history = new SynapChatMessageHistory(recorder, { conversationId: 'c', read: false });
       await history.addUserMessage('Hi');
       await history.addAIMessage('Hello');
       await recorder.close();
       return (await history.getMessages()).map(message => message.content);`,
    );
    expect(messages).toEqual(['Hi', 'Hello']);
    expect(synap.stored.map(({ role, content }) => `${role}: ${content}`)).toEqual(['user: Hi', 'assistant: Hello']);
  });

  it('a missing key is an error that says so, without an environment to look into', async () => {
    const error = await run(
      `import { createRecorder } from 'synap-recorder';`,
      `try { createRecorder({ userId: 'ada' }); } catch (error) { return [error.name, error.message]; }`,
    );
    expect(error).toEqual(['AuthenticationError', expect.stringContaining('pass apiKey')]);
  });
});
