// Full-text search, and the index that catches up with what is stored.

import { randomUUID } from 'node:crypto';
import { DatabaseSync } from 'node:sqlite';
import { expect, onTestFinished, test, vi } from 'vitest';
import type { SearchOptions } from '../src/store/search.js';
import { Store } from '../src/store.js';
import { tempDatabase } from './support.js';

/** A store in which each content is a conversation of its own; an array is one conversation. */
function storeOf(...conversations: (string | string[])[]): { store: Store; ids: string[] } {
  const store = new Store({ path: ':memory:' });
  onTestFinished(() => store.close());
  const ids = conversations.map(contents => {
    const conversationId = randomUUID();
    for (const content of [contents].flat()) store.record({ conversationId, role: 'user', content, userId: 'ada' });
    return conversationId;
  });
  while (!store.advanceSearch(1000));
  return { store, ids };
}

const LEISURE = { filter: {}, limit: 50, budgetMs: 60_000 };

const find = (store: Store, text: string, options: Partial<SearchOptions> = {}) =>
  store.search(text, { ...LEISURE, ...options });

const contents = (store: Store, text: string) => find(store, text).hits.map(hit => hit.content);

test.each([
  ['light', 'scatters'],
  ['the middle of a word', 'catte'],
  ['any case', 'SCATTERS Light'],
  ['all the words, in any order', 'light air'],
  ['words in quotes as they stand', '"scatters light"'],
  ['a quote that is not closed', '"scatters li'],
])('%s is found', (_what, text) => {
  const { store } = storeOf('Air scatters light.', 'Something else');
  expect(contents(store, text)).toEqual(['Air scatters light.']);
});

test.each(['"light scatters"', 'scatters dark', 'scattersx', ''])('%j is not', text => {
  expect(contents(storeOf('Air scatters light.').store, text)).toEqual([]);
});

test.each([
  ['日本語のテキスト', '本語の'],
  ['日本語のテキスト', '日本'],
  ['Größe und ÄHRE', 'grösse'.replace('ss', 'ß')],
  ['Größe und ÄHRE', 'ähre'],
  ['👩‍👩‍👧 family', '👩‍👩‍👧'],
  ['before\0after the NUL', 'after the'],
  ['100%_sure', '%_s'],
  ['a "quoted" word', 'quoted'],
  [`it's; DROP TABLE messages --`, `it's; DROP`],
  ['x AND y OR z NOT NEAR(a) * ^ : -', 'NEAR(a) *'],
  ['zq', 'zq'],
  ['tail ends in xy', 'xy'],
])('in %j, %j is found as it is written', (content, text) => {
  expect(contents(storeOf(content, 'other text').store, text)).toEqual([content]);
});

test.each(['"', '""', '* OR *', 'NEAR(', 'a AND', '- -x', '^x', 'text:x', '{x', '\0', '\ud83d', '%', '_%'])(
  'the query %j is only ever text',
  text => {
    expect(() => find(storeOf('Hello').store, text)).not.toThrow();
    expect(contents(storeOf('Hello').store, text)).toEqual([]);
  },
);

test('a conversation is found by its ids, and by those of its user, customer, session and message', () => {
  const store = new Store({ path: ':memory:' });
  onTestFinished(() => store.close());
  const conversationId = randomUUID();
  const said = { conversationId, role: 'user', content: 'Hello', userId: 'ada-lovelace' } as const;
  const outcome = store.record({
    ...said,
    customerId: 'analytical-engines',
    sessionId: 'session-4711',
    metadata: { external_conversation_id: 'chat-42-of-the-app' },
  });
  store.record({ ...said, userId: 'grace-hopper', customerId: 'analytical-engines', sessionId: 'session-4711' });
  store.record({ conversationId: randomUUID(), role: 'user', content: 'Hello', userId: 'other' });
  while (!store.advanceSearch(1000));
  const messageId = outcome.status === 'stored' ? outcome.receipt.messageId : '';
  const ids = [conversationId, conversationId.slice(4, 20), 'LOVELACE', 'hopper', 'analytical', '4711', '42-of-the'];
  for (const text of [...ids, messageId]) {
    const { hits } = find(store, text);
    expect(
      hits.map(hit => hit.conversation.conversationId),
      text,
    ).toEqual([conversationId]);
  }
});

test('the newest find comes first, and a conversation once, over all pages', () => {
  const needles = Array.from({ length: 23 }, (_, index) => [`needle ${index}`, 'hay', `needle again ${index}`]);
  const { store, ids } = storeOf(...needles, 'hay');
  for (const text of ['needle', 'ne']) {
    const seen: string[] = [];
    for (let before: number | undefined; ; ) {
      const { hits, next } = find(store, text, { limit: 5, before });
      seen.push(...hits.map(hit => hit.conversation.conversationId));
      if (next === undefined) break;
      expect(hits).toHaveLength(5);
      before = next;
    }
    expect(seen).toEqual(ids.slice(0, 23).reverse());
  }
});

