// Answers of a real provider package, over real HTTP on both sides: what the browser got, beside what is recorded.

import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import * as openai7 from '@ai-sdk/openai-compatible';
import * as openai5 from 'openai-compatible-ai5';
import * as openai6 from 'openai-compatible-ai6';
import { describe, expect, it } from 'vitest';
import { type WrapAISDKOptions, wrapAISDK } from '../../src/ai-sdk/index.js';
import { recorderOn } from '../support/recorder.js';
import { type ModelReply, scriptedModel } from '../support/scripted-model.js';
import { line, MAJORS, type SDK } from './majors.js';

const providers = [openai5, openai6, openai7];
const words = Array.from({ length: 60 }, (_, n) => `w${n} `);
const whole = words.join('');

type Result = ReturnType<SDK['streamText']>;
type Answer = (result: Result, response: ServerResponse) => void;

/** Sends a fetch Response by node:http, as the adapters of web frameworks do. */
function send({ status, headers, body }: Response, response: ServerResponse): void {
  response.writeHead(status, Object.fromEntries(headers));
  const readable = Readable.fromWeb(body as never);
  readable.on('error', () => response.destroy());
  response.on('close', () => readable.destroy());
  readable.pipe(response);
}

const HELPERS: Record<string, Answer> = {
  toUIMessageStreamResponse: (result, response) => send(result.toUIMessageStreamResponse(), response),
  toTextStreamResponse: (result, response) => send(result.toTextStreamResponse(), response),
  pipeUIMessageStreamToResponse: (result, response) => result.pipeUIMessageStreamToResponse(response),
  pipeTextStreamToResponse: (result, response) => result.pipeTextStreamToResponse(response),
  'a loop over textStream': async ({ textStream }, response) => {
    try {
      for await (const piece of textStream) {
        if (response.destroyed) break;
        response.write(piece);
      }
      response.end();
    } catch {
      response.destroy();
    }
  },
};

/** An app that answers by HTTP, in front of a provider that does, too. */
async function app(
  index: number,
  {
    answer,
    reply,
    signal = false,
    ...options
  }: WrapAISDKOptions & { answer: Answer; reply: ModelReply; signal?: boolean },
) {
  const provider = await scriptedModel(() => reply);
  const on = await recorderOn();
  const sdk = wrapAISDK(MAJORS[index]?.sdk as SDK, on.recorder, options);
  const model = providers[index]?.createOpenAICompatible({ name: 'scripted', baseURL: provider.url, apiKey: 'k' })('m');
  const server = createServer((request, response) => {
    request.resume();
    const closed = new AbortController();
    response.on('close', () => closed.abort());
    const abortSignal = signal ? closed.signal : undefined;
    answer(
      sdk.streamText({ model: model as never, prompt: 'Count', abortSignal, maxRetries: 0, onError() {} }),
      response,
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  return {
    ...on,
    transcript: async () => {
      await on.recorder.flush();
      return on.synap.stored.map(line);
    },
    /** Reads the answer: all of it, or until it holds `until`, and leaves then. */
    read: async (until?: string): Promise<string> => {
      const browser = new AbortController();
      let got = '';
      try {
        const response = await fetch(url, { signal: browser.signal });
        for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
          got += new TextDecoder().decode(chunk);
          if (until !== undefined && got.includes(until)) browser.abort();
        }
      } catch {}
      return got.match(/w\d+ /g)?.join('') ?? '';
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await on[Symbol.asyncDispose]();
      await provider.close();
    },
  };
}

const on = MAJORS.flatMap((major, index) =>
  Object.entries(HELPERS).map(([helper, answer]) => ({ index, helper, answer, name: `${helper} on ${major.name}` })),
);

describe.each(on)('$name, over HTTP', ({ index, helper, answer }) => {
  it('is recorded whole', async () => {
    await using t = await app(index, { answer, reply: { text: words } });
    expect(await t.read()).toBe(whole);
    await expect.poll(t.transcript).toEqual(['user: Count', `assistant: ${whole}`]);
  });

  // Of a pipe that breaks, the SDK leaves a rejection that nobody can handle.
  it.skipIf(helper.startsWith('pipe'))('is recorded as far as it came where the provider breaks', async () => {
    await using t = await app(index, { answer, reply: { text: words, breakAfter: 30, delayMs: 1 } });
    const got = await t.read();
    await expect.poll(t.transcript).toHaveLength(2);
    const [, said = ''] = await t.transcript();
    expect(said.startsWith(`assistant (error): ${got}`)).toBe(true);
    expect(said.length).toBeLessThan(whole.length);
  });

  it('is abandoned at once where the browser leaves, with no more than was on its way to it', async () => {
    // Much longer than the test may take.
    await using t = await app(index, { answer, reply: { text: words, delayMs: 5 }, idleMs: 600_000 });
    const got = await t.read('w9 ');
    await expect.poll(t.transcript).toHaveLength(2);
    const [, said = ''] = await t.transcript();
    expect(said.startsWith(`assistant (abandoned): ${got}`)).toBe(true);
    expect(said.length).toBeLessThan(whole.length);
  });

  it('is aborted where the browser leaves and the app passes that on', async () => {
    await using t = await app(index, { answer, reply: { text: words, delayMs: 5 }, signal: true });
    const got = await t.read('w9 ');
    await expect.poll(t.transcript).toHaveLength(2);
    const [, said = ''] = await t.transcript();
    expect(said.startsWith(`assistant (aborted): ${got}`)).toBe(true);
  });

  it('is recorded whole with consumeStream, though the browser leaves', async () => {
    await using t = await app(index, { answer, reply: { text: words, delayMs: 1 }, consumeStream: true });
    await t.read('w9 ');
    await expect.poll(t.transcript).toEqual(['user: Count', `assistant: ${whole}`]);
  });
});
