// What every request must pass: key, host, content type, size.

import { request } from 'node:http';
import { createConnection } from 'node:net';
import { expect, test, vi } from 'vitest';
import { turns } from '../../test/support/turns.js';
import type { LocalSynap } from '../src/index.js';
import { aMessage, call, rawGet, record, start } from './support.js';

const PROTECTED: [method: string, path: string][] = [
  ['POST', '/v1/conversations/messages'],
  ['POST', '/v1/conversations/messages/batch'],
  ['GET', '/v1/conversations'],
  ['GET', '/v1/conversations/0a0b0c0d-1111-4222-8333-abcdefabcdef/messages'],
  ['GET', '/api/v1/auth/whoami'],
  ['GET', '/v1/credits/balance'],
  ['POST', '/v1/conversations/ingest'],
  ['POST', '/v1/conversations/compact'],
  ['POST', '/v1/context/conversation/fetch'],
  ['GET', '/v1/conversations/0a0b0c0d-1111-4222-8333-abcdefabcdef/context-for-prompt'],
  ['GET', '/v1/conversations/0a0b0c0d-1111-4222-8333-abcdefabcdef/compacted'],
  ['GET', '/v1/conversations/0a0b0c0d-1111-4222-8333-abcdefabcdef/compaction/status'],
  ['DELETE', '/v1/users/ada'],
];

test.each(PROTECTED)('%s %s asks for the API key', async (method, path) => {
  const local = await start({ apiKeys: ['right-key'] });
  for (const authorization of [
    '',
    'Bearer',
    'Bearer wrong-key',
    'Bearer right-key-and-more',
    'Bearer right-ke',
    'Basic right-key',
    'right-key',
  ]) {
    const { status, body, headers } = await call(local, method, path, method === 'POST' ? {} : undefined, {
      authorization,
    });
    expect(status, authorization).toBe(401);
    expect(body).toEqual({ detail: expect.stringContaining('API key') });
    expect(headers.get('www-authenticate')).toBe('Bearer');
  }
});

test('every configured key is accepted, however the scheme is spelled', async () => {
  const local = await start({ apiKeys: ['one', 'two'] });
  expect(local.apiKey).toBe('one');
  for (const authorization of ['Bearer one', 'bearer two', 'BEARER  one'])
    expect((await call(local, 'GET', '/v1/conversations', undefined, { authorization })).status).toBe(200);
});

test('health needs no key', async () => {
  const local = await start();
  const response = await fetch(`${local.url}/health`);
  expect(response.status).toBe(200);
  expect(await response.json()).toEqual({ status: 'ok' });
});

test('a request under a name that somebody else may own is refused, with the right key too', async () => {
  const local = await start();
  const { port } = new URL(local.url);
  const get = (host: string, path = '/v1/conversations') =>
    rawGet(local.url + path, { host, authorization: `Bearer ${local.apiKey}` });
  for (const host of ['evil.example', `evil.example:${port}`, 'localhost:1', 'evil.example/..', 'a b']) {
    const { status, body, headers } = await get(host);
    expect(status, host).toBe(403);
    expect(body).toEqual({ detail: expect.stringContaining('Host') });
    expect(headers['x-content-type-options']).toBe('nosniff');
    expect((await get(host, '/health')).status).toBe(403);
  }
  for (const host of [`localhost:${port}`, 'localhost', `127.0.0.1:${port}`, `[::1]:${port}`])
    expect((await get(host)).status, host).toBe(200);
});

test('a request without a Host is refused', async () => {
  const local = await start();
  const socket = createConnection(Number(new URL(local.url).port), '127.0.0.1');
  socket.write('GET /health HTTP/1.0\r\n\r\n');
  const answer = (await socket.toArray()).join('');
  expect(answer).toMatch(/^HTTP\/1\.1 403 /);
});

test('a server for others answers to its allowed hosts, and to no more', async () => {
  const local = await start({ host: '0.0.0.0', allowedHosts: ['Synap.lan', 'fd00::1'] });
  const get = (host: string) => rawGet(`${local.url}/health`, { host });
  for (const host of ['synap.lan', 'synap.lan:9000', '[fd00::1]:80', 'localhost:9000', '0.0.0.0'])
    expect((await get(host)).status, host).toBe(200);
  for (const host of ['evil.example', 'lan', 'x.synap.lan']) expect((await get(host)).status, host).toBe(403);
});

test.each(['http://evil.example', 'null', 'http://localhost:3000', 'https://evil.example'])(
  'a page of %s is refused, and no header lets it read the answer',
  async origin => {
    const local = await start();
    for (const [method, path] of [...PROTECTED, ['OPTIONS', '/v1/conversations'], ['GET', '/health']] as const) {
      const { status, headers } = await call(local, method, path, method === 'POST' ? aMessage() : undefined, {
        origin,
      });
      expect(status).toBe(403);
      expect([...headers.keys()].filter(name => name.startsWith('access-control'))).toEqual([]);
    }
  },
);

test('a page of the server itself is let in', async () => {
  const local = await start();
  expect((await call(local, 'GET', '/v1/conversations', undefined, { origin: local.url })).status).toBe(200);
});

