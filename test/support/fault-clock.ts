// A fake clock beside real sockets.

import { vi } from 'vitest';

const FAKED = ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date', 'performance'] as const;

/** How many steps an advance takes: between two of them, sockets get their turn. */
const STEPS = 20;
/** So many turns of the event loop without news, and the sockets are taken to be at rest. */
const QUIET_TURNS = 30;

/**
 * A clock that stands still until `advance` is called, while sockets work as they do. `news` is a number that changes
 * whenever something has happened on them.
 *
 * undici keeps timers of its own, once for all: a test file that stops the clock must not start it again.
 */
export function stopClock() {
  vi.useFakeTimers({ toFake: [...FAKED] });
  vi.spyOn(AbortSignal, 'timeout').mockImplementation(ms => {
    const controller = new AbortController();
    setTimeout(() => controller.abort(new DOMException('The time is over', 'TimeoutError')), ms);
    return controller.signal;
  });

  /** Lets the sockets work until nothing more comes of it. */
  async function settle(news: () => number): Promise<void> {
    for (let quiet = 0, last = news(); quiet < QUIET_TURNS; quiet++) {
      await new Promise<void>(resolve => setImmediate(resolve));
      const now = news();
      if (now !== last) quiet = 0;
      last = now;
    }
  }

  return {
    settle,
    /** Lets `ms` go by, in steps. */
    async advance(ms: number, news: () => number): Promise<void> {
      for (let step = 0; step < STEPS; step++) {
        vi.advanceTimersByTime(ms / STEPS);
        await settle(news);
      }
    },
  };
}
