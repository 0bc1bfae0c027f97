import { beforeEach, describe, expect, it, vi } from 'vitest';
import { failureOf } from '../../src/delivery/decide.js';
import { Suspects } from '../../src/delivery/suspects.js';
import type { ClaimedEntry } from '../../src/outbox/outbox.js';
import { aClaim, errors } from './failures.js';

const failure = failureOf(errors.unsure);
const claim = (n: number) => aClaim(`k${n}`, `c${n}`);

let log: string[];
let suspects: Suspects;

beforeEach(() => {
  log = [];
  suspects = new Suspects({ info() {}, warn: line => void log.push(line), error() {} });
});

const refuse = (...numbers: number[]) => numbers.forEach(n => void suspects.refused(claim(n), failure, suspects.now()));
const accept = (...entries: ClaimedEntry[]) => suspects.accepted(entries, suspects.now());

describe('a suspect', () => {
  it('is nobody who was not refused', () => {
    expect([suspects.has('k1'), suspects.isOnLastTry('k1'), suspects.isProven('k1')]).toEqual([false, false, false]);
    expect(suspects.failureOf('k1')).toBeUndefined();
  });

  it('stays one however often it is refused, while nothing else is accepted', () => {
    refuse(1, 1, 1);
    expect([suspects.has('k1'), suspects.isOnLastTry('k1'), suspects.isProven('k1')]).toEqual([true, false, false]);
    expect(suspects.count).toBe(1);
    expect(suspects.failureOf('k1')).toBe(failure);
  });

  it('is to blame when it is refused again after another was accepted', () => {
    refuse(1);
    accept(claim(2));
    expect([suspects.isOnLastTry('k1'), suspects.isProven('k1')]).toEqual([true, false]);
    expect([...suspects.conversationsOnLastTry()]).toEqual(['c1']);
    refuse(1);
    expect(suspects.isProven('k1')).toBe(true);
  });

  it('is to blame at once when another was accepted after a batch with it was refused', () => {
    const since = suspects.now();
    accept(claim(2));
    suspects.refused(claim(1), failure, suspects.now(), since);
    expect([suspects.isProven('k1'), suspects.count]).toEqual([true, 0]);
  });

  it('is none any more when another one is accepted after all: the account was to blame', () => {
    refuse(1, 2, 3);
    accept(claim(9));
    refuse(1);
    accept(claim(2));
    expect([suspects.isProven('k1'), suspects.has('k2'), suspects.has('k3'), suspects.count]).toEqual([
      true,
      false,
      false,
      0,
    ]);
    refuse(3);
    expect([suspects.isProven('k3'), suspects.count]).toEqual([false, 1]);
  });

  it.each([
    ['another batch', () => void suspects.batchRefused()],
    ['another message', () => refuse(3)],
  ])('is not to blame when %s was refused between the two: the account may be', (_, refuseAnother) => {
    const since = suspects.batchRefused();
    accept(claim(2));
    refuseAnother();
    suspects.refused(claim(1), failure, suspects.now(), since);
    expect([suspects.isOnLastTry('k1'), suspects.isProven('k1')]).toEqual([false, false]);
  });

  it('is not on its last try when the other was sent before the refusal', () => {
    const begunAt = suspects.now();
    refuse(1);
    suspects.accepted([claim(2)], begunAt);
    expect(suspects.isOnLastTry('k1')).toBe(false);
  });

  it('is not proven by a refusal whose request began before the other was accepted', () => {
    refuse(1);
    const begunAt = suspects.now();
    accept(claim(2));
    suspects.refused(claim(1), failure, begunAt);
    expect([suspects.isOnLastTry('k1'), suspects.isProven('k1')]).toEqual([true, false]);
  });

  it('lets its conversation go when another was accepted, and not before', () => {
    refuse(1);
    expect([...suspects.conversationsOnLastTry()]).toEqual([]);
    accept(claim(2));
    refuse(3);
    expect([...suspects.conversationsOnLastTry()]).toEqual(['c1']);
  });

  it('says for ten minutes after it was accepted that refusals come and go', () => {
    vi.useFakeTimers();
    try {
      refuse(1);
      accept(claim(2));
      expect(suspects.comeAndGo).toBe(false);
      accept(claim(1));
      expect(suspects.comeAndGo).toBe(true);
      vi.setSystemTime(Date.now() + 599_000);
      expect(suspects.comeAndGo).toBe(true);
      vi.setSystemTime(Date.now() + 2000);
      expect(suspects.comeAndGo).toBe(false);
    } finally {
      vi.useRealTimers();
    }
  });

  it('is judged by the acceptance that began last, though an older one ends later', () => {
    const early = suspects.now();
    refuse(1);
    accept(claim(2));
    suspects.accepted([claim(3)], early);
    expect(suspects.isOnLastTry('k1')).toBe(true);
  });

  it('is none any more once it has left the outbox', () => {
    refuse(1);
    suspects.forget('k1');
    expect([suspects.has('k1'), suspects.count]).toEqual([false, 0]);
  });

  it('is none when it is accepted, or has left the outbox', () => {
    refuse(1, 2);
    accept(claim(1));
    suspects.forget('k2');
    expect([suspects.has('k1'), suspects.has('k2'), suspects.count]).toEqual([false, false, 0]);
  });

  it('has no last try after an answer that accepts nothing', () => {
    refuse(1);
    accept();
    expect(suspects.isOnLastTry('k1')).toBe(false);
  });
});

describe('the blame', () => {
  it('goes from the message to the account with the number of messages that were refused in a row', () => {
    const blames = Array.from({ length: 11 }, (_, n) => {
      const { blame } = suspects;
      refuse(n);
      return blame;
    });
    expect(blames).toEqual(['none', 'message', 'message', ...Array<string>(7).fill('either'), 'account']);
  });

  it('is forgotten when a message is accepted', () => {
    refuse(1, 2, 3, 4);
    accept(claim(9));
    expect([suspects.blame, suspects.count]).toEqual(['none', 0]);
  });

  it('does not grow by a message that is known to be to blame', () => {
    refuse(1);
    accept(claim(2));
    refuse(1);
    expect(suspects.count).toBe(0);
  });
});

it('ten thousand are remembered', { timeout: 60_000 }, () => {
  for (let n = 0; n <= 10_000; n++) refuse(n);
  expect([suspects.has('k0'), suspects.has('k1'), suspects.count]).toEqual([false, true, 10_000]);
});

it('the first is logged, and not again within ten minutes', () => {
  vi.useFakeTimers();
  try {
    refuse(1, 2);
    accept(claim(9));
    refuse(3);
    expect(log).toEqual([
      'message k1 was refused: Synap answered 403. It is held: if Synap accepts other messages and refuses this one again, it becomes a dead letter',
    ]);
    vi.setSystemTime(Date.now() + 600_000);
    accept(claim(9));
    refuse(4);
    expect(log).toHaveLength(2);
  } finally {
    vi.useRealTimers();
  }
});
