import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  type ConflictError,
  conversationUuid,
  InvalidInputError,
  NetworkError,
  RateLimitError,
  type RecordingClient,
  ServiceUnavailableError,
  SynapClient,
  TimeoutError,
  UnexpectedResponseError,
} from '../../src/index.js';
import { type Answer, type Script, scriptedSynap } from '../support/scripted-synap.js';

const KEY = 'sk-very-secret-0123456789';
const ID = '0190c6a5-7c5e-7e0f-8d1b-3f0a2b4c6d8e';

const closing: (() => Promise<unknown>)[] = [];
beforeEach(() => void vi.spyOn(Math, 'random').mockReturnValue(0));
afterEach(async () => {
  vi.restoreAllMocks();
  for (const close of closing.splice(0)) await close();
});

async function synapThat(script: Script | Answer, whoami?: () => Answer) {
  const synap = await scriptedSynap(typeof script === 'function' ? script : () => script, whoami && { whoami });
  const client = new SynapClient({ apiKey: KEY, baseUrl: synap.url });
  closing.push(
    () => client.close(),
    () => synap.close(),
  );
  return { synap, client, context: client.conversation.context };
}

describe('context.fetch', () => {
  it('sends what the specification says by default, and no id that was not given', async () => {
    const { synap, context } = await synapThat({ json: {} });
    await context.fetch({ conversationId: ID.toUpperCase() });
    expect(synap.requests[0]).toMatchObject({ method: 'POST', path: '/v1/context/conversation/fetch' });
    expect(synap.requests[0]?.body).toEqual({
      conversation_id: ID,
      search_query: [],
      max_results: 10,
      types: ['all'],
      mode: 'fast',
    });
  });

  it('sends every field under its wire name, and scope as it is', async () => {
    const { synap, context } = await synapThat({ json: {} });
    await context.fetch({
      conversationId: ID,
      searchQuery: 'likes',
      maxResults: 3,
      types: ['facts'],
      mode: 'accurate',
      precisionLevel: 'medium',
      userId: 'ada',
      customerId: 'acme',
      scope: { anyLevel: ['a'] },
    });
    expect(synap.requests[0]?.body).toEqual({
      conversation_id: ID,
      search_query: ['likes'],
      max_results: 3,
      types: ['facts'],
      mode: 'accurate',
      precision_level: 'medium',
      user_id: 'ada',
      customer_id: 'acme',
      scope: { anyLevel: ['a'] },
    });
  });

  it('reads what is there in camelCase, and leaves what stands inside of a field as it is', async () => {
    const { context } = await synapThat({
      json: {
        context: {
          facts: [{ content: 'likes tea', valid_until: 'x', metadata: { my_tag: 1 } }, 'drinks water', 7],
          temporal_events: [],
          emotions: null,
          conversation_context: { current_state: { open_items: 1 }, compacted_at: 'then', recent_turns: 'odd' },
          unheard_of: 1,
        },
        metadata: { total_ms: 3 },
      },
    });
    expect(await context.fetch({ conversationId: ID })).toEqual({
      facts: [{ content: 'likes tea', validUntil: 'x', metadata: { my_tag: 1 } }, { content: 'drinks water' }],
      temporalEvents: [],
      conversationContext: { currentState: { open_items: 1 }, compactedAt: 'then' },
      metadata: { totalMs: 3 },
    });
  });

  it('does not repeat the search query in an error', async () => {
    const { context } = await synapThat({ status: 400, json: { detail: 'can not search for where is my passport' } });
    const call = context.fetch({ conversationId: ID, searchQuery: 'where is my passport' });
    await expect(call).rejects.toThrow(/^(?!.*passport)/);
  });
});

it.each(['chat-42', '', undefined, 7])(
  'a conversation id %j that is no UUID is refused before any network',
  async id => {
    const { synap, context } = await synapThat({ json: {} });
    for (const call of Object.values(context)) {
      const error = await call({ conversationId: id } as never).catch((error: unknown) => error);
      expect(error).toBeInstanceOf(InvalidInputError);
      expect(error).toMatchObject({ field: 'conversationId' });
    }
    expect(synap.requests).toEqual([]);
  },
);

