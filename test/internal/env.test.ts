import { afterEach, expect, test, vi } from 'vitest';
import { env, isQuoted, warn } from '../../src/internal/env.js';

afterEach(() => {
  vi.unstubAllEnvs();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

test.each([
  ['value', 'value'],
  ['  value\r\n', 'value'],
  [' \n', undefined],
  ['', undefined],
])('a variable set to %j is read as %j', (set, read) => {
  vi.stubEnv('SYNAP_TEST_VARIABLE', set);
  expect(env('SYNAP_TEST_VARIABLE')).toBe(read);
});

test('a variable that is not set is undefined', () => {
  expect(env('SYNAP_TEST_VARIABLE')).toBeUndefined();
});

test.each([
  ['that has no process', undefined],
  ['whose process has no env', {}],
  [
    'that does not let it be read',
    {
      get env() {
        throw new Error('NotCapable: Requires env access');
      },
    },
  ],
])('in a runtime %s, a variable is undefined', (_, process) => {
  vi.stubGlobal('process', process);
  const read = env('PATH');
  vi.unstubAllGlobals();
  expect(read).toBeUndefined();
});

test.each(['"a"', "'a'", '`a`', '"a\nb"', '""'])('%j stands in quotes', value => {
  expect(isQuoted(value)).toBe(true);
});

test.each(['a', '"a', 'a"', `"a'`, 'a "b" c', '"'])('%j does not stand in quotes', value => {
  expect(isQuoted(value)).toBe(false);
});

test('a warning names the package', () => {
  const lines: string[] = [];
  warn({ warn: line => lines.push(line) }, 'set it');
  expect(lines).toEqual(['[synap-recorder] set it']);
});

test('a warning goes to the console without a logger, and nowhere with false', () => {
  const toConsole = vi.spyOn(console, 'warn').mockImplementation(() => {});
  warn(undefined, 'one');
  warn(false, 'two');
  expect(toConsole.mock.calls).toEqual([['[synap-recorder] one']]);
});

test('a logger that throws or rejects does not reach the caller', async () => {
  const fails = async () => {
    throw new Error('the log is full');
  };
  warn({ warn: fails }, 'a');
  const throws = () => {
    throw new Error('the log is full');
  };
  expect(() => warn({ warn: throws }, 'b')).not.toThrow();
  // An unhandled rejection would fail the run.
  await new Promise(resolve => setImmediate(resolve));
});
