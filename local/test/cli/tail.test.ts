// `synap-recorder-local tail`: live messages, filters, reconnecting.

import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { conversationUuid } from 'synap-recorder';
import { expect, onTestFinished, test } from 'vitest';
import { type LocalSynap, startLocalSynap } from '../../src/index.js';
import { aMessage, type Json, recordBatch, start, tempDatabase } from '../support.js';
import { envOf, runCli, spawnCli, withoutWarnings } from './support.js';

/** Starts `tail --json`; `next(n)` resolves with the next n messages. */
function startTail(synap: { url: string; apiKey: string }, ...args: string[]) {
  const child = spawnCli(['tail', '--json', ...args], { env: envOf(synap) });
  if (!child.stdout || !child.stderr) throw new Error('there are no pipes');
  const stderr = text(child.stderr);
  let warned = '';
  child.stderr.on('data', chunk => {
    warned += chunk;
  });
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  return {
    async next(count: number): Promise<Json[]> {
      const messages: Json[] = [];
      while (messages.length < count) {
        const { done, value } = await lines.next();
        if (done) throw new Error(`tail has ended: ${await stderr}`);
        messages.push(JSON.parse(value));
      }
      return messages;
    },
    /** Resolves when the tail has seen that the server is away. */
    lost: () => expect.poll(() => warned).toContain('reconnecting'),
    async end(signal: NodeJS.Signals) {
      const exited = once(child, 'exit');
      child.kill(signal);
      return { code: (await exited)[0], stderr: withoutWarnings(await stderr) };
    },
  };
}

const contents = (messages: Json[]) => messages.map(({ content }) => content);
const say = (synap: LocalSynap, content: string, fields: Json = {}) =>
  recordBatch(synap, [aMessage({ content, ...fields })]);

/** Records a message again and again until the tail prints it: then it has begun. */
async function begun(synap: LocalSynap, tail: ReturnType<typeof startTail>, fields: Json = {}): Promise<void> {
  const first = tail.next(1);
  let read = false;
  void first.then(() => {
    read = true;
  });
  while (!read) {
    await say(synap, 'begin', fields);
    await new Promise(resolve => setTimeout(resolve, 100));
  }
  await say(synap, 'begun', fields);
  await first;
  while (contents(await tail.next(1))[0] !== 'begun');
}

test.each(['SIGINT', 'SIGTERM'] as const)(
  'tail prints messages as they arrive, and %s ends it with 0',
  async signal => {
    const synap = await start();
    const tail = startTail(synap);
    await begun(synap, tail);
    await say(synap, 'one');
    await say(synap, 'two', { role: 'assistant', metadata: { model: 'm' } });
    const messages = await tail.next(2);
    expect(messages).toMatchObject([
      { role: 'user', content: 'one' },
      { role: 'assistant', content: 'two', user_id: 'ada', metadata: { model: 'm' } },
    ]);
    expect(await tail.end(signal)).toEqual({ code: 0, stderr: '' });
  },
);

test('--all begins with what is stored already', async () => {
  const synap = await start();
  await say(synap, 'old');
  expect(contents(await startTail(synap, '--all').next(1))).toEqual(['old']);
});

test('--user and --conversation pass nothing else', async () => {
  const synap = await start();
  const conversation_id = conversationUuid('chat-42', { userId: 'ada' });
  const [user, chat] = [
    startTail(synap, '--all', '--user', 'ada'),
    startTail(synap, '--all', '--user', 'ada', '--conversation', 'chat-42'),
  ];
  await say(synap, "eve's", { user_id: 'eve' });
  await say(synap, "ada's");
  await say(synap, "eve's, here", { conversation_id, user_id: 'eve' });
  await say(synap, "ada's, here", { conversation_id });
  expect(contents(await user.next(2))).toEqual(["ada's", "ada's, here"]);
  expect(contents(await chat.next(1))).toEqual(["ada's, here"]);
});

test('when the server comes back, tail goes on: nothing is missed, nothing is shown twice', async () => {
  const database = tempDatabase();
  const first = await start({ database });
  const { port } = new URL(first.url);
  const tail = startTail(first, '--all');
  await say(first, 'before');
  expect(contents(await tail.next(1))).toEqual(['before']);
  await first.close();
  // Stored while nobody is connected.
  const between = await startLocalSynap({ database });
  await say(between, 'meanwhile');
  await between.close();
  const again = await start({ database, port: Number(port) });
  expect(contents(await tail.next(1))).toEqual(['meanwhile']);
  await say(again, 'after');
  expect(contents(await tail.next(1))).toEqual(['after']);
  const { code, stderr } = await tail.end('SIGINT');
  expect(code).toBe(0);
  expect(stderr).toMatch(/reconnecting\nreconnected\n$/);
});

test('Ctrl-C ends tail with 0 while the server is away', async () => {
  const synap = await start();
  const tail = startTail(synap);
  await begun(synap, tail);
  await synap.close();
  await tail.lost();
  expect((await tail.end('SIGINT')).code).toBe(0);
});

test('for people it prints who, where, how and what', async () => {
  const synap = await start();
  const metadata = {
    model: 'gpt-5',
    latency_ms: 812,
    input_tokens: 12,
    output_tokens: 340,
    status: 'aborted',
    tool_calls: ['search'],
  };
  const message = aMessage({ role: 'assistant', content: 'One.\nTwo.', metadata });
  await recordBatch(synap, [message]);
  const child = spawnCli(['tail', '--all'], { env: envOf(synap) });
  let printed = '';
  child.stdout?.on('data', chunk => {
    printed += chunk;
  });
  await expect.poll(() => printed).toMatch(/Two\.\n\n$/);
  const [head, ...body] = printed.split('\n');
  expect(head).toMatch(
    /^assistant {2}\d{4}-\d\d-\d\d \d\d:\d\d:\d\d · ada in [0-9a-f-]{36} · gpt-5 · 812 ms · 12 → 340 tokens · tools: search {2}aborted$/,
  );
  expect(body).toEqual(['  One.', '  Two.', '', '']);
});

test('a first connection that fails is one line and exit code 1', async () => {
  const { url, close } = await start();
  await close();
  const { code, stderr } = await runCli(['tail'], { env: envOf({ url }) });
  expect({ code, stderr }).toEqual({
    code: 1,
    stderr: expect.stringMatching(
      `^error: Could not reach Synap at ${url} \\(ECONNREFUSED\\)\\. Nothing listens there: .+\n$`,
    ),
  });
});

test('a wrong key is one line, without the key', async () => {
  const { url } = await start();
  const { code, stderr } = await runCli(['tail', '--api-key', 'very-secret'], { env: { SYNAP_BASE_URL: url } });
  expect(code).toBe(1);
  expect(stderr).toMatch(/^error: Synap refused the API key \(401\).*\n$/);
  expect(stderr).not.toContain('very-secret');
});

test('an error distinguishes a service without events from one that cannot be reached', async () => {
  const server = createServer((_, response) => response.writeHead(404).end('{"detail":"Not Found"}'));
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { code, stderr } = await runCli(['tail'], { env: envOf({ url }) });
  expect(code).toBe(1);
  expect(stderr).toBe(
    `error: ${url} has no /v1/events: only a local Synap has that. npx synap-recorder-local starts one\n`,
  );
});
