import { inspect } from 'node:util';
import { afterEach, describe, expect, it, test, vi } from 'vitest';
import { httpTransport } from '#http';
import { AuthenticationError, InvalidInputError, NetworkError, SynapError, TimeoutError } from '../../src/index.js';
import { streamTransport } from '../../src/synap/http-stream.js';
import { deadlineIn, readJson, SynapEndpoint, type SynapRequest } from '../../src/synap/request.js';
import { type ConnectionOptions, checkTimeout } from '../../src/synap/settings.js';
import type { HttpRequest, HttpResponse } from '../../src/synap/transport.js';
import { scriptedSynap } from '../support/scripted-synap.js';

const KEY = 'a-very-secret-key';
const options = (fields: ConnectionOptions = {}) => ({ apiKey: KEY, baseUrl: 'https://synap.example', ...fields });

/** A transport that answers by itself, and what it was given. */
function recorded(answer: Partial<HttpResponse> = {}) {
  const requests: HttpRequest[] = [];
  return {
    requests,
    async request(request: HttpRequest): Promise<HttpResponse> {
      requests.push(request);
      const whole = { status: 200, body: '{}', header: () => undefined, ...answer };
      request.onHeaders?.(whole);
      return whole;
    },
  };
}

async function sent(endpoint: SynapEndpoint, request: SynapRequest): Promise<HttpRequest> {
  const transport = recorded();
  await endpoint.send(transport, request);
  const [seen] = transport.requests;
  if (!seen) throw new Error('nothing was sent');
  return seen;
}

const errorOf = async (promise: Promise<unknown>): Promise<SynapError> => {
  const error = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!SynapError.is(error)) throw new Error(`expected a SynapError, got ${inspect(error)}`);
  return error;
};

afterEach(() => {
  vi.unstubAllEnvs();
});

describe('the headers of a request', () => {
  it('say who asks, for whom and with what id, also where nothing is posted', async () => {
    const endpoint = SynapEndpoint.of(options({ clientId: 'c1', instanceId: 'i1' }));
    expect((await sent(endpoint, { path: '/health' })).headers).toEqual({
      accept: 'application/json',
      authorization: `Bearer ${KEY}`,
      'user-agent': expect.stringMatching(/^synap-recorder\/\d/),
      'x-client-id': 'c1',
      'x-correlation-id': expect.stringMatching(/^[0-9a-f-]{36}$/),
      'x-instance-id': 'i1',
    });
  });

  it('take ids from the environment', async () => {
    vi.stubEnv('SYNAP_CLIENT_ID', 'c2');
    vi.stubEnv('SYNAP_INSTANCE_ID', 'i2');
    const { headers } = await sent(SynapEndpoint.of(options()), { path: '/' });
    expect(headers).toMatchObject({ 'x-client-id': 'c2', 'x-instance-id': 'i2' });
  });

  it('have another correlation id each time, which the answer names', async () => {
    const endpoint = SynapEndpoint.of(options());
    const transport = recorded();
    const answers = [await endpoint.ask(transport, { path: '/' }), await endpoint.ask(transport, { path: '/' })];
    const ids = transport.requests.map(({ headers }) => headers['x-correlation-id']);
    expect(new Set(ids).size).toBe(2);
    expect(answers.map(({ correlationId }) => correlationId)).toEqual(ids);
  });

  it('leave out the key of an anonymous request', async () => {
    const { headers } = await sent(SynapEndpoint.of(options()), { path: '/health', anonymous: true });
    expect(headers).not.toHaveProperty('authorization');
  });

  it('can be added to, and name another program', async () => {
    const endpoint = SynapEndpoint.of({ ...options(), userAgent: 'importer/1' });
    const { headers } = await sent(endpoint, { path: '/v1/events', headers: { 'last-event-id': '7' } });
    expect(headers).toMatchObject({ 'user-agent': 'importer/1', 'last-event-id': '7' });
  });
});

describe('a request', () => {
  it('with JSON is a POST of it', async () => {
    const request = await sent(SynapEndpoint.of(options()), { path: '/v1/x', json: { a: 1 } });
    expect(request).toMatchObject({ method: 'POST', path: '/v1/x', body: '{"a":1}' });
    expect(request.headers['content-type']).toBe('application/json');
  });

  it('without JSON is a GET', async () => {
    const request = await sent(SynapEndpoint.of(options()), { path: '/v1/x' });
    expect(request).toMatchObject({ method: 'GET', body: undefined });
    expect(request.headers).not.toHaveProperty('content-type');
  });

  it('goes below the path of the base URL', async () => {
    const endpoint = SynapEndpoint.of(options({ baseUrl: 'https://synap.example/proxy//' }));
    expect(endpoint).toMatchObject({ baseUrl: 'https://synap.example/proxy', origin: 'https://synap.example' });
    expect((await sent(endpoint, { path: '/v1/x' })).path).toBe('/proxy/v1/x');
  });

  it('of which the headers of success came is accepted, and what the caller does then harms nothing', async () => {
    const accepted = vi.fn(() => {
      throw new Error('the caller');
    });
    await SynapEndpoint.of(options()).send(recorded(), { path: '/', onAccepted: accepted });
    expect(accepted).toHaveBeenCalledOnce();
  });

  it.each([
    ['a failure', { status: 500 }],
    ['a web page', { header: () => 'text/html' }],
  ])('is not accepted by %s', async (_, answer) => {
    const accepted = vi.fn();
    await SynapEndpoint.of(options()).ask(recorded(answer), { path: '/', onAccepted: accepted });
    expect(accepted).not.toHaveBeenCalled();
  });
});

