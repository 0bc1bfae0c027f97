// `synap-recorder-local import`: bad lines, refusals, outages, rate limits, progress.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { conversationUuid } from 'synap-recorder';
import { expect, onTestFinished, test } from 'vitest';
import { scriptedSynap } from '../../../test/support/scripted-synap.js';
import { call, readAll, start } from '../support.js';
import { aFile, conversations, expectedTranscripts, plainSynap } from './import-support.js';
import { envOf, MAIN, runCli, spawnCli, withClock, withoutWarnings } from './support.js';

test('conversations are recorded whole, in order, and said to be imported', async () => {
  const synap = await plainSynap();
  const file = aFile(conversations(40, 5));
  const { code, stdout, stderr } = await runCli(['import', file], { env: envOf(synap) });
  expect({ code, stdout, stderr }).toEqual({
    code: 0,
    stdout: `400 messages recorded into ${synap.url}\n`,
    stderr: '',
  });
  expect(synap.transcripts()).toEqual(expectedTranscripts(40, 5));
  expect(synap.stored[0]).toMatchObject({
    conversation_id: conversationUuid('chat-0', { userId: 'user-0' }),
    role: 'user',
    user_id: 'user-0',
    metadata: { framework: 'import', message_key: expect.any(String), turn_id: expect.any(String) },
  });
  const keys = synap.stored.map(({ metadata }) => metadata?.message_key);
  expect(new Set(keys).size).toBe(400);
});

test('the same file again sends nothing, and what was added to it is sent alone', async () => {
  const synap = await plainSynap();
  const file = aFile(conversations(5, 2));
  const env = envOf(synap);
  await runCli(['import', file], { env });
  const again = await runCli(['import', file], { env });
  expect(again).toEqual({ code: 0, stdout: '20 messages delivered before\n', stderr: '' });
  expect(synap.stored).toHaveLength(20);

  // The first conversation has grown, and a new one has come.
  const [first, ...others] = conversations(6, 3) as { messages: object[] }[];
  const lines = [first, ...conversations(5, 2).slice(1), others.at(-1)];
  writeFileSync(file, lines.map(line => `${JSON.stringify(line)}\n`).join(''));
  const more = await runCli(['import', file, '--json'], { env });
  expect(JSON.parse(more.stdout)).toMatchObject({ delivered: 8, deliveredBefore: 20 });
  expect(synap.transcripts()['chat-0']).toEqual(expectedTranscripts(1, 3)['chat-0']);
});

test('without its state, a local Synap still stores everything once', async () => {
  const synap = await start();
  const env = envOf(synap);
  const input = conversations(5, 2)
    .map(line => `${JSON.stringify(line)}\n`)
    .join('');
  for (const _ of ['once', 'again'])
    expect((await runCli(['import', '-'], { env, input })).stdout).toBe(`20 messages recorded into ${synap.url}\n`);
  const listed = await readAll(synap, '/v1/conversations', 'conversations', 100);
  expect(listed.map(({ message_count }) => message_count)).toEqual([4, 4, 4, 4, 4]);
});

test('another Synap is another place: what one has, the other is sent', async () => {
  const [one, two] = [await plainSynap(), await plainSynap()];
  const file = aFile(conversations(3, 1));
  for (const synap of [one, two, one]) await runCli(['import', file], { env: envOf(synap) });
  expect([one.stored.length, two.stored.length]).toEqual([6, 6]);
});

test('--state says where the state file is, and gives stdin one', async () => {
  const synap = await plainSynap();
  const state = aFile([], 'my.state');
  const input = JSON.stringify(conversations(1, 2)[0]);
  for (const _ of ['once', 'again']) await runCli(['import', '-', '--state', state], { env: envOf(synap), input });
  expect(synap.stored).toHaveLength(4);
  expect(existsSync(state)).toBe(true);
});

