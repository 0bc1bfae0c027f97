import { createServer as httpServer } from 'node:http';
import { createServer as httpsServer } from 'node:https';
import type { AddressInfo, Server, Socket } from 'node:net';
import { inspect } from 'node:util';
import { Agent, EnvHttpProxyAgent, MockAgent, ProxyAgent } from 'undici';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import {
  createRecorder,
  InvalidInputError,
  NetworkError,
  SynapClient,
  type SynapClientOptions,
} from '../../src/index.js';
import * as overFetch from '../../src/synap/http.edge.js';
import { streamTransport } from '../../src/synap/http-stream.js';
import { chooseProxy } from '../../src/synap/proxy.js';
import { deadlineIn } from '../../src/synap/request.js';
import { selfSigned } from '../support/certificates.js';
import { connectProxy } from '../support/connect-proxy.js';

const VARIABLES = ['HTTPS_PROXY', 'HTTP_PROXY', 'NO_PROXY', 'ALL_PROXY'].flatMap(name => [name, name.toLowerCase()]);

beforeEach(() => {
  for (const name of VARIABLES) vi.stubEnv(name, undefined);
});
afterEach(() => vi.unstubAllEnvs());

const certificate = selfSigned();

async function listening(server: Server): Promise<number> {
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

const whoami = JSON.stringify({ client_id: 'c1', instance_id: 'i1' });

/** A Synap that says whose the key is, and what it was sent. */
async function synap(protocol: 'http' | 'https') {
  const seen: (string | undefined)[] = [];
  const answer: Parameters<typeof httpServer>[1] = ({ headers }, response) => {
    seen.push(headers['proxy-authorization']);
    response.writeHead(200, { 'content-type': 'application/json' }).end(whoami);
  };
  const server = protocol === 'http' ? httpServer(answer) : httpsServer(certificate, answer);
  const port = await listening(server);
  return { url: `${protocol}://127.0.0.1:${port}`, host: `127.0.0.1:${port}`, seen };
}

/** Trusts the certificate of these tests, for as long as one lasts. */
function trusting() {
  vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0');
}

function client(options: SynapClientOptions): SynapClient {
  const made = new SynapClient({ apiKey: 'the-key', logger: false, ...options });
  onTestFinished(() => made.close());
  return made;
}

const once = { timeoutMs: 10_000 };
const failureOf = async (options: SynapClientOptions): Promise<NetworkError> => {
  const conversationId = '7f1a6f0e-6f0e-4f0e-8f0e-7f1a6f0e6f0e';
  const sent = client(options).conversation.recordMessage({
    conversationId,
    role: 'user',
    content: 'Hi',
    userId: 'ada',
  });
  const error = await sent.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!NetworkError.is(error)) throw new Error(`expected a NetworkError, got ${inspect(error)}`);
  return error;
};

