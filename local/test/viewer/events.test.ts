// The viewer's live streams.

import { type ClientRequest, request } from 'node:http';
import { expect, onTestFinished, test, vi } from 'vitest';
import { type LocalSynap, startLocalSynap } from '../../src/index.js';
import { aMessage, record, recordBatch, start } from '../support.js';
import { signIn } from './requests.js';

interface Listening {
  /** The events so far: name, id, and the texts in it. */
  events: { event: string; id: number; data: string }[];
  ended: Promise<unknown>;
  outgoing: ClientRequest;
}

async function listen(local: LocalSynap, path: string, headers: Record<string, string> = {}): Promise<Listening> {
  const cookie = (await signIn(local)) ?? '';
  return new Promise((resolve, reject) => {
    const events: Listening['events'] = [];
    const outgoing = request(local.url + path, { headers: { cookie, ...headers }, agent: false }, response => {
      expect(response.headers['content-type']).toBe('text/event-stream');
      let text = '';
      response.setEncoding('utf8').on('data', chunk => {
        text += chunk;
        const blocks = text.split('\n\n');
        text = blocks.pop() ?? '';
        for (const block of blocks) {
          const [, event, id, data] = /^event: (.*)\nid: (.*)\ndata: ([\s\S]*)$/.exec(block) ?? [];
          if (event !== undefined) events.push({ event, id: Number(id), data: data ?? '' });
        }
      });
      resolve({ events, ended: new Promise(end => response.on('close', end)), outgoing });
    });
    onTestFinished(() => void outgoing.destroy());
    outgoing.on('error', reject).end();
  });
}

test('a stream begins after the message that the page has, and Last-Event-ID goes before its address', async () => {
  const local = await start();
  const message = aMessage();
  await recordBatch(
    local,
    [1, 2, 3, 4].map(n => ({ ...message, content: `message ${n}.` })),
  );
  const path = `/conversations/${message.conversation_id}/events`;
  const said = async (query: string, headers = {}) => {
    const { events } = await listen(local, path + query, headers);
    await expect.poll(() => events.filter(({ event }) => event === 'messages')).toHaveLength(1);
    const { id, data } = events.find(({ event }) => event === 'messages') ?? {};
    return { id, numbers: [...(data ?? '').matchAll(/message (\d)\./g)].map(([, n]) => Number(n)) };
  };
  expect(await said('?after=0')).toEqual({ id: 4, numbers: [1, 2, 3, 4] });
  expect(await said('?after=2')).toEqual({ id: 4, numbers: [3, 4] });
  expect(await said('?after=0', { 'last-event-id': '3' })).toEqual({ id: 4, numbers: [4] });
  expect(await said('?after=3', { 'last-event-id': 'x' })).toEqual({ id: 4, numbers: [4] });
});

test('a stream sends each message once, in bursts or one by one', async () => {
  const local = await start();
  const message = aMessage();
  await record(local, message);
  const { events } = await listen(local, `/conversations/${message.conversation_id}/events?after=1`);
  const numbers = () => events.flatMap(({ data }) => [...data.matchAll(/number-(\d+);/g)].map(([, n]) => Number(n)));
  for (let index = 0; index < 30; index++) {
    await record(local, { ...message, content: `number-${index};` });
    if (index % 10 === 0) await expect.poll(() => numbers().at(-1)).toBe(index);
  }
  await expect.poll(() => numbers().at(-1)).toBe(29);
  expect(numbers()).toEqual(Array.from({ length: 30 }, (_, index) => index));
});

test('other conversations do not come into a stream', async () => {
  const local = await start();
  const message = aMessage();
  await record(local, message);
  const { events } = await listen(local, `/conversations/${message.conversation_id}/events?after=1`);
  await record(local, aMessage());
  await record(local, { ...message, content: 'mine' });
  await expect.poll(() => events.length).toBeGreaterThan(0);
  expect(events.filter(({ event }) => event === 'messages')).toHaveLength(1);
});

test('a page that is far behind gets a reset, and the stream ends', async () => {
  const local = await start();
  await recordBatch(
    local,
    Array.from({ length: 300 }, () => aMessage()),
  );
  const { events, ended } = await listen(local, '/events?after=0');
  await ended;
  expect(events).toEqual([{ event: 'reset', id: 300, data: '' }]);
});

test('streams do not keep the server from closing', async () => {
  const local = await startLocalSynap();
  const streams = [await listen(local, '/events'), await listen(local, '/events')];
  // The time after which they would be cut off does not come.
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
  await local.close();
  await Promise.all(streams.map(stream => stream.ended));
});

test('a stream whose reader goes away is forgotten', async () => {
  const local = await start();
  for (let index = 0; index < 20; index++) {
    const { outgoing } = await listen(local, '/events');
    outgoing.destroy();
  }
  const { events } = await listen(local, '/events');
  await record(local, aMessage());
  await expect.poll(() => events).toHaveLength(1);
});

test('a stream of a conversation that does not exist is 404', async () => {
  const local = await start();
  const cookie = (await signIn(local)) ?? '';
  const response = await fetch(`${local.url}/conversations/x/events`, { headers: { cookie } });
  expect(response.status).toBe(404);
});
