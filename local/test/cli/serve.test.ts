// `synap-recorder-local serve`: what it prints, how it ends, what it refuses.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { statSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { expect, onTestFinished, test } from 'vitest';
import { aMessage, call, readConversation, record, start, tempDatabase } from '../support.js';
import { cli, MAIN, type Running, startCli, startCliOn } from './support.js';

test('the printed lines are all that a shell needs to call the server', async () => {
  const database = tempDatabase();
  const child = spawn(process.execPath, [MAIN, 'serve', '--port', '0', '--database', database]);
  onTestFinished(() => void child.kill('SIGKILL'));
  const lines: string[] = [];
  for await (const line of createInterface(child.stdout)) {
    lines.push(line);
    if (line.includes('Ctrl-C')) break;
  }
  const text = lines.join('\n');
  const [, url = ''] = /^ {2}export SYNAP_BASE_URL=(\S+)$/m.exec(text) ?? [];
  const [, apiKey = ''] = /^ {2}export SYNAP_API_KEY=(\S+)$/m.exec(text) ?? [];
  expect(text).toContain(database);
  expect((await record({ url, apiKey }, aMessage())).status).toBe(200);
  child.kill('SIGINT');
  expect((await once(child, 'exit'))[0]).toBe(0);
});

test.each([
  [[], undefined],
  [['--host', 'localhost'], undefined],
  [['--host', '127.0.0.2'], undefined],
  [['--host', '0.0.0.0'], /^It listens on every address of this machine: whoever can reach port \d+ there/m],
])('%j says who else can reach it', async (args, line) => {
  const child = spawn(process.execPath, [MAIN, 'serve', '--port', '0', '--database', tempDatabase(), ...args]);
  onTestFinished(() => void child.kill('SIGKILL'));
  let text = '';
  for await (const piece of createInterface(child.stdout)) {
    text += `${piece}\n`;
    if (piece.includes('Ctrl-C')) break;
  }
  if (line) expect(text).toMatch(line);
  else expect(text).not.toContain('It listens on');
});

test('--strict-b2c refuses messages that name a customer', async () => {
  const local = await startCli(tempDatabase(), '--strict-b2c');
  expect((await record(local, aMessage({ customer_id: 'acme' }))).status).toBe(400);
  expect((await record(local, aMessage())).status).toBe(200);
});

test('--json prints one line that a program can read', async () => {
  const database = tempDatabase();
  const local = await startCli(database, '--tenancy', 'b2b', '--api-key', 'one', '--api-key', 'two');
  expect(local).toMatchObject({ apiKey: 'one', tenancy: 'b2b', database });
  for (const apiKey of ['one', 'two'])
    expect((await call({ url: local.url, apiKey }, 'GET', '/api/v1/auth/whoami')).body.tenancy).toBe('b2b');
});

test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
  '%s closes it cleanly: exit code 0, one whole file',
  async signal => {
    const database = tempDatabase();
    const local = await startCli(database);
    const message = aMessage();
    await record(local, message);
    expect(await local.end(signal)).toBe(0);
    expect(() => statSync(`${database}-wal`)).toThrow();
    expect((await readConversation(await start({ database }), message.conversation_id)).body.messages).toHaveLength(1);
  },
);

/** A request that keeps the server from closing for as long as it may. */
async function stuckRequest({ url, apiKey }: Running): Promise<void> {
  const outgoing = request(`${url}/v1/conversations/messages`, {
    method: 'POST',
    headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json', expect: '100-continue' },
  });
  outgoing.on('error', () => {});
  // The server has it when it asks for the rest.
  outgoing.flushHeaders();
  await once(outgoing, 'continue');
}

/** Sends a Ctrl-C, and waits until the server takes no more connections. */
async function interrupted({ child, url }: Running): Promise<void> {
  child.kill('SIGINT');
  const isOpen = async () => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    const opened = await once(socket, 'connect').then(
      () => true,
      () => false,
    );
    socket.destroy();
    return opened;
  };
  await expect.poll(isOpen, { interval: 10 }).toBe(false);
  expect(child.exitCode).toBeNull();
}