describe('which proxy is used', () => {
  const PROXY = 'http://proxy.example:3128';
  const NO_PROXY = [
    ['', 'https://synap.example'],
    ['*', 'https://synap.example'],
    [' none.example , * ', 'https://synap.example'],
    ['*:443', 'https://synap.example'],
    ['*:80', 'https://synap.example'],
    ['synap.example', 'https://synap.example'],
    ['SYNAP.example', 'https://synap.example'],
    ['synap.example.', 'https://synap.example'],
    ['example', 'https://synap.example'],
    ['.example', 'https://synap.example'],
    ['.synap.example', 'https://synap.example'],
    ['*.example', 'https://synap.example'],
    ['*.synap.example', 'https://synap.example'],
    ['nap.example', 'https://synap.example'],
    ['synap.example:443', 'https://synap.example'],
    ['synap.example:8443', 'https://synap.example'],
    ['synap.example:8443', 'https://synap.example:8443'],
    ['other.example\tsynap.example', 'https://synap.example'],
    ['127.0.0.1', 'http://127.0.0.1:8787'],
    ['127.0.0.1:8787', 'http://127.0.0.1:8787'],
    ['127.0.0.1:80', 'http://127.0.0.1:8787'],
    ['127.0.0.0/8', 'http://127.0.0.1:8787'],
    ['localhost', 'http://127.0.0.1:8787'],
    ['::1', 'http://[::1]:8787'],
    ['[::1]', 'http://[::1]:8787'],
    ['[::1]:8787', 'http://[::1]:8787'],
    ['[::1]:80', 'http://[::1]:8787'],
    ['synap.example', 'https://synap.example.'],
  ] as const;

  it.each(NO_PROXY)('with NO_PROXY=%j for %s it is as in undici', async (noProxy, target) => {
    const proxy = await connectProxy({ onConnect: socket => void socket.end('HTTP/1.1 418 Teapot\r\n\r\n') });
    onTestFinished(() => proxy[Symbol.asyncDispose]());
    const agent = new EnvHttpProxyAgent({
      httpProxy: proxy.url,
      httpsProxy: proxy.url,
      noProxy,
      connect: { timeout: 1 },
    });
    onTestFinished(() => void agent.destroy());
    vi.stubEnv('http_proxy', PROXY);
    vi.stubEnv('NO_PROXY', noProxy);
    const before = proxy.signIns.length + proxy.forwarded.length;
    const url = new URL(target);
    // A port that nobody listens on, where it would go directly.
    const error = await agent.request({ origin: url.origin, path: '/', method: 'GET' }).then(
      ({ statusCode }) => `answered ${statusCode}`,
      (error: Error) => error.message,
    );
    const through = /418|answered/.test(error) || proxy.signIns.length + proxy.forwarded.length > before;
    expect(chooseProxy(url, undefined).proxy !== undefined, error).toBe(through);
  });

  it.each([
    [{}, 'https://s.example', undefined],
    [{ HTTPS_PROXY: 'http://a:1' }, 'https://s.example', 'a:1'],
    [{ HTTPS_PROXY: 'http://a:1', https_proxy: 'http://b:2' }, 'https://s.example', 'b:2'],
    [{ HTTPS_PROXY: 'http://a:1', https_proxy: '' }, 'https://s.example', undefined],
    [{ HTTP_PROXY: 'http://a:1' }, 'https://s.example', 'a:1'],
    [{ HTTPS_PROXY: 'http://a:1' }, 'http://127.0.0.1', undefined],
    [{ http_proxy: 'http://a:1\r' }, 'http://127.0.0.1', 'a:1'],
    [{ HTTPS_PROXY: 'a.example:3128' }, 'https://s.example', 'a.example:3128'],
    [{ HTTPS_PROXY: 'http://a.example' }, 'https://s.example', 'a.example:80'],
    [{ HTTPS_PROXY: 'https://a.example' }, 'https://s.example', 'a.example:443'],
    [{ HTTPS_PROXY: 'socks5://a.example' }, 'https://s.example', 'a.example:1080'],
    [{ ALL_PROXY: 'http://a:1' }, 'https://s.example', undefined],
    [{ HTTPS_PROXY: '"http://a:1"' }, 'https://s.example', undefined],
  ])('%j for %s is %s', (env, target, host) => {
    for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
    expect(chooseProxy(new URL(target), undefined).proxy?.host).toBe(host);
  });

  it('a variable that names no proxy is passed over, and said without what is in it', () => {
    vi.stubEnv('HTTPS_PROXY', 'ftp://ada:secret@proxy.example');
    const warn = vi.fn();
    client({ baseUrl: 'https://synap.example', logger: { warn } });
    expect(warn.mock.calls).toEqual([
      [
        '[synap-recorder] HTTPS_PROXY must begin with http://, https:// or socks5://, followed by host and port. Requests go to https://synap.example directly',
      ],
    ]);
  });

  it.each(['proxy.example:3128', 'ftp://ada:secret@p', '', 'http://'])(
    'the option %j is refused, and not repeated',
    proxy => {
      const make = () => client({ baseUrl: 'https://synap.example', proxy });
      expect(make).toThrow(InvalidInputError);
      expect(make).toThrow(/^proxy (is not a URL|must begin with)/);
      expect(make).not.toThrow(/secret/);
    },
  );

  it('a proxy elsewhere that a Synap on this machine would be asked through is warned of', () => {
    vi.stubEnv('HTTP_PROXY', 'http://ada:secret@proxy.example:3128');
    const warn = vi.fn();
    client({ baseUrl: 'http://127.0.0.1:8787', logger: { warn } });
    expect(warn.mock.calls.join()).toMatch(
      /through the proxy proxy\.example:3128 \(HTTP_PROXY\).*NO_PROXY=127\.0\.0\.1/,
    );
    expect(warn.mock.calls.join()).not.toMatch(/secret/);
  });
});

