import { monotonicNow } from '../internal/monotonic-clock.js';
import { clearTimeout, setTimeout } from '../internal/timers.js';

const MINUTE = 60_000;

/** How fast requests may follow one another. */
export interface RateLimitOptions {
  /** Default 48: Synap's smallest plan allows 60, and burst and clocks need room. */
  requestsPerMinute: number;
  /** Requests that may go at once after a quiet time. Default 8. */
  burst: number;
}

/** Milliseconds to wait before the next request may go; 0 has taken its place. */
export type WaitForToken = () => number;

export const UNLIMITED: WaitForToken = () => 0;

/**
 * A token bucket that only answers how long to wait: the waiting is the relay's, whose timers don't hold the process. It
 * begins full.
 */
export function tokenBucket({ requestsPerMinute, burst }: RateLimitOptions): WaitForToken {
  const msPerToken = MINUTE / requestsPerMinute;
  let tokens = burst;
  let filledAt = monotonicNow();
  return () => {
    const now = monotonicNow();
    tokens = Math.min(burst, tokens + (now - filledAt) / msPerToken);
    filledAt = now;
    if (tokens < 1) return Math.max(1, Math.ceil((1 - tokens) * msPerToken));
    tokens--;
    return 0;
  };
}

/** When the next request may go: as the rate limit says, or at once while it is suspended, as the process is about to end. */
export class RateLimiter {
  readonly #rateLimit: WaitForToken;
  readonly #paused = new Set<() => void>();
  #suspendedUntil = 0;

  constructor(rateLimit: WaitForToken) {
    this.#rateLimit = rateLimit;
  }

  get isSuspended(): boolean {
    return monotonicNow() < this.#suspendedUntil;
  }

  /** There is no limit for so long, and what pauses goes on. */
  suspend(ms: number): void {
    this.#suspendedUntil = monotonicNow() + ms;
    for (const goOn of this.#paused) goOn();
  }

  /** The limit holds again: Synap has asked to slow down. */
  resume(): void {
    this.#suspendedUntil = 0;
  }

  /** Milliseconds to wait before the next request may go; 0 has taken its place. */
  next(): number {
    return this.isSuspended ? 0 : this.#rateLimit();
  }

  /** The timer of a pause does not hold the process. */
  pause(ms: number): Promise<void> {
    return new Promise(resolve => {
      const goOn = () => {
        clearTimeout(timer);
        this.#paused.delete(goOn);
        resolve();
      };
      const timer = setTimeout(goOn, ms);
      timer.unref?.();
      this.#paused.add(goOn);
    });
  }
}
