// What a client reads for a prompt: as the service answers it, as far as a transcript alone goes.

import { SynapClient } from 'synap-recorder';
import { v5 as uuidv5 } from 'uuid';
import { expect, test } from 'vitest';
import { aMessage, call, record, recordBatch, start } from './support.js';

type Local = Awaited<ReturnType<typeof start>>;

const forPrompt = (local: Local, id: string, query = '') =>
  call(local, 'GET', `/v1/conversations/${id}/context-for-prompt${query}`);
const fetchContext = (local: Local, body: unknown) => call(local, 'POST', '/v1/context/conversation/fetch', body);

async function aConversation(local: Local) {
  const { conversation_id } = aMessage();
  const said = { conversation_id, metadata: { started_at: '2026-01-05T14:02:11.000Z' } };
  const question = await record(local, aMessage(said));
  const answer = await record(local, aMessage({ conversation_id, role: 'assistant', content: 'Hi Ada' }));
  return { conversation_id, question: question.body, answer: answer.body };
}

test('context-for-prompt has the messages, the oldest first, and no compacted part', async () => {
  const local = await start();
  const { conversation_id, question, answer } = await aConversation(local);
  for (const query of ['', '?style=structured', '?style=narrative', '?style=bullet_points']) {
    const { status, body } = await forPrompt(local, conversation_id, query);
    expect(status).toBe(200);
    expect(body).toEqual({
      available: false,
      formatted_context: null,
      is_stale: false,
      compression_ratio: null,
      validation_score: null,
      compaction_age_seconds: null,
      quality_warning: false,
      recent_messages: [
        // When it was said, where that is known.
        {
          role: 'user',
          content: 'Hello!',
          timestamp: '2026-01-05T14:02:11.000Z',
          message_id: question.message_id,
          metadata: { started_at: '2026-01-05T14:02:11.000Z' },
        },
        {
          role: 'assistant',
          content: 'Hi Ada',
          timestamp: answer.recorded_at,
          message_id: answer.message_id,
          metadata: {},
        },
      ],
      recent_message_count: 2,
      compacted_message_count: 0,
      total_message_count: 2,
    });
  }
});

test('of a long conversation it has the latest thousand messages, and counts all', async () => {
  const local = await start();
  const { conversation_id } = aMessage();
  await recordBatch(
    local,
    Array.from({ length: 1100 }, (_, index) => aMessage({ conversation_id, content: String(index) })),
  );
  const { body } = await forPrompt(local, conversation_id);
  expect(body).toMatchObject({ recent_message_count: 1000, total_message_count: 1100 });
  expect(body.recent_messages.at(0).content).toBe('100');
  expect(body.recent_messages.at(-1).content).toBe('1099');
});

test('a conversation that nobody has recorded into is empty, by whatever id', async () => {
  const local = await start();
  for (const id of [aMessage().conversation_id, 'chat-42', 'a%2Fb'])
    expect((await forPrompt(local, id)).body).toMatchObject({ recent_messages: [], total_message_count: 0 });
});

test('fetch has the recent turns, and says why there is no more', async () => {
  const local = await start();
  const { conversation_id } = await aConversation(local);
  const { status, body } = await fetchContext(local, {
    conversation_id,
    search_query: ['sky'],
    max_results: 10,
    types: ['all'],
    mode: 'fast',
    precision_level: 'medium',
    user_id: 'ada',
  });
  expect(status).toBe(200);
  expect(body.context).toMatchObject({ facts: [], preferences: [], episodes: [], emotions: [], temporal_events: [] });
  expect(body.context.conversation_context).toMatchObject({ conversation_id, summary: null, compaction_id: null });
  expect(body.context.conversation_context.recent_turns).toMatchObject([{ content: 'Hello!' }, { content: 'Hi Ada' }]);
  expect(body.metadata.message).toMatch(/keeps transcripts only/);
});

test('fetch takes an empty text for nobody, as clients of the service send it, and leaves the conversation out', async () => {
  const local = await start({ strictB2c: true });
  const { conversation_id } = await aConversation(local);
  const nobody = { conversation_id, user_id: '', customer_id: '', search_query: [] };
  const { status, body } = await fetchContext(local, { ...nobody, include_conversation_context: false });
  expect(status).toBe(200);
  expect(body.context.conversation_context).toBeNull();
});

test('compacted, its status and compact say that nothing is compacted here', async () => {
  const local = await start();
  const { conversation_id } = await aConversation(local);
  const path = `/v1/conversations/${conversation_id}`;
  for (const [method, route, expected, body] of [
    ['GET', `${path}/compacted?format=narrative&version=1`, 404, undefined],
    ['GET', `${path}/compaction/status`, 404, undefined],
    ['POST', '/v1/conversations/compact', 501, { conversation_id, force: true, target_tokens: 100 }],
  ] as const) {
    const answer = await call(local, method, route, body);
    expect(answer.status, route).toBe(expected);
    expect(answer.body.detail).toMatch(/keeps transcripts only/);
  }
});

const id = '0a0b0c0d-1111-4222-8333-abcdefabcdef';

