import { monotonicNow } from '../../internal/monotonic-clock.js';
import { setTimeout } from '../../internal/timers.js';

/** For how long a close waits for others that keep the file locked. Whoever has closed may wait less. */
const MAX_WAIT_MS = 30_000;
const TRY_AGAIN_MS = 20;

/** Calls `finish` again and again until it has done, or gives up. Its timers don't hold the process. */
export async function untilUnlocked(finish: () => 'done' | 'locked'): Promise<void> {
  const until = monotonicNow() + MAX_WAIT_MS;
  do {
    await new Promise<void>(resolve => {
      setTimeout(resolve, TRY_AGAIN_MS).unref?.();
    });
  } while (finish() === 'locked' && monotonicNow() < until);
}