test('a second Ctrl-C ends the server at once', async () => {
  const local = await startCli(tempDatabase());
  await stuckRequest(local);
  await interrupted(local);
  // Within 100 ms it would be taken for the same one.
  await new Promise(resolve => setTimeout(resolve, 200));
  // 0 would say that it has waited.
  expect(await local.end('SIGINT')).toBe(130);
});

test('one Ctrl-C that arrives twice, as npx sends it, is one', async () => {
  const local = await startCliOn('standing', tempDatabase());
  await stuckRequest(local);
  await interrupted(local);
  expect(await local.end('SIGINT')).toBe(0);
});

test('a port that is taken is one line, with what to do about it', async () => {
  const other = await start();
  const { port } = new URL(other.url);
  const { code, stdout, stderr } = await cli('serve', '--port', port, '--database', tempDatabase());
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toBe(
    `error: Port ${port} on 127.0.0.1 is in use: stop the program that uses it, or choose another port (0 picks a free one)\n`,
  );
});

test('a file that is no database is one line, with what to do about it', async () => {
  const database = tempDatabase();
  writeFileSync(database, 'Dear diary');
  const { code, stderr } = await cli('serve', '--port', '0', '--database', database);
  expect(code).toBe(1);
  expect(stderr).toBe(`error: ${database} is not a SQLite database: choose another file\n`);
});

test('--help has an example', async () => {
  const { code, stdout } = await cli('serve', '--help');
  expect(code).toBe(0);
  expect(stdout).toMatch(/Example:\n {2}\$ synap-recorder-local serve/);
  for (const option of ['--port', '--host', '--database', '--tenancy', '--api-key', '--json', '8787', './synap.db'])
    expect(stdout).toContain(option);
});

test('two servers started at once on a new file agree on its key, and store every message once', async () => {
  const database = tempDatabase();
  const servers = await Promise.all([startCli(database), startCli(database), startCli(database)]);
  expect(new Set(servers.map(local => local.apiKey)).size).toBe(1);
  const { conversation_id } = aMessage();
  const answers = await Promise.all(
    servers.flatMap(local =>
      Array.from({ length: 60 }, (_, index) =>
        record(local, aMessage({ conversation_id, content: `${index}`, metadata: { message_key: `key-${index}` } })),
      ),
    ),
  );
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  expect(new Set(answers.map(({ body }) => body.message_id)).size).toBe(60);
  const [first] = servers;
  if (first) expect((await readConversation(first, conversation_id, '?limit=500')).body.messages).toHaveLength(60);
});

// `script` of util-linux gives the shell a terminal, whose keys are for what is in the foreground.
test('a server in the background of a terminal goes on', async () => {
  const shell = spawn('script', ['-qec', 'bash --norc -i', '/dev/null'], { stdio: ['pipe', 'pipe', 'ignore'] });
  let said = '';
  shell.stdout.setEncoding('utf8').on('data', text => {
    said += text;
  });
  const command = [process.execPath, MAIN, 'serve', '--port', '0', '--database', tempDatabase()].join(' ');
  shell.stdin.write(`${command} &\n`);
  onTestFinished(async () => {
    shell.stdin.end('kill -KILL %1; exit\n');
    await once(shell, 'exit');
  });
  await expect.poll(() => said).toContain('Ctrl-C stops it.');
  const [, url = ''] = /SYNAP_BASE_URL=(\S+)/.exec(said) ?? [];
  shell.stdin.write('jobs\n');
  await expect.poll(() => said).toMatch(/\[1\]\+? +(Running|Stopped)/);
  expect(said).not.toMatch(/\[1\]\+? +Stopped/);
  const health = await fetch(`${url}/health`, { signal: AbortSignal.timeout(60_000) });
  expect(health.status).toBe(200);
});
