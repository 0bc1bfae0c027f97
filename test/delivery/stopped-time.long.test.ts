import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { scriptedSynap } from '../support/scripted-synap.js';
import { tempFile } from './outbox-support.js';

const PROGRAM = fileURLToPath(new URL('programs/stopped-time.ts', import.meta.url));

/** Runs the app; Synap is down for so many requests once time has stopped. */
async function run(down: number, ...parameters: string[]) {
  await using synap = await scriptedSynap((_, index) => (index >= 3 && index < 3 + down ? { status: 503 } : undefined));
  const { stdout } = await promisify(execFile)(process.execPath, [PROGRAM, '--url', synap.url, ...parameters], {
    timeout: 60_000,
    env: { ...process.env, NODE_NO_WARNINGS: '1' },
  });
  return { ...JSON.parse(stdout), stored: synap.stored.length };
}

describe.each([
  ['in memory', () => []],
  ['in SQLite', () => ['--file', tempFile()]],
])('an outbox %s', (_, outbox) => {
  it.each(['Date', 'timers', 'mock'])('delivers, flushes and closes while the app has stopped its %s', async stop => {
    const { flushed, closedMs, delivered, accepted, stored } = await run(3, '--stop', stop, ...outbox());
    expect(flushed).toEqual({ delivered: 20, pending: 0, deadLettered: 0 });
    expect({ delivered, accepted, stored }).toEqual({ delivered: 24, accepted: 24, stored: 24 });
    expect(closedMs).toBeLessThan(4000);
  });

  it('flushes and closes in time where the app has stopped what Node.js needs, too, and nothing can be sent', async () => {
    const { flushed, closedMs } = await run(0, '--stop', 'all', ...outbox());
    expect(flushed.delivered + flushed.pending).toBe(20);
    expect(closedMs).toBeLessThan(4000);
  });

  it('gives up nothing for its age when the clock jumps, however often it was tried', async () => {
    const { flushed, delivered, accepted } = await run(30, '--stop', 'jump', ...outbox());
    expect(flushed).toEqual({ delivered: 20, pending: 0, deadLettered: 0 });
    expect({ delivered, accepted }).toEqual({ delivered: 24, accepted: 24 });
  });
});