describe('the error of an answer', () => {
  const body = JSON.stringify({ detail: `${KEY} may not say: the launch code is 0000` });

  it('repeats neither the key nor the text of a message', async () => {
    const request = { path: '/', json: {}, contents: ['the launch code is 0000'] };
    const error = await errorOf(SynapEndpoint.of(options()).send(recorded({ status: 422, body }), request));
    expect(error.message).toBe('Synap refused the input (422): *** may not say: [redacted: message text]');
    expect(inspect(error)).not.toMatch(/very-secret|launch code/);
  });

  it('names the request', async () => {
    const transport = recorded({ status: 503 });
    const error = await errorOf(SynapEndpoint.of(options()).send(transport, { path: '/' }));
    expect(error.correlationId).toBe(transport.requests[0]?.headers['x-correlation-id']);
  });

  it('is not made of an answer that was only asked for', async () => {
    expect(await SynapEndpoint.of(options()).ask(recorded({ status: 404 }), { path: '/' })).toMatchObject({
      status: 404,
    });
  });
});

it('an endpoint does not show its key', () => {
  const endpoint = SynapEndpoint.of(options());
  expect(`${inspect(endpoint, { depth: 9, showHidden: true })} ${JSON.stringify(endpoint)}`).not.toContain(KEY);
});

test.each([undefined, '', ' \n', 'two words', 'line\nbreak', 'kéy', 42 as never])('%j is no key', apiKey => {
  vi.stubEnv('SYNAP_API_KEY', '');
  expect(() => SynapEndpoint.of(options({ apiKey }))).toThrow(AuthenticationError);
});

test('a key is trimmed', async () => {
  const { headers } = await sent(SynapEndpoint.of(options({ apiKey: ` ${KEY}\n` })), { path: '/' });
  expect(headers.authorization).toBe(`Bearer ${KEY}`);
});

test.each([
  ['synap.example', /is not a URL/],
  ['ftp://synap.example', /must start with https:/],
  ['http://synap.example', /travel in the clear/],
  ['http://127.0.0.1.example', /travel in the clear/],
  ['https://ada:pw@synap.example', /user name or password/],
  ['https://synap.example?key=x', /query or fragment/],
  ['https://synap.example#x', /query or fragment/],
])('the address %s is refused', (baseUrl, why) => {
  const make = () => SynapEndpoint.of(options({ baseUrl }));
  expect(make).toThrow(InvalidInputError);
  expect(make).toThrow(why);
});

test.each(['http://localhost:1', 'http://a.localhost', 'http://127.9.9.9', 'http://[::1]:1', 'https://synap.example'])(
  'the address %s is taken',
  baseUrl => {
    expect(SynapEndpoint.of(options({ baseUrl })).baseUrl).toBe(baseUrl);
  },
);

test('an id that can not be sent is refused as an option, and left out of the environment with a warning', async () => {
  expect(() => SynapEndpoint.of(options({ clientId: 'a b' }))).toThrow(InvalidInputError);
  vi.stubEnv('SYNAP_CLIENT_ID', 'a b');
  const lines: string[] = [];
  const endpoint = SynapEndpoint.of(options({ logger: { warn: line => lines.push(line) } }));
  expect((await sent(endpoint, { path: '/' })).headers).not.toHaveProperty('x-client-id');
  expect(lines).toEqual([expect.stringMatching(/SYNAP_CLIENT_ID .* x-client-id is not sent/)]);
});

test.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31, '5' as never])('%s is no timeout', timeoutMs => {
  expect(() => checkTimeout(timeoutMs)).toThrow(InvalidInputError);
});

test('a timeout is rounded up to whole milliseconds', () => {
  expect(checkTimeout(0.2)).toBe(1);
});

