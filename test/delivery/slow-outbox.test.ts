import { describe, expect, it } from 'vitest';
import { memoryOutbox, type Outbox } from '../../src/index.js';
import { balanced, recorderOn } from '../support/recorder.js';
import { turns } from '../support/turns.js';

/**
 * An outbox as a database far away would be one: each answer takes its time, and now and then there is none; the call
 * has changed nothing then.
 */
function farOutbox({ failures = 0, seed = 1 } = {}): Outbox {
  const inner = memoryOutbox();
  let state = seed;
  const random = () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
  const far =
    <A extends unknown[], R>(name: string, call: (...args: A) => R | Promise<R>) =>
    async (...args: A): Promise<R> => {
      await turns(random() * 60);
      if (random() < failures) throw new Error(`${name}: the connection is gone`);
      const answer = await call(...args);
      await turns(random() * 60);
      return answer;
    };
  // Calls go over one connection: they arrive in the order in which they were made.
  let last: Promise<unknown> = Promise.resolve();
  const queued =
    <A extends unknown[], R>(call: (...args: A) => Promise<R>) =>
    (...args: A): Promise<R> => {
      const answer = last.then(() => call(...args));
      last = answer.catch(() => {});
      return answer;
    };
  return {
    durable: true,
    put: queued(far('put', inner.put)),
    claim: queued(far('claim', inner.claim)),
    settle: queued(far('settle', inner.settle)),
    progress: queued(far('progress', inner.progress)),
    deadLetters: queued(far('deadLetters', inner.deadLetters)),
    replay: queued(far('replay', inner.replay)),
    purge: queued(far('purge', inner.purge)),
    close: queued(far('close', inner.close)),
    stats: inner.stats,
  };
}

const inOrder = (count: number) => Array.from({ length: count }, (_, n) => `m${n}`);

describe('an outbox that answers asynchronously', () => {
  it.each([1, 4])('keeps order, and each message once, with %i batches at once', async maxInFlight => {
    await using on = await recorderOn(undefined, {
      outbox: farOutbox(),
      maxInFlight,
      batch: { maxMessages: 7, lingerMs: 1 },
    });
    for (let n = 0; n < 60; n++) on.recorder.turn({ conversationId: `c${n % 6}` }).user(`m${n}`);
    expect(await on.recorder.flush()).toEqual({ delivered: 60, pending: 0, deadLettered: 0 });
    for (let c = 0; c < 6; c++)
      expect(
        on.synap.stored.map(message => message.content).filter(content => Number(content.slice(1)) % 6 === c),
      ).toEqual(inOrder(60).filter((_, n) => n % 6 === c));
    expect(balanced(on.recorder)).toMatchObject({ accepted: 60, delivered: 60 });
  });

  it.each([1, 2, 3])('that fails now and then loses nothing that it has taken (%i)', async seed => {
    await using on = await recorderOn((_, index) => (index % 3 === 1 ? { status: 503 } : undefined), {
      outbox: farOutbox({ failures: 0.2, seed }),
      maxInFlight: 4,
      batch: { maxMessages: 7, lingerMs: 1 },
    });
    const turns = Array.from({ length: 60 }, (_, n) => on.recorder.turn({ conversationId: `c${n % 6}` }));
    turns.forEach((turn, n) => {
      turn.user(`m${n}`);
    });
    const outcomes = await Promise.all(turns.map(turn => turn.accepted));
    const taken = inOrder(60).filter((_, n) => outcomes[n]?.accepted === 1);
    expect(on.losses.map(loss => loss.reason)).toEqual(Array(60 - taken.length).fill('outbox_failed'));
    await expect.poll(() => new Set(on.synap.stored.map(message => message.content)).size).toBe(taken.length);
    await expect.poll(() => balanced(on.recorder).delivered).toBe(taken.length);
    for (let c = 0; c < 6; c++) {
      const firsts = [...new Set(on.synap.stored.map(message => message.content))];
      expect(firsts.filter(content => Number(content.slice(1)) % 6 === c)).toEqual(
        taken.filter(content => Number(content.slice(1)) % 6 === c),
      );
    }
  });
});
