// Command lines that end by signals, with and without signal-exit and the like.

import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { HERE, type How, start } from './start.js';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'synap-commands-'));
  await writeFile(join(folder, 'locked'), '');
  // Another copy of the package, as a dependency of a dependency may have it.
  const copy = join(folder, 'node_modules/synap-recorder');
  await mkdir(copy, { recursive: true });
  await cp(`${HERE}node_modules/synap-recorder`, copy, { recursive: true });
  for (const name of ['limiter', 'undici', 'uuid', 'zod'])
    await symlink(`${HERE}node_modules/${name}`, join(folder, 'node_modules', name));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

async function run(beside: string, how: How, signal: NodeJS.Signals, ...ahead: string[]) {
  const COPY = `file://${folder}/node_modules/synap-recorder/dist/index.js`;
  await using command = await start([...ahead, 'programs/command.js'], how, {
    BESIDE: beside,
    LOCKED: join(folder, 'locked'),
    COPY,
  });
  const end = await command.end(signal);
  return { end, stdout: command.said.stdout, contents: command.contents() };
}

describe.each(['SIGTERM', 'SIGINT'] as const)('a command at %s', signal => {
  it.each([
    ['signal-exit 3', '3'],
    ['signal-exit 4', '4'],
    ['both', '3 4'],
    ['signal-exit 4, loaded later', 'late'],
    ['proper-lockfile', 'lock'],
    ['ora', 'ora'],
    ['proper-lockfile, ora and signal-exit 4', 'lock ora 4'],
    ['another copy of this package', 'copy'],
    ['another copy of this package and signal-exit', '3 copy 4'],
  ])('beside %s ends as without a recorder, with the hooks that run then', async (_, beside) => {
    // One after the other: both would hold the same lock.
    const without = await run(beside, '', signal);
    const recorded = await run(beside, 'signals', signal);
    expect(without.end).toBe(signal);
    expect({ end: recorded.end, stdout: recorded.stdout }).toEqual({ end: without.end, stdout: without.stdout });
    const copys = beside.includes('copy') ? ['Hi, copy', 'Hello, copy'] : [];
    expect(recorded.contents.sort()).toEqual(['Hi', 'Hello', ...copys].sort());
  });

  it('that signal-exit leaves running ends by its own code', async () => {
    const [without, recorded] = await Promise.all([run('keeps', '', signal), run('keeps', 'signals', signal)]);
    expect(without.end).toBe(5);
    expect(recorded).toEqual({ ...without, contents: ['Hi', 'Hello'] });
  });

  it.each([
    ['tsx', ['node_modules/tsx/dist/cli.mjs']],
    ['node --import tsx', ['--import', 'tsx']],
  ])('run by %s ends as without a recorder', async (_, ahead) => {
    // tsx kills a program that does not answer its signal within 30 ms, as on a busy machine: then another try tells.
    const tries = { timeout: 100_000, interval: 0 };
    await vi.waitFor(async () => {
      const [without, recorded] = await Promise.all([
        run('', '', signal, ...ahead),
        run('', 'signals', signal, ...ahead),
      ]);
      expect(recorded).toEqual({ ...without, contents: ['Hi', 'Hello'] });
    }, tries);
  });
});
