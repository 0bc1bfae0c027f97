import { describe, expect, it } from 'vitest';
import { runs } from '../support/runs.js';
import { diesTwice, momentsOf, stage } from './kill-stage.js';

const KILLS_PER_CHAIN = runs(30, 200);
const MESSAGES = 100;

describe('a sender that is killed', () => {
  it.each(momentsOf(1, 5))('at %s loses nothing that it had accepted', diesTwice);

  it.concurrent.each([1, 2])('at random moments loses nothing that it had accepted (chain %i)', async chain => {
    await using on = await stage((_, index) => (index % 9 === 4 ? { status: 503 } : undefined));
    let state = chain * 7919;
    for (let n = 0; n < KILLS_PER_CHAIN; n++) {
      const sender = on.start('--name', `k${n}`, '--count', `${MESSAGES}`);
      state = (state * 48_271) % 2_147_483_647;
      await sender.accepted(1 + (state % MESSAGES));
      sender.child.kill('SIGKILL');
      await sender.ended;
    }
    const { duplicates } = await on.drained();
    // Only what was in flight at a kill: a batch of ten at most.
    expect(duplicates).toBeLessThanOrEqual(KILLS_PER_CHAIN * 10);
  });

  it('leaves the file to another of four, within the lease, and in order', async () => {
    await using on = await stage();
    let generation = 0;
    const start = () => on.start('--name', `p${generation++}`, '--count', '150');
    const running = [start(), start(), start(), start()];
    await Promise.all(running.map(sender => sender.accepted(1)));
    for (let n = 0; n < 16; n++) {
      // Somebody carries on each time, whoever was killed.
      const before = on.synap.stored.length;
      await expect.poll(() => on.synap.stored.length, { interval: 5 }).toBeGreaterThan(before);
      const victim = running[n % 4];
      victim?.child.kill('SIGKILL');
      await victim?.ended;
      const next = start();
      running[n % 4] = next;
      await next.accepted(1);
    }
    const before = on.synap.stored.length;
    await expect.poll(() => on.synap.stored.length).toBeGreaterThan(before);
    for (const sender of running) sender.child.kill('SIGKILL');
    await Promise.all(running.map(sender => sender.ended));
    await on.drained();
  });
});
