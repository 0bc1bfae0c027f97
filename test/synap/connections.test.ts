import { createServer as createHttp2Server, createSecureServer as createSecureHttp2Server } from 'node:http2';
import { createServer as httpsServer } from 'node:https';
import { type AddressInfo, type Server, type Socket, createServer as tcpServer } from 'node:net';
import { inspect } from 'node:util';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { NetworkError } from '../../src/index.js';
import * as overFetch from '../../src/synap/http.edge.js';
import * as overUndici from '../../src/synap/http.js';
import { deadlineIn } from '../../src/synap/request.js';
import type { HttpModule } from '../../src/synap/transport.js';
import { selfSigned } from '../support/certificates.js';
import { turns } from '../support/turns.js';

async function listening(server: Server, host = '127.0.0.1'): Promise<number> {
  await new Promise<void>(resolve => server.listen(0, host, resolve));
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

const modules: [string, HttpModule][] = [
  ['undici', overUndici],
  ['fetch', overFetch],
];

function transportTo(origin: string, { httpTransport }: HttpModule = overUndici) {
  const transport = httpTransport(origin);
  onTestFinished(() => transport.close());
  const post = () =>
    transport.request({ method: 'POST', path: '/', headers: {}, body: '{"content":"Hi"}', deadline: deadlineIn(8000) });
  return post;
}

async function failureOf(answer: Promise<unknown>): Promise<NetworkError> {
  const error = await answer.then(
    value => value,
    (error: unknown) => error,
  );
  if (!NetworkError.is(error)) throw new Error(`expected a NetworkError, got ${inspect(error)}`);
  return error;
}

/** A server on a bare socket, which answers each request with these bytes, a piece at a time. */
async function bytesServer(pieces: readonly string[]) {
  const connections: Socket[] = [];
  const server = tcpServer(socket => {
    connections.push(socket);
    socket.setNoDelay(true);
    socket.on('error', () => {});
    socket.on('data', async () => {
      for (const piece of pieces) {
        await new Promise<void>(resolve => socket.write(piece, () => resolve()));
        await new Promise(resolve => setTimeout(resolve, 5));
      }
    });
  });
  const origin = `http://127.0.0.1:${await listening(server)}`;
  onTestFinished(() => {
    for (const socket of connections) socket.destroy();
  });
  return { origin, connections };
}

const OK = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}';

describe('an interim answer that nobody asked for', () => {
  const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n';
  it.each<[string, string[]]>([
    ['100 Continue', [CONTINUE, OK]],
    ['100 Continue together with the answer', [CONTINUE + OK]],
    ['100 Continue, byte by byte', [...CONTINUE, OK]],
    ['100 Continue with headers', ['HTTP/1.1 100 Continue\r\nserver: x\r\n\r\n', OK]],
    ['100 without a reason', ['HTTP/1.1 100\r\n\r\n', OK]],
    ['100 Continue twice', [CONTINUE, CONTINUE + OK.slice(0, 5), OK.slice(5)]],
    ['103 Early Hints', ['HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n', OK]],
    ['100 Continue, then 102 Processing', [CONTINUE, 'HTTP/1.1 102 Processing\r\n\r\n', OK]],
    ['none, byte by byte', [...OK]],
  ])('is passed over: %s', async (_, pieces) => {
    const { origin, connections } = await bytesServer(pieces);
    const post = transportTo(origin);
    expect(await post()).toMatchObject({ status: 200, body: '{}' });
    // The connection is good for the next one, as soon as undici has noticed that it is free.
    await turns(1);
    expect(await post()).toMatchObject({ status: 200, body: '{}' });
    expect(connections).toHaveLength(1);
  });

  it('that is all that comes leaves open whether it was stored', async () => {
    const server = tcpServer(socket => socket.on('error', () => {}).on('data', () => socket.end(CONTINUE)));
    const post = transportTo(`http://127.0.0.1:${await listening(server)}`);
    expect((await failureOf(post())).sent).toBe('unknown');
  });
});

describe('a connection', () => {
  it('that has come about too late for a request is not written to', async () => {
    const { origin, connections } = await bytesServer([]);
    const transport = overUndici.httpTransport(origin);
    onTestFinished(() => transport.close());
    const late = new Error('others send it by now');
    const beforeWriting = () => Promise.reject(late);
    await expect(transport.request({ method: 'POST', path: '/', headers: {}, body: '{}', beforeWriting })).rejects.toBe(
      late,
    );
    expect(connections.map(({ bytesRead }) => bytesRead)).toEqual([0]);
  });

  it('that was idle for a second is not used again', async () => {
    const { origin, connections } = await bytesServer([OK]);
    const post = transportTo(origin);
    await post();
    await turns(1);
    await post();
    expect(connections).toHaveLength(1);
    await expect.poll(() => connections[0]?.destroyed, { timeout: 3000 }).toBe(true);
    await post();
    expect(connections).toHaveLength(2);
  });

  it('is renewed after a stop of the process, whose timers come late', async () => {
    const { origin, connections } = await bytesServer([OK]);
    const post = transportTo(origin);
    await post();
    const now = performance.now();
    vi.spyOn(performance, 'now').mockReturnValue(now + 1500);
    await post();
    vi.restoreAllMocks();
    expect(connections).toHaveLength(2);
  });

  it('that the other side closes after two seconds is never met by a request that lingered so long', async () => {
    const { origin, connections } = await bytesServer([OK]);
    const post = transportTo(origin);
    for (let round = 0; round < 2; round++) {
      await post();
      const socket = connections.at(-1);
      await new Promise(resolve => setTimeout(resolve, 1990));
      // At the very moment in which the next request goes.
      setTimeout(() => socket?.resetAndDestroy(), 5);
      await new Promise(resolve => setTimeout(resolve, 8));
      expect(await post()).toMatchObject({ status: 200 });
    }
  }, 10_000);
});

