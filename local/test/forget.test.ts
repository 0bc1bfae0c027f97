// Somebody is forgotten: in every list, in the search, and in the file itself.

import { existsSync, readFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { expect, onTestFinished, test } from 'vitest';
import type { LocalSynap } from '../src/index.js';
import { Store } from '../src/store.js';
import {
  aMessage,
  call,
  type Json,
  readAll,
  readConversation,
  record,
  recordBatch,
  start,
  tempDatabase,
} from './support.js';

const forget = (local: LocalSynap, user: string, query = '') =>
  call(local, 'DELETE', `/v1/users/${encodeURIComponent(user)}${query}`);

/** What a file of a database holds, with those that stand beside it. */
function bytesOf(database: string): string {
  return ['', '-wal', '-shm']
    .map(suffix => database + suffix)
    .filter(existsSync)
    .map(path => readFileSync(path, 'latin1'))
    .join('');
}

/** Ada alone, Ada with Grace, and Grace alone. */
async function aHouse(options: Parameters<typeof start>[0] = {}) {
  const local = await start(options);
  const [alone, shared, graces] = [aMessage(), aMessage(), aMessage()].map(({ conversation_id }) => conversation_id);
  const said = async (conversation_id: string | undefined, fields: Json) => {
    const { status } = await record(local, aMessage({ conversation_id, ...fields }));
    expect(status).toBe(200);
  };
  const answer = { role: 'assistant', metadata: { model: 'gpt-ada', status: 'error' } };
  await said(alone, { user_id: 'ada-lovelace', content: 'My xylophone secret' });
  await said(alone, { user_id: 'ada-lovelace', content: 'Your xylophone is safe', ...answer });
  await said(shared, { user_id: 'ada-lovelace', content: 'A zeppelin for Grace', session_id: 's-ada' });
  await said(shared, { user_id: 'grace', content: 'Thank you', session_id: 's-ada', metadata: { turn_id: 't1' } });
  await said(shared, { user_id: 'ada-lovelace', content: 'You are quaintly kind', ...answer });
  await said(shared, { user_id: 'grace', role: 'assistant', content: 'Goodbye', metadata: { model: 'gpt-5' } });
  await said(graces, { user_id: 'grace', content: 'A compiler' });
  await said(alone, { user_id: 'ada-lovelace', content: 'The last word' });
  return { local, alone: alone ?? '', shared: shared ?? '', graces: graces ?? '' };
}

test('all that a user said and was answered is gone; what others said in the same conversation stays', async () => {
  const { local, alone, shared, graces } = await aHouse();
  const { status, body } = await forget(local, 'ada-lovelace');
  expect({ status, body }).toEqual({
    status: 200,
    body: {
      user_id: 'ada-lovelace',
      customer_id: null,
      messages_deleted: 5,
      conversations_deleted: 1,
      erased_from_disk: true,
    },
  });
  expect((await readConversation(local, alone)).status).toBe(404);
  const { messages } = (await readConversation(local, shared)).body;
  expect(messages.map(({ content }: Json) => content)).toEqual(['Thank you', 'Goodbye']);
  const { conversations } = (await call(local, 'GET', '/v1/conversations')).body;
  expect(conversations).toMatchObject([
    { conversation_id: graces, message_count: 1 },
    {
      conversation_id: shared,
      user_id: 'grace',
      message_count: 2,
      first_recorded_at: messages[0].recorded_at,
      last_recorded_at: messages[1].recorded_at,
    },
  ]);
});

test('nothing of it is left in the file, its log or its search index', async () => {
  const database = tempDatabase();
  const { local } = await aHouse({ database });
  // Of a few rows out of many, the index keeps what it held until it is told to.
  await recordBatch(
    local,
    Array.from({ length: 500 }, (_, n) => aMessage({ user_id: 'grace', content: `The compiler has ${n} passes` })),
  );
  const words = ['ada-lovelace', 'xylophone', 'zeppelin', 'quaintly', 'The last word', 'gpt-ada'];
  const before = bytesOf(database);
  for (const word of words) expect(before, word).toContain(word);
  // The index is made after the fact.
  const store = new Store({ path: database });
  expect(store.advanceSearch(10_000)).toBe(true);
  store.close();
  const db = new DatabaseSync(database);
  onTestFinished(() => db.close());
  const pages = db.prepare('SELECT count(*) AS n FROM search_index_data WHERE instr(block, CAST(? AS BLOB)) > 0');
  const isIndexed = (trigram: string) => pages.get(trigram)?.n !== 0;
  for (const trigram of ['xyl', 'zep']) expect(isIndexed(trigram), trigram).toBe(true);

  expect((await forget(local, 'ada-lovelace')).body.erased_from_disk).toBe(true);
  const after = bytesOf(database);
  for (const word of words) expect(after, word).not.toContain(word);
  expect(after).toContain('A compiler');
  for (const trigram of ['xyl', 'zep']) expect(isIndexed(trigram), trigram).toBe(false);
});

test('filters and search know nobody any more who is gone, and still find the others by every id', async () => {
  const database = tempDatabase();
  const { local, shared } = await aHouse({ database });
  const store = new Store({ path: database });
  onTestFinished(() => store.close());
  expect(store.advanceSearch(10_000)).toBe(true);
  await forget(local, 'ada-lovelace');
  expect(store.known('user', '', 10)).toEqual(['grace']);
  expect(store.known('customer', '', 10)).toHaveLength(1);
  expect(store.known('model', '', 10)).toEqual(['gpt-5']);
  expect(store.known('status', '', 10)).toEqual([]);
  const find = (text: string) =>
    store.search(text, { filter: {}, limit: 10, budgetMs: 10_000 }).hits.map(hit => hit.conversation.conversationId);
  expect(store.searchLag()).toBe(0);
  for (const gone of ['xylophone', 'zeppelin', 'ada-lovelace', 'last word']) expect(find(gone), gone).toEqual([]);
  // These ids had been indexed with a message that is gone.
  expect(find(shared)).toEqual([shared]);
  expect(find('s-ada')).toEqual([shared]);
  expect(find('Thank')).toEqual([shared]);
  expect(store.listing(shared)).toMatchObject({ users: ['grace'], turnCount: 1, opening: 'Thank you' });
  expect(store.listings({ limit: 10 }, { model: 'gpt-ada' }).items).toEqual([]);
});

test('what comes afterwards is stored, searched and counted as ever', async () => {
  const database = tempDatabase();
  const { local, shared } = await aHouse({ database });
  await forget(local, 'ada-lovelace');
  await record(local, aMessage({ conversation_id: shared, user_id: 'grace', content: 'Another morning' }));
  const store = new Store({ path: database });
  onTestFinished(() => store.close());
  expect(store.advanceSearch(10_000)).toBe(true);
  expect(store.search('morning', { filter: {}, limit: 10, budgetMs: 10_000 }).hits).toHaveLength(1);
  expect(store.listing(shared)).toMatchObject({ messageCount: 3, turnCount: 2 });
  expect((await readConversation(local, shared)).body.messages).toHaveLength(3);
});

test('a customer narrows it to what belongs to them', async () => {
  const local = await start({ tenancy: 'b2b' });
  const [acme, rival] = [aMessage({ customer_id: 'acme' }), aMessage({ customer_id: 'rival' })];
  await record(local, acme);
  await record(local, rival);
  expect((await forget(local, 'ada', '?customer_id=acme')).body).toMatchObject({
    customer_id: 'acme',
    messages_deleted: 1,
  });
  expect((await readConversation(local, acme.conversation_id)).status).toBe(404);
  expect((await readConversation(local, rival.conversation_id)).status).toBe(200);
});

test('a name is meant as it is written, and one that nobody has deletes nothing', async () => {
  const local = await start();
  for (const user_id of ['ada', 'Ada', 'ada/../grace', 'ada%', '日本 語']) await record(local, aMessage({ user_id }));
  for (const user of ['ad', 'ADA', 'ad_', '*']) expect((await forget(local, user)).body.messages_deleted).toBe(0);
  for (const user of ['ada/../grace', 'ada%', '日本 語', 'ada'])
    expect((await forget(local, user)).body.messages_deleted, user).toBe(1);
  expect((await forget(local, 'ada')).body.messages_deleted).toBe(0);
  expect((await call(local, 'GET', '/v1/conversations')).body.conversations).toMatchObject([{ user_id: 'Ada' }]);
});

test.each(['?customer=acme', '?customer_id=', '?user_id=%20', '?dry_run=true'])(
  'a query that may mean something else (%s) deletes nothing',
  async query => {
    const local = await start();
    const message = aMessage();
    await record(local, message);
    expect((await forget(local, 'ada', query)).status).toBe(422);
    expect((await readConversation(local, message.conversation_id)).body.messages).toHaveLength(1);
  },
);

test('it needs the key, and another method is none', async () => {
  const { local } = await aHouse();
  const { status } = await call(local, 'DELETE', '/v1/users/ada', undefined, { authorization: 'Bearer wrong' });
  expect(status).toBe(401);
  const other = await call(local, 'GET', '/v1/users/ada');
  expect([other.status, other.headers.get('allow')]).toEqual([405, 'DELETE']);
  for (const origin of ['http://evil.example', 'null'])
    expect((await call(local, 'DELETE', '/v1/users/ada-lovelace', undefined, { origin })).status).toBe(403);
  expect((await call(local, 'GET', '/v1/conversations')).body.conversations).toHaveLength(3);
});

test('a reader of pages meets each conversation that stays once', async () => {
  const local = await start();
  const ids: string[] = [];
  for (let index = 0; index < 12; index++) {
    const message = aMessage({ user_id: 'grace' });
    ids.push(message.conversation_id);
    await record(local, message);
  }
  // Ada spoke last in all of them.
  for (const conversation_id of ids) await record(local, aMessage({ conversation_id }));
  const { body: first } = await call(local, 'GET', '/v1/conversations?limit=5');
  await forget(local, 'ada');
  const rest = await readAll(local, '/v1/conversations', 'conversations', 4);
  const { body: second } = await call(local, 'GET', `/v1/conversations?limit=50&cursor=${first.next_cursor}`);
  const seen = [...first.conversations, ...second.conversations].map(({ conversation_id }: Json) => conversation_id);
  expect(seen).toEqual([...ids].reverse());
  expect(rest).toHaveLength(12);
});

/** Reads events until `count` messages have come, or the stream ends. */
async function eventsAfter(local: LocalSynap, after: number, count: number, onPosition = () => {}): Promise<string[]> {
  const response = await fetch(`${local.url}/v1/events?after=${after}`, {
    headers: { authorization: `Bearer ${local.apiKey}` },
  });
  const contents: string[] = [];
  let text = '';
  for await (const piece of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    text += piece;
    const events = text.split('\n\n');
    text = events.pop() ?? '';
    for (const event of events) {
      if (/^event: position$/m.test(event)) onPosition();
      const data = /^event: message$/m.test(event) ? /^data: (.*)$/m.exec(event)?.[1] : undefined;
      if (data !== undefined) contents.push(JSON.parse(data).content);
    }
    if (contents.length >= count) break;
  }
  return contents;
}

test('who follows the events goes on where it stopped, though the newest message is gone', async () => {
  const { local, graces } = await aHouse();
  // The eighth message was the last, and Ada's.
  await forget(local, 'ada-lovelace');
  const { promise: connected, resolve } = Promise.withResolvers<void>();
  const followed = eventsAfter(local, 8, 1, resolve);
  await connected;
  await record(local, aMessage({ conversation_id: graces, user_id: 'grace', content: 'Good morning' }));
  expect(await followed).toEqual(['Good morning']);
  expect(await eventsAfter(local, 0, 4)).toEqual(['Thank you', 'Goodbye', 'A compiler', 'Good morning']);
});

test('a reader in the way leaves texts in the file: that is said, and made good', async () => {
  const database = tempDatabase();
  const { local } = await aHouse({ database });
  const reader = new DatabaseSync(database, { readOnly: true });
  reader.exec('BEGIN');
  reader.prepare('SELECT count(*) FROM messages').get();
  expect((await forget(local, 'ada-lovelace')).body).toMatchObject({ messages_deleted: 5, erased_from_disk: false });
  reader.close();
  expect((await forget(local, 'ada-lovelace')).body).toMatchObject({ messages_deleted: 0, erased_from_disk: true });
  expect(bytesOf(database)).not.toContain('xylophone');
});

test('what could not be erased is erased when the file is opened again', async () => {
  const database = tempDatabase();
  const { local } = await aHouse({ database });
  const reader = new DatabaseSync(database, { readOnly: true });
  reader.exec('BEGIN');
  reader.prepare('SELECT count(*) FROM messages').get();
  await forget(local, 'ada-lovelace');
  await local.close();
  reader.close();
  const again = await start({ database });
  expect(bytesOf(database)).not.toContain('xylophone');
  expect((await call(again, 'GET', '/v1/conversations')).body.conversations).toHaveLength(2);
});

test('an ingested transcript that is forgotten can be ingested again', async () => {
  const local = await start();
  const transcript = { conversation_id: 'call', user_id: 'ada', transcript: 'Hello' };
  const ingest = () => call(local, 'POST', '/v1/conversations/ingest', transcript);
  await ingest();
  await forget(local, 'ada');
  expect((await ingest()).body.status).toBe('queued');
});
