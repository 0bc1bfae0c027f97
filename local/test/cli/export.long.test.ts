// The memory that an export of 100,000 messages needs.

import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import { start, tempDatabase, tempFolder } from '../support.js';
import { fill } from './export-support.js';
import { envOf, spawnCli } from './support.js';

/** Counts what an export writes, and what memory it has needed at most, in MiB. */
async function measured(args: string[], env: Record<string, string> = {}) {
  const hook = join(tempFolder(), 'rss.mjs');
  writeFileSync(hook, "process.on('exit', () => console.error('RSS', process.resourceUsage().maxRSS));");
  const child = spawnCli(['export', ...args], { env: { ...env, NODE_OPTIONS: `--import=${pathToFileURL(hook)}` } });
  let lines = 0;
  let stderr = '';
  child.stderr?.on('data', chunk => {
    stderr += chunk;
  });
  for await (const chunk of child.stdout ?? []) for (const byte of chunk as Buffer) if (byte === 0x0a) lines++;
  await (child.exitCode === null && once(child, 'exit'));
  return { lines, mib: Number(/RSS (\d+)/.exec(stderr)?.[1]) / 1024 };
}

test('an export of 100,000 messages needs no more memory than one of 1,000 does, within 64 MiB', async () => {
  const [small, large] = [tempDatabase(), tempDatabase()];
  fill(small, 1_000);
  fill(large, 100_000);
  const few = await measured(['--database', small]);
  const many = await measured(['--database', large]);
  const synap = await start({ database: large });
  const served = await measured([], envOf(synap));
  expect([few.lines, many.lines, served.lines]).toEqual([1_000, 100_000, 100_000]);
  expect(many.mib - few.mib).toBeLessThan(64);
  expect(served.mib - few.mib).toBeLessThan(64);
});
