import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { Outcome } from '../../src/delivery/decide.js';
import { PoisonIsolation } from '../../src/delivery/poison-isolation.js';
import { aClaim, dead, delivered, errors, held, refused, unclear } from './failures.js';

const NOW = 1000;
const BACKOFF = { baseMs: 100, maxMs: 1000 };
const entries = (count: number) => Array.from({ length: count }, (_, n) => aClaim(`k${n}`, `c${n}`));

beforeEach(() => {
  vi.spyOn(Math, 'random').mockReturnValue(0.5);
});

const isolation = (size = 16) => new PoisonIsolation(size, BACKOFF);
const fail = (of: PoisonIsolation, count: number, error: unknown = errors.unavailable()) =>
  of.after(unclear(error, ...entries(count)), NOW);
const waiting = (of: PoisonIsolation, now = NOW) => [...of.waiting(now).conversations];

describe('the next batch', () => {
  it('is full at first, and after a single failure', () => {
    const of = isolation();
    expect(of.batchSize).toBe(16);
    fail(of, 16);
    expect(of.batchSize).toBe(16);
  });

  it('is half of one that failed twice in a row, rounded up, down to one', () => {
    const of = isolation();
    fail(of, 16);
    const sizes = [16, 8, 5, 3, 2].map(size => {
      fail(of, size);
      return of.batchSize;
    });
    expect(sizes).toEqual([8, 4, 3, 2, 1]);
  });

  it('doubles with each success until it is full again', () => {
    const of = isolation(7);
    fail(of, 7);
    fail(of, 2);
    const sizes = [1, 2, 4, 7].map(size => {
      expect(of.batchSize).toBe(size);
      of.after(delivered(...entries(size)), NOW);
      return of.batchSize;
    });
    expect(sizes).toEqual([2, 4, 7, 7]);
  });

  it('stays full when a success stands between two failures', () => {
    const of = isolation();
    fail(of, 16);
    of.after(delivered(...entries(16)), NOW);
    fail(of, 16);
    expect(of.batchSize).toBe(16);
  });

  it('has one message after two that got no answer', () => {
    const of = isolation();
    fail(of, 16, errors.unanswered);
    expect(of.batchSize).toBe(16);
    fail(of, 16, errors.unanswered);
    expect(of.batchSize).toBe(1);
  });

  it('has one message after an answer that can’t be read, until each was sent alone', () => {
    const of = isolation();
    fail(of, 3, errors.unreadable);
    expect(of.batchSize).toBe(1);
    const sizes = [0, 1, 2, 3].map(() => {
      of.after(delivered(...entries(1)), NOW);
      return of.batchSize;
    });
    expect(sizes).toEqual([1, 1, 2, 4]);
  });

  it('counts a failure of one message as the first of two', () => {
    const of = isolation();
    fail(of, 1);
    fail(of, 16);
    expect(of.batchSize).toBe(8);
  });

  it('counts an unreadable answer as the first of two failures', () => {
    const of = isolation();
    fail(of, 2, errors.unreadable);
    fail(of, 16);
    expect(of.batchSize).toBe(8);
  });

  it('is half of one that met a rate limit three times, with nothing delivered in between', () => {
    const of = isolation();
    const limit = (count: number) => of.after(held(errors.rateLimit(), ...entries(count)), NOW);
    const sizes = [16, 16, 16, 8, 4].map(size => {
      limit(size);
      return of.batchSize;
    });
    expect(sizes).toEqual([16, 16, 8, 4, 2]);
    of.after(delivered(...entries(2)), NOW);
    limit(4);
    expect(of.batchSize).toBe(4);
  });

  it.each([
    ['a rate limit', errors.rateLimit()],
    ['a refused key', errors.account],
  ])('is as large as before after %s, which says nothing about the messages', (_, error) => {
    const of = isolation();
    of.after(held(error, ...entries(16)), NOW);
    of.after(held(error, ...entries(1)), NOW);
    fail(of, 16);
    expect(of.batchSize).toBe(16);
    expect(waiting(of)).toEqual([]);
  });
});

