// Starts an app of a framework and ends it by a signal.

import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { delimiter, dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'vitest';
import { type Script, scriptedSynap } from '../support/scripted-synap.js';

export const HERE = fileURLToPath(new URL('.', import.meta.url));

// What a test runner says to Node.
const { NODE_ENV: _, NODE_OPTIONS: __, ...env } = process.env;

const baseEnv = {
  ...env,
  PATH: [dirname(process.execPath), process.env.PATH].join(delimiter),
  NEXT_TELEMETRY_DISABLED: '1',
};

/** Runs a program of Node's to its end. */
export async function build(folder: string, ...args: string[]): Promise<void> {
  await promisify(execFile)(process.execPath, args, { cwd: `${HERE}${folder}`, env: baseEnv, timeout: 110_000 });
}

/** How the recorder is used: `closeOnSignals: true`, by the framework's own line, or not at all. */
export type How = 'signals' | 'hook' | '';

/** Starts a program, or what Node's arguments say, with a scripted Synap, and waits for its address. */
export async function start(
  program: string | readonly string[],
  how: How,
  more: Record<string, string> = {},
  script?: Script,
) {
  const synap = await scriptedSynap(script);
  const child = spawn(process.execPath, [program].flat(), {
    cwd: HERE,
    env: {
      ...baseEnv,
      PORT: String(await freePort()),
      HOSTNAME: 'localhost',
      HOW: how,
      SYNAP_BASE_URL: synap.url,
      SYNAP_API_KEY: 'k',
      ...more,
    },
  });
  const said = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    child[name].setEncoding('utf8').on('data', (text: string) => {
      said[name] += text;
    });
  const closed = once(child, 'close') as Promise<[code: number | null, signal: NodeJS.Signals | null]>;
  const address = () => /http:\/\/\S+:(\d+)/.exec(said.stdout)?.[1];
  await expect.poll(() => address() ?? failedStart(child.exitCode, said.stderr)).toBeDefined();
  return {
    child,
    said,
    synap,
    contents: () => synap.stored.map(message => message.content),
    async get(path = '/'): Promise<string> {
      // A connection that is kept alive keeps some servers open.
      const response = await fetch(`http://localhost:${address()}${path}`, { headers: { connection: 'close' } });
      return response.text();
    },
    /** Sends the signal, and waits for the end: the exit code, or the signal that ended it. */
    async end(signal: NodeJS.Signals): Promise<number | NodeJS.Signals | null> {
      child.kill(signal);
      const [code, endedBy] = await closed;
      return code ?? endedBy;
    },
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
      await closed;
      await synap.close();
    },
  };
}

function failedStart(exitCode: number | null, stderr: string): undefined {
  if (exitCode !== null) throw new Error(`it ended with ${exitCode} before it listened:\n${stderr}`);
}

// Next.js takes port 0 for 3000.
async function freePort(): Promise<number> {
  const server = createServer().listen(0);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise(resolve => server.close(resolve));
  return port;
}
