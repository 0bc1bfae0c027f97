import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { nodeProblem } from '../../src/cli/node-version.js';
import { VERSION } from '../../src/version.js';
import { cli, MAIN } from './support.js';

const COMMANDS = ['local', 'tail', 'show', 'import', 'export', 'outbox', 'doctor'];

test.each(['22.19.0', '22.20.1', '23.0.0', '24.21.0', '100.0.0'])('Node %s will do', version => {
  expect(nodeProblem(version)).toBeUndefined();
});

test.each(['20.20.2', '18.0.0', '22.18.9', '22.9.0', '9.22.0'])('Node %s is too old, and told so', version => {
  expect(nodeProblem(version)).toBe(`synap-recorder needs Node 22.19 or later; this is v${version}`);
});

test('--version prints the version', async () => {
  expect(await cli('--version')).toEqual({ code: 0, stdout: `${VERSION}\n`, stderr: '' });
});

test('--help names the commands', async () => {
  const { code, stdout } = await cli('--help');
  expect(code).toBe(0);
  expect(stdout).toMatch(/^Usage: synap-recorder /);
  expect(stdout).toMatch(/local .*run a Synap on this machine/);
  for (const command of COMMANDS) expect(stdout).toMatch(new RegExp(`^  ${command} `, 'm'));
  expect(stdout).toMatch(/Exit codes:\n {2}0/);
});

test.each(COMMANDS.filter(command => command !== 'outbox'))('%s --help has an example', async command => {
  const { code, stdout } = await cli(command, '--help');
  expect(code).toBe(0);
  expect(stdout).toMatch(new RegExp(`Example:\n  \\$ synap-recorder ${command}`));
  expect(stdout).toMatch(/--json/);
});

test('no command at all is a call for help', async () => {
  const { code, stderr } = await cli();
  expect(code).toBe(2);
  expect(stderr).toMatch(/^Usage: synap-recorder /);
});

test.each([
  [['lokal'], /^error: unknown command 'lokal' \(Did you mean local\?\)\n$/],
  [['local', '--prot', '1'], /^error: unknown option '--prot' \(Did you mean --port\?\)\n$/],
  [['local', '--port', '70000'], /^error: option '--port <number>' argument '70000' is invalid\. .*\n$/],
  [['local', '--port', 'x'], /^error: option '--port <number>' argument 'x' is invalid\. .*\n$/],
  [['local', '--port'], /^error: option '--port <number>' argument missing\n$/],
  [['local', '--tenancy', 'b2x'], /^error: .*Allowed choices are b2c, b2b\.\n$/],
  [['show'], /^error: missing required argument 'conversation'\n$/],
  [['import'], /^error: missing required argument 'file'\n$/],
  [['import', 'x', '--format', 'xml'], /^error: .*Allowed choices are synap, openai, ai-sdk, langchain\.\n$/],
  [['import', 'x', '--requests-per-minute', '0'], /^error: .*whole number above 0\.\n$/],
  [['export', '--since', 'lately'], /^error: .*It must be a time .*\n$/],
  [['local', 'extra'], /^error: too many arguments for 'local'.*\n$/],
])('%j is a wrong call: one line, exit code 2', async (args, message) => {
  const { code, stdout, stderr } = await cli(...args);
  expect(stderr).toMatch(message);
  expect(stdout).toBe('');
  expect(code).toBe(2);
});

describe('when its output can’t be written', () => {
  const env = { ...process.env, SYNAP_API_KEY: 'k', SYNAP_BASE_URL: 'http://127.0.0.1:1', CLI: MAIN };
  const inShell = (script: string) => spawnSync('bash', ['-c', script], { env, encoding: 'utf8', timeout: 100_000 });

  test('since the reader has gone, what does more than write goes on, and ends with its own code', () => {
    expect(inShell(`"${process.execPath}" "$CLI" doctor | true; exit \${PIPESTATUS[0]}`).status).toBe(1);
  });

  test.skipIf(process.platform !== 'linux')('since the disk is full, it says so in a line', () => {
    const { status, stderr } = inShell(`"${process.execPath}" "$CLI" doctor > /dev/full`);
    expect(stderr).toMatch(/^error: the output can't be written: .*ENOSPC.*\n$/);
    expect(status).toBe(1);
  });

  test('an input that can’t be read is one line, with the reason', async () => {
    const path = join(mkdtempSync(join(tmpdir(), 'synap-cli-')), 'a.socket');
    const server = createServer().listen(path);
    await once(server, 'listening');
    const { status, stderr } = inShell(`"${process.execPath}" "$CLI" import ${path}`);
    server.close();
    expect(stderr).toMatch(/^error: .*a\.socket can't be read \(ENXIO\)\n$/);
    expect(status).toBe(1);
  });
});
