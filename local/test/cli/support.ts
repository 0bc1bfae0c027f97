// Runs the built command line of the local package.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { type CliOptions, type Clock, runToEnd, start, withClock } from '../../../test/support/command-line.js';

export { envOf, withClock, withoutWarnings } from '../../../test/support/command-line.js';

export const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

/** Runs `synap-recorder-local` to its end. */
export const cli = (...args: string[]) => runToEnd(MAIN, args);

/** As {@link cli}, in an environment of its own. */
export const runCli = (args: readonly string[], options?: CliOptions) => runToEnd(MAIN, args, options);

/** Starts `synap-recorder-local`. It is gone when the test is over. */
export const spawnCli = (args: readonly string[], options?: CliOptions) => start(MAIN, args, options);

export interface Running {
  child: ChildProcess;
  url: string;
  apiKey: string;
  tenancy: string;
  database: string;
  /** Sends a signal and waits for the end: the exit code, or the signal that ended it. */
  end(signal: NodeJS.Signals): Promise<number | NodeJS.Signals | null>;
}

/** Starts `synap-recorder-local` on a free port, and waits until it can be called. */
export const startCli = (database: string, ...args: string[]): Promise<Running> =>
  startCliOn(undefined, database, ...args);

/** As {@link startCli}, on a clock of its own. */
export async function startCliOn(clock: Clock | undefined, database: string, ...args: string[]): Promise<Running> {
  const command = [...withClock(clock), MAIN, 'serve', '--port', '0', '--json', '--database', database, ...args];
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