it.each([
  ['fetch', { searchQuery: 7 }, 'searchQuery'],
  ['fetch', { maxResults: 0 }, 'maxResults'],
  ['fetch', { mode: 'slow' }, 'mode'],
  ['fetch', { scope: { at: Number.NaN } }, 'scope'],
  ['fetch', { search_query: 'tea' }, undefined],
  ['compact', { targetTokens: '500' }, 'targetTokens'],
  ['getCompacted', { format: 'pdf' }, 'format'],
  ['getContextForPrompt', { style: 'poem' }, 'style'],
] as const)('%s refuses %j before any network', async (call, wrong, field) => {
  const { synap, context } = await synapThat({ json: {} });
  const error = await context[call]({ conversationId: ID, ...wrong } as never).catch((error: unknown) => error);
  expect(error).toBeInstanceOf(InvalidInputError);
  expect(error).toMatchObject({ field });
  expect(synap.requests).toEqual([]);
});

describe('context.compact', () => {
  it('sends its fields, and reads what has begun', async () => {
    const { synap, context } = await synapThat({
      json: { compaction_id: 'k1', status: 'queued', trigger_type: 'manual', estimated_completion_seconds: 4 },
    });
    const compaction = await context.compact({ conversationId: ID, strategy: 'aggressive', targetTokens: 500 });
    expect(synap.requests[0]).toMatchObject({
      method: 'POST',
      path: '/v1/conversations/compact',
      body: { conversation_id: ID, strategy: 'aggressive', target_tokens: 500, force: false },
    });
    expect(compaction).toEqual({
      compactionId: 'k1',
      status: 'queued',
      triggerType: 'manual',
      estimatedCompletionSeconds: 4,
    });
  });

  it('is sent once, whatever the answer', async () => {
    const { synap, context } = await synapThat({ status: 503 });
    await expect(context.compact({ conversationId: ID })).rejects.toBeInstanceOf(ServiceUnavailableError);
    expect(synap.requests).toHaveLength(1);
  });

  it('says that one is under way already', async () => {
    const { context } = await synapThat({ status: 409, json: { detail: 'compaction is running' } });
    const error = await context.compact({ conversationId: ID }).catch((error: ConflictError) => error);
    expect(error).toMatchObject({ name: 'ConflictError', status: 409 });
  });
});

describe('context.getCompacted', () => {
  it('asks for a version and a format, and reads them', async () => {
    const { synap, context } = await synapThat({
      json: { formatted_context: 'So far: tea.', compression_ratio: 0.2, validation_passed: true, decisions: ['tea'] },
    });
    const compacted = await context.getCompacted({ conversationId: ID, version: 2, format: 'narrative' });
    expect(synap.requests[0]).toMatchObject({
      method: 'GET',
      path: `/v1/conversations/${ID}/compacted?version=2&format=narrative`,
    });
    expect(compacted).toEqual({
      formattedContext: 'So far: tea.',
      compressionRatio: 0.2,
      validationPassed: true,
      decisions: [{ content: 'tea' }],
    });
  });

  it('fails with 404 where there is none', async () => {
    const { synap, context } = await synapThat({ status: 404, json: { detail: 'no compaction' } });
    const error = await context.getCompacted({ conversationId: ID }).catch((error: unknown) => error);
    expect(error).toBeInstanceOf(UnexpectedResponseError);
    expect(error).toMatchObject({ status: 404 });
    expect(synap.requests).toHaveLength(1);
  });
});

it('context.getCompactionStatus reads how far it is', async () => {
  const { synap, context } = await synapThat({ json: { status: 'done', latest_version: 3, error_message: null } });
  expect(await context.getCompactionStatus({ conversationId: ID })).toEqual({ status: 'done', latestVersion: 3 });
  expect(synap.requests[0]?.path).toBe(`/v1/conversations/${ID}/compaction/status`);
});

