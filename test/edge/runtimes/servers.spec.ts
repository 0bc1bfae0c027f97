// The package on Deno and Bun.

import { execFile, spawn } from 'node:child_process';
import { globSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import { runProgram } from '../../support/run-program.js';
import { scriptedSynap } from '../../support/scripted-synap.js';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const SAID = ['user: Why is the sky blue?', 'assistant: Air scatters blue light more than red.'];

/** The binary of this platform, as npm has installed it: what is on the path only starts it. */
function binary(pattern: string): string {
  const [path] = globSync(pattern, { cwd: import.meta.dirname });
  if (path === undefined) throw new Error(`there is no ${pattern}: run npm run test:edge, which installs it`);
  return join(import.meta.dirname, path);
}

const DENO = binary('node_modules/@deno/*/deno{,.exe}');
const RUNTIMES = {
  Deno: [DENO, 'run', '--allow-all'],
  Bun: [binary('node_modules/@oven/*/bin/bun{,.exe}')],
};

describe.each(Object.entries(RUNTIMES))('%s', (_, runtime) => {
  it.each(['examples/ai-sdk.ts', 'examples/langchain.ts', 'examples/by-hand.ts'])(
    'runs %s, which records its conversation',
    async file => {
      const script = () => ({ text: ['Air scatters blue light ', 'more than red.'] });
      const { messages, stderr } = await runProgram(file, script, { runtime });
      expect(messages.map(({ role, content }) => `${role}: ${content}`)).toEqual(SAID);
      expect(messages[1]?.metadata).toMatchObject({ status: 'complete', latency_ms: expect.any(Number) });
      expect(stderr).toBe('');
    },
  );

  it.each([
    { ends: 'itself', delivered: SAID, lost: 0, code: 0, signal: null },
    { ends: 'exit', delivered: [], lost: 2, code: 0, signal: null },
    { ends: 'signal', delivered: SAID, lost: 0, code: null, signal: 'SIGTERM' },
  ])('delivers or reports what was said when the process ends by $ends', async ({ ends, delivered, lost, ...end }) => {
    await using synap = await scriptedSynap();
    const { lines, ...ended } = await say(runtime, { url: synap.url, ends });
    expect(ended).toEqual(end);
    expect(said(synap)).toEqual(delivered);
    expect(lines.filter(line => line.startsWith('lost (shutdown)'))).toHaveLength(lost);
  });

  it('sends by fetch', async () => {
    await using synap = await scriptedSynap();
    await say(runtime, { url: synap.url, ends: 'itself' });
    expect(synap.requests).toHaveLength(1);
    // It says so by itself; undici’s own request does not.
    expect(synap.requests[0]?.headers).toHaveProperty('accept-encoding');
  });

  it('delivers, after kill -9, what a SQLite outbox has accepted', async () => {
    await using synap = await scriptedSynap();
    const folder = mkdtempSync(join(tmpdir(), 'synap-runtimes-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const outbox = join(folder, 'outbox.db');
    const killed = await say(runtime, { url: synap.url, ends: 'kill', outbox });
    expect(killed).toMatchObject({ signal: 'SIGKILL', lines: ['accepted 2'] });
    expect(said(synap)).toEqual([]);
    expect(await say(runtime, { url: synap.url, ends: 'itself', outbox })).toMatchObject({ code: 0 });
    expect(said(synap)).toEqual(SAID);
  });
});

it('Deno needs no more permission than to send', async () => {
  await using synap = await scriptedSynap();
  const parameters = ['run', '--no-prompt', '--allow-net', 'test/edge/programs/permitted.ts', synap.url];
  const { stdout, stderr } = await promisify(execFile)(DENO, parameters, { cwd: ROOT });
  expect(stdout).toBe('delivered 2\n');
  expect(stderr).toBe('');
  expect(said(synap)).toEqual(SAID);
});

function said(synap: { stored: readonly { role: string; content: string }[] }): string[] {
  return synap.stored.map(({ role, content }) => `${role}: ${content}`);
}

async function say(
  [command = '', ...parameters]: readonly string[],
  { url, ends, outbox = '' }: { url: string; ends: string; outbox?: string },
) {
  const env = { ...process.env, SYNAP_API_KEY: 'k', SYNAP_BASE_URL: url, ENDS: ends, OUTBOX: outbox };
  const child = spawn(command, [...parameters, 'test/edge/programs/say.ts'], { cwd: ROOT, env, timeout: 100_000 });
  const ended = new Promise<{ code: number | null; signal: string | null }>((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code, signal) => resolve({ code, signal }));
  });
  const [output] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { lines: output.split('\n').filter(Boolean), ...(await ended) };
}
