import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it, vi } from 'vitest';
import { MAJORS, recording } from './majors.js';

const words = Array.from({ length: 60 }, (_, n) => `w${n} `);

/** An HTTP server whose one route streams an answer as UI messages, and a browser that hangs up in the middle of it. */
async function hangUp(answer: (signal: AbortSignal) => Response, afterBytes: number): Promise<void> {
  const server = createServer((request, response) => {
    const gone = new AbortController();
    response.on('close', () => gone.abort());
    const { status, headers, body } = answer(gone.signal);
    response.writeHead(status, Object.fromEntries(headers));
    const stream = Readable.fromWeb(body as never);
    stream.on('error', () => {});
    response.on('close', () => stream.destroy());
    stream.pipe(response);
    request.resume();
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const browser = new AbortController();
  const { port } = server.address() as AddressInfo;
  const response = await fetch(`http://127.0.0.1:${port}/`, { signal: browser.signal });
  let bytes = 0;
  try {
    for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
      bytes += chunk.length;
      if (bytes >= afterBytes) browser.abort();
    }
  } catch {
    // The browser's own abort.
  }
  server.closeAllConnections();
  await new Promise(resolve => server.close(resolve));
}

describe.each(MAJORS.map(major => ({ major, name: major.name })))('a browser that goes away, on $name', ({ major }) => {
  it('leaves the partial answer in the transcript, as abandoned', async () => {
    await using t = await recording(major, 'wrapAISDK', [words], { idleMs: 500 });
    await hangUp(() => t.sdk.streamText({ model: t.model, prompt: 'Count' }).toUIMessageStreamResponse(), 900);
    await expect.poll(() => t.transcript()).toHaveLength(2);
    const [user, assistant] = await t.transcript();
    expect(user).toBe('user: Count');
    expect(assistant).toMatch(/^assistant \(abandoned\): w0 w1 /);
    expect(assistant?.length).toBeLessThan(words.join('').length);
  });

  it('leaves it as aborted at once, when the request ends the call', async () => {
    await using t = await recording(major, 'wrapAISDK', [words]);
    const answer = (abortSignal: AbortSignal) =>
      t.sdk.streamText({ model: t.model, prompt: 'Count', abortSignal }).toUIMessageStreamResponse();
    await hangUp(answer, 900);
    await expect.poll(() => t.transcript()).toHaveLength(2);
    expect((await t.transcript())[1]).toMatch(/^assistant \(aborted\): w0 w1 /);
  });

  it('leaves the whole answer with consumeStream, and the onFinish of the app runs', async () => {
    await using t = await recording(major, 'wrapAISDK', [words], { consumeStream: true });
    const onFinish = vi.fn();
    await hangUp(
      () => t.sdk.streamText({ model: t.model, prompt: 'Count', onFinish }).toUIMessageStreamResponse(),
      900,
    );
    await expect.poll(() => onFinish.mock.calls.length).toBe(1);
    expect(await t.transcript()).toEqual(['user: Count', `assistant: ${words.join('')}`]);
  });

  it.each(['wrapAISDK', 'wrapModel'] as const)(
    'leaves it as abandoned when it is garbage-collected, with %s',
    async way => {
      // ai 5 and 6 read a model to its end whatever the consumer does.
      if (way === 'wrapModel' && major.name !== 'ai 7') return;
      setFlagsFromString('--expose-gc');
      const gc = runInNewContext('gc') as () => void;
      await using t = await recording(major, way, [words]);
      await (async () => {
        const iterator = t.sdk.streamText({ model: t.model, prompt: 'Count' }).textStream[Symbol.asyncIterator]();
        for (let n = 0; n < 3; n++) await iterator.next();
      })();
      await expect
        .poll(
          async () => {
            gc();
            return t.transcript();
          },
          { interval: 50 },
        )
        .toHaveLength(2);
      expect((await t.transcript())[1]).toMatch(/^assistant \(abandoned\): w0 w1 w2 /);
    },
  );
});