describe('JSON that was asked for', () => {
  const answer = (fields: Partial<HttpResponse>) => ({
    status: 200,
    body: '{"a":1}',
    header: () => undefined,
    correlationId: 'c-1',
    ...fields,
  });

  it('is read', () => {
    expect(readJson(answer({}))).toEqual({ a: 1 });
  });

  it('that did not come whole is a network error', () => {
    const read = () => readJson(answer({ unread: 'connection reset' }));
    expect(read).toThrow(NetworkError);
    expect(read).toThrow(/could not be read \(connection reset\)/);
  });

  it('that did not come in time is a timeout, which says after how long', () => {
    const deadline = { signal: AbortSignal.abort(), ms: 300 };
    const read = () => readJson(answer({ unread: 'the call was aborted' }), deadline);
    expect(read).toThrow(TimeoutError);
    expect(read).toThrow('The request to Synap timed out after 300 ms');
  });

  it('that is none is an unexpected response', () => {
    const unexpected = { code: 'unexpected_response', correlationId: 'c-1', retryable: true };
    expect(() => readJson(answer({ body: 'ok' }))).toThrow(expect.objectContaining(unexpected));
  });

  it('that is a web page comes from somebody else', () => {
    const page = { code: 'service_unavailable', correlationId: 'c-1', stored: 'no' };
    expect(() => readJson(answer({ body: '<html>' }))).toThrow(expect.objectContaining(page));
  });
});

describe.each([
  ['the transport for receipts', httpTransport],
  ['the transport for streams', streamTransport],
])('over %s', (_, transportTo) => {
  const to = (url: string) => {
    const endpoint = SynapEndpoint.of({ apiKey: KEY, baseUrl: url });
    return { endpoint, transport: transportTo(endpoint.origin) };
  };

  it('a server that never answers is a timeout, which says after how long', async () => {
    await using synap = await scriptedSynap(() => 'handled');
    const { endpoint, transport } = to(synap.url);
    const error = await errorOf(endpoint.send(transport, { path: '/', deadline: deadlineIn(50) }));
    expect(error).toBeInstanceOf(TimeoutError);
    expect(error.message).toBe('The request to Synap timed out after 50 ms');
    await transport.close();
  });

  it('a server that is not there was sent nothing', async () => {
    const synap = await scriptedSynap();
    await synap.close();
    const { endpoint, transport } = to(synap.url);
    const error = await errorOf(endpoint.send(transport, { path: '/' }));
    expect(error).toMatchObject({
      code: 'network',
      sent: 'no',
      message: `Could not reach Synap at ${synap.url} (ECONNREFUSED). Nothing listens there: start the server, or check the address and port of Synap (baseUrl, or SYNAP_BASE_URL)`,
    });
    await transport.close();
  });

  it('an https address where no TLS is spoken was sent nothing, and is said to be that', async () => {
    await using synap = await scriptedSynap();
    const url = synap.url.replace('http:', 'https:');
    const { endpoint, transport } = to(url);
    const error = await errorOf(endpoint.send(transport, { path: '/' }));
    expect(error).toMatchObject({ code: 'network', sent: 'no' });
    expect(error.message).toMatch(
      new RegExp(`^No TLS with Synap at ${url}: the port does not speak TLS \\(\\w+\\)\\. Check the port`),
    );
    await transport.close();
  });

  it('the key goes to no other place: a redirect is an answer', async () => {
    await using other = await scriptedSynap();
    await using synap = await scriptedSynap(() => ({ status: 302, headers: { location: `${other.url}/` } }));
    const { endpoint, transport } = to(synap.url);
    expect(await errorOf(endpoint.send(transport, { path: '/' }))).toMatchObject({ status: 302 });
    expect(other.requests).toEqual([]);
    await transport.close();
  });

  it('a refusal has the words of the server', async () => {
    await using synap = await scriptedSynap(() => ({ status: 401, json: { detail: 'unknown key' } }));
    const { endpoint, transport } = to(synap.url);
    const error = await errorOf(endpoint.send(transport, { path: '/' }));
    expect(error.message).toBe('Synap refused the API key (401): unknown key. Check SYNAP_API_KEY');
    await transport.close();
  });
});

describe('a stream', () => {
  const open = async (url: string, request: Partial<SynapRequest> = {}) => {
    const endpoint = SynapEndpoint.of({ apiKey: KEY, baseUrl: url });
    const { stream } = await endpoint.send(streamTransport(endpoint.origin), { path: '/', ...request });
    if (!stream) throw new Error('there is no stream');
    return stream.pipeThrough(new TextDecoderStream());
  };

  it('is there before it has ended', async () => {
    await using synap = await scriptedSynap((_, __, { response }) => {
      response.write('first');
      return 'handled';
    });
    const reader = (await open(synap.url)).getReader();
    expect(await reader.read()).toEqual({ done: false, value: 'first' });
    await reader.cancel();
  });

  it('that breaks is a network error', async () => {
    await using synap = await scriptedSynap((_, __, { request, response }) => {
      response.write('first', () => setImmediate(() => request.socket.destroy()));
      return 'handled';
    });
    const reader = (await open(synap.url)).getReader();
    const error = await errorOf(
      (async () => {
        while (!(await reader.read()).done);
      })(),
    );
    expect(error).toMatchObject({ code: 'network', retryable: true });
  });

  it('ends with its caller', async () => {
    const caller = new AbortController();
    await using synap = await scriptedSynap((_, __, { response }) => {
      response.write('first');
      return 'handled';
    });
    const reader = (await open(synap.url, { signal: caller.signal })).getReader();
    await reader.read();
    caller.abort();
    expect(await errorOf(reader.read())).toBeInstanceOf(NetworkError);
  });
});
