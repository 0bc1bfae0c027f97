import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

/** Without it, a command has the clock of the machine. */
export type Clock = 'fast' | 'standing';

const CLOCKS: Record<Clock, string> = {
  fast: new URL('../support/fast-clock.ts', import.meta.url).href,
  standing: 'data:text/javascript,performance.now = () => 0',
};
export const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

export interface Running {
  child: ChildProcess;
  url: string;
  apiKey: string;
  tenancy: string;
  database: string;
  /** Sends a signal and waits for the end: the exit code, or the signal that ended it. */
  end(signal: NodeJS.Signals): Promise<number | NodeJS.Signals | null>;
}

export interface CliResult {
  code: number | null;
  stdout: string;
  stderr: string;
}

export interface CliOptions {
  env?: Record<string, string | undefined>;
  cwd?: string;
  clock?: Clock;
  /** What stdin holds; nothing by default. */
  input?: string;
}

/** Runs the command line to its end. */
export const cli = (...args: string[]): Promise<CliResult> => runCli(args);

/** As {@link cli}, in an environment of its own. */
export async function runCli(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  const child = spawnCli(args, options);
  child.stdin?.end(options.input);
  const [stdout, stderr] = await Promise.all([
    streamText(child.stdout),
    streamText(child.stderr),
    once(child, 'close'),
  ]);
  return { code: child.exitCode, stdout, stderr: withoutWarnings(stderr) };
}

/** Starts the command line. It is gone when the test is over. */
export function spawnCli(args: readonly string[], { env, cwd, clock }: CliOptions = {}): ChildProcess {
  // Nothing of the machine's own settings reaches a test.
  const { SYNAP_API_KEY, SYNAP_BASE_URL, NO_COLOR, FORCE_COLOR, ...rest } = process.env;
  const child = spawn(process.execPath, [...withClock(clock), MAIN, ...args], {
    cwd,
    env: { ...rest, TZ: 'UTC', ...env },
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}

/** What Node.js is told to let a command have this clock. */
export const withClock = (clock?: Clock) => (clock ? ['--import', CLOCKS[clock]] : []);

/** The environment in which a command finds a Synap. */
export const envOf = ({ url, apiKey }: { url: string; apiKey?: string }) => ({
  SYNAP_BASE_URL: url,
  SYNAP_API_KEY: apiKey ?? 'test-key',
});

const streamText = (stream: Readable | null) => (stream ? text(stream) : Promise.resolve(''));

/** Starts `synap-recorder local` on a free port, and waits until it can be called. */
export const startCli = (database: string, ...args: string[]): Promise<Running> =>
  startCliOn(undefined, database, ...args);

/** As {@link startCli}, on a clock of its own. */
export async function startCliOn(clock: Clock | undefined, database: string, ...args: string[]): Promise<Running> {
  const command = [...withClock(clock), MAIN, 'local', '--port', '0', '--json', '--database', database, ...args];
  const child = spawn(process.execPath, command, { stdio: ['ignore', 'pipe', 'pipe'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const stderr = text(child.stderr);
  const line = await new Promise<string>((resolve, reject) => {
    let printed = '';
    child.stdout.on('data', chunk => {
      printed += chunk;
      if (printed.endsWith('\n')) resolve(printed);
    });
    child.on('exit', async code => reject(new Error(`exited with ${code}: ${await stderr}`)));
  });
  return {
    child,
    ...JSON.parse(line),
    end: async signal => {
      const exited = once(child, 'exit');
      child.kill(signal);
      const [code, by] = await exited;
      return code ?? by;
    },
  };
}

/** Node 22 calls node:sqlite experimental, in two lines. */
export function withoutWarnings(stderr: string): string {
  return stderr.replaceAll(/^\(node:\d+\) ExperimentalWarning.*\n|^\(Use `node --trace-warnings.*\n/gm, '');
}