test('a conversation that was found for a newer message is not found again for an older one', () => {
  const store = new Store({ path: ':memory:' });
  onTestFinished(() => store.close());
  const [a, b] = [randomUUID(), randomUUID()];
  for (const [conversationId, content] of [
    [a, 'needle old'],
    [b, 'needle between'],
    [a, 'needle new'],
  ] as const)
    store.record({ conversationId, role: 'user', content, userId: 'ada' });
  while (!store.advanceSearch(1000));
  const first = find(store, 'needle', { limit: 1 });
  const second = find(store, 'needle', { limit: 1, before: first.next });
  expect([...first.hits, ...second.hits].map(hit => hit.content)).toEqual(['needle new', 'needle between']);
  expect(second.next).toBeUndefined();
});

test('a search without time finds less, says where it stopped, and finds the rest from there', () => {
  const { store, ids } = storeOf(...Array.from({ length: 30 }, (_, index) => `needle ${index}`));
  const seen: string[] = [];
  let pages = 0;
  for (let before: number | undefined; ; pages++) {
    const { hits, next } = find(store, 'needle', { budgetMs: -1, before });
    expect(hits.length).toBeLessThanOrEqual(1);
    seen.push(...hits.map(hit => hit.conversation.conversationId));
    if (next === undefined) break;
    before = next;
  }
  expect(pages).toBe(30);
  expect(seen).toEqual(ids.reverse());
});

test('a search may be narrowed down by a filter', () => {
  const store = new Store({ path: ':memory:' });
  onTestFinished(() => store.close());
  for (const [userId, status] of [
    ['ada', 'complete'],
    ['grace', 'error'],
    ['ada', 'error'],
  ] as const)
    store.record({
      conversationId: randomUUID(),
      role: 'assistant',
      content: `needle of ${userId}, ${status}`,
      userId,
      metadata: { status },
    });
  while (!store.advanceSearch(1000));
  const found = (filter: object) => find(store, 'needle', { filter }).hits.map(hit => hit.content);
  expect(found({ user: 'ada', status: 'error' })).toEqual(['needle of ada, error']);
  expect(found({ user: 'ada' })).toHaveLength(2);
  expect(found({ user: 'nobody' })).toEqual([]);
});

test('what is not indexed yet is counted, and is found once it is', () => {
  const { store } = storeOf('first');
  store.record({ conversationId: randomUUID(), role: 'user', content: 'second', userId: 'ada' });
  expect(store.searchLag()).toBe(1);
  expect(contents(store, 'second')).toEqual([]);
  expect(store.advanceSearch(1000)).toBe(true);
  expect(store.searchLag()).toBe(0);
  expect(contents(store, 'second')).toEqual(['second']);
});

test('two stores on one file index each message once', () => {
  const path = tempDatabase();
  const [one, two] = [new Store({ path }), new Store({ path })];
  onTestFinished(() => {
    one.close();
    two.close();
  });
  for (let index = 0; index < 300; index++)
    one.record({ conversationId: randomUUID(), role: 'user', content: `needle ${index}`, userId: 'ada' });
  while (!one.advanceSearch(1) || !two.advanceSearch(1));
  expect(two.searchLag()).toBe(0);
  expect(find(two, 'needle', { limit: 1000 }).hits).toHaveLength(300);
});

test('indexing waits for no other writer', () => {
  const path = tempDatabase();
  const [one, two] = [new Store({ path }), new Store({ path })];
  onTestFinished(() => {
    one.close();
    two.close();
  });
  one.record({ conversationId: randomUUID(), role: 'user', content: 'needle', userId: 'ada' });
  one.transaction(() => expect(two.advanceSearch(1000)).toBe(false));
  expect(two.advanceSearch(1000)).toBe(true);
});

test('what is recorded after indexing is on disk when it is acknowledged, as before', () => {
  const path = tempDatabase();
  const store = new Store({ path });
  onTestFinished(() => store.close());
  const exec = vi.spyOn(DatabaseSync.prototype, 'exec');
  store.advanceSearch(1000);
  expect(exec.mock.calls.map(([sql]) => sql).filter(sql => sql.includes('synchronous'))).toEqual([
    'PRAGMA busy_timeout = 0; PRAGMA synchronous = NORMAL',
    'PRAGMA busy_timeout = 5000; PRAGMA synchronous = 2',
  ]);
  exec.mockRestore();
});

test('the beginning of a very long message is found, and the message is whole', () => {
  const long = `needle ${'x'.repeat(3_000_000)} end`;
  const { store } = storeOf(long);
  expect(contents(store, 'needle')).toEqual([long]);
});