describe('context.getContextForPrompt', () => {
  const wire = {
    formatted_context: 'Ada likes tea.',
    available: true,
    is_stale: false,
    validation_score: 'high',
    recent_messages: [
      { role: 'user', content: 'Hi', timestamp: 'then', message_id: 'm1' },
      { role: 'assistant' },
      'odd',
    ],
    recent_message_count: 1,
  };
  const read = {
    formattedContext: 'Ada likes tea.',
    available: true,
    isStale: false,
    recentMessages: [{ role: 'user', content: 'Hi', timestamp: 'then', messageId: 'm1' }],
    recentMessageCount: 1,
  };

  it.each([
    ['as it stands', wire],
    ['wrapped', { context_for_prompt: wire }],
  ])('reads an answer %s, without what can not be read', async (_, json) => {
    const { synap, context } = await synapThat({ json });
    expect(await context.getContextForPrompt({ conversationId: ID, style: 'narrative' })).toEqual(read);
    expect(synap.requests[0]?.path).toBe(`/v1/conversations/${ID}/context-for-prompt?style=narrative`);
  });

  it.each(['null', '[]', '7', '{}'])('reads %s as an answer that says nothing', async text => {
    const { context } = await synapThat({ text });
    expect(await context.getContextForPrompt({ conversationId: ID })).toEqual({});
  });

  it('ends at the deadline of the call, so that an app goes on without memory', async () => {
    const { context } = await synapThat(() => 'handled');
    const call = context.getContextForPrompt({ conversationId: ID }, { timeoutMs: 30 });
    await expect(call).rejects.toBeInstanceOf(TimeoutError);
  });

  it('ends when the app aborts it', async () => {
    const end = new AbortController();
    const { context } = await synapThat(() => {
      end.abort();
      return 'handled';
    });
    const call = context.getContextForPrompt({ conversationId: ID }, { signal: end.signal });
    await expect(call).rejects.toBeInstanceOf(NetworkError);
  });

  it.each([0, Number.NaN, -1])('refuses a timeoutMs of %d', async timeoutMs => {
    const { context } = await synapThat({ json: {} });
    const call = context.getContextForPrompt({ conversationId: ID }, { timeoutMs });
    await expect(call).rejects.toMatchObject({ field: 'timeoutMs' });
  });

  it('takes a web page for no answer of Synap', async () => {
    const { context } = await synapThat({ text: '<html>', headers: { 'content-type': 'text/html' } });
    const error = await context.getContextForPrompt({ conversationId: ID }).catch((error: unknown) => error);
    expect(error).toMatchObject({ name: 'ServiceUnavailableError', stored: 'no' });
  });
});

it('an empty answer to a read says nothing', async () => {
  const { context } = await synapThat({ status: 204 });
  expect(await context.getCompactionStatus({ conversationId: ID })).toEqual({});
});

it.each([
  [{ status: 204 }, {}],
  [{ status: 202, text: '{"mess' }, { unread: expect.stringContaining('could not be read') }],
])('what is done is done with a 2xx, whatever its body: %j', async (answer, expected) => {
  const { synap, client } = await synapThat(answer);
  const transcript = { conversationId: 'call-42', userId: 'ada', transcript: 'Hello' };
  expect(await client.conversation.context.compact({ conversationId: ID })).toEqual(expected);
  expect(await client.conversation.ingest(transcript)).toEqual(expected);
  expect(synap.requests).toHaveLength(2);
});

