// How servers of the known frameworks end, with and without a recorder.

import { beforeAll, describe, expect, it } from 'vitest';
import { build, type How, start } from './start.js';

const NEXT = 'next/.next/standalone/next/server.js';
const NITRO = 'nitro/.output/server/index.mjs';

/** Asks once, sends the signal, and answers how the server ended and what was recorded. */
async function run(program: string, how: How, signal: NodeJS.Signals, path = '/') {
  await using app = await start(program, how);
  expect(await app.get(path)).toBe('Hello');
  const end = await app.end(signal);
  return { end, contents: app.contents(), stderr: app.said.stderr };
}

beforeAll(() => build('next', '../node_modules/next/dist/bin/next', 'build'));
beforeAll(() => build('nitro', '../node_modules/nitropack/dist/cli/index.mjs', 'build'));

const servers: [name: string, program: string, end: number | NodeJS.Signals][] = [
  ['a plain server', 'programs/node-plain.js', 'SIGTERM'],
  ['a server that closes', 'programs/node-closes.js', 0],
  ['Express', 'programs/express.js', 0],
  ['Fastify', 'programs/fastify.js', 0],
  ['Hono', 'programs/hono.js', 0],
  ['NestJS', 'programs/nest.js', 'SIGTERM'],
];

describe.each(servers)('%s', (_, program, end) => {
  it('ends at SIGTERM with `closeOnSignals` as without a recorder, and what waits is delivered', async () => {
    const [without, recorded] = await Promise.all([run(program, '', 'SIGTERM'), run(program, 'signals', 'SIGTERM')]);
    expect(without.end).toBe(end);
    expect(recorded).toEqual({ end, contents: ['Hi', 'Hello'], stderr: '' });
  });

  it('ends at SIGINT with `closeOnSignals` as without a recorder, and what waits is delivered', async () => {
    const [without, recorded] = await Promise.all([run(program, '', 'SIGINT'), run(program, 'signals', 'SIGINT')]);
    expect(recorded).toEqual({ end: without.end, contents: ['Hi', 'Hello'], stderr: '' });
  });
});

describe.each(servers.slice(1))('%s, in mid-answer', (_, program, end) => {
  it.each(['signals', 'hook'] as const)('delivers the answer that it still gives after SIGTERM (%s)', async how => {
    await using app = await start(program, how);
    const answer = app.get('/slow');
    await expect.poll(() => app.said.stdout).toContain('answers');
    expect(await app.end('SIGTERM')).toBe(end);
    expect(await answer).toBe('1 2 3');
    expect(app.contents()).toEqual(['Count', '1 2 3']);
    expect(app.said.stderr).toBe('');
  });
});

describe.each([
  ['Next.js', NEXT, '/api/say', 'waitUntil: after'],
  ['Nitro', NITRO, '/', `nitroApp.hooks.hook('close', () => recorder.close())`],
])('%s', (_, program, path, line) => {
  it.each(['SIGTERM', 'SIGINT'] as const)(
    'ends at %s as without a recorder, and its line delivers all',
    async signal => {
      const [without, recorded] = await Promise.all([
        run(program, '', signal, path),
        run(program, 'hook', signal, path),
      ]);
      expect(recorded).toEqual({ end: without.end, contents: ['Hi', 'Hello'], stderr: '' });
    },
  );

  it('ends with `closeOnSignals` as without a recorder, and says at the start which line to write', async () => {
    const [without, recorded] = await Promise.all([
      run(program, '', 'SIGTERM', path),
      run(program, 'signals', 'SIGTERM', path),
    ]);
    expect(recorded.end).toBe(without.end);
    expect(recorded.stderr).toContain(line);
  });
});

describe('Next.js with `waitUntil: after`', () => {
  it('is not kept from ending by a Synap that is down, and what is left is logged', async () => {
    await using app = await start(NEXT, 'hook', {}, () => ({ status: 503 }));
    await app.get('/api/say');
    const started = performance.now();
    expect(await app.end('SIGTERM')).toBe(143);
    expect(performance.now() - started).toBeLessThan(15_000);
    expect(app.said.stderr).toMatch(/2 messages are not delivered, and the platform is asked to wait no longer/);
    expect(app.said.stderr).toMatch(/closed with 2 messages that may be lost/);
  });
});

describe('a server that calls process.exit() soon', () => {
  const program = 'programs/exits.js';

  it('ends with its own code, and what could not be sent is logged', async () => {
    const [without, recorded] = await Promise.all([run(program, '', 'SIGTERM'), run(program, 'signals', 'SIGTERM')]);
    expect(without.end).toBe(3);
    expect(recorded.end).toBe(3);
    if (recorded.contents.length === 0) expect(recorded.stderr).toMatch(/closed with .* lost/);
  });

  it('has sent what waits, where a connection to Synap is open', async () => {
    await using app = await start(program, 'signals', { PATIENCE_MS: '50' });
    await app.get();
    await expect.poll(() => app.contents()).toEqual(['Hi', 'Hello']);
    await app.get();
    expect(await app.end('SIGTERM')).toBe(3);
    await expect.poll(() => app.contents()).toEqual(['Hi', 'Hello', 'Hi', 'Hello']);
  });
});