test('a bad line is reported by its number, and the others are recorded', async () => {
  const synap = await plainSynap();
  const [first, second] = conversations(2, 1);
  const file = aFile([
    first,
    'not JSON',
    '',
    { user: 'ada', messages: 'none' },
    { messages: [{ role: 'user', content: 'Whose?' }] },
    { user: 'ada', messages: [{ role: 'user', content: 'x' }, 'y'] },
    [{ user: 'ada', messages: [{ role: 'user', content: 'in a list' }] }, { user: 'ada' }],
    { conversation_id: 'c', role: 'user', user_id: 'ada', content: 7 },
    second,
  ]);
  const { code, stdout, stderr } = await runCli(['import', file], { env: envOf(synap) });
  expect(stderr.split('\n')).toEqual([
    'line 2 is not JSON',
    'line 4 is in none of the formats synap, openai, ai-sdk, langchain',
    'line 5 says no user: add user_id to it, or give --user',
    'line 6 contains something that is not a message, at position 2',
    'line 7, element 2 is in none of the formats synap, openai, ai-sdk, langchain',
    'line 8 has no text in its content',
    '',
  ]);
  expect(code).toBe(3);
  expect(stdout).toBe(`5 messages recorded into ${synap.url}\n6 bad lines\n`);
});

test('a line whose user was made from a value that is not there is a bad line, and --user does not stand in for it', async () => {
  const synap = await plainSynap();
  const messages = [{ role: 'user', content: 'Hi' }];
  const file = aFile([
    { id: 'c', user: 'undefined', messages },
    { id: 'c', user: { id: 'bob' }, messages },
    { conversation_id: 'c', role: 'user', user_id: 'null', content: 'Hi' },
    { id: 'undefined', user: 'bob', messages },
    { id: '[object Object]', user: 'bob', messages: [{ role: 'user', content: 'Another chat' }] },
  ]);
  const flags = ['--user', 'ada', '--conversation', 'of-ada'];
  const { code, stdout, stderr } = await runCli(['import', file, ...flags], { env: envOf(synap) });
  expect(stderr.split('\n')).toEqual([
    'line 1 names nobody: its user is "undefined": it was made from a value that is not there',
    expect.stringContaining('line 2 names nobody: its user is "[object Object]"'),
    'line 3 names nobody: its user is "null": it was made from a value that is not there',
    '',
  ]);
  expect(code).toBe(3);
  expect(stdout).toBe(`2 messages recorded into ${synap.url}\n3 bad lines\n`);
  expect(synap.stored.map(({ user_id }) => user_id)).toEqual(['bob', 'bob']);
  expect(new Set(synap.stored.map(({ conversation_id }) => conversation_id)).size).toBe(2);

  const again = await runCli(['import', file, ...flags, '--json'], { env: envOf(synap) });
  expect(JSON.parse(again.stdout)).toMatchObject({ delivered: 0, deliveredBefore: 2 });
});

test('--user and --conversation stand in for what the file does not say', async () => {
  const synap = await start();
  const file = aFile([{ messages: [{ role: 'user', content: 'Hi' }] }]);
  const flags = ['--user', 'ada', '--customer', 'acme', '--conversation', 'chat-42'];
  expect((await runCli(['import', file, ...flags], { env: envOf(synap) })).code).toBe(0);
  const id = conversationUuid('chat-42', { userId: 'ada', customerId: 'acme' });
  const { body } = await call(synap, 'GET', `/v1/conversations/${id}/messages`);
  expect(body.messages).toMatchObject([
    // A B2C instance has customers of its own.
    { user_id: 'ada', metadata: { external_conversation_id: 'chat-42', external_customer_id: 'acme' } },
  ]);
});

test('--conversation names one conversation, not all that have no id', async () => {
  const synap = await plainSynap();
  const file = aFile([
    { messages: [{ role: 'user', content: 'one' }] },
    { messages: [{ role: 'user', content: 'two' }] },
    { id: 'own', messages: [{ role: 'user', content: 'three' }] },
  ]);
  const { code, stderr } = await runCli(['import', file, '--user', 'ada', '--conversation', 'c'], {
    env: envOf(synap),
  });
  expect({ code, stderr }).toEqual({
    code: 3,
    stderr: 'line 2 has no id, and --conversation names only the first that has none\n',
  });
  expect(synap.transcripts()).toEqual({ c: ['one'], own: ['three'] });
});