describe.each(modules)('what was never sent is never unknown, over %s:', (_, module) => {
  it.each<[string, () => Promise<string>, RegExp]>([
    [
      'a port where nothing listens',
      async () => {
        const server = tcpServer();
        await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
        const { port } = server.address() as AddressInfo;
        await new Promise(resolve => server.close(resolve));
        return `http://127.0.0.1:${port}`;
      },
      /^Could not reach Synap at http:\/\/127\.0\.0\.1:\d+ \(ECONNREFUSED\)\. Nothing listens there: start the server/,
    ],
    [
      'the same by a name with two addresses',
      async () => {
        const server = tcpServer();
        await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
        const { port } = server.address() as AddressInfo;
        await new Promise(resolve => server.close(resolve));
        return `http://localhost:${port}`;
      },
      /^Could not reach Synap at http:\/\/localhost:\d+ \(ECONNREFUSED\)/,
    ],
    [
      'a name that nobody has',
      async () => 'https://no-such-host.invalid',
      /^Could not reach Synap at https:\/\/no-such-host\.invalid \((ENOTFOUND|EAI_AGAIN)\)\. The (name|DNS)/,
    ],
    [
      'https to a plain port',
      async () => `https://127.0.0.1:${await listening(tcpServer(socket => socket.on('error', () => {}).end(OK)))}`,
      /^No TLS with Synap at https:\/\/127\.0\.0\.1:\d+: the port does not speak TLS/,
    ],
    [
      'a handshake that is cut off',
      async () =>
        `https://127.0.0.1:${await listening(tcpServer(socket => socket.on('error', () => {}).once('data', () => socket.end())))}`,
      /^Could not reach Synap at https:\/\/127\.0\.0\.1:\d+ \(ECONNRESET\)/,
    ],
    [
      'a self-signed certificate',
      async () => `https://localhost:${await listening(httpsServer(selfSigned()))}`,
      /: its certificate is signed by nobody but itself \(DEPTH_ZERO_SELF_SIGNED_CERT\)\. Trust it: set NODE_EXTRA_CA_CERTS/,
    ],
    [
      'a server of HTTP/2 alone',
      async () => `https://localhost:${await listening(createSecureHttp2Server(selfSigned()))}`,
      /: the server does not offer HTTP\/1\.1 \(ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL\)/,
    ],
  ])('%s', async (_, serve, words) => {
    const error = await failureOf(transportTo(await serve(), module)());
    expect(error.message).toMatch(words);
    expect(error).toMatchObject({ sent: 'no', stored: 'no', answered: false });
  });
});

describe('over TLS that is trusted', () => {
  it.each<[string, Parameters<typeof selfSigned>[0], RegExp]>([
    [
      'an expired certificate',
      { days: -2 },
      /its certificate has expired \(CERT_HAS_EXPIRED\)\. Ask whoever runs this/,
    ],
    [
      'a certificate for another name',
      { name: 'other.example' },
      /its certificate is for another name \(ERR_TLS_CERT_ALTNAME_INVALID\)\. Check the address/,
    ],
  ])('%s is said to be that', async (_, made, words) => {
    const certificate = selfSigned(made);
    const { origin, dispatcher } = await trusted(certificate);
    const transport = overUndici.httpTransport(origin, { dispatcher });
    const request = { method: 'GET', path: '/', headers: {}, deadline: deadlineIn(5000) } as const;
    const error = await failureOf(transport.request(request));
    expect(error.message).toMatch(words);
    expect(error.sent).toBe('no');
  });
});

async function trusted(certificate: { key: string; cert: string }) {
  const { Agent } = await import('undici');
  const dispatcher = new Agent({ connect: { ca: certificate.cert } });
  onTestFinished(() => dispatcher.destroy());
  return { origin: `https://localhost:${await listening(httpsServer(certificate))}`, dispatcher };
}

it('a handshake that is reset has sent nothing', async () => {
  const server = tcpServer(socket => socket.on('error', () => {}).once('data', () => socket.resetAndDestroy()));
  const error = await failureOf(transportTo(`https://127.0.0.1:${await listening(server)}`)());
  expect(error).toMatchObject({ sent: 'no', message: expect.stringMatching(/^Could not reach Synap at .*ECONNRESET/) });
});

it('a server of HTTP/2 in the clear is said not to speak HTTP/1.1', async () => {
  const server = createHttp2Server();
  const error = await failureOf(transportTo(`http://127.0.0.1:${await listening(server)}`)());
  expect(error.message).toMatch(/does not speak HTTP\/1\.1/);
});
