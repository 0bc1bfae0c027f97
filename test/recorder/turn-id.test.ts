import { validate, version } from 'uuid';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { newTurnId } from '../../src/recorder/turn-id.js';

afterEach(() => void vi.useRealTimers());

describe('a fresh id of a turn', () => {
  it('is a UUID of version 7', () => {
    for (let n = 0; n < 1000; n++) {
      const id = newTurnId();
      expect([validate(id), version(id)]).toEqual([true, 7]);
    }
  });

  it('begins with the time, whatever that is', () => {
    for (const [now, head] of [
      [0, '00000000-0000-7'],
      [1, '00000000-0001-7'],
      [Date.UTC(2026, 0, 1), '019b76da-a800-7'],
    ] as const) {
      vi.useFakeTimers({ now, toFake: ['Date'] });
      expect(newTurnId().slice(0, 15)).toBe(head);
    }
  });

  it('is no other one’s, however many are made at once', () => {
    vi.useFakeTimers({ now: 0, toFake: ['Date'] });
    expect(new Set(Array.from({ length: 10_000 }, newTurnId)).size).toBe(10_000);
  });
});
