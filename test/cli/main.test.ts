import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { nodeProblem } from '../../src/cli/node-version.js';
import { VERSION } from '../../src/version.js';
import { cli, MAIN } from './support.js';

const COMMANDS = ['outbox', 'doctor'];
const SUBCOMMANDS = ['status', 'list', 'replay', 'purge', 'adopt'];

test.each(['22.19.0', '22.20.1', '23.0.0', '24.21.0', '100.0.0'])('Node %s will do', version => {
  expect(nodeProblem(version)).toBeUndefined();
});

test.each(['20.20.2', '18.0.0', '22.18.9', '22.9.0', '9.22.0'])('Node %s is too old, and told so', version => {
  expect(nodeProblem(version)).toBe(`synap-recorder needs Node 22.19 or later; this is v${version}`);
});

test.each(['--version', '-V'])('%s prints the version', async flag => {
  expect(await cli(flag)).toEqual({ code: 0, stdout: `${VERSION}\n`, stderr: '' });
});

test.each([['--help'], ['-h'], ['help']])('%s names the commands', async flag => {
  const { code, stdout } = await cli(flag);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^Usage: synap-recorder /);
  for (const command of COMMANDS) expect(stdout).toMatch(new RegExp(`^  ${command} `, 'm'));
  expect(stdout).toMatch(/Exit codes:\n {2}0/);
});

test.each([
  ['doctor', '--help'],
  ['doctor', '--json', '-h'],
  ['help', 'doctor'],
])('%s %s explains doctor, with an example', async (...args) => {
  const { code, stdout } = await cli(...args);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^Usage: synap-recorder doctor \[options\]\n/);
  expect(stdout).toMatch(/^ {2}--tenancy <kind> +.*\(choices: b2c, b2b\)$/m);
  expect(stdout).toMatch(/Example:\n {2}\$ synap-recorder doctor/);
});

test.each(SUBCOMMANDS)('outbox %s --help has an example', async command => {
  const { code, stdout } = await cli('outbox', command, '--help');
  expect(code).toBe(0);
  expect(stdout).toMatch(new RegExp(`^Usage: synap-recorder outbox ${command} \\[options\\] <file>\n`));
  expect(stdout).toMatch(new RegExp(`Example:\n  \\$ synap-recorder outbox ${command}`));
  expect(stdout).toMatch(/^ {2}--json /m);
});

test('the help of outbox names its commands', async () => {
  const { code, stdout } = await cli('outbox', '--help');
  expect(code).toBe(0);
  for (const command of SUBCOMMANDS) expect(stdout).toMatch(new RegExp(`^  ${command} `, 'm'));
});

test('no table of a help is wider than 80 columns', async () => {
  const calls = [[], ['outbox'], ['doctor'], ...SUBCOMMANDS.map(command => ['outbox', command])];
  for (const call of calls) {
    const { stdout } = await cli(...call, '--help');
    for (const line of stdout.split('\n'))
      if (/^ {2,}[^$]/.test(line)) expect(line.length, line).toBeLessThanOrEqual(80);
  }
});

test.each([[], ['outbox']])('no command at all is a call for help: %j', async (...args) => {
  const { code, stdout, stderr } = await cli(...args);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toMatch(/^Usage: synap-recorder /);
});

test.each([
  [['docter'], /^error: unknown command 'docter' \(Did you mean doctor\?\)\n$/],
  [['frobnicate'], /^error: unknown command 'frobnicate'\. See synap-recorder --help\n$/],
  [['--jsn'], /^error: unknown option '--jsn'\. See synap-recorder --help\n$/],
  [['--versoin'], /^error: unknown option '--versoin' \(Did you mean --version\?\)\n$/],
  [['outbox', 'lsit'], /^error: unknown command 'lsit' \(Did you mean list\?\)\n$/],
  [['outbox', './outbox.db'], /^error: unknown command '\.\/outbox\.db'\. See synap-recorder outbox --help\n$/],
  [['help', 'docter'], /^error: unknown command 'docter' \(Did you mean doctor\?\)\n$/],
  [['doctor', '--jsom'], /^error: unknown option '--jsom' \(Did you mean --json\?\)\n$/],
  [['doctor', '--bse-url=http://x'], /^error: unknown option '--bse-url' \(Did you mean --base-url\?\)\n$/],
  [['doctor', '-x'], /^error: unknown option '-x'\. See synap-recorder doctor --help\n$/],
  [['doctor', '--__proto__'], /^error: unknown option '--__proto__'\. See synap-recorder doctor --help\n$/],
  [['doctor', '--json=yes'], /^error: option '--json' takes no value\n$/],
  [['doctor', '--outbox'], /^error: option '--outbox <file>' needs a value\n$/],
  [['doctor', '--tenancy', 'b2x'], /^error: .*'b2x' is invalid\. Allowed choices are b2c, b2b\.\n$/],
  [['doctor', 'extra'], /^error: too many arguments for 'doctor'\. Expected 0 arguments but got 1\.\n$/],
  [['outbox', 'list'], /^error: missing required argument 'file': the file that sqliteOutbox\(.*\n$/],
  [['outbox', 'list', 'a', 'b'], /^error: too many arguments for 'outbox list'.*\n$/],
  [
    ['outbox', 'list', 'a', '--limit', '0'],
    /^error: option '--limit <number>' argument '0' is invalid\. .*above 0\.\n$/,
  ],
  [
    ['outbox', 'list', 'a', '--state', 'lost'],
    /^error: .*Allowed choices are pending, held, in_flight, dead, expired\.\n$/,
  ],
  [['outbox', 'purge', 'a', '--state', 'in_flight'], /^error: .*Allowed choices are pending, held, dead, expired\.\n$/],
  [['outbox', 'adopt', 'a'], /^error: missing required option '--from <account>': outbox status names the accounts\n$/],
  [['outbox', 'replay', 'a', '--timeout', 'x'], /^error: .*whole number above 0\.\n$/],
])('%j is invalid usage: one line, exit code 2', async (args, message) => {
  const { code, stdout, stderr } = await cli(...args);
  expect(stderr).toMatch(message);
  expect(stdout).toBe('');
  expect(code).toBe(2);
});

test.each([
  [['local'], 'npx synap-recorder-local serve'],
  [['show', 'chat-42', '--api-key', 'very-secret'], 'npx synap-recorder-local show …'],
  [['tail', '--help'], 'npx synap-recorder-local tail …'],
  [['import', 'x.jsonl'], 'npx synap-recorder-local import …'],
  [['export'], 'npx synap-recorder-local export'],
])('%j names the command of the other package, and no key: exit code 2', async ([command = '', ...args], instead) => {
  expect(await cli(command, ...args)).toEqual({
    code: 2,
    stdout: '',
    stderr: `error: '${command}' belongs to synap-recorder-local: ${instead}\n`,
  });
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
});
