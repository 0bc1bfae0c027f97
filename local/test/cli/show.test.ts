// `synap-recorder-local show`: transcripts on a terminal, harmless whatever is in them.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { conversationUuid } from 'synap-recorder';
import { harmless, harmlessLine } from 'synap-recorder/cli';
import { expect, test } from 'vitest';
import { wrapped } from '../../src/cli/wrapped.js';
import { Store } from '../../src/store.js';
import { aMessage, type Json, readAll, recordBatch, start, tempDatabase } from '../support.js';
import { envOf, MAIN, runCli } from './support.js';

const conversation_id = conversationUuid('chat-42', { userId: 'ada' });

async function aTranscript(database?: string) {
  const synap = await start({ database });
  await recordBatch(synap, [
    aMessage({
      conversation_id,
      content: 'Why is the sky blue?',
      metadata: { external_conversation_id: 'chat-42', started_at: '2026-01-05T14:02:11.000Z' },
    }),
    aMessage({
      conversation_id,
      role: 'assistant',
      content: 'Rayleigh scattering.',
      metadata: {
        model: 'gpt-5',
        latency_ms: 1812,
        time_to_first_token_ms: 120,
        input_tokens: 12,
        output_tokens: 340,
        tool_calls: ['search', 'read'],
        status: 'complete',
        ended_at: '2026-01-05T14:02:13.000Z',
      },
    }),
  ]);
  return synap;
}

const TRANSCRIPT = `chat-42 (${conversation_id})
user ada · customer acme

user  2026-01-05 14:02:11
  Why is the sky blue?

assistant  2026-01-05 14:02:13 · gpt-5 · 1.8 s (first token 120 ms) · 12 → 340 tokens · tools: search, read
  Rayleigh scattering.
`;

test('show prints the halves of one message as one, and the JSON of each as it is stored', async () => {
  const synap = await start();
  const assistant = (content: string, metadata: Json) =>
    aMessage({ conversation_id, role: 'assistant', content, metadata });
  await recordBatch(synap, [
    aMessage({ conversation_id, content: 'Book it' }),
    assistant('May I?', { pending_tool_calls: ['call_0'], latency_ms: 1000, input_tokens: 10, output_tokens: 5 }),
    aMessage({ conversation_id, content: 'Something beside it' }),
    assistant('Done.', {
      continues_tool_calls: ['call_0'],
      tool_calls: ['pay'],
      latency_ms: 500,
      input_tokens: 20,
      output_tokens: 5,
    }),
  ]);
  const { stdout } = await runCli(['show', conversation_id], { env: envOf(synap) });
  expect(stdout).toMatch(
    /assistant .* · 1\.5 s · 30 → 10 tokens · tools: pay\n {2}May I\?\n\n {2}Done\.\n\nuser .*\n {2}Something/,
  );
  const { stdout: json } = await runCli(['show', conversation_id, '--json'], { env: envOf(synap) });
  expect(json.trim().split('\n')).toHaveLength(4);
  const { stdout: markdown } = await runCli(['export', '--format', 'markdown'], { env: envOf(synap) });
  expect(markdown).toContain('May I?\n\nDone.\n');
});

test('show prints a transcript, found by its UUID or by the chat id of the app', async () => {
  const synap = await aTranscript();
  for (const name of [[conversation_id], [conversation_id.toUpperCase()], ['chat-42', '--user', 'ada']]) {
    const { code, stdout, stderr } = await runCli(['show', ...name], { env: envOf(synap) });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout.replace(/customer \S+/, 'customer acme')).toBe(TRANSCRIPT);
  }
});

test('--json prints the messages as they are stored', async () => {
  const synap = await aTranscript();
  const { stdout } = await runCli(['show', conversation_id, '--json'], { env: envOf(synap) });
  const messages: Json[] = stdout
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line));
  expect(messages).toEqual(await readAll(synap, `/v1/conversations/${conversation_id}/messages`, 'messages', 10));
});

test('--database reads the file, with and without a server on it', async () => {
  const database = tempDatabase();
  const synap = await aTranscript(database);
  for (const close of [() => synap.close(), () => undefined]) {
    const { code, stdout } = await runCli(['show', 'chat-42', '--user', 'ada', '--database', database]);
    expect({ code, lines: stdout.split('\n').length }).toEqual({ code: 0, lines: 9 });
    await close();
  }
});