describe('through a proxy', () => {
  it.each([
    ['https', 'HTTPS_PROXY'],
    ['https', 'http_proxy'],
  ] as const)('%s goes by a tunnel, as %s says', async (protocol, variable) => {
    trusting();
    await using proxy = await connectProxy();
    const { url, host, seen } = await synap(protocol);
    vi.stubEnv(variable, proxy.url);
    expect(await client({ baseUrl: url }).whoami(once)).toMatchObject({ clientId: 'c1' });
    expect(proxy.tunnels).toEqual([host]);
    expect(seen).toEqual([undefined]);
  });

  it('plain http is forwarded', async () => {
    await using proxy = await connectProxy();
    const { url, host, seen } = await synap('http');
    vi.stubEnv('HTTP_PROXY', proxy.url);
    expect(await client({ baseUrl: url }).whoami(once)).toMatchObject({ clientId: 'c1' });
    expect({ forwarded: proxy.forwarded, seen }).toEqual({ forwarded: [host], seen: [undefined] });
  });

  it('a recorder delivers, by the option, with a sign-in', async () => {
    await using proxy = await connectProxy({ signIn: 'ada:p@ss %' });
    const { url } = await synap('http');
    const { host } = new URL(proxy.url);
    const recorder = createRecorder({
      baseUrl: url,
      apiKey: 'the-key',
      proxy: `http://ada:p%40ss %@${host}`,
      userId: 'ada',
      logger: false,
    });
    recorder.turn({ conversationId: 'c' }).user('Hello');
    expect(await recorder.close()).toMatchObject({ pending: 0 });
    expect(proxy.signIns.length).toBeGreaterThan(0);
  });

  it.each(['http', 'https'] as const)('signs in for %s, and Synap does not see it', async protocol => {
    trusting();
    await using proxy = await connectProxy({ signIn: 'ada:secret-word' });
    const { url, seen } = await synap(protocol);
    const address = proxy.url.replace('//', '//ada:secret-word@');
    await client({ baseUrl: url, proxy: address }).whoami(once);
    expect(seen).toEqual([undefined]);
    expect(proxy.signIns).toEqual([`Basic ${Buffer.from('ada:secret-word').toString('base64')}`]);
  });

  it('a certificate that nobody trusts is refused through a tunnel, too', async () => {
    await using proxy = await connectProxy();
    const { url } = await synap('https');
    const error = await failureOf({ baseUrl: url, proxy: proxy.url });
    expect(error).toMatchObject({ sent: 'no', message: expect.stringMatching(/signed by nobody but itself/) });
  });

  it.each(['http', 'https'] as const)('a proxy that is down has sent nothing (%s), and is named', async protocol => {
    const { url } = await synap(protocol);
    const proxy = await connectProxy();
    await proxy[Symbol.asyncDispose]();
    vi.stubEnv('HTTPS_PROXY', proxy.url.replace('//', '//ada:secret-word@'));
    vi.stubEnv('HTTP_PROXY', proxy.url.replace('//', '//ada:secret-word@'));
    const error = await failureOf({ baseUrl: url });
    expect(error.sent).toBe('no');
    expect(error.message).toBe(
      `Could not reach the proxy 127.0.0.1:${proxy.port} (ECONNREFUSED). Check its address (${protocol === 'https' ? 'HTTPS' : 'HTTP'}_PROXY), and whether it runs`,
    );
    expect(inspect(error, { depth: 10, showHidden: true })).not.toMatch(/secret-word|YWRh/);
  });

  it.each([
    [407, /^The proxy 127\.0\.0\.1:\d+ wants a sign-in \(407\)\. Put the user and password into its address \(proxy\)/],
    [403, /^The proxy 127\.0\.0\.1:\d+ refused to connect to Synap at https:\/\/127\.0\.0\.1:\d+ \(403\)/],
    [502, /^The proxy 127\.0\.0\.1:\d+ could not connect to Synap at https:\/\/127\.0\.0\.1:\d+ \(502\)/],
  ])('a proxy that answers %i to CONNECT has sent nothing, and is said to', async (status, words) => {
    await using proxy = await connectProxy({ onConnect: socket => void socket.end(`HTTP/1.1 ${status} No\r\n\r\n`) });
    const { url, seen } = await synap('https');
    const error = await failureOf({ baseUrl: url, proxy: proxy.url.replace('//', '//ada:wrong-word@') });
    expect(error).toMatchObject({ sent: 'no', message: expect.stringMatching(words) });
    expect(inspect(error, { depth: 10, showHidden: true })).not.toMatch(/wrong-word|YWRh/);
    expect(seen).toEqual([]);
  });

  it('a proxy that wants a sign-in for plain http has stored nothing', async () => {
    await using proxy = await connectProxy({ signIn: 'ada:secret-word' });
    const { url } = await synap('http');
    const answer = client({ baseUrl: url, proxy: proxy.url }).credits(once);
    await expect(answer).rejects.toMatchObject({ name: 'ServiceUnavailableError', status: 407, stored: 'no' });
  });

  it.each<[string, (socket: Socket) => void]>([
    ['closes the connection', socket => void socket.end()],
    ['resets it', socket => void socket.resetAndDestroy()],
    ['speaks no HTTP', socket => void socket.end('SSH-2.0-OpenSSH_9.9\r\n')],
  ])('a proxy that %s in answer to CONNECT has sent nothing', async (_, onConnect) => {
    await using proxy = await connectProxy({ onConnect });
    const { url } = await synap('https');
    const error = await failureOf({ baseUrl: url, proxy: proxy.url, timeoutMs: 3000 });
    expect(error.sent).toBe('no');
    expect(error.message).toMatch(
      /^(The proxy 127\.0\.0\.1:\d+ closed the connection|What answers at 127\.0\.0\.1:\d+ is no proxy)/,
    );
  });

  it('a proxy that never answers to CONNECT has sent nothing', async () => {
    await using proxy = await connectProxy({ onConnect: () => {} });
    const { url } = await synap('https');
    const error = await failureOf({ baseUrl: url, proxy: proxy.url, timeoutMs: 20_000 });
    expect(error).toMatchObject({ code: 'timeout', sent: 'no' });
    expect(error.message).toMatch(/did not connect to Synap at https:\/\/127\.0\.0\.1:\d+ within 5000 ms/);
  }, 20_000);

  it('false is none, whatever the environment says', async () => {
    await using proxy = await connectProxy();
    const { url } = await synap('http');
    vi.stubEnv('HTTP_PROXY', proxy.url);
    await client({ baseUrl: url, proxy: false }).whoami(once);
    expect(proxy.forwarded).toEqual([]);
  });

  it('streams go the same way', async () => {
    await using proxy = await connectProxy();
    const { url, host } = await synap('http');
    vi.stubEnv('HTTP_PROXY', proxy.url);
    const transport = streamTransport(url);
    const { stream } = await transport.request({ method: 'GET', path: '/', headers: {}, deadline: deadlineIn(5000) });
    expect(await new Response(stream ?? null).text()).toBe(whoami);
    expect(proxy.forwarded).toEqual([host]);
    await transport.close();
  });
});

