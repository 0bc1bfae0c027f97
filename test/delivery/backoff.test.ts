import { expect, it, vi } from 'vitest';
import { backoffMs, unansweredBackoffMs } from '../../src/delivery/backoff.js';

const OPTIONS = { baseMs: 1000, maxMs: 60_000 };

it.each([
  [0, 0],
  [0.5, 500],
  [0.999, 999],
])('the wait after a first failure is a random part of a second: %d of it', (random, ms) => {
  vi.spyOn(Math, 'random').mockReturnValue(random);
  expect(backoffMs(0, OPTIONS)).toBe(ms);
});

it('the wait doubles with each failure, up to the longest', () => {
  vi.spyOn(Math, 'random').mockReturnValue(1);
  const waits = [0, 1, 2, 5, 6, 1000].map(failures => backoffMs(failures, OPTIONS));
  expect(waits).toEqual([1000, 2000, 4000, 32_000, 60_000, 60_000]);
});

it('the wait after requests without an answer doubles on from the fifth, up to five minutes', () => {
  vi.spyOn(Math, 'random').mockReturnValue(0);
  const waits = [4, 5, 6, 7, 8, 1000].map(unanswered => unansweredBackoffMs(unanswered, OPTIONS));
  expect(waits).toEqual([0, 60_000, 120_000, 240_000, 300_000, 300_000]);
});

it('the wait after four requests without an answer is that of four failures', () => {
  vi.spyOn(Math, 'random').mockReturnValue(1);
  expect([1, 2, 3, 4].map(unanswered => unansweredBackoffMs(unanswered, OPTIONS))).toEqual([1000, 2000, 4000, 8000]);
});

it('chance shortens a slow wait by a tenth at most', () => {
  vi.spyOn(Math, 'random').mockReturnValue(1);
  expect(unansweredBackoffMs(5, OPTIONS)).toBe(54_000);
});