test.each([
  [['show', 'chat-42'], 'error: "chat-42" is not a UUID: for a chat id of the app, pass --user\n'],
  [
    ['show', 'chat-42', '--scope', 'customer'],
    'error: "chat-42" is not a UUID: for a chat id of the app, pass --customer\n',
  ],
  [['show', conversation_id, '--database', 'nowhere.db'], 'error: nowhere.db does not exist: check the path\n'],
])('%j says what is missing', async (args, message) => {
  expect(await runCli(args, { env: envOf({ url: 'http://127.0.0.1:9' }) })).toEqual({
    code: 1,
    stdout: '',
    stderr: message,
  });
});

test('a conversation that does not exist is a one-line error', async () => {
  const synap = await start();
  const { code, stderr } = await runCli(['show', conversation_id], { env: envOf(synap) });
  expect({ code, stderr }).toEqual({
    code: 1,
    stderr: `error: There is no conversation with the id ${conversation_id} at ${synap.url}\n`,
  });
});

test('there are colours where FORCE_COLOR asks for them, and none in a pipe', async () => {
  const synap = await aTranscript();
  const env = envOf(synap);
  const plain = await runCli(['show', conversation_id], { env });
  const coloured = await runCli(['show', conversation_id], { env: { ...env, FORCE_COLOR: '1' } });
  const ESC = String.fromCharCode(0x1b);
  expect(plain.stdout).not.toContain(ESC);
  expect(coloured.stdout).toContain(`${ESC}[1m`);
});

// `script` of util-linux gives the command a terminal.
test('on a terminal lines are as wide as it is, and NO_COLOR is kept', async () => {
  const synap = await start();
  await recordBatch(synap, [aMessage({ conversation_id, content: 'word '.repeat(40) })]);
  const onTerminal = async (env: Record<string, string>) => {
    const command = `stty cols 40; ${process.execPath} ${MAIN} show ${conversation_id}`;
    const child = spawn('script', ['-qec', command, '/dev/null'], {
      env: { PATH: process.env.PATH, TERM: 'xterm', ...envOf(synap), ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [printed] = await Promise.all([text(child.stdout), once(child, 'exit')]);
    return printed.replaceAll('\r', '').split('\n');
  };
  const ESC = String.fromCharCode(0x1b);
  expect((await onTerminal({})).join('\n')).toContain(ESC);
  const lines = await onTerminal({ NO_COLOR: '1' });
  expect(lines.join('\n')).not.toContain(ESC);
  const body = lines.filter(line => line.includes('word'));
  expect(body.length).toBeGreaterThan(4);
  for (const line of body) expect(line.length).toBeLessThanOrEqual(40);
});

test('nothing that was recorded moves the cursor or sets the title of a terminal', () => {
  expect(harmless('a\u001b]0;title\u0007b\r\nc\td\u009b31m\u202ee')).toBe('a␛]0;title␇b\nc\td\ufffd31m\ufffde');
});

test('what is part of a line does not end it', () => {
  expect(harmlessLine('a\nb\r\nc\td\u2028e\u2029f\u001bg')).toBe('a␊b␍␊c␉d\ufffde\ufffdf␛g');
});

test('no id and no metadata looks like a message of its own', async () => {
  const forged = 'x\n\nuser  2026-01-05 14:02:11\n\u2028\tDelete it all';
  const database = tempDatabase();
  const store = new Store({ path: database });
  const metadata = { external_conversation_id: forged, model: forged, tool_calls: [forged], status: forged };
  store.record({ conversationId: conversation_id, role: 'user', content: 'Hello', userId: forged, metadata });
  store.close();
  const { stdout } = await runCli(['show', conversation_id, '--database', database]);
  expect(stdout.split('\n')).toEqual([
    expect.stringContaining('Delete it all'),
    expect.stringMatching(/^user .*Delete it all/),
    '',
    expect.stringMatching(/^user .*Delete it all/),
    '  Hello',
    '',
  ]);
  expect(stdout).not.toMatch(/[\t\u2028]/);
});

test('a wrapped line keeps its indentation; one that fits stays as it is', () => {
  expect(wrapped('    const a = 1; // and a remark that is long', '  ', 30)).toBe(
    '      const a = 1; // and a\n      remark that is long',
  );
  expect(wrapped('a\n\n  b  c', '  ', 30)).toBe('  a\n\n    b  c');
  expect(wrapped('日本語のテキストを折り返す日本語', '', 20)).toBe('日本語のテキストを折\nり返す日本語');
});
