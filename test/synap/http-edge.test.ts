import { createServer as httpServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as tcpServer } from 'node:net';
import { text } from 'node:stream/consumers';
import { inspect } from 'node:util';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { NetworkError, TimeoutError } from '../../src/index.js';
import { MAX_RESPONSE_BYTES } from '../../src/synap/body.js';
import * as overFetch from '../../src/synap/http.edge.js';
import * as overUndici from '../../src/synap/http.js';
import { deadlineIn } from '../../src/synap/request.js';
import type { HttpModule, HttpRequest } from '../../src/synap/transport.js';
import { turns } from '../support/turns.js';

const SECRETS = { authorization: 'Bearer sk-very-secret', body: '{"content":"The launch code is 0000"}' };

const request = (fields: Partial<HttpRequest> = {}): HttpRequest => ({
  method: 'POST',
  path: '/v1/messages?x=1',
  headers: { authorization: SECRETS.authorization, 'x-correlation-id': 'c-1' },
  body: SECRETS.body,
  deadline: deadlineIn(10_000),
  ...fields,
});

/** A real server on loopback, and how many requests have come to it. */
async function serve(listener: RequestListener) {
  let seen = 0;
  const server = httpServer((request, response) => {
    seen++;
    void listener(request, response);
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen: () => seen,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise(resolve => server.close(resolve));
    },
  };
}

const failure = async (promise: Promise<unknown>): Promise<NetworkError> => {
  const error = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!NetworkError.is(error)) throw new Error(`expected a NetworkError, got ${inspect(error)}`);
  return error;
};

const drip = (_: IncomingMessage, response: ServerResponse) => {
  response.writeHead(200);
  const dripping = setInterval(() => response.write(' '), 10);
  response.on('close', () => clearInterval(dripping));
};

const modules: [string, HttpModule][] = [
  ['undici', overUndici],
  ['fetch', overFetch],
];

