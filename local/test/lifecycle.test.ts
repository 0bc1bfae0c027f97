// startLocalSynap: options, listening, closing.

import { once } from 'node:events';
import { request } from 'node:http';
import { createConnection } from 'node:net';
import { Agent } from 'undici';
import { expect, onTestFinished, test, vi } from 'vitest';
import { turns } from '../../test/support/turns.js';
import { type LocalSynap, startLocalSynap } from '../src/index.js';
import { aMessage, call, readConversation, record, start, tempDatabase } from './support.js';

/** A request whose body is held back until `finish()` sends it. */
async function heldBack({ url, apiKey }: LocalSynap, body: unknown) {
  const outgoing = request(`${url}/v1/conversations/messages`, {
    method: 'POST',
    headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json', expect: '100-continue' },
  });
  const answer = new Promise<number | undefined>((resolve, reject) => {
    outgoing.on('response', response => response.resume().on('end', () => resolve(response.statusCode)));
    outgoing.on('error', reject);
  });
  answer.catch(() => {});
  // The server has it when it asks for the rest.
  outgoing.flushHeaders();
  await once(outgoing, 'continue');
  outgoing.write('{');
  return { answer, finish: () => outgoing.end(JSON.stringify(body).slice(1)) };
}

/** From now on, no time goes by but what the test lets pass: nothing is cut off because it takes too long. */
function stopClock(): void {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
}

test('a running request is answered, and stored, while the server closes', async () => {
  const database = tempDatabase();
  const local = await startLocalSynap({ database });
  const message = aMessage();
  const held = await heldBack(local, message);
  stopClock();
  const closed = local.close();
  await turns();
  held.finish();
  expect(await held.answer).toBe(200);
  await closed;
  expect((await readConversation(await start({ database }), message.conversation_id)).body.messages).toHaveLength(1);
});

test('a request that does not end is cut off after two seconds', async () => {
  const local = await startLocalSynap();
  const held = await heldBack(local, aMessage());
  stopClock();
  let isOver = false;
  const closed = local.close().then(() => {
    isOver = true;
  });
  vi.advanceTimersByTime(1999);
  await turns();
  expect(isOver).toBe(false);
  vi.advanceTimersByTime(1);
  await closed;
  await expect(held.answer).rejects.toThrow();
});

test('connections kept open for later do not keep the server from closing', async () => {
  const local = await startLocalSynap();
  const agent = new Agent({ keepAliveTimeout: 60_000 });
  const { body } = await agent.request({ origin: local.url, path: '/health', method: 'GET' });
  await body.dump();
  const silent = createConnection(Number(new URL(local.url).port), '127.0.0.1');
  await new Promise(resolve => silent.once('connect', resolve));
  silent.on('error', () => {});
  // Nothing would cut them off.
  stopClock();
  await local.close();
  await agent.close();
  silent.destroy();
});

test('closing again is closing once', async () => {
  const local = await startLocalSynap({ database: tempDatabase() });
  await Promise.all([local.close(), local.close()]);
  await local.close();
  await expect(fetch(`${local.url}/health`)).rejects.toThrow();
});

test('a server can be held by "await using"', async () => {
  let url = '';
  {
    await using local = await startLocalSynap();
    url = local.url;
    expect((await fetch(`${url}/health`)).status).toBe(200);
  }
  await expect(fetch(`${url}/health`)).rejects.toThrow();
});

test('a port that is taken is named, with what to do about it', async () => {
  const first = await start();
  const port = Number(new URL(first.url).port);
  const database = tempDatabase();
  await expect(startLocalSynap({ port, database })).rejects.toThrow(
    `Port ${port} on 127.0.0.1 is in use: stop the program that uses it, or choose another port (0 picks a free one)`,
  );
  expect((await record(await start({ database }), aMessage())).status).toBe(200);
});

test('an address that is not of this machine is named', async () => {
  await expect(startLocalSynap({ host: '192.0.2.1' })).rejects.toThrow(
    /^Can't listen on 192\.0\.2\.1, port 0 \(E\w+\): choose another address/,
  );
});

test.each(['127.0.0.1', 'localhost', '0.0.0.0'])('the address of a server on %s can be called', async host => {
  const local = await start({ host });
  expect((await call(local, 'GET', '/v1/conversations')).status).toBe(200);
});

test.each([
  [{ port: -1 }, 'port'],
  [{ port: 70_000 }, 'port'],
  [{ port: 1.5 }, 'port'],
  [{ host: '' }, 'host'],
  [{ host: 'http://localhost' }, 'host'],
  [{ database: '' }, 'database'],
  [{ tenancy: 'b2x' }, 'tenancy'],
  [{ apiKeys: [] }, 'apiKeys'],
  [{ apiKeys: ['with space'] }, 'apiKeys.0'],
  [{ apiKeys: [''] }, 'apiKeys.0'],
  [{ maxBodyBytes: 0 }, 'maxBodyBytes'],
  [{ databse: 'x' }, 'databse'],
])('the option %j is refused by name', async (options, name) => {
  await expect(startLocalSynap(options as object)).rejects.toThrow(new RegExp(`startLocalSynap: .*${name}`));
});

test('the globals of the app are not touched', async () => {
  const before = [globalThis.Request, globalThis.Response];
  const local = await start();
  await record(local, aMessage());
  expect([globalThis.Request, globalThis.Response]).toEqual(before);
  expect(globalThis.Request).toBe(before[0]);
  expect(globalThis.Response).toBe(before[1]);
});
