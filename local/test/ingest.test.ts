// Whole transcripts: each is stored once.

import { randomUUID } from 'node:crypto';
import { v5 as uuidv5 } from 'uuid';
import { expect, test } from 'vitest';
import { aMessage, call, type Json, readConversation, record, start, tempDatabase } from './support.js';

type Local = Awaited<ReturnType<typeof start>>;

const ingest = (local: Local, fields: Json) => call(local, 'POST', '/v1/conversations/ingest', fields);

const TURNS = [
  { role: 'user', content: 'Why is the sky blue?', timestamp: '2026-01-05T15:02:11+01:00' },
  { role: 'assistant', content: 'Air scatters light.', timestamp: '2026-01-05T14:02:13Z', speaker: 'Agent 7' },
];

const aTranscript = (fields: Json = {}) => ({
  conversation_id: randomUUID(),
  user_id: 'ada',
  transcript: TURNS,
  ...fields,
});

test('a transcript is stored in its order, with when its turns were said', async () => {
  const local = await start();
  const transcript = aTranscript({ conversation_type: 'call', analysis: { mood: 'good' }, metadata: { agent: 7 } });
  const { status, body } = await ingest(local, transcript);
  expect({ status, body }).toEqual({
    status: 200,
    body: {
      ingestion_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      conversation_id: transcript.conversation_id,
      external_conversation_id: transcript.conversation_id,
      status: 'queued',
      turns_recorded: 2,
      summary_status: 'skipped',
      queued_at: expect.stringMatching(/^\d{4}-.*Z$/),
    },
  });
  expect((await readConversation(local, transcript.conversation_id)).body.messages).toMatchObject([
    {
      role: 'user',
      content: 'Why is the sky blue?',
      user_id: 'ada',
      metadata: {
        started_at: '2026-01-05T14:02:11.000Z',
        transcript: { conversation_type: 'call', analysis: { mood: 'good' }, metadata: { agent: 7 } },
      },
    },
    {
      role: 'assistant',
      content: 'Air scatters light.',
      metadata: { ended_at: '2026-01-05T14:02:13.000Z', speaker: 'Agent 7' },
    },
  ]);
  const recent = await call(local, 'GET', `/v1/conversations/${transcript.conversation_id}/context-for-prompt`);
  expect(recent.body.recent_messages.map(({ timestamp }: Json) => timestamp)).toEqual([
    '2026-01-05T14:02:11.000Z',
    '2026-01-05T14:02:13.000Z',
  ]);
});

test('the identical transcript again is a duplicate, also after a restart and after more was said', async () => {
  const database = tempDatabase();
  const transcript = aTranscript();
  const first = await start({ database });
  const { body } = await ingest(first, transcript);
  await record(first, aMessage({ conversation_id: transcript.conversation_id }));
  await first.close();
  const second = await start({ database });
  expect((await ingest(second, transcript)).body).toMatchObject({
    ingestion_id: body.ingestion_id,
    status: 'duplicate',
    turns_recorded: 0,
  });
  expect((await readConversation(second, transcript.conversation_id)).body.messages).toHaveLength(3);
});

test('another transcript under the same id is a conflict, and stores nothing', async () => {
  const local = await start();
  const transcript = aTranscript();
  await ingest(local, transcript);
  for (const changed of [
    { transcript: TURNS.slice(0, 1) },
    { transcript: [...TURNS, { role: 'user', content: 'And the sea?' }] },
    { transcript: 'Why is the sky blue?' },
    { transcript: TURNS.map(turn => ({ ...turn, timestamp: '2026-01-06T00:00:00Z' })) },
  ]) {
    const { status, body } = await ingest(local, { ...transcript, ...changed });
    expect(status).toBe(409);
    expect(body.detail.code).toBe('transcript_conflict');
  }
  expect((await readConversation(local, transcript.conversation_id)).body.messages).toHaveLength(2);
});

test('a conversation that was recorded message by message takes no transcript', async () => {
  const local = await start();
  const { conversation_id } = aMessage();
  await record(local, aMessage({ conversation_id }));
  const { status, body } = await ingest(local, aTranscript({ conversation_id }));
  expect(status).toBe(409);
  expect(body.detail).toMatchObject({ code: 'transcript_conflict', message: expect.stringMatching(/one by one/) });
});

