import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { CircuitBreaker } from '../../src/delivery/circuit-breaker.js';
import type { Outcome } from '../../src/delivery/decide.js';
import { monotonicNow } from '../../src/internal/monotonic-clock.js';
import { aClaim, dead, delivered, errors, held, refused, unclear } from './failures.js';

const MINUTE = 60_000;
const entry = aClaim('k');
const ok = () => delivered(entry);
const failed = (error: unknown = errors.unavailable()) => unclear(error, entry);

let log: string[];
let circuit: CircuitBreaker;

beforeEach(() => {
  vi.useFakeTimers();
  vi.spyOn(Math, 'random').mockReturnValue(0.5);
  log = [];
  const write = (level: string) => (message: string) => void log.push(`${level} ${message}`);
  circuit = new CircuitBreaker(
    { baseMs: 1000, maxMs: 60_000 },
    { info: write('info'), warn: write('warn'), error: write('error') },
  );
});

afterEach(() => {
  vi.useRealTimers();
});

const run = (outcomes: Outcome[]) => circuit.run(async () => outcomes);
/** Milliseconds until the next round may go. */
const wait = () => circuit.until - monotonicNow();
async function failAndWait(error?: unknown): Promise<number> {
  vi.setSystemTime(Date.now() + Math.max(0, wait()));
  await run(failed(error));
  return wait();
}

describe('a circuit breaker', () => {
  it('is closed at first, and lets everything go', async () => {
    expect(circuit).toMatchObject({ isOpen: false, isHeld: false, isDown: false, until: 0 });
    const outcomes = ok();
    expect(await run(outcomes)).toBe(outcomes);
    expect(circuit).toMatchObject({ isOpen: false, until: 0 });
    expect(log).toEqual([]);
  });

  it('stays closed over a message that is refused', async () => {
    await run(dead(entry));
    expect(circuit.isOpen).toBe(false);
    expect(log).toEqual([]);
  });

  it('opens with any message that was stopped, not only the first', async () => {
    await run([...ok(), ...failed()]);
    expect(circuit.isOpen).toBe(true);
  });

  it('stays open while a probe is under way, and closes with its success', async () => {
    await run(failed());
    const probe = Promise.withResolvers<Outcome[]>();
    const running = circuit.run(() => probe.promise);
    expect(circuit.isOpen).toBe(true);
    probe.resolve(ok());
    await running;
    expect(circuit).toMatchObject({ isOpen: false, isDown: false, until: 0 });
  });

  it('stays open when a probe fails', async () => {
    await run(failed());
    await run(failed());
    expect(circuit.isOpen).toBe(true);
  });

  it('stays open over the success of a round that had begun before it opened', async () => {
    const early = Promise.withResolvers<Outcome[]>();
    const running = circuit.run(() => early.promise);
    await run(failed());
    const { until } = circuit;
    early.resolve(ok());
    await running;
    expect(circuit).toMatchObject({ isOpen: true, until });
  });
});

