import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import { sqliteOutbox } from '../../src/outbox/sqlite/index.js';
import { recorderOn } from '../support/recorder.js';
import { anEntry, claimKeys, expectSound, listen, putAll, tempFile, WHOLE_TURN } from './outbox-support.js';

const HOLDER = fileURLToPath(new URL('programs/lock-holder.ts', import.meta.url));

/** Another process locks the file; resolves when it has. */
async function lockFor(path: string, ms: number) {
  const child = spawn(process.execPath, [HOLDER, path, `${ms}`], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  return child;
}

function rowOf(path: string) {
  const db = new DatabaseSync(path, { readOnly: true });
  try {
    return db.prepare('SELECT lease_owner AS owner, in_flight AS inFlight, pending FROM accounts').get();
  } finally {
    db.close();
  }
}

it.each([100, 5000])(
  'close() gives back the lease and what is in flight while another process has the file locked for %i ms',
  async ms => {
    const path = tempFile();
    const outbox = sqliteOutbox({ path });
    // The first request is never answered.
    await using on = await recorderOn(() => 'handled', { outbox, batch: { lingerMs: 1 } });
    on.recorder.turn({ conversationId: 'chat' }).user('hello');
    await expect.poll(() => on.synap.requests.length).toBe(1);
    await lockFor(path, ms);
    await on.recorder.close({ timeoutMs: 100 });
    expect(rowOf(path)).toEqual({ owner: null, inFlight: 0, pending: 1 });
    expect(on.log.join('\n')).not.toMatch(/lost|gone|not open|could not/);
    expect(on.recorder.stats()).toMatchObject({ pending: 1, inFlight: 0, lostAtShutdown: 0, maybeLost: 0 });
    const next = sqliteOutbox({ path });
    onTestFinished(async () => void (await next.close()));
    expect(next.stats().pending).toBe(1);
    expectSound(path);
  },
);

it('a close puts into the file what had to wait in memory for it', async () => {
  const path = tempFile();
  const outbox = sqliteOutbox({ path });
  await putAll(outbox, 'a:c1');
  await lockFor(path, 1500);
  expect(await outbox.put(anEntry('b', 'c1'), WHOLE_TURN)).toBe('accepted');
  expect(await outbox.close()).toEqual([]);
  expect([...expectSound(path).keys()]).toEqual(['a', 'b']);
});

it('a close at the exit of the process waits for nobody, and says what is lost', async () => {
  const path = tempFile();
  const { lines, logger } = listen();
  const outbox = sqliteOutbox({ path, leaseMs: 600_000 });
  outbox.open?.(logger);
  await putAll(outbox, 'a:c1');
  expect(await claimKeys(outbox)).toEqual(['a']);
  const holder = await lockFor(path, 60_000);
  expect(await outbox.put(anEntry('b', 'c2'), WHOLE_TURN)).toBe('accepted');
  expect(outbox.close({ isExit: true })).toMatchObject([{ key: 'b' }]);
  expect(lines).toHaveLength(1);
  holder.kill('SIGKILL');
  await once(holder, 'close');
  // The lock of the owner is free again, so nobody waits for the lease.
  const next = sqliteOutbox({ path, leaseMs: 600_000 });
  onTestFinished(async () => void (await next.close()));
  expect(await claimKeys(next)).toEqual(['a']);
});