describe('a read', () => {
  it.each([
    ['a 503', { status: 503 }],
    ['a 429 that says when', { status: 429, headers: { 'retry-after': '0' } }],
    ['a broken connection', { reset: 'before storing' }],
  ] as const)('is sent again after %s', async (_, fault) => {
    const { synap, context } = await synapThat((_, index) => (index < 2 ? fault : { json: { status: 'done' } }));
    expect(await context.getCompactionStatus({ conversationId: ID })).toEqual({ status: 'done' });
    expect(synap.requests).toHaveLength(3);
  });

  it('is sent three times at most', async () => {
    const { synap, context } = await synapThat({ status: 500 });
    await expect(context.fetch({ conversationId: ID })).rejects.toBeInstanceOf(ServiceUnavailableError);
    expect(synap.requests).toHaveLength(3);
  });

  it.each([
    ['does not say when', {}],
    ['says a time beyond the deadline', { 'retry-after': '60' }],
  ])('is not sent again after a 429 that %s', async (_, headers) => {
    const { synap, context } = await synapThat({ status: 429, headers });
    await expect(context.fetch({ conversationId: ID })).rejects.toBeInstanceOf(RateLimitError);
    expect(synap.requests).toHaveLength(1);
  });

  it('is sent again where nothing listened at first', async () => {
    const { port } = await freePort();
    const client = new SynapClient({ apiKey: KEY, baseUrl: `http://127.0.0.1:${port}` });
    closing.push(() => client.close());
    const server = createServer((_, response) => response.end('{"client_id":"c1"}'));
    vi.spyOn(Math, 'random').mockImplementation(() => {
      // The first attempt has failed, and the wait begins.
      server.listen(port, '127.0.0.1');
      vi.mocked(Math.random).mockReturnValue(0.9);
      return 0.9;
    });
    closing.push(async () => server.close());
    expect(await client.whoami()).toEqual({ clientId: 'c1' });
  });

  it('stops waiting when the client is closed', async () => {
    const { client } = await synapThat({ status: 503, headers: { 'retry-after': '5' } });
    const call = client.credits();
    call.catch(() => {});
    await vi.waitFor(() => expect(Math.random).toHaveBeenCalled());
    await client.close();
    await expect(call).rejects.toBeInstanceOf(ServiceUnavailableError);
  });
});

describe('ingest', () => {
  const transcript = {
    conversationId: 'call-42',
    userId: 'ada',
    transcript: [{ role: 'user', content: 'My launch code is 0000', timestamp: new Date(0) }],
    startedAt: '2026-01-01T00:00:00Z',
    conversationType: 'support_call',
    metadata: { from: 'phone' },
  } as const;

  it('sends a transcript under its wire names, and reads the receipt', async () => {
    const { synap, client } = await synapThat({
      json: { ingestion_id: 'g1', status: 'duplicate', turns_recorded: 1, external_conversation_id: 'call-42' },
    });
    expect(await client.conversation.ingest(transcript)).toEqual({
      ingestionId: 'g1',
      status: 'duplicate',
      turnsRecorded: 1,
      externalConversationId: 'call-42',
    });
    expect(synap.requests[0]).toMatchObject({ method: 'POST', path: '/v1/conversations/ingest' });
    expect(synap.requests[0]?.body).toEqual({
      conversation_id: 'call-42',
      user_id: 'ada',
      transcript: [{ role: 'user', content: 'My launch code is 0000', timestamp: '1970-01-01T00:00:00.000Z' }],
      started_at: '2026-01-01T00:00:00Z',
      conversation_type: 'support_call',
      metadata: { from: 'phone' },
    });
  });

  it('is sent once, and its error does not repeat what was said', async () => {
    const { synap, client } = await synapThat({ status: 503, json: { detail: 'lost: My launch code is 0000' } });
    const error = await client.conversation.ingest(transcript).catch((error: Error) => error);
    expect(error).toBeInstanceOf(ServiceUnavailableError);
    expect((error as Error).message).not.toContain('0000');
    expect(synap.requests).toHaveLength(1);
  });

  it.each([
    ['userId', { userId: '' }],
    ['transcript', { transcript: [] }],
    ['conversationType', { conversationType: 'x'.repeat(65) }],
    ['metadata', { metadata: { at: new Date() } }],
  ])('refuses a wrong %s before any network', async (field, wrong) => {
    const { synap, client } = await synapThat({ json: {} });
    const call = client.conversation.ingest({ ...transcript, ...wrong } as never);
    await expect(call).rejects.toMatchObject({ name: 'InvalidInputError', field });
    expect(synap.requests).toEqual([]);
  });
});

