// Stands in for the AI Gateway.

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { vi } from 'vitest';
import type { Major } from './majors.js';

const GATEWAY = 'https://ai-gateway.vercel.sh';

/**
 * The AI Gateway on loopback: where the SDK sends a model that is named by a string. The address of the SDK's own gateway
 * is fixed, so its requests are led here by `fetch`.
 */
export async function gateway({ nested }: Major, pieces: string[]) {
  const bodies: unknown[] = [];
  const usage = nested
    ? { inputTokens: { total: 10 }, outputTokens: { total: 5 } }
    : { inputTokens: 10, outputTokens: 5, totalTokens: 15 };
  const finish = { finishReason: nested ? { unified: 'stop', raw: 'stop' } : 'stop', usage };
  const server = createServer(async (request, response) => {
    bodies.push(await json(request));
    if (request.headers['ai-language-model-streaming'] !== 'true') {
      response.writeHead(200, { 'content-type': 'application/json' });
      return response.end(
        JSON.stringify({ content: [{ type: 'text', text: pieces.join('') }], ...finish, warnings: [] }),
      );
    }
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const parts = [
      { type: 'stream-start', warnings: [] },
      { type: 'text-start', id: '0' },
      ...pieces.map(delta => ({ type: 'text-delta', id: '0', delta })),
      { type: 'text-end', id: '0' },
      { type: 'finish', ...finish },
    ];
    response.end(`${parts.map(part => `data: ${JSON.stringify(part)}\n\n`).join('')}data: [DONE]\n\n`);
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const { fetch } = globalThis;
  vi.stubEnv('AI_GATEWAY_API_KEY', 'test-key');
  vi.stubGlobal('fetch', (url: string | URL, init: RequestInit) =>
    fetch(String(url).replace(GATEWAY, `http://127.0.0.1:${port}`), init),
  );
  return {
    bodies,
    async [Symbol.asyncDispose]() {
      vi.unstubAllGlobals();
      vi.unstubAllEnvs();
      server.closeAllConnections();
      await new Promise(resolve => server.close(resolve));
    },
  };
}
