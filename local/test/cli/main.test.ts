// The command line itself: version, help, invalid usage.

import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { VERSION } from '../../src/version.js';
import { cli, MAIN } from './support.js';

const COMMANDS = ['serve', 'tail', 'show', 'import', 'export', 'model'];

test('--version prints the version', async () => {
  expect(await cli('--version')).toEqual({ code: 0, stdout: `${VERSION}\n`, stderr: '' });
});

test('--help names the commands', async () => {
  const { code, stdout } = await cli('--help');
  expect(code).toBe(0);
  expect(stdout).toMatch(/^Usage: synap-recorder-local /);
  expect(stdout).toMatch(/serve .*run a Synap on this machine/);
  for (const command of COMMANDS) expect(stdout).toMatch(new RegExp(`^  ${command} `, 'm'));
  expect(stdout).toMatch(/Exit codes:\n {2}0/);
});

test.each(COMMANDS)('%s --help has an example', async command => {
  const { code, stdout } = await cli(command, '--help');
  expect(code).toBe(0);
  expect(stdout).toMatch(new RegExp(`Example:\n  \\$ synap-recorder-local ${command}`));
  expect(stdout).toMatch(/--json/);
});

test.each([
  [['sreve'], /^error: unknown command 'sreve' \(Did you mean serve\?\)\n$/],
  [['./synap.db'], /^error: unknown command '\.\/synap\.db'\n$/],
  [['--prot', '1'], /^error: unknown option '--prot' \(Did you mean --port\?\)\n$/],
  [['serve', '--prot', '1'], /^error: unknown option '--prot' \(Did you mean --port\?\)\n$/],
  [['serve', '--port', '70000'], /^error: option '--port <number>' argument '70000' is invalid\. .*\n$/],
  [['serve', '--port', 'x'], /^error: option '--port <number>' argument 'x' is invalid\. .*\n$/],
  [['serve', '--port'], /^error: option '--port <number>' argument missing\n$/],
  [['serve', '--tenancy', 'b2x'], /^error: .*Allowed choices are b2c, b2b\.\n$/],
  [['show'], /^error: missing required argument 'conversation'\n$/],
  [['import'], /^error: missing required argument 'file'\n$/],
  [['import', 'x', '--format', 'xml'], /^error: .*Allowed choices are synap, openai, ai-sdk, langchain\.\n$/],
  [['import', 'x', '--requests-per-minute', '0'], /^error: .*whole number above 0\.\n$/],
  [['export', '--since', 'lately'], /^error: .*It must be a time .*\n$/],
  [['serve', 'extra'], /^error: too many arguments for 'serve'.*\n$/],
])('%j is invalid usage: one line, exit code 2', async (args, message) => {
  const { code, stdout, stderr } = await cli(...args);
  expect(stderr).toMatch(message);
  expect(stdout).toBe('');
  expect(code).toBe(2);
});

test('an input that can’t be read is one line, with the reason', async () => {
  const path = join(mkdtempSync(join(tmpdir(), 'synap-cli-')), 'a.socket');
  const server = createServer().listen(path);
  await once(server, 'listening');
  const { status, stderr } = spawnSync('bash', ['-c', `"${process.execPath}" "$CLI" import ${path}`], {
    env: { ...process.env, SYNAP_API_KEY: 'k', SYNAP_BASE_URL: 'http://127.0.0.1:1', CLI: MAIN },
    encoding: 'utf8',
    timeout: 15_000,
  });
  server.close();
  expect(stderr).toMatch(
    /^error: .*a\.socket can't be read \(ENXIO\): name a regular file, or pipe it into import -\n$/,
  );
  expect(status).toBe(1);
});