describe("a dispatcher of the app's own", () => {
  it('is used, and stays open', async () => {
    const { url, seen } = await synap('https');
    const dispatcher = new Agent({ connect: { ca: certificate.cert } });
    const one = new SynapClient({ baseUrl: url, apiKey: 'the-key', dispatcher });
    await one.whoami(once);
    await one.close();
    expect(await one.whoami(once).catch((error: NetworkError) => error.sent)).toBe('no');
    await client({ baseUrl: url, dispatcher }).whoami(once);
    expect(seen).toHaveLength(2);
    await dispatcher.close();
  });

  it('may be a proxy agent, or one that answers by itself', async () => {
    await using proxy = await connectProxy();
    const { url } = await synap('http');
    const agent = new ProxyAgent({ uri: proxy.url, proxyTunnel: true });
    await client({ baseUrl: url, dispatcher: agent }).whoami(once);
    expect(proxy.tunnels).toHaveLength(1);
    await agent.destroy();
    const mock = new MockAgent();
    mock.disableNetConnect();
    mock.get('https://synap.example').intercept({ path: '/api/v1/auth/whoami' }).reply(200, whoami);
    expect(await client({ baseUrl: 'https://synap.example', dispatcher: mock }).whoami(once)).toMatchObject({
      clientId: 'c1',
    });
  });

  it('that is none is refused, and so is one beside a proxy', () => {
    expect(() => client({ dispatcher: {} as Agent })).toThrow(/^dispatcher must be a dispatcher of undici/);
    expect(() => client({ dispatcher: new Agent(), proxy: 'http://a:1' })).toThrow(
      /^dispatcher and proxy are given both/,
    );
  });
});

describe('the transport over fetch', () => {
  it.each(['proxy', 'dispatcher'] as const)('says at once that it takes no %s', field => {
    const proxy = chooseProxy(new URL('https://s.example'), 'http://a:1').proxy;
    const route = field === 'proxy' ? { proxy } : { dispatcher: new Agent() };
    expect(() => overFetch.httpTransport('https://s.example', route)).toThrow(
      new RegExp(`^${field} needs Node\\.js: in this runtime requests are sent by fetch`),
    );
  });

  it('leaves a proxy of the environment to the runtime', () => {
    vi.stubEnv('HTTPS_PROXY', 'http://a:1');
    const { proxy } = chooseProxy(new URL('https://s.example'), undefined);
    expect(() => overFetch.httpTransport('https://s.example', { proxy })).not.toThrow();
  });
});
