// POST /v1/conversations/messages/batch: order, refusals, and what is resolved from the conversation.

import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { aMessage, call, readConversation, record, recordBatch, start } from './support.js';

test('a batch is answered in the order it was sent in', async () => {
  const local = await start();
  const sent = Array.from({ length: 20 }, (_, index) => aMessage({ content: String(index) }));
  const { status, body } = await recordBatch(local, sent);
  expect(status).toBe(200);
  expect(body).toMatchObject({ total: 20, succeeded: 20, failed: 0 });
  expect(body.results.map((result: { conversation_id: string }) => result.conversation_id)).toEqual(
    sent.map(message => message.conversation_id),
  );
  expect(Object.keys(body.results[0]).sort()).toEqual(['conversation_id', 'message_id', 'recorded_at', 'session_id']);
});

test('a message that is wrong does not keep out those around it', async () => {
  const local = await start();
  const conversation_id = randomUUID();
  const { status, body } = await recordBatch(local, [
    aMessage({ conversation_id, content: 'before' }),
    aMessage({ conversation_id, role: 'system', content: 'secret' }),
    'secret',
    null,
    aMessage({ conversation_id, metadata: 'secret' }),
    aMessage({ conversation_id, content: 'after' }),
  ]);
  expect(status).toBe(200);
  expect(body).toMatchObject({ total: 6, succeeded: 2, failed: 4 });
  expect(body.results.slice(1, 5)).toEqual([
    { error: 'role must be "user" or "assistant"' },
    { error: 'message must be an object' },
    { error: 'message must be an object' },
    { error: 'metadata must be an object' },
  ]);
  const { messages } = (await readConversation(local, conversation_id)).body;
  expect(messages.map((message: { content: string }) => message.content)).toEqual(['before', 'after']);
});

test('an empty batch is answered with zeros', async () => {
  const local = await start();
  expect((await recordBatch(local, [])).body).toEqual({ total: 0, succeeded: 0, failed: 0, results: [] });
});

test.each([[{}], [{ messages: null }], [{ messages: {} }], [[]], [null], ['7']])(
  'a body of %j is refused as not being a batch',
  async body => {
    const local = await start();
    const answer = await call(local, 'POST', '/v1/conversations/messages/batch', JSON.stringify(body));
    expect(answer.status).toBe(422);
    expect(answer.body).toEqual({ detail: 'messages must be an array' });
  },
);

test('a message without a user has the user of the message before it in the conversation', async () => {
  const local = await start({ strictB2c: false });
  const stored = aMessage({ user_id: 'grace', customer_id: 'acme' });
  await record(local, stored);
  const fresh = randomUUID();
  const { body } = await recordBatch(local, [
    { conversation_id: stored.conversation_id, role: 'assistant', content: 'known from the store' },
    aMessage({ conversation_id: fresh, user_id: 'linus' }),
    { conversation_id: fresh, role: 'assistant', content: 'known from this batch' },
    aMessage({ conversation_id: fresh, user_id: 'margaret' }),
    { conversation_id: fresh, role: 'assistant', content: 'the latest one asked', user_id: null },
  ]);
  expect(body.failed).toBe(0);
  const users = async (id: string) =>
    (await readConversation(local, id)).body.messages.map((message: { user_id: string }) => message.user_id);
  expect(await users(stored.conversation_id)).toEqual(['grace', 'grace']);
  expect(await users(fresh)).toEqual(['linus', 'linus', 'margaret', 'margaret']);
});

test('a message without a user in a conversation nobody knows is refused, and the conversation is not begun', async () => {
  const local = await start();
  const { conversation_id } = aMessage();
  const { body } = await recordBatch(local, [{ conversation_id, role: 'user', content: 'who am I?' }]);
  expect(body).toMatchObject({ total: 1, succeeded: 0, failed: 1 });
  expect(body.results[0].error).toMatch(/user_id is missing/);
  expect((await readConversation(local, conversation_id)).status).toBe(404);
});

test('a batch of thousands is stored whole', async () => {
  const local = await start();
  const { conversation_id } = aMessage();
  const sent = Array.from({ length: 5000 }, (_, index) => aMessage({ conversation_id, content: `message ${index}` }));
  expect((await recordBatch(local, sent)).body).toMatchObject({ total: 5000, succeeded: 5000, failed: 0 });
  const { conversations } = (await call(local, 'GET', '/v1/conversations')).body;
  expect(conversations).toMatchObject([{ conversation_id, message_count: 5000 }]);
});
