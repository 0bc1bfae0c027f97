// The list of conversations: turns, models, statuses, filters.

import { randomUUID } from 'node:crypto';
import { expect, onTestFinished, test } from 'vitest';
import type { ConversationFilter } from '../src/store/records.js';
import { Store } from '../src/store.js';
import { allJsonLines } from '../src/viewer/transcript-files.js';

function memory(): Store {
  const store = new Store({ path: ':memory:' });
  onTestFinished(() => store.close());
  return store;
}

const said = (conversationId: string, turnId?: string, more = {}) => ({
  conversationId,
  role: 'user' as const,
  content: 'Hello!',
  userId: 'ada',
  ...(turnId !== undefined && { metadata: { turn_id: turnId } }),
  ...more,
});

test('a turn is a message of the user, and those right after it that are of the same turn', () => {
  const store = memory();
  const id = randomUUID();
  const turns: [turnId: string | undefined, count: number][] = [
    ['a', 1],
    ['a', 1],
    ['b', 2],
    [undefined, 3],
    [undefined, 4],
    ['b', 5],
  ];
  for (const [turnId, count] of turns) {
    store.record(said(id, turnId));
    store.record({ ...said(id, turnId), role: 'assistant' });
    expect(store.listing(id)?.turnCount).toBe(count);
  }
});

test('a message that is sent again is counted once', () => {
  const store = memory();
  const id = randomUUID();
  for (let times = 0; times < 3; times++) store.record({ ...said(id, 'a'), messageKey: 'k' });
  expect(store.listing(id)).toMatchObject({ turnCount: 1, messageCount: 1 });
});

test('a listing names all users, models and ends, in the order in which they came up', () => {
  const store = memory();
  const id = randomUUID();
  const answer = (model: unknown, status: unknown, userId = 'ada') =>
    store.record({ ...said(id), userId, role: 'assistant', metadata: { model, status } as never });
  answer('b', 'complete');
  answer('a', 'error', 'grace');
  answer('b', 'complete');
  answer({ not: 'a name' }, 'whatever');
  answer('x'.repeat(1000), 7);
  expect(store.listing(id)).toMatchObject({
    users: ['ada', 'grace'],
    models: ['b', 'a'],
    statuses: ['complete', 'error'],
  });
});

test('without a requested model, the one that answered counts', () => {
  const store = memory();
  const id = randomUUID();
  store.record({ ...said(id), role: 'assistant', metadata: { response_model: 'gpt-5-2026' } });
  expect(store.listing(id)?.models).toEqual(['gpt-5-2026']);
});

test('an opening is the beginning of the first message, cut between two characters', () => {
  const store = memory();
  const id = randomUUID();
  store.record(said(id, undefined, { content: '日'.repeat(5000) }));
  store.record(said(id, undefined, { content: 'later' }));
  expect(store.listing(id)?.opening).toMatch(/^日{100,300}$/);
});

test('every filter, alone and with others, gives the pages that looking at each conversation gives', () => {
  const store = memory();
  // More of some values than what is sorted, and fewer of others.
  const all = store.transaction(() =>
    Array.from({ length: 5000 }, (_, index) => {
      const facets: Required<ConversationFilter> = {
        user: `user-${index % 2}`,
        customer: `customer-${index % 40}`,
        model: index < 3000 ? 'old' : `model-${index % 3}`,
        status: index % 7 === 0 ? 'error' : 'complete',
      };
      const conversationId = randomUUID();
      const metadata = { model: facets.model, status: facets.status };
      const { user: userId, customer: customerId } = facets;
      store.record({ ...said(conversationId), userId, customerId, role: 'assistant', metadata });
      return { conversationId, facets };
    }),
  );
  const filters: ConversationFilter[] = [
    {},
    { user: 'user-1' },
    { customer: 'customer-7' },
    { model: 'old' },
    { status: 'error' },
    { user: 'user-0', status: 'error' },
    { user: 'user-1', model: 'old' },
    { user: 'user-1', model: 'model-1', status: 'complete', customer: 'customer-3' },
    { user: 'user-0', customer: 'customer-7' },
    { user: 'nobody' },
  ];
  for (const filter of filters) {
    const expected = all
      .filter(({ facets }) =>
        Object.entries(filter).every(([kind, value]) => facets[kind as keyof typeof facets] === value),
      )
      .map(({ conversationId }) => conversationId)
      .reverse();
    const found: string[] = [];
    for (let before: number | undefined; ; ) {
      const { items, next } = store.listings({ limit: 333, before }, filter);
      found.push(...items.map(item => item.conversationId));
      if (next === undefined) break;
      before = next;
    }
    expect(found, JSON.stringify(filter)).toEqual(expected);
  }
});

test('completions of a name come in order', () => {
  const store = memory();
  for (const userId of ['bob', 'ada', 'adam', 'Ada', 'adа']) store.record({ ...said(randomUUID()), userId });
  expect(store.known('user', 'ad', 10)).toEqual(['ada', 'adam', 'adа']);
  expect(store.known('user', '', 2)).toEqual(['Ada', 'ada']);
  expect(store.known('model', '', 10)).toEqual([]);
});

test.each<ConversationFilter>([{}, { user: 'ada' }])(
  'a download of %j has all that was there when it began',
  filter => {
    const store = memory();
    const ids = Array.from({ length: 120 }, () => randomUUID());
    for (const id of ids) store.record(said(id));
    const others = randomUUID();
    store.record(said(others, undefined, { userId: 'bob' }));
    const download = allJsonLines(store, filter);
    const first = download.next().value;
    for (const id of ids) store.record(said(id));
    store.record(said(randomUUID()));
    const lines = [first, ...download].map(line => JSON.parse(line).conversation_id);
    expect([...new Set(lines)]).toEqual(filter.user === undefined ? [...ids, others] : ids);
  },
);
