import { createServer } from 'node:net';
import { inspect } from 'node:util';
import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  AuthenticationError,
  ConflictError,
  createRecorder,
  InsufficientCreditsError,
  InvalidInputError,
  NetworkError,
  PayloadTooLargeError,
  RateLimitError,
  ServiceUnavailableError,
  SynapClient,
  SynapError,
  TimeoutError,
  UnexpectedResponseError,
} from '../../src/index.js';
import { type Answer, scriptedSynap } from '../support/scripted-synap.js';

const KEY = 'sk-very-secret-0123456789';
const CONVERSATION = '0190c6a5-7c5e-7e0f-8d1b-3f0a2b4c6d8e';
const message = {
  conversationId: CONVERSATION,
  role: 'user',
  content: 'The launch code is 0000',
  userId: 'ada',
} as const;

const failure = async (promise: Promise<unknown>): Promise<SynapError> => {
  const error = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!SynapError.is(error)) throw new Error(`expected a SynapError, got ${inspect(error)}`);
  return error;
};

function logged() {
  const lines: string[] = [];
  return { lines, warn: (line: string) => void lines.push(line) };
}

afterEach(() => {
  vi.unstubAllEnvs();
});

describe('recordMessage', () => {
  it('sends every field under its wire name and reads the receipt', async () => {
    await using synap = await scriptedSynap();
    const client = new SynapClient({ apiKey: KEY, baseUrl: synap.url, clientId: 'c1', instanceId: 'i1' });
    const receipt = await client.conversation.recordMessage({
      ...message,
      customerId: 'acme',
      sessionId: 's1',
      metadata: { model: 'gpt-5', nested: { tags: ['a', 1, null, true] }, absent: undefined },
    });
    expect(receipt).toEqual({
      messageId: 'm0',
      conversationId: CONVERSATION,
      sessionId: 's1',
      recordedAt: '2026-01-01T00:00:00.000Z',
    });
    const [request] = synap.requests;
    expect(request).toMatchObject({
      method: 'POST',
      path: '/v1/conversations/messages',
      body: {
        conversation_id: CONVERSATION,
        role: 'user',
        content: 'The launch code is 0000',
        user_id: 'ada',
        customer_id: 'acme',
        session_id: 's1',
        metadata: { model: 'gpt-5', nested: { tags: ['a', 1, null, true] } },
      },
    });
    expect(request?.headers).toMatchObject({
      authorization: `Bearer ${KEY}`,
      'content-type': 'application/json',
      'x-client-id': 'c1',
      'x-instance-id': 'i1',
      'user-agent': expect.stringMatching(/^synap-recorder\/\d/),
      'x-correlation-id': expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
    await client.close();
  });

  it('leaves out what was not given', async () => {
    await using synap = await scriptedSynap();
    const client = new SynapClient({ apiKey: KEY, baseUrl: synap.url });
    await client.conversation.recordMessage(message);
    expect(Object.keys(synap.requests[0]?.body as object).sort()).toEqual([
      'content',
      'conversation_id',
      'role',
      'user_id',
    ]);
    expect(synap.requests[0]?.headers).not.toHaveProperty('x-instance-id');
    await client.close();
  });

  it('keeps the path of the base URL, and its connections for many calls', async () => {
    const sockets = new Set<unknown>();
    await using synap = await scriptedSynap((_, __, { request }) => void sockets.add(request.socket));
    const client = new SynapClient({ apiKey: KEY, baseUrl: `${synap.url}/proxy/` });
    for (let call = 0; call < 20; call++) await client.conversation.recordMessage(message);
    expect(synap.requests[0]?.path).toBe('/proxy/v1/conversations/messages');
    expect(sockets.size).toBeLessThanOrEqual(2);
    await client.close();
  });

  it.each([
    ['a role that is neither', { ...message, role: 'system' }, 'role', /must be "user" or "assistant".*"system"/],
    [
      'a conversation id that is no UUID',
      { ...message, conversationId: 'chat-42' },
      'conversationId',
      /UUID.*"chat-42"/,
    ],
    ['no conversation id', { ...message, conversationId: undefined }, 'conversationId', /UUID, but is missing/],
    ['an empty user id', { ...message, userId: ' ' }, 'userId', /empty/],
    ['no user id', { ...message, userId: undefined }, 'userId', /missing/],
    ['an empty customer id', { ...message, customerId: '' }, 'customerId', /empty/],
    ['content that is no string', { ...message, content: { secret: 1 } }, 'content', /string, but is of type object/],
    ['metadata that is an array', { ...message, metadata: [] }, 'metadata', /object/],
    [
      'a date in the metadata',
      { ...message, metadata: { at: [new Date()] } },
      'metadata',
      /metadata\.at\[0\] is a Date/,
    ],
    ['NaN in the metadata', { ...message, metadata: { n: Number.NaN } }, 'metadata', /metadata\.n is NaN/],
    ['a bigint in the metadata', { ...message, metadata: { n: 1n } }, 'metadata', /bigint/],
    ['a field of another API', { ...message, user_id: 'ada' }, undefined, /"user_id"; did you mean userId/],
    ['nothing at all', undefined, undefined, /must be an object/],
  ])('refuses %s before any network', async (_, input, field, text) => {
    await using synap = await scriptedSynap();
    const client = new SynapClient({ apiKey: KEY, baseUrl: synap.url });
    const error = await failure(client.conversation.recordMessage(input as never));
    expect(error).toBeInstanceOf(InvalidInputError);
    expect(error).toMatchObject({ code: 'invalid_input', retryable: false, field });
    expect(error.message).toMatch(text);
    expect(error.message).not.toContain('launch');
    expect(synap.requests).toEqual([]);
    await client.close();
  });

  it('refuses metadata that contains itself, and a getter that throws', async () => {
    const client = new SynapClient({ apiKey: KEY, baseUrl: 'http://127.0.0.1:9' });
    const cyclic: Record<string, unknown> = {};
    cyclic.self = { back: cyclic };
    expect((await failure(client.conversation.recordMessage({ ...message, metadata: cyclic }))).message).toMatch(
      /metadata\.self\.back contains itself/,
    );
    const hostile = {
      get boom(): never {
        throw new Error('boom');
      },
    };
    expect(await failure(client.conversation.recordMessage({ ...message, metadata: hostile }))).toBeInstanceOf(
      InvalidInputError,
    );
    await client.close();
  });

  it('writes lone surrogates as the replacement character', async () => {
    await using synap = await scriptedSynap();
    const client = new SynapClient({ apiKey: KEY, baseUrl: synap.url });
    await client.conversation.recordMessage({ ...message, content: 'a\ud800b' });
    expect(synap.stored[0]?.content).toBe('a\ufffdb');
    await client.close();
  });

  it('with tenancy b2b wants a customer at the call; without, the server decides', async () => {
    await using synap = await scriptedSynap();
    const strict = new SynapClient({ apiKey: KEY, baseUrl: synap.url, tenancy: 'b2b' });
    expect(await failure(strict.conversation.recordMessage(message))).toMatchObject({ field: 'customerId' });
    await strict.conversation.recordMessage({ ...message, customerId: 'acme' });
    expect(synap.requests).toHaveLength(1);
    await strict.close();
  });

  it.each([200, 201, 202, 204])('takes a %i with an unreadable body for accepted', async status => {
    await using synap = await scriptedSynap(() => ({ status, text: status === 204 ? '' : '{"mess' }));
    const client = new SynapClient({ apiKey: KEY, baseUrl: synap.url });
    expect(await client.conversation.recordMessage(message)).toMatchObject({ conversationId: CONVERSATION });
    const batch = await client.conversation.recordMessagesBatch([message, message]);
    expect(batch).toMatchObject({ total: 2, succeeded: 2, failed: 0 });
    expect(batch.results).toHaveLength(2);
    await client.close();
  });
});

describe('an answer that can only be read in part', () => {
  it('says why in the receipt, and in the result of a batch', async () => {
    await using synap = await scriptedSynap(() => ({ text: '{"mess' }));
    const client = new SynapClient({ apiKey: KEY, baseUrl: synap.url });
    const unread = 'Synap answered 200, but its body could not be read (it is no JSON)';
    expect(await client.conversation.recordMessage(message)).toEqual({ conversationId: CONVERSATION, unread });
    expect(await client.conversation.recordMessagesBatch([message, message])).toMatchObject({ succeeded: 2, unread });
    await client.close();
  });

  it('says nothing of an answer without a body', async () => {
    await using synap = await scriptedSynap(() => ({ status: 204 }));
    const client = new SynapClient({ apiKey: KEY, baseUrl: synap.url });
    expect(await client.conversation.recordMessage(message)).toEqual({ conversationId: CONVERSATION });
    await client.close();
  });

  it('is a failure that has stored nothing, where it is a web page', async () => {
    await using synap = await scriptedSynap(() => ({ text: '<html>', headers: { 'content-type': 'text/html' } }));
    const client = new SynapClient({ apiKey: KEY, baseUrl: synap.url });
    const error = await failure(client.conversation.recordMessage(message));
    expect(error).toBeInstanceOf(ServiceUnavailableError);
    expect(error).toMatchObject({ status: 200, retryable: true, stored: 'no' });
    await client.close();
  });

  it('is a receipt where it is JSON, whatever type it claims to have', async () => {
    await using synap = await scriptedSynap(() => ({ headers: { 'content-type': 'text/html' } }));
    const client = new SynapClient({ apiKey: KEY, baseUrl: synap.url });
    expect(await client.conversation.recordMessage(message)).toMatchObject({ messageId: 'm0' });
    await client.close();
  });
});

describe('recordMessagesBatch', () => {
  it('tells the fate of each message in order', async () => {
    await using synap = await scriptedSynap(() => ({
      json: {
        total: 2,
        succeeded: 1,
        failed: 1,
        results: [{ message_id: 'm1', recorded_at: 'then' }, { error: 'conversation_id is unknown' }],
      },
    }));
    const client = new SynapClient({ apiKey: KEY, baseUrl: synap.url });
    const { userId: _, ...anonymous } = message;
    const result = await client.conversation.recordMessagesBatch([message, { ...anonymous, role: 'assistant' }]);
    expect(result).toEqual({
      total: 2,
      succeeded: 1,
      failed: 1,
      results: [
        { messageId: 'm1', recordedAt: 'then', conversationId: CONVERSATION },
        { error: 'conversation_id is unknown' },
      ],
    });
    expect(synap.requests[0]).toMatchObject({ path: '/v1/conversations/messages/batch' });
    expect(synap.requests[0]?.messages).toHaveLength(2);
    await client.close();
  });

  it('names the message that is wrong', async () => {
    const client = new SynapClient({ apiKey: KEY, baseUrl: 'http://127.0.0.1:9' });
    const error = await failure(
      client.conversation.recordMessagesBatch([message, { ...message, role: 'tool' as never }]),
    );
    expect(error).toMatchObject({ field: 'messages[1].role' });
    await client.close();
  });

  it('sends nothing for an empty batch', async () => {
    const client = new SynapClient({ apiKey: KEY, baseUrl: 'http://127.0.0.1:9' });
    expect(await client.conversation.recordMessagesBatch([])).toEqual({
      total: 0,
      succeeded: 0,
      failed: 0,
      results: [],
    });
    await client.close();
  });

  it('takes a batch for refused that says so without results', async () => {
    await using synap = await scriptedSynap(() => ({ json: { total: 2, failed: 2 } }));
    const client = new SynapClient({ apiKey: KEY, baseUrl: synap.url });
    const result = await client.conversation.recordMessagesBatch([message, message]);
    expect(result).toMatchObject({ succeeded: 0, failed: 2, results: [{ error: expect.any(String) }, {}] });
    await client.close();
  });

  it('calls the fate of messages unknown, where results match none', async () => {
    await using synap = await scriptedSynap(() => ({ json: { failed: 1, results: [{ error: 'no' }] } }));
    const client = new SynapClient({ apiKey: KEY, baseUrl: synap.url });
    const batch = await client.conversation.recordMessagesBatch([message, message]);
    expect(batch).toMatchObject({ succeeded: 0, failed: 0, unknown: 2 });
    expect(batch.results).toEqual([{ unknown: expect.any(String) }, { unknown: expect.any(String) }]);
    await client.close();
  });
});

describe('errors', () => {
  const cases: [number, Answer, new (...args: never[]) => SynapError, object][] = [
    [400, { json: { detail: 'bad' } }, InvalidInputError, { retryable: false }],
    [401, { json: { detail: 'no' } }, AuthenticationError, { retryable: false }],
    [
      402,
      {
        json: {
          detail: {
            balance_credits: 1,
            minimum_required_credits: 5,
            recovery_url: 'https://x/up',
            redeem_url: 'https://x/re',
          },
        },
      },
      InsufficientCreditsError,
      { balanceCredits: 1, minimumRequiredCredits: 5, recoveryUrl: 'https://x/up', redeemUrl: 'https://x/re' },
    ],
    [403, {}, AuthenticationError, {}],
    [404, {}, UnexpectedResponseError, { retryable: false }],
    [408, {}, ServiceUnavailableError, { retryable: true }],
    [409, { json: { detail: { code: 'transcript_conflict', message: 'differs' } } }, ConflictError, {}],
    [413, {}, PayloadTooLargeError, { retryable: false }],
    [418, {}, UnexpectedResponseError, { retryable: false }],
    [
      422,
      { json: { detail: [{ loc: ['body', 'user_id'], msg: 'field required', input: message }] } },
      InvalidInputError,
      {},
    ],
    [429, { headers: { 'retry-after': '7' } }, RateLimitError, { retryable: true, retryAfterMs: 7000 }],
    [429, {}, RateLimitError, { retryAfterMs: undefined }],
    [302, { headers: { location: '/elsewhere' } }, ServiceUnavailableError, { retryable: true, stored: 'no' }],
    [500, {}, ServiceUnavailableError, { retryable: true }],
    [502, { text: '<html>Bad gateway</html>' }, ServiceUnavailableError, {}],
    [503, { headers: { 'retry-after': '2' } }, ServiceUnavailableError, { retryAfterMs: 2000 }],
  ];

  it.each(cases)('a %i is the right kind', async (status, answer, kind, fields) => {
    await using synap = await scriptedSynap(() => ({ status, ...answer }));
    const client = new SynapClient({ apiKey: KEY, baseUrl: synap.url });
    const error = await failure(client.conversation.recordMessage(message));
    expect(error).toBeInstanceOf(kind);
    expect(error).toMatchObject({ status, correlationId: synap.requests[0]?.headers['x-correlation-id'], ...fields });
    expect(error.name).toBe(kind.name);
    await client.close();
  });

  it('reads Retry-After as a date, too', async () => {
    const at = new Date(Date.now() + 60_000).toUTCString();
    await using synap = await scriptedSynap(() => ({ status: 429, headers: { 'retry-after': at } }));
    const client = new SynapClient({ apiKey: KEY, baseUrl: synap.url });
    const error = (await failure(client.conversation.recordMessage(message))) as RateLimitError;
    expect(error.retryAfterMs).toBeGreaterThan(55_000);
    expect(error.retryAfterMs).toBeLessThanOrEqual(60_000);
    await client.close();
  });

  it('says that a refused connection and an unknown host sent nothing', async () => {
    const free = await scriptedSynap();
    await free.close();
    for (const baseUrl of [free.url, 'https://no-such-host.invalid']) {
      const client = new SynapClient({ apiKey: KEY, baseUrl });
      const error = await failure(client.conversation.recordMessage(message));
      expect(error).toBeInstanceOf(NetworkError);
      expect(error).toMatchObject({ code: 'network', retryable: true, sent: 'no', correlationId: expect.any(String) });
      await client.close();
    }
  });

  it('says that a connection broken after the write leaves open whether it was stored', async () => {
    await using synap = await scriptedSynap(() => ({ reset: 'after storing' }));
    const client = new SynapClient({ apiKey: KEY, baseUrl: synap.url });
    expect(await failure(client.conversation.recordMessage(message))).toMatchObject({
      code: 'network',
      sent: 'unknown',
    });
    expect(synap.stored).toHaveLength(1);
    await client.close();
  });

  it('ends a request that gets no answer after timeoutMs', async () => {
    await using synap = await scriptedSynap(() => 'handled');
    const client = new SynapClient({ apiKey: KEY, baseUrl: synap.url, timeoutMs: 200 });
    const error = await failure(client.conversation.recordMessage(message));
    expect(error).toBeInstanceOf(TimeoutError);
    expect(error).toMatchObject({ code: 'timeout', sent: 'unknown', retryable: true });
    expect(NetworkError.is(error)).toBe(true);
    await client.close();
  });

  it('speaks of TLS, not of Synap, when the other side does not speak it', async () => {
    const plain = createServer(socket => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    await new Promise<void>(resolve => plain.listen(0, '127.0.0.1', resolve));
    const { port } = plain.address() as { port: number };
    const client = new SynapClient({ apiKey: KEY, baseUrl: `https://127.0.0.1:${port}` });
    expect(await failure(client.conversation.recordMessage(message))).toBeInstanceOf(NetworkError);
    await client.close();
    plain.close();
  });

  it('breaks off when the caller says so', async () => {
    await using synap = await scriptedSynap(() => 'handled');
    const client = new SynapClient({ apiKey: KEY, baseUrl: synap.url });
    const error = await failure(client.conversation.recordMessage(message, { signal: AbortSignal.timeout(50) }));
    expect(error).toMatchObject({ sent: 'unknown' });
    await client.close();
  });

  it('is recognised across copies of the package', async () => {
    vi.resetModules();
    const copy = await import('../../src/index.js');
    const theirs = new copy.TimeoutError('late', { sent: 'unknown' });
    expect(theirs instanceof SynapError).toBe(false);
    expect(SynapError.is(theirs)).toBe(true);
    expect(NetworkError.is(theirs)).toBe(true);
    expect(TimeoutError.is(theirs)).toBe(true);
    expect(RateLimitError.is(theirs)).toBe(false);
    expect(SynapError.is(new Error('other'))).toBe(false);
    expect(SynapError.is(null)).toBe(false);
  });
});

describe('secrets', () => {
  it('keeps the key and the content out of every error, even when the server repeats them', async () => {
    const echo = `token ${KEY} may not say: ${message.content}`;
    for (const answer of [
      { status: 422, json: { detail: echo } },
      { status: 401, json: { detail: `unknown key ${KEY}` } },
      { status: 500, json: { detail: { code: 'x', message: echo } } },
      { status: 200, json: { failed: 1, results: [{ error: echo }] } },
    ]) {
      await using synap = await scriptedSynap(() => answer);
      const client = new SynapClient({ apiKey: KEY, baseUrl: synap.url });
      const told = await client.conversation.recordMessagesBatch([message]).catch((error: unknown) => error);
      const everything = inspect(told, { depth: 20, showHidden: true }) + JSON.stringify(told);
      expect(everything).not.toContain(KEY);
      expect(everything).not.toContain('launch code');
      await client.close();
    }
  });

  it('keeps them out of an error about an answer that is no HTTP, and of one that is cut', async () => {
    const echo = createServer(socket => socket.on('data', data => socket.end(data)));
    await new Promise<void>(resolve => echo.listen(0, '127.0.0.1', resolve));
    const { port } = echo.address() as { port: number };
    const client = new SynapClient({ apiKey: KEY, baseUrl: `http://127.0.0.1:${port}` });
    const told = inspect(await failure(client.conversation.recordMessage(message)), { depth: 20, showHidden: true });
    expect(told).not.toContain(KEY);
    expect(told).not.toContain('launch code');
    await client.close();
    echo.close();

    await using synap = await scriptedSynap(() => ({ status: 400, json: { detail: 'x'.repeat(290) + KEY } }));
    const other = new SynapClient({ apiKey: KEY, baseUrl: synap.url });
    expect((await failure(other.conversation.recordMessage(message))).message).not.toContain(KEY.slice(0, 8));
    await other.close();
  });

  it('keeps the key out of inspect() and JSON of the client', () => {
    const client = new SynapClient({ apiKey: KEY });
    expect(inspect(client, { depth: 20, showHidden: true }) + JSON.stringify(client)).not.toContain(KEY);
  });

  it('does not repeat a key that can not be one', () => {
    expect(() => new SynapClient({ apiKey: `${KEY}\nx` })).toThrow(AuthenticationError);
    expect(() => new SynapClient({ apiKey: `${KEY}\nx` })).toThrow(/^(?!.*secret)/s);
  });
});

describe('construction', () => {
  it('takes key and address from the environment', async () => {
    await using synap = await scriptedSynap();
    vi.stubEnv('SYNAP_API_KEY', KEY);
    vi.stubEnv('SYNAP_BASE_URL', synap.url);
    const client = new SynapClient();
    await client.conversation.recordMessage(message);
    expect(client.baseUrl).toBe(synap.url);
    await client.close();
  });

  it('trims what the environment says, as files and panels leave it', async () => {
    await using synap = await scriptedSynap();
    vi.stubEnv('SYNAP_API_KEY', ` ${KEY}\r\n`);
    vi.stubEnv('SYNAP_BASE_URL', `${synap.url}\r`);
    vi.stubEnv('SYNAP_CLIENT_ID', ' c1\r\n');
    vi.stubEnv('SYNAP_INSTANCE_ID', '\ti1 ');
    const log = logged();
    const client = new SynapClient({ logger: log });
    await client.conversation.recordMessage(message);
    expect(client.baseUrl).toBe(synap.url);
    expect(synap.requests[0]?.headers).toMatchObject({
      authorization: `Bearer ${KEY}`,
      'x-client-id': 'c1',
      'x-instance-id': 'i1',
    });
    expect(log.lines).toEqual([]);
    await client.close();
  });

  it.each([
    ['SYNAP_CLIENT_ID', 'x-client-id'],
    ['SYNAP_INSTANCE_ID', 'x-instance-id'],
  ])('goes on without a %s that can’t be sent, and says so once', async (variable, header) => {
    await using synap = await scriptedSynap();
    vi.stubEnv(variable, 'two words');
    const log = logged();
    const client = new SynapClient({ apiKey: KEY, baseUrl: synap.url, logger: log });
    await client.conversation.recordMessage(message);
    expect(synap.requests[0]?.headers).not.toHaveProperty(header);
    expect(log.lines).toEqual([expect.stringContaining(variable)]);
    expect(log.lines.join()).not.toContain('two words');
    await client.close();
  });

  it('trims the ids that are passed, as it trims the key, and hints at quotes', async () => {
    await using synap = await scriptedSynap();
    const log = logged();
    const apiKey = `"${KEY}"\r\n`;
    const client = new SynapClient({
      baseUrl: synap.url,
      apiKey,
      clientId: ' c1\r\n',
      instanceId: 'i1\t',
      logger: log,
    });
    await client.conversation.recordMessage(message);
    expect(synap.requests[0]?.headers).toMatchObject({ 'x-client-id': 'c1', 'x-instance-id': 'i1' });
    expect(log.lines).toEqual([expect.stringMatching(/apiKey stands in quotes/)]);
    expect(log.lines.join()).not.toContain(KEY);
    await client.close();
  });

  it.each(['SYNAP_CLIENT_ID', 'SYNAP_API_KEY'])('hints at a %s in quotes', async variable => {
    vi.stubEnv('SYNAP_API_KEY', KEY);
    vi.stubEnv(variable, `"${KEY}"`);
    const log = logged();
    await new SynapClient({ baseUrl: 'https://synap.example', logger: log }).close();
    expect(log.lines).toEqual([expect.stringMatching(new RegExp(`${variable} stands in quotes`))]);
    expect(log.lines.join()).not.toContain(KEY);
  });

  it('warns on the console without a logger, and nobody with logger: false', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    vi.stubEnv('SYNAP_CLIENT_ID', 'two words');
    await new SynapClient({ apiKey: KEY, logger: false }).close();
    expect(warn).not.toHaveBeenCalled();
    await new SynapClient({ apiKey: KEY }).close();
    expect(warn.mock.calls).toEqual([[expect.stringContaining('SYNAP_CLIENT_ID')]]);
    warn.mockRestore();
  });

  it.each(['"https://synap.example"', 'synap.example', 'http://synap.example', 'https://a:b@synap.example'])(
    'refuses the address %s of the environment by its name: the default would be another place',
    address => {
      vi.stubEnv('SYNAP_BASE_URL', address);
      expect(() => new SynapClient({ apiKey: KEY })).toThrow(InvalidInputError);
      expect(() => new SynapClient({ apiKey: KEY })).toThrow(/^SYNAP_BASE_URL /);
    },
  );

  it.each(['clientId', 'instanceId'] as const)('refuses a %s that can’t be sent, by its name', field => {
    const wrong = () => new SynapClient({ apiKey: KEY, [field]: 'two words' });
    expect(wrong).toThrow(InvalidInputError);
    expect(wrong).toThrow(expect.objectContaining({ field, message: expect.stringContaining(field) }));
  });

  it('a recorder is made whatever ids the environment holds, and its logger hears of it', async () => {
    vi.stubEnv('SYNAP_INSTANCE_ID', 'two words');
    const { lines, warn } = logged();
    const recorder = createRecorder({ apiKey: KEY, logger: { info() {}, warn, error() {} } });
    expect(lines).toEqual([expect.stringContaining('SYNAP_INSTANCE_ID')]);
    await recorder.close();
  });

  it('without a key, says where to put one', () => {
    vi.stubEnv('SYNAP_API_KEY', '');
    expect(() => new SynapClient()).toThrow(AuthenticationError);
    expect(() => new SynapClient()).toThrow(/SYNAP_API_KEY/);
  });

  it.each([
    'http://synap.example',
    'http://10.0.0.1',
    'http://localhost.example',
    'http://127.0.0.1.example',
    'ftp://synap.example',
    'synap.example',
    'https://user:pass@synap.example',
    'https://synap.example/?key=1',
  ])('refuses the base URL %s', baseUrl => {
    expect(() => new SynapClient({ apiKey: KEY, baseUrl })).toThrow(InvalidInputError);
  });

  it.each([
    'http://localhost:1',
    'http://127.0.0.1:1',
    'http://127.1.2.3:1',
    'http://[::1]:1',
    'https://synap.example',
  ])('takes the base URL %s', baseUrl => {
    expect(new SynapClient({ apiKey: KEY, baseUrl }).baseUrl).toBe(baseUrl);
  });

  it('takes plain http elsewhere only when told to', () => {
    const options = { apiKey: KEY, baseUrl: 'http://synap.internal', allowInsecure: true };
    expect(new SynapClient(options).baseUrl).toBe('http://synap.internal');
  });
});
