// `experimental_streamTextLowMemory` of ai 7: recorded, and it still keeps nothing.

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, vi } from 'vitest';
import { wrapAISDK } from '../../src/ai-sdk/index.js';
import { recorderOn } from '../support/recorder.js';
import { staysSmall } from './low-memory.js';
import { line, MAJORS, type Major, mockModel, type Piece, type SDK } from './majors.js';

const ai7 = MAJORS[2] as Major;
const WORDS = ['One ', 'two ', 'three'];

type Result = ReturnType<SDK['streamText']>;

/** The function around a model that says `words`, of the whole namespace or of itself alone. */
async function lowMemory(part: 'namespace' | 'function', words: Piece[] = WORDS) {
  const on = await recorderOn();
  const { model, seen } = mockModel(ai7, [words]);
  const { experimental_streamTextLowMemory } = ai7.sdk as unknown as {
    experimental_streamTextLowMemory: SDK['streamText'];
  };
  const own = part === 'namespace' ? ai7.sdk : { experimental_streamTextLowMemory };
  const sdk = wrapAISDK(own as never, on.recorder) as unknown as {
    experimental_streamTextLowMemory: SDK['streamText'];
  };
  return {
    ...on,
    seen,
    stream: (options: object = {}) =>
      sdk.experimental_streamTextLowMemory({ model, prompt: 'Count', onError() {}, ...options } as never),
    transcript: async () => {
      await on.recorder.flush();
      return on.synap.stored.map(line);
    },
    [Symbol.asyncDispose]: () => on[Symbol.asyncDispose](),
  };
}

const text = async (stream: AsyncIterable<string>) => {
  let all = '';
  for await (const piece of stream) all += piece;
  return all;
};

/** Pipes an answer to a browser, and returns what that has got. */
async function piped(pipe: (response: never) => void): Promise<string> {
  const server = createServer((_, response) => pipe(response as never));
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const got = await (await fetch(`http://127.0.0.1:${port}/`)).text();
  await new Promise(resolve => server.close(resolve));
  return got;
}

const ways: Record<string, (result: Result) => Promise<string>> = {
  textStream: result => text(result.textStream),
  toTextStreamResponse: result => result.toTextStreamResponse({ headers: { 'x-own': 'yes' } }).text(),
  toUIMessageStreamResponse: result => result.toUIMessageStreamResponse({ status: 201 } as never).text(),
  pipeTextStreamToResponse: result => piped(response => result.pipeTextStreamToResponse(response)),
  pipeUIMessageStreamToResponse: result => piped(response => result.pipeUIMessageStreamToResponse(response)),
  consumeStream: async result => {
    await result.consumeStream();
    return WORDS.join('');
  },
};

describe.each(['namespace', 'function'] as const)('experimental_streamTextLowMemory, of a wrapped %s', part => {
  it.each(Object.entries(ways))('is recorded as %s reads it', async (_, read) => {
    await using t = await lowMemory(part);
    const got = await read(t.stream());
    for (const word of WORDS) expect(got).toContain(word.trim());
    await expect.poll(t.transcript).toEqual(['user: Count', 'assistant: One two three']);
    expect(t.synap.stored[1]?.metadata).toMatchObject({
      status: 'complete',
      model: 'asked-model',
      response_model: 'answering-model',
      finish_reason: 'stop',
      input_tokens: 10,
    });
  });

  it('gives its responses the status, the headers and the callbacks that the app asks for', async () => {
    await using t = await lowMemory(part);
    const onFinish = vi.fn();
    const response = t.stream().toUIMessageStreamResponse({ status: 201, headers: { 'x-own': 'yes' }, onFinish });
    expect(response.status).toBe(201);
    expect(response.headers.get('x-own')).toBe('yes');
    expect(response.headers.get('content-type')).toBe('text/event-stream');
    await response.text();
    expect(onFinish).toHaveBeenCalledOnce();
  });

  it('keeps the options for synap from the provider', async () => {
    await using t = await lowMemory(part);
    await text(t.stream({ providerOptions: { synap: { conversationId: 'c' }, other: { x: 1 } } }).textStream);
    expect(t.seen.params[0]?.providerOptions).toEqual({ other: { x: 1 } });
  });

  it('is recorded as far as it came when it breaks', async () => {
    await using t = await lowMemory(part, ['One ', { breaks: new Error('gone') }]);
    await text(t.stream().textStream).catch(() => {});
    expect(await t.transcript()).toEqual(['user: Count', 'assistant (error): One ']);
  });
});

it('an answer of 20 MiB takes no more memory than without a recorder', () => staysSmall(20));
