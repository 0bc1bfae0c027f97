// GET /v1/export: all messages, conversation by conversation.

import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { turns } from '../../test/support/turns.js';
import type { LocalSynap } from '../src/index.js';
import { aMessage, call, type Json, readAll, recordBatch, start } from './support.js';

async function exported({ url, apiKey }: LocalSynap, query = ''): Promise<Json[]> {
  const response = await fetch(`${url}/v1/export${query}`, { headers: { authorization: `Bearer ${apiKey}` } });
  expect(response.headers.get('content-type')).toBe('application/x-ndjson');
  const text = await response.text();
  return text === ''
    ? []
    : text
        .trimEnd()
        .split('\n')
        .map(line => JSON.parse(line));
}

const contents = (messages: Json[]) => messages.map(({ content }) => content);

test('an export is each conversation after the other, as its messages are listed', async () => {
  const synap = await start();
  const [one, two] = [randomUUID(), randomUUID()];
  await recordBatch(synap, [
    aMessage({ conversation_id: two, content: 'two 1', metadata: { a: [1, { b: null }] } }),
    aMessage({ conversation_id: one, content: 'one 1', role: 'assistant' }),
    aMessage({ conversation_id: two, content: 'two\u2028\u00002' }),
  ]);
  const messages = await exported(synap);
  expect(contents(messages)).toEqual(['two 1', 'two\u2028\u00002', 'one 1']);
  expect(messages.slice(0, 2)).toEqual(await readAll(synap, `/v1/conversations/${two}/messages`, 'messages', 10));
});

test('an empty store is an empty export', async () => {
  expect(await exported(await start())).toEqual([]);
});

test('an export may be of some conversations, of one user, and since a time', async () => {
  const synap = await start();
  const [one, two] = [randomUUID(), randomUUID()];
  await recordBatch(synap, [
    aMessage({ conversation_id: one, content: 'ada' }),
    aMessage({ conversation_id: one, content: 'bob', user_id: 'bob' }),
    aMessage({ conversation_id: two, content: 'two' }),
    aMessage({ content: 'three' }),
  ]);
  expect(contents(await exported(synap, `?conversation_id=${two}&conversation_id=${one}`))).toEqual([
    'two',
    'ada',
    'bob',
  ]);
  expect(contents(await exported(synap, '?user_id=bob'))).toEqual(['bob']);
  for (const now = Date.now(); Date.now() === now; ) await turns(1);
  const since = new Date().toISOString();
  await recordBatch(synap, [aMessage({ conversation_id: one, content: 'later' })]);
  expect(contents(await exported(synap, `?since=${since}`))).toEqual(['later']);
});

test('a conversation of more messages than one piece holds is whole and in order', async () => {
  const synap = await start();
  const conversation_id = randomUUID();
  const large = 'x'.repeat(300_000);
  const sent = Array.from({ length: 1100 }, (_, index) => (index % 100 === 0 ? `${index}${large}` : `${index}`));
  for (let at = 0; at < sent.length; at += 550)
    await recordBatch(
      synap,
      sent.slice(at, at + 550).map(content => aMessage({ conversation_id, content })),
    );
  expect(contents(await exported(synap))).toEqual(sent);
});

test('a conversation that is not there is 404, a filter that is none is 422', async () => {
  const synap = await start();
  const missing = await call(synap, 'GET', `/v1/export?conversation_id=${randomUUID()}`);
  expect(missing.status).toBe(404);
  for (const query of ['?conversation_id=chat-42', '?since=lately'])
    expect((await call(synap, 'GET', `/v1/export${query}`)).status).toBe(422);
});

test('others are answered while an export goes on, even one that finds nothing', async () => {
  const synap = await start();
  for (let n = 0; n < 10; n++)
    await recordBatch(
      synap,
      Array.from({ length: 1000 }, () => aMessage()),
    );
  for (const query of ['', '?user_id=nobody']) {
    const ended: string[] = [];
    await Promise.all([
      exported(synap, query).then(() => ended.push('the export')),
      ...Array.from({ length: 3 }, () => call(synap, 'GET', '/health').then(() => ended.push('another'))),
    ]);
    expect(ended).toEqual(['another', 'another', 'another', 'the export']);
  }
});
