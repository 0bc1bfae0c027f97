// Requests that are small for what they would cost.

import { monitorEventLoopDelay } from 'node:perf_hooks';
import { expect, test } from 'vitest';
import { aMessage, call, start } from './support.js';

const BYTES = 4 * 1024 * 1024 - 1000;
const filled = (entry: string) => `${entry},`.repeat(Math.floor(BYTES / (entry.length + 1)) - 1) + entry;

test.each([
  ['a batch of zeros', '/v1/conversations/messages/batch', `{"messages":[${filled('0')}]}`],
  ['a batch of nothings', '/v1/conversations/messages/batch', `{"messages":[${filled('{}')}]}`],
  [
    'a transcript of zeros',
    '/v1/conversations/ingest',
    `{"conversation_id":"c","user_id":"ada","transcript":[${filled('0')}]}`,
  ],
])('%s is refused, in few words and little time', async (_, path, body) => {
  const local = await start();
  const delays = monitorEventLoopDelay({ resolution: 5 });
  delays.enable();
  const { status, body: answer } = await call(local, 'POST', path, body);
  delays.disable();
  expect(status).toBe(413);
  expect(answer.detail).toMatch(/ has \d+ entries, and may have 10000 at most$/);
  // Of a machine that has other things to do; parsing the JSON alone takes some of it.
  expect(delays.max / 1e6).toBeLessThan(3000);
});

test('a batch as long as may be is taken', async () => {
  const local = await start();
  const message = aMessage({ content: '0' });
  const messages = Array.from({ length: 10_000 }, () => message);
  const { status, body } = await call(local, 'POST', '/v1/conversations/messages/batch', { messages });
  expect({ status, total: body.total, failed: body.failed }).toEqual({ status: 200, total: 10_000, failed: 0 });
});
