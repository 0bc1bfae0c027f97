import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

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

/** Runs the command line to its end. */
export async function cli(...args: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { code: child.exitCode, stdout, stderr: withoutWarnings(stderr) };
}

/** Starts `synap-recorder local` on a free port, and waits until it can be called. */
export async function startCli(database: string, ...args: string[]): Promise<Running> {
  const child = spawn(process.execPath, [MAIN, 'local', '--port', '0', '--json', '--database', database, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
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
function withoutWarnings(stderr: string): string {
  return stderr.replaceAll(/^\(node:\d+\) ExperimentalWarning.*\n|^\(Use `node --trace-warnings.*\n/gm, '');
}
