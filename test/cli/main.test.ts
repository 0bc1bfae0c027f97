import { expect, test } from 'vitest';
import { nodeProblem } from '../../src/cli/node-version.js';
import { VERSION } from '../../src/version.js';
import { cli } from './support.js';

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
  [['local', 'extra'], /^error: too many arguments for 'local'.*\n$/],
])('%j is a wrong call: one line, exit code 2', async (args, message) => {
  const { code, stdout, stderr } = await cli(...args);
  expect(stderr).toMatch(message);
  expect(stdout).toBe('');
  expect(code).toBe(2);
});