describe('the pause', () => {
  it('doubles with each failure, up to the longest', async () => {
    const waits: number[] = [];
    for (let n = 0; n < 8; n++) waits.push(await failAndWait());
    expect(waits).toEqual([500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
  });

  it('begins anew after a success', async () => {
    await failAndWait();
    await failAndWait();
    await run(ok());
    expect(await failAndWait()).toBe(500);
  });

  it('slows down beyond the longest backoff from the fifth request without an answer on', async () => {
    const waits: number[] = [];
    for (let n = 0; n < 8; n++) waits.push(await failAndWait(errors.unanswered));
    expect(waits).toEqual([500, 1000, 2000, 4000, 57_000, 114_000, 228_000, 285_000]);
  });

  it('counts only requests without an answer for that, and forgets them after a success', async () => {
    for (let n = 0; n < 4; n++) await failAndWait(errors.unanswered);
    await failAndWait();
    expect(await failAndWait(errors.unanswered)).toBe(57_000);
    await run(ok());
    expect(await failAndWait(errors.unanswered)).toBe(500);
  });

  it('is a minute for a refused key, however often, and does not count as a failure', async () => {
    for (let n = 0; n < 4; n++) {
      vi.setSystemTime(Date.now() + Math.max(0, wait()));
      await run(held(errors.account, entry));
      expect(wait()).toBe(MINUTE);
    }
    expect(await failAndWait()).toBe(500);
  });

  it('is some seconds at most after an answer that is not Synap’s own', async () => {
    const waits: number[] = [];
    for (let n = 0; n < 6; n++) waits.push(await failAndWait(errors.passing));
    expect(waits).toEqual([500, 1000, 2000, 2500, 2500, 2500]);
  });

  it('grows up to a minute while it is unsure whether the account is refused', async () => {
    const waits: number[] = [];
    for (let n = 0; n < 8; n++) {
      vi.setSystemTime(Date.now() + Math.max(0, wait()));
      await run(held(errors.unsure, entry));
      waits.push(wait());
    }
    expect(waits).toEqual([500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
  });

  it('goes on while a probe only brings refusals that may be the account’s', async () => {
    await run(held(errors.unsure, entry));
    await run(refused(entry));
    expect(circuit).toMatchObject({ isOpen: true, isHeld: true });
    expect(wait()).toBe(1000);
    await run([...refused(entry), ...ok()]);
    expect(circuit.isOpen).toBe(false);
  });

  it('does not begin with one refusal that may be the account’s', async () => {
    await run(refused(entry));
    expect(circuit).toMatchObject({ isOpen: false, until: 0 });
  });

  it('is as long as Synap asks, and a little longer', async () => {
    expect(await failAndWait(errors.rateLimit(10_000))).toBe(10_500);
    expect(await failAndWait(errors.unavailable(20_000))).toBe(21_000);
  });

  it('is at most five minutes, whatever Synap asks', async () => {
    expect(await failAndWait(errors.rateLimit(3_600_000))).toBe(315_000);
  });

  it('is the backoff where Synap asks for less', async () => {
    await failAndWait();
    await failAndWait();
    expect(await failAndWait(errors.rateLimit(0))).toBe(2100);
  });

  it('of rounds side by side grows only by what another is asked to wait', async () => {
    const first = Promise.withResolvers<Outcome[]>();
    const second = Promise.withResolvers<Outcome[]>();
    const running = [circuit.run(() => first.promise), circuit.run(() => second.promise)];
    await run(failed());
    expect(wait()).toBe(500);
    first.resolve(failed());
    await running[0];
    expect(wait()).toBe(500);
    second.resolve(failed(errors.rateLimit(5000)));
    await running[1];
    expect(wait()).toBe(5000);
    expect(await failAndWait()).toBe(1000);
  });

  it('of a round from before the opening, which fails during a probe, does not open it again', async () => {
    const early = Promise.withResolvers<Outcome[]>();
    const running = circuit.run(() => early.promise);
    await run(failed());
    const probe = Promise.withResolvers<Outcome[]>();
    const probing = circuit.run(() => probe.promise);
    const { until } = circuit;
    early.resolve(failed());
    await running;
    expect(circuit.until).toBe(until);
    probe.resolve(failed());
    await probing;
    expect(wait()).toBe(1000);
  });

  it('never becomes shorter by another answer', async () => {
    await run(failed(errors.rateLimit(100_000)));
    const until = circuit.until;
    await run(failed());
    expect(circuit.until).toBe(until);
  });
});

describe('skipping the backoff', () => {
  it('lets the next probe go at once', async () => {
    await run(failed());
    circuit.skipBackoff();
    expect(circuit.until).toBe(0);
    expect(circuit.isOpen).toBe(true);
  });

  it.each([
    ['that Synap has asked for', failed(errors.rateLimit(10_000)), 10_500],
    ['to the next probe of the account', held(errors.account, entry), MINUTE],
  ])('does not shorten the time %s', async (_, outcomes, ms) => {
    await run(outcomes);
    circuit.skipBackoff();
    expect(wait()).toBe(ms);
  });

  it('does not go below a time that was asked for before', async () => {
    await run(failed(errors.rateLimit(100_000)));
    await run(failed(errors.rateLimit(1000)));
    circuit.skipBackoff();
    expect(wait()).toBe(105_000);
    vi.setSystemTime(Date.now() + 105_000);
    await run(ok());
    await run(failed());
    circuit.skipBackoff();
    expect(circuit.until).toBe(0);
  });
});

describe('what it says of Synap', () => {
  it('is down after two failures in a row, not after one', async () => {
    await run(failed());
    expect(circuit.isDown).toBe(false);
    await run(failed());
    expect(circuit.isDown).toBe(true);
    await run(ok());
    expect(circuit.isDown).toBe(false);
  });

  it.each([
    ['a rate limit', errors.rateLimit(1), false],
    ['a refused key', errors.account, true],
  ])('with %s: not down', async (_, error, isHeld) => {
    for (let n = 0; n < 3; n++) await run(held(error, entry));
    await run(held(error, entry));
    expect(circuit).toMatchObject({ isDown: false, isHeld });
  });

  it('is held until a message is delivered', async () => {
    await run(held(errors.account, entry));
    expect(circuit.isHeld).toBe(true);
    await run(ok());
    expect(circuit.isHeld).toBe(false);
  });
});

describe('the log', () => {
  const UNAVAILABLE =
    'warn delivery to Synap paused: Synap is unavailable (503). Messages are kept, and sending is tried again';
  const REFUSED =
    'warn delivery to Synap paused: Synap refused the API key (401). Messages are kept, and sending is tried again, at least every minute';

  it('says once that delivery is paused, and once that it has resumed', async () => {
    for (let n = 0; n < 3; n++) await run(failed());
    await run(held(errors.rateLimit(5), entry));
    await run(failed());
    await run(ok());
    await run(ok());
    expect(log).toEqual([UNAVAILABLE, 'info delivery to Synap resumed']);
  });

  it('says it again when the account is the cause, and when it no longer is', async () => {
    await run(failed());
    await run(held(errors.account, entry));
    await run(held(errors.account, entry));
    await run(failed());
    expect(log).toEqual([UNAVAILABLE, REFUSED, UNAVAILABLE]);
  });

  it('says once that the account is refused, however often it is', async () => {
    for (let n = 0; n < 3; n++) await run(held(errors.account, entry));
    expect(log).toEqual([REFUSED]);
  });

  it('says it again after it has resumed', async () => {
    for (const outcomes of [failed(), ok(), failed()]) await run(outcomes);
    expect(log).toEqual([UNAVAILABLE, 'info delivery to Synap resumed', UNAVAILABLE]);
  });
});
