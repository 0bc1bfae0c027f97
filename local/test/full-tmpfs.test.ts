// A disk that is full in truth: a small tmpfs. Mounting needs root, so these are skipped without it.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { tempFolder } from '../../test/support/temp-folder.js';
import { aMessage, call, record, recordBatch, start } from './support.js';

/** Whether it could be mounted. */
function mountTmpfs(folder: string, size: string): boolean {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', folder], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

const mayMount = (() => {
  if (process.getuid?.() !== 0) return false;
  const folder = mkdtempSync(join(tmpdir(), 'synap-recorder-'));
  const isMounted = mountTmpfs(folder, '1m');
  if (isMounted) execFileSync('umount', [folder]);
  rmdirSync(folder);
  return isMounted;
})();

test.skipIf(!mayMount)('a full disk is 507 and a sentence, and over once there is room', async () => {
  const stderr = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  onTestFinished(() => void stderr.mockRestore());
  const folder = tempFolder();
  mountTmpfs(folder, '3m');
  onTestFinished(() => void execFileSync('umount', ['-l', folder]));
  const local = await start({ database: join(folder, 'synap.db') });
  const large = () => aMessage({ content: 'x'.repeat(200_000) });
  let stored = 0;
  let answer = await record(local, large());
  for (; answer.status === 200 && stored < 100; stored++) answer = await record(local, large());
  expect(answer.status).toBe(507);
  expect(answer.body.detail).toMatch(/^The disk is full, so the request changed nothing: make room/);
  expect((await recordBatch(local, [large(), large()])).status).toBe(507);
  // What is there can be read, and nothing is half there.
  const { conversations } = (await call(local, 'GET', '/v1/conversations?limit=500')).body;
  expect(conversations).toHaveLength(stored);
  execFileSync('mount', ['-o', 'remount,size=30m', folder]);
  expect((await record(local, large())).status).toBe(200);
  await local.close();
});
