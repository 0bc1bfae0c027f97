// Reading back: the list of conversations and their messages, page by page.

import { expect, test } from 'vitest';
import { Store } from '../src/store.js';
import { aMessage, call, readAll, readConversation, record, recordBatch, start, tempDatabase } from './support.js';

test('the conversation with the latest message comes first', async () => {
  const local = await start();
  const [a, b, c] = [aMessage(), aMessage(), aMessage()];
  for (const message of [a, b, c, a]) await record(local, message);
  const { body } = await call(local, 'GET', '/v1/conversations');
  expect(body.conversations.map((item: { conversation_id: string }) => item.conversation_id)).toEqual([
    a.conversation_id,
    c.conversation_id,
    b.conversation_id,
  ]);
  expect(body.next_cursor).toBeNull();
});

test('a conversation in the list has its user, its length and its times', async () => {
  const local = await start({ strictB2c: false });
  const message = aMessage({ customer_id: 'acme' });
  const first = await record(local, message);
  const last = await record(local, { ...message, user_id: 'grace', role: 'assistant' });
  expect((await call(local, 'GET', '/v1/conversations')).body.conversations).toEqual([
    {
      conversation_id: message.conversation_id,
      user_id: 'ada',
      customer_id: 'acme',
      message_count: 2,
      first_recorded_at: first.body.recorded_at,
      last_recorded_at: last.body.recorded_at,
    },
  ]);
});

test('thousands of conversations are read page by page, each once and in order', async () => {
  const local = await start();
  const sent = Array.from({ length: 3210 }, () => aMessage());
  await recordBatch(local, sent);
  const expected = sent.map(message => message.conversation_id).reverse();
  for (const limit of [500, 107]) {
    const all = await readAll(local, '/v1/conversations', 'conversations', limit);
    expect(all.map(item => item.conversation_id)).toEqual(expected);
  }
});

test('thousands of messages are read page by page, each once and in order', async () => {
  const local = await start();
  const { conversation_id } = aMessage();
  await recordBatch(
    local,
    Array.from({ length: 2345 }, (_, index) => [
      aMessage({ conversation_id, content: String(index) }),
      aMessage(),
    ]).flat(),
  );
  const all = await readAll(local, `/v1/conversations/${conversation_id}/messages`, 'messages', 500);
  expect(all.map(item => item.content)).toEqual(Array.from({ length: 2345 }, (_, index) => String(index)));
});

test('messages that come while the pages are read are on the last one', async () => {
  const local = await start();
  const message = aMessage();
  for (let index = 0; index < 3; index++) await record(local, { ...message, content: String(index) });
  const { body: first } = await readConversation(local, message.conversation_id, '?limit=2');
  await record(local, { ...message, content: 'new' });
  const { body: rest } = await readConversation(local, message.conversation_id, `?limit=2&cursor=${first.next_cursor}`);
  expect(rest.messages.map((item: { content: string }) => item.content)).toEqual(['2', 'new']);
  expect(rest.next_cursor).toBeNull();
});

test('a page that ends with the list has no next one', async () => {
  const local = await start();
  await recordBatch(local, [aMessage(), aMessage(), aMessage(), aMessage()]);
  const { body } = await call(local, 'GET', '/v1/conversations?limit=2');
  const { body: rest } = await call(local, 'GET', `/v1/conversations?limit=2&cursor=${body.next_cursor}`);
  expect(rest.conversations).toHaveLength(2);
  expect(rest.next_cursor).toBeNull();
});

test('a page holds 50 unless it is asked for more', async () => {
  const local = await start();
  const { conversation_id } = aMessage();
  await recordBatch(
    local,
    Array.from({ length: 60 }, () => aMessage()),
  );
  await recordBatch(
    local,
    Array.from({ length: 60 }, () => aMessage({ conversation_id })),
  );
  expect((await call(local, 'GET', '/v1/conversations')).body.conversations).toHaveLength(50);
  expect((await readConversation(local, conversation_id)).body.messages).toHaveLength(50);
});

test.each(['limit=0', 'limit=501', 'limit=-1', 'limit=1.5', 'limit=ten', 'limit=', 'limit=%2050'])(
  'a page with %s is refused',
  async query => {
    const local = await start();
    await record(local, aMessage());
    const { status, body } = await call(local, 'GET', `/v1/conversations?${query}`);
    expect(status).toBe(422);
    expect(body.detail).toBe('limit must be a whole number from 1 to 500');
  },
);

test.each(['cursor=', 'cursor=0', 'cursor=-1', 'cursor=abc', 'cursor=1e3', 'cursor=99999999999999999999'])(
  'a page after %s is refused',
  async query => {
    const local = await start();
    const message = aMessage();
    await record(local, message);
    for (const { status, body } of [
      await call(local, 'GET', `/v1/conversations?${query}`),
      await readConversation(local, message.conversation_id, `?${query}`),
    ]) {
      expect(status).toBe(422);
      expect(body.detail).toMatch(/^cursor must be/);
    }
  },
);

test.each(['0a0b0c0d-1111-4222-8333-abcdefabcdef', 'not-a-uuid', '%00', "'%20OR%201=1"])(
  'the conversation %s, which nobody knows, is 404',
  async id => {
    const local = await start();
    await record(local, aMessage());
    expect((await readConversation(local, id)).status).toBe(404);
  },
);

test('the last page of twenty thousand conversations is read as fast as the first', () => {
  const store = new Store({ path: tempDatabase() });
  try {
    store.transaction(() => {
      for (let index = 0; index < 20_000; index++) {
        const id = `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`;
        store.record({ conversationId: id, role: 'user', content: 'Hello!', userId: 'ada' });
      }
    });
    const bestOf = (before: number | undefined) => {
      const times = Array.from({ length: 20 }, () => {
        const begun = performance.now();
        expect(store.conversations({ limit: 50, before }).items).toHaveLength(50);
        return performance.now() - begun;
      });
      return Math.min(...times);
    };
    // Reading up to the place would be four hundred pages' work; what is left is noise.
    expect(bestOf(51)).toBeLessThan(20 * Math.max(bestOf(undefined), 0.05));
  } finally {
    store.close();
  }
});

test('a page of large messages has fewer of them, and none is left out', async () => {
  const local = await start();
  const { conversation_id } = aMessage();
  const texts = Array.from({ length: 9 }, (_, n) => String(n).repeat(400_000));
  for (const content of texts) await record(local, aMessage({ conversation_id, content }));
  const path = `/v1/conversations/${conversation_id}/messages`;
  expect((await call(local, 'GET', `${path}?limit=500`)).body.messages).toHaveLength(2);
  expect((await readAll(local, path, 'messages', 500)).map(({ content }) => content)).toEqual(texts);
});
