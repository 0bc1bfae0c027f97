import { outsideRequests } from '../internal/async-context.js';
import { monotonicNow } from '../internal/monotonic-clock.js';
import { MAX_TIMER_MS } from '../internal/promises.js';
import { clearTimeout, setTimeout } from '../internal/timers.js';

/**
 * Calls `send` at a time. Of several times, the earliest counts. It does not hold the process.
 *
 * ```
 *            at()               the time has come
 *   idle ──────────► waiting ───────────────────► idle, and send() is called
 *                     │  ▲
 *                     └──┘ at() with an earlier time
 *   stop() leads from both to idle.
 * ```
 */
export class SendTimer {
  readonly #send: () => void;
  #timer: NodeJS.Timeout | undefined;
  #at = 0;

  constructor(send: () => void) {
    this.#send = send;
  }

  /** @param at a time of {@link monotonicNow}; one that has passed is now */
  at(at: number): void {
    if (this.#timer && this.#at <= at) return;
    this.stop();
    this.#at = at;
    const wait = Math.min(MAX_TIMER_MS, Math.max(0, at - monotonicNow()));
    this.#timer = outsideRequests(() => setTimeout(() => this.#fire(), wait));
    this.#timer.unref?.();
  }

  /** Sends here and now: there may not be another tick. */
  now(): void {
    this.stop();
    outsideRequests(this.#send);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #fire(): void {
    this.#timer = undefined;
    this.#send();
  }
}
