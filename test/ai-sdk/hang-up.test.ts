// A browser that hangs up in the middle of an answer.

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it, vi } from 'vitest';
import { MAJORS, recording, type Step } from './majors.js';

const words = Array.from({ length: 60 }, (_, n) => `w${n} `);

/**
 * A browser that reads the beginning of an answer and hangs up, and a model that says the second half of its words only
 * after that.
 */
function aBrowser() {
  const { promise: isGone, resolve: gone } = Promise.withResolvers<void>();
  const script: Step[] = [[...words.slice(0, 30), { waitsFor: isGone }, ...words.slice(30)]];
  return { script, hangUp: (answer: (signal: AbortSignal) => Response) => hangUp(answer, gone) };
}

/** An HTTP server whose one route streams an answer as UI messages, and a browser that hangs up in the middle of it. */
async function hangUp(answer: (signal: AbortSignal) => Response, gone: () => void): Promise<void> {
  const server = createServer((request, response) => {
    const closed = new AbortController();
    response.on('close', () => closed.abort());
    const { status, headers, body } = answer(closed.signal);
    response.writeHead(status, Object.fromEntries(headers));
    const stream = Readable.fromWeb(body as never);
    stream.on('error', () => {});
    response.on('close', () => {
      stream.destroy();
      gone();
    });
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
      if (bytes >= 900) browser.abort();
    }
  } catch {
    // The browser's own abort.
  }
  server.closeAllConnections();
  await new Promise(resolve => server.close(resolve));
}

describe.each(MAJORS.map(major => ({ major, name: major.name })))('a browser that goes away, on $name', ({ major }) => {
  it('leaves the partial answer in the transcript, as abandoned', async () => {
    const browser = aBrowser();
    await using t = await recording(major, 'wrapAISDK', browser.script, { idleMs: 500 });
    await browser.hangUp(() => t.sdk.streamText({ model: t.model, prompt: 'Count' }).toUIMessageStreamResponse());
    await expect.poll(() => t.transcript()).toHaveLength(2);
    const [user, assistant] = await t.transcript();
    expect(user).toBe('user: Count');
    expect(assistant).toMatch(/^assistant \(abandoned\): w0 w1 /);
    expect(assistant?.length).toBeLessThan(words.join('').length);
  });

  it('leaves it as aborted at once, when the request ends the call', async () => {
    const browser = aBrowser();
    await using t = await recording(major, 'wrapAISDK', browser.script);
    const answer = (abortSignal: AbortSignal) =>
      t.sdk.streamText({ model: t.model, prompt: 'Count', abortSignal }).toUIMessageStreamResponse();
    await browser.hangUp(answer);
    await expect.poll(() => t.transcript()).toHaveLength(2);
    expect((await t.transcript())[1]).toMatch(/^assistant \(aborted\): w0 w1 /);
  });

  it('leaves the whole answer with consumeStream, and the onFinish of the app runs', async () => {
    const browser = aBrowser();
    await using t = await recording(major, 'wrapAISDK', browser.script, { consumeStream: true });
    const onFinish = vi.fn();
    await browser.hangUp(() =>
      t.sdk.streamText({ model: t.model, prompt: 'Count', onFinish }).toUIMessageStreamResponse(),
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
