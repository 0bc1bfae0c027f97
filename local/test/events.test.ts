// GET /v1/events: the live stream of messages, and resuming it.

import { randomUUID } from 'node:crypto';
import { EventSourceParserStream } from 'eventsource-parser/stream';
import { expect, onTestFinished, test } from 'vitest';
import type { LocalSynap } from '../src/index.js';
import { aMessage, call, type Json, rawGet, record, recordBatch, start, tempDatabase } from './support.js';

interface Seen {
  event: string | undefined;
  id: number;
  data: Json;
}

/** Reads the events as a program does; `next(n)` resolves with the next n of them. */
async function listen({ url, apiKey }: LocalSynap, query = '', headers: Record<string, string> = {}) {
  const abort = new AbortController();
  onTestFinished(() => abort.abort());
  const response = await fetch(`${url}/v1/events${query}`, {
    headers: { authorization: `Bearer ${apiKey}`, ...headers },
    signal: abort.signal,
  });
  if (!response.body) throw new Error('there is no body');
  const reader = response.body
    .pipeThrough(new TextDecoderStream())
    .pipeThrough(new EventSourceParserStream())
    .getReader();
  return {
    response,
    abort: () => abort.abort(),
    ended: async () => (await reader.read()).done,
    async next(count: number): Promise<Seen[]> {
      const seen: Seen[] = [];
      while (seen.length < count) {
        const { done, value } = await reader.read();
        if (done) throw new Error(`the stream ended after ${seen.length} events`);
        seen.push({ event: value.event, id: Number(value.id), data: JSON.parse(value.data) });
      }
      return seen;
    },
  };
}

const texts = (events: Seen[]) => events.map(({ data }) => data.content);
const say = (synap: LocalSynap, ...contents: string[]) =>
  recordBatch(
    synap,
    contents.map(content => aMessage({ content })),
  );

test('a stream says where it begins, and then each message as it is stored', async () => {
  const synap = await start();
  await say(synap, 'before');
  const stream = await listen(synap);
  expect(stream.response.headers.get('content-type')).toMatch(/^text\/event-stream/);
  expect(await stream.next(1)).toEqual([{ event: 'position', id: 1, data: { seq: 1 } }]);
  const message = aMessage({ content: 'two\nlines', metadata: { message_key: 'k' } });
  const { body: receipt } = await record(synap, message);
  const [event] = await stream.next(1);
  expect(event).toMatchObject({ event: 'message', id: 2, data: { ...message, ...receipt } });
});

test('a reader who was cut off goes on behind the last event it has seen', async () => {
  const synap = await start();
  const first = await listen(synap);
  await first.next(1);
  await say(synap, 'a', 'b', 'c');
  const [, b] = await first.next(2);
  first.abort();
  await say(synap, 'd');
  const again = await listen(synap, '', { 'last-event-id': String(b?.id) });
  await again.next(1);
  expect(texts(await again.next(2))).toEqual(['c', 'd']);
});

test('a reader who was cut off before the first message misses none either', async () => {
  const synap = await start();
  await say(synap, 'before');
  const first = await listen(synap);
  const [position] = await first.next(1);
  first.abort();
  await say(synap, 'meanwhile');
  const again = await listen(synap, '', { 'last-event-id': String(position?.id) });
  await again.next(1);
  expect(texts(await again.next(1))).toEqual(['meanwhile']);
});

test('after=0 is everything, more than one look through the log', async () => {
  const synap = await start();
  const contents = Array.from({ length: 1200 }, (_, index) => `${index}`);
  for (let at = 0; at < contents.length; at += 400) await say(synap, ...contents.slice(at, at + 400));
  const stream = await listen(synap, '?after=0');
  await stream.next(1);
  expect(texts(await stream.next(1200))).toEqual(contents);
});

test('an id from beyond the end is of another database: everything is news', async () => {
  const synap = await start();
  await say(synap, 'new');
  const stream = await listen(synap, '', { 'last-event-id': '5000' });
  await stream.next(1);
  expect(texts(await stream.next(1))).toEqual(['new']);
});

test('a stream may be of one user, of one conversation, or of both', async () => {
  const synap = await start();
  const conversation_id = randomUUID();
  const of = [
    await listen(synap, '?user_id=ada'),
    await listen(synap, `?conversation_id=${conversation_id.toUpperCase()}`),
    await listen(synap, `?conversation_id=${conversation_id}&user_id=ada`),
  ];
  for (const stream of of) await stream.next(1);
  await recordBatch(synap, [
    aMessage({ content: 'ada elsewhere' }),
    aMessage({ content: 'bob here', user_id: 'bob', conversation_id }),
    aMessage({ content: 'eve', user_id: 'eve' }),
    aMessage({ content: 'ada here', conversation_id }),
  ]);
  expect(texts((await of[0]?.next(2)) ?? [])).toEqual(['ada elsewhere', 'ada here']);
  expect(texts((await of[1]?.next(2)) ?? [])).toEqual(['bob here', 'ada here']);
  expect(texts((await of[2]?.next(1)) ?? [])).toEqual(['ada here']);
});

test('what another server stores in the same file is seen, too', async () => {
  const database = tempDatabase();
  const [one, other] = [await start({ database }), await start({ database })];
  const stream = await listen(one);
  await stream.next(1);
  await say(other, 'from the other');
  expect(texts(await stream.next(1))).toEqual(['from the other']);
});

test('closing ends the streams, and does not wait for their readers', async () => {
  const synap = await start();
  const stream = await listen(synap);
  await stream.next(1);
  await synap.close();
  expect(await stream.ended()).toBe(true);
});

test('a stream needs the key', async () => {
  const { url } = await start();
  expect((await rawGet(`${url}/v1/events`, {})).status).toBe(401);
});

test.each(['?after=x', '?after=-1', '?conversation_id=chat-42'])('%s is refused', async query => {
  expect((await call(await start(), 'GET', `/v1/events${query}`)).status).toBe(422);
});

test('HEAD opens no stream, and other methods are not allowed', async () => {
  const { url, apiKey } = await start();
  const headers = { authorization: `Bearer ${apiKey}` };
  expect((await fetch(`${url}/v1/events`, { method: 'HEAD', headers })).status).toBe(200);
  const answer = await fetch(`${url}/v1/events`, { method: 'POST', headers });
  expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
});
