// Loaded before each test file. The package takes the timers and the clock of the platform when it is loaded, so that the fake
// timers of an app change nothing. In its own tests it looks them up each time, so that `vi.useFakeTimers()` does.

import { vi } from 'vitest';

vi.mock('../../src/internal/timers.js', () => ({
  setTimeout: (...timer: Parameters<typeof setTimeout>) => setTimeout(...timer),
  clearTimeout: (timer?: NodeJS.Timeout) => clearTimeout(timer),
  setInterval: (...timer: Parameters<typeof setInterval>) => setInterval(...timer),
  clearInterval: (timer?: NodeJS.Timeout) => clearInterval(timer),
  areReplaced: () => false,
}));

vi.mock('../../src/internal/monotonic-clock.js', () => {
  let latest = 0;
  let ahead = 0;
  // `vi.setSystemTime()` moves `Date` only.
  const monotonicNow = () => {
    const now = Date.now() + ahead;
    if (now < latest) ahead += latest - now;
    latest = Math.max(latest, now);
    return latest;
  };
  return { monotonicNow };
});