describe('whoami', () => {
  it.each([
    [{ user_context_isolation: 'equals_customer' }, 'b2c'],
    [{ user_context_isolation: 'strict' }, 'b2b'],
    [{ tenancy: 'b2b' }, 'b2b'],
    [{ user_context_isolation: 'new', tenancy: 'b2c' }, 'b2c'],
  ])('%j says that the instance is %s', async (json, tenancy) => {
    const { client } = await synapThat({}, () => ({ json: { client_id: 'c1', instance_id: 'i1', ...json } }));
    expect(await client.whoami()).toEqual({ clientId: 'c1', instanceId: 'i1', tenancy });
  });

  it('leaves out what Synap does not say', async () => {
    const { client } = await synapThat({}, () => ({ json: { client_id: 7 } }));
    expect(await client.whoami()).toEqual({});
  });
});

it.each([
  [
    { balance_credits: 5, plan: 'pro' },
    { balanceCredits: 5, plan: 'pro' },
  ],
  [{ balance: 0 }, { balanceCredits: 0 }],
  [{}, {}],
])('credits() reads %j', async (json, credits) => {
  const { synap, client } = await synapThat({ json });
  expect(await client.credits()).toEqual(credits);
  expect(synap.requests[0]?.path).toBe('/v1/credits/balance');
});

it('a scope goes with a message, and with each of a batch, as it is', async () => {
  const { synap, client } = await synapThat(() => undefined);
  const message = { conversationId: ID, role: 'user', content: 'Hi', userId: 'ada', scope: { teamId: ['t'] } } as const;
  await client.conversation.recordMessage(message);
  await client.conversation.recordMessagesBatch([message]);
  expect(synap.stored.map(({ scope }) => scope)).toEqual([{ teamId: ['t'] }, { teamId: ['t'] }]);
});

describe('the fingerprint of a client', () => {
  const fingerprint = (apiKey: string) => new SynapClient({ apiKey, baseUrl: 'http://127.0.0.1:9' }).fingerprint;

  it('is the same for the same key, and never shows it', () => {
    expect(fingerprint(KEY)).toBe(fingerprint(` ${KEY}\n`));
    expect(fingerprint(KEY)).toMatch(/^[0-9a-f-]{36}$/);
    expect(fingerprint('other-key')).not.toBe(fingerprint(KEY));
  });
});

it('a client of the app needs the two calls that record, and no more', () => {
  const own: RecordingClient = {
    conversation: {
      recordMessage: async ({ conversationId }) => ({ conversationId }),
      recordMessagesBatch: async () => ({ total: 0, succeeded: 0, failed: 0, results: [] }),
    },
  };
  expect(own).toBeDefined();
});

describe("conversationUuid() with Synap's own recipe", () => {
  it('is the UUIDv5 of the id in the URL namespace', () => {
    // python3 -c "import uuid; print(uuid.uuid5(uuid.NAMESPACE_URL, 'chat-42'))"
    expect(conversationUuid('chat-42', { recipe: 'synap' })).toBe('32b710b8-8c7e-58ac-9265-133ce087b63e');
  });

  it('lets a UUID through, and is no default', () => {
    expect(conversationUuid(ID.toUpperCase(), { recipe: 'synap' })).toBe(ID);
    expect(conversationUuid('chat-42', { userId: 'ada' })).not.toBe(conversationUuid('chat-42', { recipe: 'synap' }));
  });

  it('is refused under another name', () => {
    expect(() => conversationUuid('chat-42', { recipe: 'python' as never })).toThrow(/recipe/);
  });
});

async function freePort(): Promise<{ port: number }> {
  const server = createServer();
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise(resolve => server.close(resolve));
  return { port };
}