describe.each(modules)('the transport over %s', (_, { httpTransport }) => {
  it('carries a request as it is, and brings back status, headers and body', async () => {
    await using server = await serve(async (request, response) => {
      const { method, url, headers } = request;
      response.writeHead(201, { 'retry-after': '7', 'content-type': 'application/json' });
      const { authorization, 'x-correlation-id': id } = headers;
      response.end(JSON.stringify({ method, url, authorization, id, body: await text(request) }));
    });
    const transport = httpTransport(server.origin);
    const { status, header, body } = await transport.request(request());
    expect(status).toBe(201);
    expect(header('retry-after')).toBe('7');
    expect(header('x-nothing')).toBeUndefined();
    expect(JSON.parse(body)).toEqual({ method: 'POST', url: '/v1/messages?x=1', id: 'c-1', ...SECRETS });
    await transport.close();
  });

  it.each([204, 400, 404, 429, 503])('takes a %i for an answer', async status => {
    await using server = await serve((_, response) => void response.writeHead(status).end());
    const transport = httpTransport(server.origin);
    expect(await transport.request(request())).toMatchObject({ status, body: '' });
    await transport.close();
  });

  it('takes a redirect for an answer, and carries the key nowhere else', async () => {
    await using elsewhere = await serve((_, response) => void response.end());
    await using server = await serve(
      (_, response) => void response.writeHead(307, { location: elsewhere.origin }).end(),
    );
    const transport = httpTransport(server.origin);
    expect(await transport.request(request())).toMatchObject({ status: 307 });
    expect(elsewhere.seen()).toBe(0);
    await transport.close();
  });

  it('puts characters together that come in pieces', async () => {
    const bytes = Buffer.from('größer 🦊');
    await using server = await serve(async (_, response) => {
      for (const byte of bytes) {
        response.write(Buffer.of(byte));
        await turns(20);
      }
      response.end();
    });
    const transport = httpTransport(server.origin);
    expect((await transport.request(request())).body).toBe('größer 🦊');
    await transport.close();
  });

  it('leaves open whether anything was stored, when the connection breaks before the answer', async () => {
    await using server = await serve(({ socket }) => void socket.resetAndDestroy());
    const transport = httpTransport(server.origin);
    const error = await failure(transport.request(request()));
    expect(error).toMatchObject({ code: 'network', sent: 'unknown', answered: false, correlationId: 'c-1' });
    await transport.close();
  });

  it.each([200, 401, 503])(
    'knows a status of %i, and what came of the body, when the connection breaks in its middle',
    async status => {
      await using server = await serve(({ socket }, response) => {
        response.writeHead(status, { 'content-length': 100 });
        response.write('{"message', () => socket.destroy());
      });
      const transport = httpTransport(server.origin);
      const response = await transport.request(request());
      expect(response).toMatchObject({ status, body: '{"message', unread: expect.stringMatching(/^connection /) });
      await transport.close();
    },
  );

  it('ends at the deadline, as a timeout, where a server never answers', async () => {
    await using server = await serve(() => {});
    const transport = httpTransport(server.origin);
    const error = await failure(transport.request(request({ deadline: deadlineIn(200) })));
    expect(error).toBeInstanceOf(TimeoutError);
    expect(error).toMatchObject({ code: 'timeout', sent: 'unknown', answered: false, correlationId: 'c-1' });
    await transport.close();
  });

  it.each<[string, (ends: { deadline: AbortController; caller: AbortController; close(): void }) => void]>([
    ['the deadline', ({ deadline }) => deadline.abort()],
    ['the caller', ({ caller }) => caller.abort()],
    ['closing', ({ close }) => close()],
  ])('keeps the status when %s ends an answer that never ends', async (_, end) => {
    await using server = await serve(drip);
    const transport = httpTransport(server.origin);
    const [deadline, caller] = [new AbortController(), new AbortController()];
    const { promise: headersRead, resolve } = Promise.withResolvers<unknown>();
    const answer = transport.request(
      request({
        deadline: { signal: deadline.signal, ms: 10_000 },
        signal: caller.signal,
        onHeaders: resolve,
      }),
    );
    await headersRead;
    end({ deadline, caller, close: () => void transport.close() });
    expect(await answer).toMatchObject({ status: 200, unread: expect.any(String) });
    await transport.close();
  });

  it('reads an answer as long as may be, and breaks a longer one off', async () => {
    let bytes = MAX_RESPONSE_BYTES;
    await using server = await serve((_, response) => void response.end(Buffer.alloc(bytes, 'x')));
    const transport = httpTransport(server.origin);
    expect((await transport.request(request())).body).toHaveLength(MAX_RESPONSE_BYTES);
    bytes++;
    expect((await transport.request(request())).unread).toMatch(/longer than 8388608 bytes/);
    await transport.close();
  });

  it('knows that a refused connection has sent nothing', async () => {
    const server = await serve(() => {});
    await server[Symbol.asyncDispose]();
    const transport = httpTransport(server.origin);
    expect(await failure(transport.request(request()))).toMatchObject({ sent: 'no', answered: false });
    await transport.close();
  });

  it('sends nothing for a call that was aborted before', async () => {
    await using server = await serve((_, response) => void response.end());
    const transport = httpTransport(server.origin);
    expect(await failure(transport.request(request({ signal: AbortSignal.abort() })))).toMatchObject({ sent: 'no' });
    expect(server.seen()).toBe(0);
    await transport.close();
  });

  it('breaks a call off when the caller says so', async () => {
    await using server = await serve(() => {});
    const transport = httpTransport(server.origin);
    const caller = new AbortController();
    const failed = failure(transport.request(request({ signal: caller.signal })));
    await expect.poll(() => server.seen()).toBe(1);
    caller.abort();
    expect(await failed).toMatchObject({ code: 'network', sent: 'unknown' });
    await transport.close();
  });

  it('breaks off what is under way when it is closed, and sends nothing after', async () => {
    await using server = await serve(() => {});
    const transport = httpTransport(server.origin);
    const failed = failure(transport.request(request()));
    await expect.poll(() => server.seen()).toBe(1);
    await transport.close();
    expect(await failed).toMatchObject({ code: 'network' });
    expect(await failure(transport.request(request()))).toMatchObject({ sent: 'no' });
    expect(server.seen()).toBe(1);
  });

  it('keeps key and content out of the error about an answer that is no HTTP', async () => {
    const echo = tcpServer(socket => socket.on('data', data => socket.end(data)));
    await new Promise<void>(resolve => echo.listen(0, '127.0.0.1', resolve));
    const transport = httpTransport(`http://127.0.0.1:${(echo.address() as AddressInfo).port}`);
    const told = inspect(await failure(transport.request(request())), { depth: 20, showHidden: true });
    expect(told).not.toContain('very-secret');
    expect(told).not.toContain('launch code');
    await transport.close();
    echo.close();
  });
});

describe('fetch, unlike undici,', () => {
  it('unpacks an answer, whose length counts unpacked', async () => {
    const bomb = gzipSync(Buffer.alloc(MAX_RESPONSE_BYTES + 1));
    await using server = await serve(
      (_, response) => void response.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb),
    );
    const transport = overFetch.httpTransport(server.origin);
    expect(bomb.length).toBeLessThan(MAX_RESPONSE_BYTES / 100);
    expect((await transport.request(request())).unread).toMatch(/longer than 8388608 bytes/);
    await transport.close();
  });
});
