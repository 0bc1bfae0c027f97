import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import { runs } from '../support/runs.js';
import { expectSound, tempFile } from './outbox-support.js';

const HAMMER = fileURLToPath(new URL('programs/hammer.ts', import.meta.url));
const ROUNDS = runs(15, 100);
const AT_ONCE = 2;

/** Lets a process work on the file for so many steps at least; answers with what it says it has done. */
async function hammer(path: string, name: string, steps: number): Promise<string[]> {
  const child = spawn(process.execPath, [HAMMER, path, name], {
    stdio: ['ignore', 'pipe', 'inherit'],
    // Node 22 calls node:sqlite experimental.
    env: { ...process.env, NODE_NO_WARNINGS: '1' },
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let said = '';
  child.stdout.setEncoding('utf8').on('data', text => {
    said += text;
    if (said.split('\n').length > steps) child.kill('SIGKILL');
  });
  const [, signal] = await once(child, 'close');
  expect(signal).toBe('SIGKILL');
  const lines = said.split('\n');
  expect(lines.pop()).toBe('');
  return lines;
}

it(`${AT_ONCE * ROUNDS} processes on one file, each killed at some moment, lose nothing that was accepted`, async () => {
  const path = tempFile();
  const accepted = new Set<string>();
  const delivered = new Set<string>();
  for (let round = 0; round < ROUNDS; round++) {
    const names = Array.from({ length: AT_ONCE }, (_, n) => `${round}.${n}`);
    const said = await Promise.all(names.map(name => hammer(path, name, 1 + Math.random() * 150)));
    for (const line of said.flat()) {
      const [sign, key = ''] = line.split(' ');
      if (sign === '+') accepted.add(key);
      else if (sign === '-') delivered.add(key);
      else throw new Error(`${round}: ${line}`);
    }
    const states = expectSound(path);
    // Of each process one message at most was committed and not acknowledged any more.
    expect([...accepted].filter(key => !states.has(key))).toEqual([]);
    expect(states.size - accepted.size).toBeLessThanOrEqual(AT_ONCE * (round + 1));
    expect([...delivered].filter(key => states.get(key) !== 'delivered')).toEqual([]);
  }
  expect(accepted.size).toBeGreaterThanOrEqual(AT_ONCE * ROUNDS);
  expect(delivered.size).toBeGreaterThan(0);
});