test.each<[string, RequestListener]>([
  ['a web site', (_, response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<h1>Hello</h1>')],
  ['a web site without such a page', (_, response) => response.writeHead(404).end('Not Found')],
  ['a redirect', (_, response) => response.writeHead(302, { location: 'https://elsewhere.example' }).end()],
  ['another API', (_, response) => response.writeHead(200, { 'content-type': 'application/json' }).end('{"user":1}')],
  ['nothing', (_, response) => response.writeHead(204).end()],
  ['a stream without end', (_, response) => void setInterval(() => response.write(' '.repeat(65_536)), 1).unref()],
])('where %s answers, it ends at once, and the key stays here', async (_, listener) => {
  const keys: unknown[] = [];
  const server = createServer((request, response) => {
    keys.push(request.headers.authorization);
    return listener(request, response);
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const begun = performance.now();
  const { code, stderr } = await runCli(['import', aFile(conversations(5, 2))], { env: envOf({ url, apiKey: 'k' }) });
  expect(code).toBe(1);
  expect(stderr).toMatch(/^error: http:\/\/127\.0\.0\.1:\d+ is no Synap: \/health answers \d+.*\. Check --base-url/);
  expect(performance.now() - begun).toBeLessThan(30_000);
  expect(new Set(keys)).toEqual(new Set([undefined]));
});

test('where nobody answers from the start, it ends at once', async () => {
  const { url, close } = await start();
  await close();
  const { code, stdout, stderr } = await runCli(['import', aFile(conversations(1, 1))], { env: envOf({ url }) });
  expect({ code, stdout, stderr }).toEqual({
    code: 1,
    stdout: '',
    stderr: expect.stringMatching(
      `^error: Could not reach Synap at ${url} \\(ECONNREFUSED\\)\\. Nothing listens there: .+\n$`,
    ),
  });
});

test('a message that Synap refuses is reported by its line, and takes no other with it', async () => {
  await using synap = await scriptedSynap(({ messages }) =>
    messages.some(({ content }) => content.includes('question 1 of chat 1')) ? { status: 422 } : undefined,
  );
  const file = aFile(conversations(3, 2));
  const { code, stdout, stderr } = await runCli(['import', file], { env: envOf(synap) });
  expect(code).toBe(3);
  expect(stderr).toBe('line 2: not recorded: Synap refused the input (422): scripted\n');
  expect(stdout).toBe(`11 messages recorded into ${synap.url}\n1 message not recorded: see the lines above\n`);
  expect(new Set(synap.stored.map(({ content }) => content)).size).toBe(11);
});

test('a rate limit and an outage are waited out', async () => {
  let requests = 0;
  await using synap = await scriptedSynap(({ method }) => {
    if (method === 'GET') return undefined;
    requests++;
    if (requests === 1) return { status: 429, headers: { 'retry-after': '1' } };
    return requests < 4 ? { status: 503 } : undefined;
  });
  const { code, stdout, stderr } = await runCli(['import', aFile(conversations(2, 2))], {
    env: envOf(synap),
    clock: 'fast',
  });
  expect(code).toBe(0);
  expect(stdout).toMatch(/^8 messages recorded/);
  expect(stderr).toMatch(/rate limit is reached/);
  expect(stderr).toMatch(/delivery to Synap resumed/);
});

test('a wrong key ends it at once, in one line, and nothing counts as sent', async () => {
  const synap = await start();
  const file = aFile(conversations(200, 5));
  const wrong = await runCli(['import', file, '--api-key', 'very-secret'], { env: { SYNAP_BASE_URL: synap.url } });
  expect(wrong.code).toBe(1);
  expect(wrong.stderr).toMatch(/^error: Synap refused the API key \(401\).*\n$/);
  expect(wrong.stderr + wrong.stdout).not.toContain('very-secret');
  const right = await runCli(['import', file, '--json'], { env: envOf(synap) });
  expect(JSON.parse(right.stdout)).toMatchObject({ delivered: 2000, deliveredBefore: 0, possibleDuplicates: 0 });
});

test('requests follow one another as fast as they may, and no faster', async () => {
  const times: number[] = [];
  await using synap = await scriptedSynap(({ method }) => {
    if (method === 'POST') times.push(performance.now());
    return undefined;
  });
  const file = aFile(conversations(10, 60));
  await runCli(['import', file, '--requests-per-minute', '600'], { env: envOf(synap) });
  // Eight at once, then ten a second.
  expect(times.length).toBeGreaterThanOrEqual(20);
  // Half of it, because a busy machine may be late for the first ones.
  expect((times.at(-1) ?? 0) - (times[0] ?? 0)).toBeGreaterThan((times.length - 9) * 50);
});

test('two imports of one file at a time are one too many', async () => {
  const synap = await plainSynap({ delayMs: 600_000 });
  const file = aFile(conversations(10, 10));
  const first = spawnCli(['import', file], { env: envOf(synap) });
  await expect.poll(() => synap.stored.length).toBeGreaterThan(0);
  const second = await runCli(['import', file], { env: envOf(synap) });
  expect(second.code).toBe(1);
  expect(second.stderr).toBe(`error: ${file}.synap-import is locked by another program: close that first\n`);
  first.kill('SIGKILL');
  await once(first, 'exit');
});

test.each([
  [['nowhere.jsonl'], 'error: nowhere.jsonl does not exist: check the path\n'],
  [['.'], 'error: . is a folder: name a file in it\n'],
])('import %j is one line', async (args, message) => {
  const { code, stderr } = await runCli(['import', ...args], { env: envOf({ url: 'http://127.0.0.1:9' }) });
  expect({ code, stderr }).toEqual({ code: 1, stderr: message });
});

test('the state file contains no message text', async () => {
  const synap = await plainSynap();
  const file = aFile(conversations(2, 1));
  await runCli(['import', file], { env: envOf(synap) });
  const bytes = readFileSync(`${file}.synap-import`, 'latin1');
  for (const text of ['question', 'chat-0', 'user-0', 'test-key']) expect(bytes).not.toContain(text);
});

test('in a pipe, a plain line now and then says how far it is', async () => {
  const synap = await plainSynap();
  const file = aFile(conversations(10, 70));
  const { stderr } = await runCli(['import', file, '--requests-per-minute', '100'], {
    env: envOf(synap),
    clock: 'fast',
  });
  expect(stderr).toMatch(/^\d+ messages, \d+\/s, \d+ %\n/);
});

// `script` of util-linux gives the command a terminal.
test('on a terminal a bar does, and what else is said stands above it', async () => {
  const synap = await plainSynap();
  const file = aFile(['oops', ...conversations(10, 60)]);
  const command = `${process.execPath} ${withClock('fast').join(' ')} ${MAIN} import ${file} --requests-per-minute 600`;
  const child = spawn('script', ['-qec', command, '/dev/null'], {
    env: { PATH: process.env.PATH, TERM: 'xterm', ...envOf(synap) },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const printed = withoutWarnings((await text(child.stdout)).replaceAll('\r\n', '\n'));
  // A bar that was there before has been erased.
  const ESC = String.fromCharCode(0x1b);
  expect(printed.split(`${ESC}[K`).some(drawn => drawn.startsWith('line 1 is not JSON\n'))).toBe(true);
  expect(printed).toMatch(/[█░]{24} \d+ messages, 1 bad, \d+\/s, \d+ %/);
  expect(printed.slice(printed.lastIndexOf(`${ESC}[K`) + 3)).toBe(
    `1200 messages recorded into ${synap.url}\n1 bad line\n`,
  );
});

test('a server that is slow is not read ahead of', async () => {
  const synap = await plainSynap({ delayMs: 60_000 });
  const child = spawnCli(['import', '-'], { env: envOf(synap) });
  let taken = 0;
  let at = performance.now();
  child.stdin?.on('error', () => {});
  const line = `${JSON.stringify(conversations(1, 500)[0])}\n`;
  const write = (): void => {
    while (taken < 50 * 1024 * 1024 && child.stdin?.write(line)) taken += line.length;
    at = performance.now();
  };
  child.stdin?.on('drain', write);
  write();
  await expect.poll(() => synap.stored.length).toBeGreaterThan(0);
  await expect.poll(() => performance.now() - at).toBeGreaterThan(1000);
  expect(taken).toBeLessThan(5 * 1024 * 1024);
});

test("a server's words do not reach the terminal as they are", async () => {
  const detail = 'no\u001b[2J\nline 3: forged';
  await using synap = await scriptedSynap(() => ({ status: 422, json: { detail } }));
  const { stderr } = await runCli(['import', aFile(conversations(1, 1))], { env: envOf(synap) });
  expect(stderr).toContain('not recorded');
  expect(stderr).not.toMatch(/(?!\n)\p{Cc}|^line 3/mu);
});