test('any id will do: one that is no UUID stands for the service’s own', async () => {
  const local = await start();
  for (const id of ['chat-42', 'Gespräch über Ä', 'https://example.com/chats/7', '0190c6a5']) {
    const { status, body } = await ingest(local, aTranscript({ conversation_id: id }));
    expect(status).toBe(200);
    const conversationId = uuidv5(id, uuidv5.URL);
    expect(body).toMatchObject({ conversation_id: conversationId, external_conversation_id: id });
    const { messages } = (await readConversation(local, conversationId)).body;
    expect(messages[0].metadata.external_conversation_id).toBe(id);
    const path = `/v1/conversations/${encodeURIComponent(id)}/context-for-prompt`;
    expect((await call(local, 'GET', path)).body.total_message_count).toBe(2);
  }
});

test('a text is one message: who said what of it is not guessed', async () => {
  const local = await start();
  const transcript = aTranscript({ transcript: 'User: Hi\nAgent: Hello' });
  expect((await ingest(local, transcript)).body.turns_recorded).toBe(1);
  expect((await readConversation(local, transcript.conversation_id)).body.messages).toMatchObject([
    { role: 'user', content: 'User: Hi\nAgent: Hello' },
  ]);
  expect((await ingest(local, transcript)).body.status).toBe('duplicate');
});

test('analysis and metadata of 64 KB are taken, and no more', async () => {
  const local = await start();
  const bytes = (size: number) => ({ text: 'x'.repeat(size - '{"text":""}'.length) });
  const full = { analysis: bytes(65_536), metadata: bytes(65_536), conversation_type: 'x'.repeat(64) };
  expect((await ingest(local, aTranscript(full))).status).toBe(200);
  for (const name of ['analysis', 'metadata']) {
    const { status, body } = await ingest(local, aTranscript({ [name]: bytes(65_537) }));
    expect({ status, detail: body.detail }).toEqual({
      status: 422,
      detail: `${name} must not be larger than 65536 bytes`,
    });
  }
});

test.each<[Json, RegExp]>([
  [{ conversation_id: '' }, /^conversation_id must be/],
  [{ conversation_id: 7 }, /^conversation_id must be/],
  [{ user_id: undefined }, /^user_id must be/],
  [{ transcript: undefined }, /^transcript must be a string, or a list of turns$/],
  [{ transcript: {} }, /^transcript must be/],
  [{ transcript: [] }, /^transcript must not be empty$/],
  [{ transcript: ' \n' }, /^transcript must not be empty$/],
  [{ transcript: ['Hi'] }, /^transcript\.0 must be an object$/],
  [{ transcript: [...TURNS, { role: 'system', content: 'x' }] }, /^transcript\.2\.role must be "user" or/],
  [{ transcript: [{ role: 'user' }] }, /^transcript\.0\.content must be a string$/],
  [{ transcript: [{ ...TURNS[0], timestamp: 'yesterday' }] }, /^transcript\.0\.timestamp must be an ISO-8601 time$/],
  [{ transcript: [{ ...TURNS[0], timestamp: 1767621731 }] }, /^transcript\.0\.timestamp must be/],
  [{ conversation_type: 'x'.repeat(65) }, /^conversation_type must not be longer than 64/],
  [{ metadata: 'text' }, /^metadata must be an object$/],
  [{ analysis: ['list'] }, /^analysis must be an object$/],
  [{ started_at: 'soon' }, /^started_at must be an ISO-8601 time$/],
])('a transcript with %j is refused, and the field named', async (fields, problem) => {
  const local = await start();
  const { status, body } = await ingest(local, aTranscript(fields));
  expect(status).toBe(422);
  expect(body.detail).toMatch(problem);
  expect((await call(local, 'GET', '/v1/conversations')).body.conversations).toEqual([]);
});

test('b2b: a transcript needs its customer; strict b2c: it must not have one', async () => {
  const b2b = await start({ tenancy: 'b2b' });
  expect((await ingest(b2b, aTranscript())).body.detail).toMatch(/^customer_id is missing/);
  expect((await ingest(b2b, aTranscript({ customer_id: 'acme' }))).status).toBe(200);
  const strict = await start({ strictB2c: true });
  const refused = await ingest(strict, aTranscript({ customer_id: 'acme' }));
  expect(refused.status).toBe(400);
  expect(refused.body.detail).toContain("user_context_isolation='equals_customer'");
});
