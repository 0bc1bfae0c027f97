// B2B and B2C: whose customer a message belongs to.

import { expect, test } from 'vitest';
import { startLocalSynap } from '../src/index.js';
import { aMessage, call, readConversation, record, recordBatch, start, tempDatabase } from './support.js';

test('b2b: a message without a customer is refused', async () => {
  const local = await start({ tenancy: 'b2b' });
  const { status, body } = await record(local, aMessage());
  expect(status).toBe(422);
  expect(body.detail).toMatch(/^customer_id is missing/);
});

test('b2b: a conversation never takes a message of another customer', async () => {
  const local = await start({ tenancy: 'b2b' });
  const message = aMessage({ customer_id: 'acme', metadata: { message_key: 'k' } });
  await record(local, message);
  const intruder = { ...message, customer_id: 'rival', content: 'intruder' };
  const { status, body } = await record(local, intruder);
  expect(status).toBe(409);
  expect(body.detail).toEqual({
    code: 'conversation_conflict',
    message: 'conversation_id belongs to another customer',
  });
  const batch = await recordBatch(local, [intruder, { ...message, metadata: {} }]);
  expect(batch.body).toMatchObject({ succeeded: 1, failed: 1 });
  expect(batch.body.results[0].error).toMatch(/^conversation_conflict/);
  const { messages } = (await readConversation(local, message.conversation_id)).body;
  expect(messages.map((stored: { customer_id: string }) => stored.customer_id)).toEqual(['acme', 'acme']);
});

test('b2b: several users of one customer talk in one conversation', async () => {
  const local = await start({ tenancy: 'b2b' });
  const message = aMessage({ customer_id: 'acme' });
  await record(local, message);
  expect((await record(local, { ...message, user_id: 'grace' })).status).toBe(200);
  expect((await call(local, 'GET', '/v1/conversations')).body.conversations).toMatchObject([
    { user_id: 'ada', customer_id: 'acme', message_count: 2 },
  ]);
});

test('b2b: a batch takes the customer from the conversation, and refuses what no conversation knows', async () => {
  const local = await start({ tenancy: 'b2b' });
  const message = aMessage({ customer_id: 'acme' });
  const { body } = await recordBatch(local, [
    message,
    { conversation_id: message.conversation_id, role: 'assistant', content: 'Hi' },
    aMessage(),
  ]);
  expect(body).toMatchObject({ succeeded: 2, failed: 1 });
  expect(body.results[2].error).toMatch(/customer_id is missing/);
  const { messages } = (await readConversation(local, message.conversation_id)).body;
  expect(messages[1]).toMatchObject({ user_id: 'ada', customer_id: 'acme' });
});

test('b2c: the customer is resolved from the user, the same one every time and everywhere', async () => {
  const [one, two] = [await start(), await start()];
  const customerOf = async (local: typeof one, user_id: string) => {
    const message = aMessage({ user_id });
    await record(local, message);
    return (await readConversation(local, message.conversation_id)).body.messages[0].customer_id;
  };
  const ada = await customerOf(one, 'ada');
  expect(ada).toMatch(/^customer_/);
  expect(await customerOf(one, 'ada')).toBe(ada);
  expect(await customerOf(two, 'ada')).toBe(ada);
  expect(await customerOf(one, 'grace')).not.toBe(ada);
});

test('b2c: passing a customer is harmless, and so is another one or another user in the same conversation', async () => {
  const local = await start({ tenancy: 'b2c', strictB2c: false });
  const message = aMessage({ customer_id: 'acme' });
  for (const fields of [{}, { customer_id: 'rival' }, { customer_id: undefined }, { user_id: 'grace' }])
    expect((await record(local, { ...message, ...fields })).status).toBe(200);
});

test('whoami says the tenancy, and only a masked key', async () => {
  const local = await start({ tenancy: 'b2b', apiKeys: ['a-key-of-some-length-1234', 'short'] });
  const { body } = await call(local, 'GET', '/api/v1/auth/whoami');
  expect(body).toMatchObject({ tenancy: 'b2b', api_key: 'a-ke…1234' });
  expect((await call({ ...local, apiKey: 'short' }, 'GET', '/api/v1/auth/whoami')).body.api_key).toBe('…');
});

test('a database keeps its tenancy, and is not opened as the other kind once it holds conversations', async () => {
  const database = tempDatabase();
  const first = await startLocalSynap({ database, tenancy: 'b2c' });
  await first.close();
  const changed = await startLocalSynap({ database, tenancy: 'b2b' });
  await record(changed, aMessage({ customer_id: 'acme' }));
  await changed.close();
  await expect(startLocalSynap({ database, tenancy: 'b2c' })).rejects.toThrow(/contains b2b conversations: start with/);
  expect((await start({ database })).tenancy).toBe('b2b');
});

test('strict b2c: a message that names a customer is refused, alone or in a batch; the others are taken', async () => {
  const local = await start({ strictB2c: true });
  const named = aMessage({ customer_id: 'acme' });
  const { status, body } = await record(local, named);
  expect(status).toBe(400);
  expect(body.detail).toMatch(/^customer_id is not accepted: .*user_context_isolation='equals_customer'/);
  const batch = await recordBatch(local, [aMessage(), named, aMessage({ customer_id: null })]);
  expect(batch.body).toMatchObject({ total: 3, succeeded: 2, failed: 1 });
  expect(batch.body.results[1].error).toMatch(/^customer_id is not accepted/);
  expect((await readConversation(local, named.conversation_id)).status).toBe(404);
  const { conversation_id, customer_id } = named;
  const fetched = await call(local, 'POST', '/v1/context/conversation/fetch', { conversation_id, customer_id });
  expect(fetched.status).toBe(400);
});

test('strict b2c is for b2c alone', async () => {
  await expect(startLocalSynap({ strictB2c: true, tenancy: 'b2b' })).rejects.toThrow(/strictB2c is for tenancy b2c/);
});
