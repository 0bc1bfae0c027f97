import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { SendTimer } from '../../src/delivery/send-timer.js';
import { monotonicNow } from '../../src/internal/monotonic-clock.js';

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

function aTimer() {
  const send = vi.fn();
  return { send, timer: new SendTimer(send), in: (ms: number) => monotonicNow() + ms };
}

it('a timer sends at its time, once', () => {
  const { send, timer, in: at } = aTimer();
  timer.at(at(100));
  vi.advanceTimersByTime(99);
  expect(send).not.toHaveBeenCalled();
  vi.advanceTimersByTime(10_000);
  expect(send).toHaveBeenCalledOnce();
});

it.each([
  ['earlier', 50, 50],
  ['later', 200, 100],
])('of two times the earliest counts, when the second is %s', (_, second, expected) => {
  const { send, timer, in: at } = aTimer();
  timer.at(at(100));
  timer.at(at(second));
  vi.advanceTimersByTime(expected - 1);
  expect(send).not.toHaveBeenCalled();
  vi.advanceTimersByTime(10_000);
  expect(send).toHaveBeenCalledOnce();
});

it('a timer that has sent takes another time, also a later one', () => {
  const { send, timer, in: at } = aTimer();
  timer.at(at(10));
  vi.advanceTimersByTime(10);
  timer.at(at(1000));
  vi.advanceTimersByTime(1000);
  expect(send).toHaveBeenCalledTimes(2);
});

it('a time that has passed is now, and one that no timer reaches is not', () => {
  const { send, timer, in: at } = aTimer();
  timer.at(at(2 ** 40));
  vi.advanceTimersByTime(60_000);
  expect(send).not.toHaveBeenCalled();
  timer.at(at(-5));
  vi.advanceTimersByTime(0);
  expect(send).toHaveBeenCalledOnce();
});

it('a timer that is stopped does not send', () => {
  const { send, timer, in: at } = aTimer();
  timer.at(at(10));
  timer.stop();
  vi.advanceTimersByTime(1000);
  expect(send).not.toHaveBeenCalled();
});

it('what is sent now is sent before anything else happens, and not again', () => {
  const { send, timer, in: at } = aTimer();
  timer.at(at(10));
  timer.now();
  expect(send).toHaveBeenCalledOnce();
  vi.advanceTimersByTime(1000);
  expect(send).toHaveBeenCalledOnce();
});
