import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Decision, type DecisionContext, decide, type GiveUpOptions } from '../../src/delivery/decide.js';
import { type FlushHooks, FlushTracker } from '../../src/delivery/flush-tracker.js';
import { memoryOutbox, type Outbox } from '../../src/index.js';
import type { Progress } from '../../src/outbox/outbox.js';
import { aClaim, dead, delivered, held } from './failures.js';

const OPTIONS: GiveUpOptions = { maxAgeMs: 1000, maxAttempts: 3, ifUnknown: 'resend' };
const CONTEXT: DecisionContext = { ageMs: 0, unreadable: 0, isProven: false, isAccountToBlame: false };
const at = (position: number) => aClaim(`k${position}`, 'c', { position });
const decisionsOn = (outcomes: Parameters<typeof decide>[0][]): Decision[] =>
  outcomes.map(outcome => decide(outcome, OPTIONS, CONTEXT));
const done = (...positions: number[]) => decisionsOn(delivered(...positions.map(at)));
const refused = (...positions: number[]) => decisionsOn(dead(...positions.map(at)));

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

/** A tracker on an outbox whose progress the test says. */
function tracking(now: Progress, fields: Partial<Outbox> = {}) {
  const state = { now };
  const progress = vi.fn<(position?: number) => ReturnType<Outbox['progress']>>(() => state.now);
  const tracker = new FlushTracker({ ...memoryOutbox(), progress, ...fields });
  const hooks: FlushHooks = { begun: vi.fn(), cannotFinishBy: () => false, outstanding: () => 7 };
  return {
    tracker,
    progress,
    hooks,
    flush: (timeoutMs = 10_000, ready?: Promise<void>, changed: Partial<FlushHooks> = {}) =>
      tracker.flush(timeoutMs, ready, { ...hooks, ...changed }),
    /** Something was settled, and this much is left. */
    settle(decisions: Decision[], outstanding: number, deadLetters = 0) {
      state.now = { ...state.now, outstanding, deadLetters };
      tracker.settled(decisions);
      tracker.progress();
    },
  };
}

const flushPromises = () => vi.advanceTimersByTimeAsync(0);

/** Whether a promise has settled by now. */
async function isDone(promise: Promise<unknown>): Promise<boolean> {
  let done = false;
  void promise.then(() => {
    done = true;
  });
  await flushPromises();
  return done;
}