test.each([
  ['GET', `/v1/conversations/${id}/context-for-prompt?style=haiku`, undefined, /^style must be "structured", "narr/],
  ['GET', `/v1/conversations/${id}/context-for-prompt?style=`, undefined, /^style must be/],
  ['GET', `/v1/conversations/${id}/compacted?format=rhyme`, undefined, /^format must be/],
  ['GET', `/v1/conversations/${id}/compacted?version=latest`, undefined, /^version must be/],
  ['POST', '/v1/context/conversation/fetch', [], /^body must be an object$/],
  ['POST', '/v1/context/conversation/fetch', {}, /^conversation_id must be/],
  ['POST', '/v1/context/conversation/fetch', { conversation_id: 7 }, /^conversation_id must be/],
  [
    'POST',
    '/v1/context/conversation/fetch',
    { conversation_id: id, search_query: 'sky' },
    /^search_query must be a list/,
  ],
  ['POST', '/v1/context/conversation/fetch', { conversation_id: id, search_query: [1] }, /^search_query\.0 must be/],
  ['POST', '/v1/context/conversation/fetch', { conversation_id: id, max_results: 0 }, /^max_results must be/],
  ['POST', '/v1/context/conversation/fetch', { conversation_id: id, max_results: '3' }, /^max_results must be/],
  ['POST', '/v1/context/conversation/fetch', { conversation_id: id, mode: 'slow' }, /^mode must be "fast" or "acc/],
  ['POST', '/v1/context/conversation/fetch', { conversation_id: id, precision_level: 'low' }, /^precision_level must/],
  ['POST', '/v1/context/conversation/fetch', { conversation_id: id, types: 'all' }, /^types must be/],
  ['POST', '/v1/context/conversation/fetch', { conversation_id: id, user_id: 7 }, /^user_id must be/],
  ['POST', '/v1/conversations/compact', { conversation_id: '' }, /^conversation_id must be/],
  ['POST', '/v1/conversations/compact', { conversation_id: id, target_tokens: -1 }, /^target_tokens must be/],
  ['POST', '/v1/conversations/compact', { conversation_id: id, force: 'yes' }, /^force must be/],
] as const)('%s %s with %j is refused, and the field named', async (method, path, body, problem) => {
  const local = await start();
  const answer = await call(local, method, path, body);
  expect(answer.status).toBe(422);
  expect(answer.body.detail).toMatch(problem);
});

test('whoami names client, instance and isolation, and the instance stays the same', async () => {
  const b2c = await start();
  const b2b = await start({ tenancy: 'b2b' });
  const whoami = async (local: Local) => (await call(local, 'GET', '/api/v1/auth/whoami')).body;
  const first = await whoami(b2c);
  expect(first).toMatchObject({ client_id: 'local', user_context_isolation: 'equals_customer', tenancy: 'b2c' });
  expect((await whoami(b2c)).instance_id).toBe(first.instance_id);
  expect((await whoami(b2b)).user_context_isolation).toBe('strict');
  expect((await whoami(b2b)).instance_id).not.toBe(first.instance_id);
});

test('credits are not counted, and that is said', async () => {
  const local = await start();
  expect((await call(local, 'GET', '/v1/credits/balance')).body).toMatchObject({
    client_id: 'local',
    balance_credits: 1_000_000,
    warning_low: false,
    plan: 'local',
    message: expect.stringContaining('counts no credits'),
  });
});

test('the client reads all of it', async () => {
  const local = await start();
  const { conversation_id: conversationId } = await aConversation(local);
  const synap = new SynapClient({ apiKey: local.apiKey, baseUrl: local.url });
  try {
    const { context } = synap.conversation;
    expect(await context.getContextForPrompt({ conversationId, style: 'narrative' })).toMatchObject({
      available: false,
      recentMessages: [
        { role: 'user', content: 'Hello!' },
        { role: 'assistant', content: 'Hi Ada' },
      ],
      totalMessageCount: 2,
    });
    expect(await context.fetch({ conversationId })).toMatchObject({
      facts: [],
      conversationContext: { conversationId, recentTurns: [{ content: 'Hello!' }, { content: 'Hi Ada' }] },
    });
    await expect(context.getCompacted({ conversationId })).rejects.toMatchObject({ status: 404 });
    await expect(context.getCompactionStatus({ conversationId })).rejects.toMatchObject({ status: 404 });
    await expect(context.compact({ conversationId })).rejects.toMatchObject({ status: 501 });
    expect(await synap.whoami()).toMatchObject({ clientId: 'local', tenancy: 'b2c' });
    expect(await synap.credits()).toMatchObject({ plan: 'local' });
    const transcript = [
      { role: 'user', content: 'Hi', timestamp: new Date(0) },
      { role: 'assistant', content: 'Hello' },
    ] as const;
    const ingested = { conversationId: 'call 7', userId: 'ada', transcript, conversationType: 'call' };
    expect(await synap.conversation.ingest(ingested)).toMatchObject({
      status: 'queued',
      turnsRecorded: 2,
      conversationId: uuidv5('call 7', uuidv5.URL),
      externalConversationId: 'call 7',
    });
    expect(await synap.conversation.ingest(ingested)).toMatchObject({ status: 'duplicate' });
  } finally {
    await synap.close();
  }
});
