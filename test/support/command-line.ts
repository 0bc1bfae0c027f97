// Runs a command line in a process of its own, to its end or until a signal.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';

/** Without it, a command has the clock of the machine. */
export type Clock = 'fast' | 'standing';

const CLOCKS: Record<Clock, string> = {
  fast: new URL('fast-clock.ts', import.meta.url).href,
  standing: 'data:text/javascript,performance.now = () => 0',
};

/** The flags of Node.js that give a command this clock. */
export const withClock = (clock?: Clock) => (clock ? ['--import', CLOCKS[clock]] : []);

export interface CliResult {
  code: number | null;
  stdout: string;
  stderr: string;
}

export interface CliOptions {
  env?: Record<string, string | undefined>;
  cwd?: string;
  clock?: Clock;
  /** The content of stdin; empty by default. */
  input?: string;
}

/** Runs a command line to its end. */
export async function runToEnd(main: string, args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  const child = start(main, args, options);
  child.stdin?.end(options.input);
  const [stdout, stderr] = await Promise.all([
    streamText(child.stdout),
    streamText(child.stderr),
    once(child, 'close'),
  ]);
  return { code: child.exitCode, stdout, stderr: withoutWarnings(stderr) };
}

/** Starts a command line. It is gone when the test is over. */
export function start(main: string, args: readonly string[], { env, cwd, clock }: CliOptions = {}): ChildProcess {
  // Nothing of the machine's own settings reaches a test.
  const { SYNAP_API_KEY, SYNAP_BASE_URL, NO_COLOR, FORCE_COLOR, ...rest } = process.env;
  const child = spawn(process.execPath, [...withClock(clock), main, ...args], {
    cwd,
    env: { ...rest, TZ: 'UTC', ...env },
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}

/** The environment in which a command finds a Synap. */
export const envOf = ({ url, apiKey }: { url: string; apiKey?: string }) => ({
  SYNAP_BASE_URL: url,
  SYNAP_API_KEY: apiKey ?? 'test-key',
});

const streamText = (stream: Readable | null) => (stream ? text(stream) : Promise.resolve(''));

/** Node 22 calls node:sqlite experimental, in two lines. */
export function withoutWarnings(stderr: string): string {
  return stderr.replaceAll(/^\(node:\d+\) ExperimentalWarning.*\n|^\(Use `node --trace-warnings.*\n/gm, '');
}
