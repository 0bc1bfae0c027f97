// `synap-recorder-local model`.

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import { expect, onTestFinished, test } from 'vitest';
import { cli, spawnCli } from './support.js';

const ask = (url: string) =>
  fetch(`${url}/chat/completions`, {
    method: 'POST',
    body: JSON.stringify({ model: 'gpt-5-mini', messages: [{ role: 'user', content: 'Why is the sky blue?' }] }),
  });

test('the model for those without a key repeats the question', async () => {
  const child = spawnCli(['model', '--port', '0']);
  let said = '';
  child.stdout?.setEncoding('utf8').on('data', text => {
    said += text;
  });
  await expect.poll(() => said).toContain('Ctrl-C stops it.');
  const [, url = ''] = /export OPENAI_BASE_URL=(\S+)\n {2}export OPENAI_API_KEY=\S+/.exec(said) ?? [];
  const { choices } = (await (await ask(url)).json()) as { choices: { message: { content: string } }[] };
  expect(choices[0]?.message.content).toContain('Why is the sky blue?');
});

test('with --json the model prints its address as one line, and Ctrl-C ends it with exit code 0', async () => {
  const child = spawnCli(['model', '--port', '0', '--json']);
  const lines = child.stdout ? createInterface(child.stdout) : [];
  for await (const line of lines) {
    expect((await ask(JSON.parse(line).url)).status).toBe(200);
    child.kill('SIGINT');
  }
  await expect.poll(() => child.exitCode).toBe(0);
});

test('a port that is taken is one line, with what to do about it', async () => {
  const other = createServer();
  await new Promise<void>(resolve => other.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void other.close());
  const { port } = other.address() as AddressInfo;
  const { code, stderr } = await cli('model', '--port', String(port));
  expect(stderr).toBe(
    `error: Port ${port} on 127.0.0.1 is in use: stop the program that uses it, or choose another port (0 picks a free one)\n`,
  );
  expect(code).toBe(1);
});