test.each(['text/plain', 'application/x-www-form-urlencoded', 'application/json-patch+json', ''])(
  'a body of type "%s", which a page could send unasked, is refused',
  async type => {
    const local = await start();
    const { status, body } = await call(local, 'POST', '/v1/conversations/messages', aMessage(), {
      'content-type': type,
    });
    expect(status).toBe(415);
    expect(body.detail).toContain('application/json');
  },
);

test('JSON may name its character set', async () => {
  const local = await start();
  const type = { 'content-type': 'Application/JSON; charset=utf-8' };
  expect((await call(local, 'POST', '/v1/conversations/messages', aMessage(), type)).status).toBe(200);
});

test('a body of exactly the limit is taken, and one byte more is not', async () => {
  const message = aMessage();
  const size = Buffer.byteLength(JSON.stringify(message));
  expect((await record(await start({ maxBodyBytes: size }), message)).status).toBe(200);
  const { status, body } = await record(await start({ maxBodyBytes: size - 1 }), message);
  expect(status).toBe(413);
  expect(body.detail).toBe(`The body is larger than ${size - 1} bytes`);
});

/** Sends chunks of 64 KiB without a Content-Length, until there is an answer. */
function sendWithoutEnd({ url, apiKey }: LocalSynap): Promise<{ status: number; sent: number }> {
  return new Promise((resolve, reject) => {
    let sent = 0;
    const outgoing = request(`${url}/v1/conversations/messages`, {
      method: 'POST',
      headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
    });
    const chunk = Buffer.alloc(64 * 1024, 'x');
    const more = setInterval(() => {
      if (outgoing.writableNeedDrain) return;
      outgoing.write(chunk);
      sent += chunk.length;
    }, 1);
    outgoing.on('response', response => {
      clearInterval(more);
      resolve({ status: response.statusCode ?? 0, sent });
      outgoing.destroy();
    });
    outgoing.on('error', error => {
      clearInterval(more);
      reject(error);
    });
  });
}

test('a body without a length is cut off at the limit, before it ends', async () => {
  const local = await start({ maxBodyBytes: 256 * 1024 });
  const { status, sent } = await sendWithoutEnd(local);
  expect(status).toBe(413);
  expect(sent).toBeLessThan(16 * 1024 * 1024);
  expect((await record(local, aMessage())).status).toBe(200);
});

test('the default limit is 4 MiB', async () => {
  const local = await start();
  expect((await record(local, aMessage({ content: 'x'.repeat(4 * 1024 * 1024 - 1000) }))).status).toBe(200);
  expect((await record(local, aMessage({ content: 'x'.repeat(4 * 1024 * 1024) }))).status).toBe(413);
});

test('a caller that hangs up in the middle of a body leaves no trace, in the store or the log', async () => {
  const local = await start();
  const stderr = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  const noise = vi.spyOn(console, 'error').mockReturnValue();
  try {
    const socket = createConnection(Number(new URL(local.url).port), '127.0.0.1');
    socket.write(
      `POST /v1/conversations/messages HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${local.apiKey}\r\n` +
        'Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"content":"half',
    );
    await turns();
    socket.destroy();
    await turns();
    expect((await call(local, 'GET', '/v1/conversations')).body.conversations).toEqual([]);
    expect(stderr.mock.calls).toEqual([]);
    expect(noise.mock.calls).toEqual([]);
  } finally {
    vi.restoreAllMocks();
  }
});

test('what is not there is 404, and the wrong method on what is there 405', async () => {
  const local = await start();
  for (const path of ['/nowhere', '/v1', '/v1/conversations/', '/v1/conversations/x', '/v2/conversations']) {
    const { status, body } = await call(local, 'GET', path);
    expect(status, path).toBe(404);
    expect(body).toEqual({ detail: 'Not Found' });
  }
  for (const [method, path, allowed] of [
    ['GET', '/v1/conversations/messages', 'POST'],
    ['DELETE', '/v1/conversations/messages/batch', 'POST'],
    ['POST', '/v1/conversations', 'GET, HEAD'],
    ['PUT', '/health', 'GET, HEAD'],
  ] as const) {
    const { status, body, headers } = await call(local, method, path);
    expect(status, path).toBe(405);
    expect(body).toEqual({ detail: 'Method Not Allowed' });
    expect(headers.get('allow')).toBe(allowed);
  }
});

test('every answer forbids sniffing and storing', async () => {
  const local = await start();
  const answers = [
    await record(local, aMessage()),
    await record(local, {}),
    await call(local, 'POST', '/v1/conversations/messages', '{'),
    await call(local, 'GET', '/nowhere'),
    await call(local, 'GET', '/v1/conversations', undefined, { authorization: '' }),
    await call(local, 'GET', '/health', undefined, { origin: 'null' }),
  ];
  expect(answers.map(({ status }) => status)).toEqual([200, 422, 400, 404, 401, 403]);
  for (const { headers } of answers) {
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('content-type')).toMatch(/^application\/json/);
  }
});
