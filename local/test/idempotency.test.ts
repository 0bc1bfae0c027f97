// `message_key`: a repeated message is stored once.

import { expect, test } from 'vitest';
import { type Answer, aMessage, call, readConversation, record, recordBatch, start, tempDatabase } from './support.js';

const keyed = (key: unknown, fields = {}) => aMessage({ ...fields, metadata: { message_key: key } });

test('the same message key again is answered with the first receipt, and stored once', async () => {
  const local = await start();
  const message = keyed('key-1');
  const first = await record(local, message);
  const again = await record(local, { ...message, session_id: 'another', content: 'Changed on the way' });
  expect(again.status).toBe(200);
  expect(again.body).toEqual(first.body);
  const { messages } = (await readConversation(local, message.conversation_id)).body;
  expect(messages).toHaveLength(1);
  expect(messages[0].content).toBe('Hello!');
});

test('a message that is sent again does not bring its conversation to the top', async () => {
  const local = await start();
  const old = keyed('key-1');
  await record(local, old);
  await record(local, aMessage());
  await record(local, old);
  const { conversations } = (await call(local, 'GET', '/v1/conversations')).body;
  expect(conversations[1]).toMatchObject({ conversation_id: old.conversation_id, message_count: 1 });
});

test('the same key in another conversation is another message', async () => {
  const local = await start();
  const [one, two] = [await record(local, keyed('key')), await record(local, keyed('key'))];
  expect(one.body.message_id).not.toBe(two.body.message_id);
});

test.each([[7], [''], [null], [{ key: 1 }]])('a message key of %j is no key', async key => {
  const local = await start();
  const message = keyed(key);
  await record(local, message);
  await record(local, message);
  expect((await readConversation(local, message.conversation_id)).body.messages).toHaveLength(2);
});

test('a key that comes twice in one batch is stored once, with one receipt', async () => {
  const local = await start();
  const message = keyed('twice');
  const { body } = await recordBatch(local, [message, { ...message, user_id: undefined }, message]);
  expect(body).toMatchObject({ total: 3, succeeded: 3, failed: 0 });
  expect(body.results[1]).toEqual(body.results[0]);
  expect(body.results[2]).toEqual(body.results[0]);
  expect((await readConversation(local, message.conversation_id)).body.messages).toHaveLength(1);
});

test('a batch sent again after it was half stored stores the other half', async () => {
  const local = await start();
  const { conversation_id } = aMessage();
  const sent = ['a', 'b', 'c', 'd'].map(key => keyed(key, { conversation_id, content: key }));
  const first = await recordBatch(local, sent.slice(0, 2));
  const again = await recordBatch(local, sent);
  expect(again.body.results.slice(0, 2)).toEqual(first.body.results);
  const { messages } = (await readConversation(local, conversation_id)).body;
  expect(messages.map((message: { content: string }) => message.content)).toEqual(['a', 'b', 'c', 'd']);
});

test('the same message from many callers at once is stored once, and all get the same receipt', async () => {
  const local = await start({ database: tempDatabase() });
  const message = keyed('raced');
  const answers = await Promise.all(
    Array.from({ length: 60 }, (_, index): Promise<Answer> => {
      return index % 2 ? record(local, message) : recordBatch(local, [message]);
    }),
  );
  const receipts = answers.map(({ body }) => JSON.stringify(body.results?.[0] ?? body));
  expect(new Set(receipts).size).toBe(1);
  expect((await readConversation(local, message.conversation_id)).body.messages).toHaveLength(1);
});

test('a key is remembered over a restart', async () => {
  const database = tempDatabase();
  const message = keyed('before');
  const before = await start({ database });
  const first = await record(before, message);
  await before.close();
  const after = await start({ database });
  expect((await record(after, message)).body).toEqual(first.body);
  expect((await record(after, aMessage({ conversation_id: message.conversation_id }))).body.session_id).toBe(
    first.body.session_id,
  );
  expect((await readConversation(after, message.conversation_id)).body.messages).toHaveLength(2);
});