describe('a flush', () => {
  it('of nothing ends at once, and leaves no timer', async () => {
    const { flush, hooks, progress } = tracking({ position: 0, outstanding: 0, deadLetters: 0 });
    expect(await flush()).toEqual({ delivered: 0, pending: 0, deadLettered: 0 });
    expect(hooks.begun).toHaveBeenCalledOnce();
    expect(progress.mock.calls).toEqual([[undefined]]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('ends once everything before it was settled, and says what became of it', async () => {
    const { flush, settle, progress } = tracking({ position: 3, outstanding: 3, deadLetters: 0 });
    const flushed = flush();
    await flushPromises();
    settle(done(1), 2);
    expect(await isDone(flushed)).toBe(false);
    settle([...done(2), ...refused(3)], 0, 1);
    expect(await flushed).toEqual({ delivered: 2, pending: 0, deadLettered: 1 });
    expect(progress.mock.calls.slice(1)).toEqual([[3], [3]]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('does not count what was put after it, nor what went back', async () => {
    const { flush, settle } = tracking({ position: 2, outstanding: 1, deadLetters: 0 });
    const flushed = flush();
    await flushPromises();
    settle([...done(2, 3), ...decisionsOn(held('x', at(1)))], 0);
    expect(await flushed).toEqual({ delivered: 1, pending: 0, deadLettered: 0 });
  });

  it('counts what was settled while it waited for what was said before it', async () => {
    const { flush, settle } = tracking({ position: 2, outstanding: 2, deadLetters: 0 });
    const ready = Promise.withResolvers<void>();
    const flushed = flush(10_000, ready.promise);
    await flushPromises();
    settle(done(1, 5), 1);
    ready.resolve();
    await flushPromises();
    settle(done(2), 0);
    expect(await flushed).toEqual({ delivered: 2, pending: 0, deadLettered: 0 });
  });

  it('sees what is settled while the outbox says how far it is', async () => {
    const answers = [
      Promise.resolve({ position: 1, outstanding: 1, deadLetters: 0 }),
      Promise.resolve({ position: 1, outstanding: 0, deadLetters: 0 }),
    ];
    const { flush, tracker } = tracking(
      { position: 0, outstanding: 0, deadLetters: 0 },
      {
        progress: () => {
          const answer = answers.shift();
          if (!answer) throw new Error('asked too often');
          return answer;
        },
      },
    );
    const flushed = flush();
    await Promise.resolve();
    tracker.settled(done(1));
    tracker.progress();
    await flushPromises();
    tracker.progress();
    expect(await flushed).toEqual({ delivered: 1, pending: 0, deadLettered: 0 });
  });

  it('ends when its time is over, with what is left', async () => {
    const { flush, settle } = tracking({ position: 3, outstanding: 3, deadLetters: 0 });
    const flushed = flush(500);
    await flushPromises();
    settle(done(1), 2);
    await vi.advanceTimersByTimeAsync(499);
    expect(await isDone(flushed)).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(await flushed).toEqual({ delivered: 1, pending: 2, deadLettered: 0 });
    expect(vi.getTimerCount()).toBe(0);
  });

  it('longer than a timer can be does not end at once', async () => {
    const { flush, settle } = tracking({ position: 1, outstanding: 1, deadLetters: 0 });
    const flushed = flush(Number.MAX_SAFE_INTEGER);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(await isDone(flushed)).toBe(false);
    settle(done(1), 0);
    expect(await flushed).toMatchObject({ delivered: 1 });
  });

  it('waits no longer when nothing can be sent in its time', async () => {
    const deadline = vi.fn(() => true);
    const now = Date.now();
    const { flush } = tracking({ position: 2, outstanding: 2, deadLetters: 0 });
    expect(await flush(500, undefined, { cannotFinishBy: deadline })).toEqual({
      delivered: 0,
      pending: 2,
      deadLettered: 0,
    });
    expect(deadline).toHaveBeenCalledOnce();
    expect(deadline.mock.calls).toEqual([[expect.any(Number)]]);
    expect(Number(deadline.mock.calls.flat()[0]) - now).toBeGreaterThanOrEqual(500);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('asks again whether it can finish, when something has happened', async () => {
    let isHopeless = false;
    const { flush, tracker } = tracking({ position: 2, outstanding: 2, deadLetters: 0 });
    const flushed = flush(500, undefined, { cannotFinishBy: () => isHopeless });
    expect(await isDone(flushed)).toBe(false);
    isHopeless = true;
    tracker.progress();
    expect(await isDone(flushed)).toBe(true);
  });

  it('waits for what is said before it no longer than its time', async () => {
    const { flush } = tracking({ position: 2, outstanding: 2, deadLetters: 0 });
    const flushed = flush(500, new Promise(() => {}));
    await vi.advanceTimersByTimeAsync(499);
    expect(await isDone(flushed)).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(await flushed).toEqual({ delivered: 0, pending: 7, deadLettered: 0 });
  });

  it('covers what was put when that was said, not what comes later', async () => {
    const { flush, progress } = tracking({ position: 2, outstanding: 0, deadLetters: 0 });
    const ready = Promise.withResolvers<void>();
    const flushed = flush(500, ready.promise);
    await flushPromises();
    expect(progress).not.toHaveBeenCalled();
    ready.resolve();
    expect(await flushed).toMatchObject({ pending: 0 });
  });
});

describe('an outbox', () => {
  it('that fails to say how far it is has everything outstanding that the relay knows of', async () => {
    const { flush } = tracking(
      { position: 0, outstanding: 0, deadLetters: 0 },
      {
        progress: () => {
          throw new Error('the disk is full');
        },
      },
    );
    expect(await flush()).toEqual({ delivered: 0, pending: 7, deadLettered: 0 });
    expect(vi.getTimerCount()).toBe(0);
  });

  it('that fails later is taken to be where it was', async () => {
    const { flush, progress, tracker } = tracking({ position: 2, outstanding: 2, deadLetters: 0 });
    const flushed = flush(500);
    await flushPromises();
    progress.mockRejectedValueOnce(new Error('the disk is full'));
    tracker.progress();
    expect(await isDone(flushed)).toBe(false);
    await vi.advanceTimersByTimeAsync(500);
    expect(await flushed).toMatchObject({ pending: 2 });
  });

  it('that never answers does not keep a flush beyond its time', async () => {
    const { flush, progress } = tracking({ position: 2, outstanding: 2, deadLetters: 0 });
    progress.mockReturnValue(new Promise(() => {}));
    const flushed = flush(500);
    await vi.advanceTimersByTimeAsync(500);
    expect(await flushed).toEqual({ delivered: 0, pending: 7, deadLettered: 0 });

    const other = tracking({ position: 2, outstanding: 2, deadLetters: 0 });
    const late = other.flush(500);
    await flushPromises();
    other.progress.mockReturnValue(new Promise(() => {}));
    other.tracker.progress();
    await vi.advanceTimersByTimeAsync(500);
    expect(await late).toEqual({ delivered: 0, pending: 2, deadLettered: 0 });
  });
});

describe('an outbox that others share', () => {
  const shared = (outstanding: number, deadLetters = 0) =>
    tracking({ position: 5, outstanding, deadLetters }, { pollMs: 1000 });

  it('is asked again each time others may have done something', async () => {
    const { flush, progress } = shared(2);
    const flushed = flush(60_000);
    await flushPromises();
    progress.mockReturnValue({ position: 5, outstanding: 0, deadLetters: 0 });
    await vi.advanceTimersByTimeAsync(999);
    expect(await isDone(flushed)).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(await flushed).toEqual({ delivered: 2, pending: 0, deadLettered: 0 });
  });

  it('is asked at once when something was settled here, and no timer is left', async () => {
    const { flush, settle } = shared(1);
    const flushed = flush(60_000);
    await flushPromises();
    settle(done(1), 0);
    expect(await isDone(flushed)).toBe(true);
    expect(vi.getTimerCount()).toBe(1);
    await vi.advanceTimersByTimeAsync(1000);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('tells what others delivered and refused from what was settled here', async () => {
    const { flush, settle } = shared(5, 3);
    const flushed = flush(500);
    await flushPromises();
    // Here one is delivered and one refused; elsewhere one is delivered and one refused.
    settle([...done(1), ...refused(2)], 1, 5);
    await vi.advanceTimersByTimeAsync(500);
    expect(await flushed).toEqual({ delivered: 2, pending: 1, deadLettered: 2 });
  });

  it('in which dead letters were replayed never counts below zero', async () => {
    const { flush, settle } = shared(1, 3);
    const flushed = flush(500);
    await flushPromises();
    settle(done(1), 2, 0);
    await vi.advanceTimersByTimeAsync(500);
    expect(await flushed).toEqual({ delivered: 1, pending: 2, deadLettered: 0 });
  });

  it('has no more dead letters of others than what they settled', async () => {
    const { flush, settle } = shared(2);
    const flushed = flush(500);
    await flushPromises();
    settle(done(1), 0, 4);
    expect(await flushed).toEqual({ delivered: 1, pending: 0, deadLettered: 1 });
  });
});

describe('an outbox of this process only', () => {
  it('counts nothing that was not settled here', async () => {
    const { flush, settle } = tracking({ position: 5, outstanding: 3, deadLetters: 0 });
    const flushed = flush(500);
    await flushPromises();
    settle(done(1), 0, 1);
    expect(await flushed).toEqual({ delivered: 1, pending: 0, deadLettered: 0 });
  });
});

describe('a flush that is under way', () => {
  it('makes the relay send at once, until it ends', async () => {
    const { flush, settle, tracker } = tracking({ position: 1, outstanding: 1, deadLetters: 0 });
    expect(tracker.isWaiting).toBe(false);
    const isWaiting = vi.fn(() => expect(tracker.isWaiting).toBe(true));
    const flushed = flush(500, undefined, { begun: isWaiting });
    expect(isWaiting).toHaveBeenCalledOnce();
    await flushPromises();
    settle(done(1), 0);
    await flushed;
    expect(tracker.isWaiting).toBe(false);
  });

  it('without any time makes nothing go', async () => {
    const { flush, tracker } = tracking({ position: 1, outstanding: 1, deadLetters: 0 });
    const flushed = flush(0);
    expect(tracker.isWaiting).toBe(false);
    await vi.advanceTimersByTimeAsync(0);
    expect(await flushed).toMatchObject({ pending: 1 });
  });

  it('beside one without any time still makes the relay send', () => {
    const { flush, tracker } = tracking({ position: 1, outstanding: 1, deadLetters: 0 });
    void flush(0);
    void flush(500);
    expect(tracker.isWaiting).toBe(true);
  });

  it('ends when the relay is closed, and what is left is not delivered', async () => {
    const { flush, progress, tracker } = tracking({ position: 3, outstanding: 3, deadLetters: 0 });
    const flushed = flush(60_000);
    await flushPromises();
    // The memory of a closed outbox is empty. What was put later does not count.
    progress.mockReturnValue({ position: 3, outstanding: 0, deadLetters: 0 });
    tracker.settled([...done(1, 4), ...refused(2)]);
    tracker.stop();
    expect(await flushed).toEqual({ delivered: 1, pending: 1, deadLettered: 1 });
    expect(vi.getTimerCount()).toBe(0);
  });

  it('does not count twice what was settled before it knew what it covers, when the relay is closed', async () => {
    const { flush, settle, tracker } = tracking({ position: 3, outstanding: 3, deadLetters: 0 });
    const ready = Promise.withResolvers<void>();
    const flushed = flush(60_000, ready.promise);
    await flushPromises();
    settle(done(1), 2);
    ready.resolve();
    await flushPromises();
    tracker.stop();
    expect(await flushed).toEqual({ delivered: 1, pending: 2, deadLettered: 0 });
  });

  it('that begins after the close does not wait', async () => {
    const { flush, tracker } = tracking({ position: 3, outstanding: 3, deadLetters: 0 });
    tracker.stop();
    expect(await flush(60_000)).toEqual({ delivered: 0, pending: 3, deadLettered: 0 });
  });
});