describe('a conversation', () => {
  it('waits when its message failed alone, and not when it failed among others', () => {
    const of = isolation();
    of.after(unclear(errors.unavailable(), aClaim('k', 'alone')), NOW);
    fail(of, 2);
    expect(waiting(of)).toEqual(['alone']);
  });

  it('waits when its message was refused and may not be to blame, also among others', () => {
    const of = isolation();
    of.after([...refused(aClaim('k', 'a')), ...delivered(aClaim('k2', 'b'))], NOW);
    expect(waiting(of)).toEqual(['a']);
    expect(of.batchSize).toBe(16);
  });

  it('waits longer each time, up to the longest backoff, and goes when that has passed', () => {
    const of = isolation();
    const waits = [1, 2, 3, 4, 5, 6].map(() => {
      fail(of, 1);
      return of.waiting(NOW).until - NOW;
    });
    expect(waits).toEqual([50, 100, 200, 400, 500, 500]);
    expect(waiting(of, NOW + 499)).toEqual(['c0']);
    expect(waiting(of, NOW + 500)).toEqual([]);
  });

  it('waits much longer once it got no answer five times', () => {
    const of = isolation();
    const waits = [1, 2, 3, 4, 5, 6].map(() => {
      fail(of, 1, errors.unanswered);
      return of.waiting(NOW).until - NOW;
    });
    expect(waits).toEqual([50, 100, 200, 400, 950, 1900]);
  });

  it.each([
    ['delivered', delivered(aClaim('k', 'c0'))],
    ['refused', dead(aClaim('k', 'c0'))],
  ])('goes at once when its message is %s, and begins anew', (_, outcomes) => {
    const of = isolation();
    fail(of, 1);
    fail(of, 1);
    of.after(outcomes, NOW);
    expect(waiting(of)).toEqual([]);
    fail(of, 1);
    expect(of.waiting(NOW).until).toBe(NOW + 50);
  });

  it('goes at once when its message is given up', () => {
    const of = isolation();
    fail(of, 1);
    of.release('c0');
    expect(waiting(of)).toEqual([]);
  });

  it('still waits when another is delivered', () => {
    const of = isolation();
    fail(of, 1);
    of.after(delivered(aClaim('k', 'another')), NOW);
    expect(waiting(of)).toEqual(['c0']);
  });

  it('goes at once when the relay is about to close, and then waits for as long as it would have', () => {
    const of = isolation();
    fail(of, 1);
    of.skipBackoff();
    expect(waiting(of)).toEqual([]);
    fail(of, 1);
    expect(of.waiting(NOW).until).toBe(NOW + 100);
  });

  it('that waits is among those a batch leaves out, and the first to go says until when', () => {
    const of = isolation();
    expect(of.waiting(NOW)).toEqual({ conversations: new Set(), until: Number.POSITIVE_INFINITY });
    for (const conversation of ['a', 'b', 'b']) of.after(unclear(errors.notSent, aClaim('k', conversation)), NOW);
    expect(of.waiting(NOW)).toEqual({ conversations: new Set(['a', 'b']), until: NOW + 50 });
  });
});

describe('a thousand conversations that wait', () => {
  const failOf = (of: PoisonIsolation, conversation: string) =>
    of.after(unclear(errors.unavailable(), aClaim('k', conversation)), NOW);

  it('are the most there can be, and those that are known go on to wait longer', () => {
    const of = isolation();
    for (let n = 0; n < 1001; n++) failOf(of, `c${n}`);
    expect(waiting(of)).toHaveLength(1000);
    expect(waiting(of)).not.toContain('c1000');
    for (let n = 0; n < 1000; n++) failOf(of, `c${n}`);
    expect(of.waiting(NOW).until).toBe(NOW + 100);
  });

  it('leave room for others once their messages were given up', () => {
    const of = isolation();
    for (let n = 0; n < 1000; n++) {
      failOf(of, `c${n}`);
      of.release(`c${n}`);
    }
    failOf(of, 'another');
    expect(waiting(of)).toEqual(['another']);
  });
});

it('what was delivered before the failure is free, though the batch failed', () => {
  const of = isolation();
  fail(of, 1);
  const outcomes: Outcome[] = [...delivered(aClaim('k', 'c0')), ...unclear(errors.unavailable(), aClaim('l', 'c1'))];
  of.after(outcomes, NOW);
  expect(waiting(of)).toEqual([]);
});
