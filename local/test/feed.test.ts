// Feed: wakes readers when new messages are stored.

import { randomUUID } from 'node:crypto';
import { expect, onTestFinished, test, vi } from 'vitest';
import { turns } from '../../test/support/turns.js';
import { messageEvents } from '../src/events.js';
import { Feed } from '../src/feed.js';
import { Store } from '../src/store.js';
import { tempDatabase } from './support.js';

function watched(path = ':memory:') {
  const store = new Store({ path });
  const feed = new Feed(store);
  store.onCommit = () => feed.wake();
  onTestFinished(() => {
    feed.close();
    store.close();
  });
  return { store, feed };
}

const message = () => ({ conversationId: randomUUID(), role: 'user' as const, content: 'Hello!', userId: 'ada' });
const forever = new AbortController().signal;

test('a waiting reader gets the next message, and not one that it knows', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] });
  onTestFinished(() => void vi.useRealTimers());
  const { store, feed } = watched();
  store.record(message());
  const news: (number | undefined)[] = [];
  void feed.newerThan(1, forever).then(seq => news.push(seq));
  vi.advanceTimersByTime(60_000);
  await turns();
  expect(news).toEqual([]);
  store.record(message());
  vi.advanceTimersByTime(60_000);
  await turns();
  expect(news).toEqual([2]);
});

test('a reader that is behind gets the latest message at once', async () => {
  const { store, feed } = watched();
  store.record(message());
  expect(await feed.newerThan(0, forever)).toBe(1);
});

test('a burst of messages wakes a reader once, with the latest one', async () => {
  const { store, feed } = watched();
  const newest = feed.newerThan(0, forever);
  for (let index = 0; index < 100; index++) store.record(message());
  expect(await newest).toBe(100);
});

test('a message that another process stores wakes a reader, too', async () => {
  const path = tempDatabase();
  const { feed } = watched(path);
  const newest = feed.newerThan(0, forever);
  const other = new Store({ path });
  onTestFinished(() => other.close());
  other.record(message());
  expect(await newest).toBe(1);
});

test('an aborted wait ends, and closing the feed ends all waits', async () => {
  const { feed } = watched();
  const controller = new AbortController();
  const [aborted, closed] = [feed.newerThan(0, controller.signal), feed.newerThan(0, forever)];
  controller.abort();
  expect(await aborted).toBeUndefined();
  feed.close();
  expect(await closed).toBeUndefined();
  expect(await feed.newerThan(0, forever)).toBeUndefined();
});

test('a thousand readers of the same read it once, and all have it', async () => {
  const { store, feed } = watched();
  const behind = vi.spyOn(store.log, 'behind');
  const gone = new AbortController();
  const readers = Array.from({ length: 1000 }, () => messageEvents(store.log, feed, {}, gone.signal));
  for (const reader of readers) expect((await reader.next()).value?.event).toBe('position');
  const next = readers.map(reader => reader.next());
  await turns(5);
  behind.mockClear();
  store.record(message());
  const events = await Promise.all(next);
  expect(events.every(({ value }) => value?.event === 'message' && value.id === 1)).toBe(true);
  expect(behind.mock.calls.length).toBeLessThan(30);
  gone.abort();
});
