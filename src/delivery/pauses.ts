import { askedToWait, errorForLog, isAboutAccount, type Outcome } from './deliver.js';
import type { Logger } from './logger.js';

const SECOND = 1000;
const MINUTE = 60 * SECOND;

/** How often a refused key or an empty account is tried again. */
const PROBE_MS = MINUTE;
/** The longest a server's Retry-After is believed. */
const MAX_RETRY_AFTER_MS = 300 * SECOND;
const JITTER = 0.1;

/** Wait after the n-th failure in a row: a random time up to `min(maxMs, baseMs · 2ⁿ)`. */
export interface RetryOptions {
  baseMs: number;
  maxMs: number;
}

/**
 * Decides after each round of sending whether, and for how long, nothing more is sent, and tells the log of each change
 * once.
 *
 * ```
 *   fine ──► unclear (no answer, 5xx, 429)      backoff, or as long as the server asks
 *    ▲  └──► account (key, credits, address)    a minute
 *    └────── a round that is delivered
 * ```
 */
export class Pauses {
  readonly #retry: RetryOptions;
  readonly #logger: Logger;
  #until = 0;
  #failures = 0;
  #trouble: 'none' | 'unclear' | 'account' = 'none';

  constructor(retry: RetryOptions, logger: Logger) {
    this.#retry = retry;
    this.#logger = logger;
  }

  /** Until when nothing is sent, in milliseconds since 1970. */
  get until(): number {
    return this.#until;
  }

  after(outcomes: readonly Outcome[]): void {
    const stopped = outcomes.find(outcome => outcome.type === 'held' || outcome.type === 'unclear');
    if (!stopped) {
      if (outcomes.length === 0) return;
      if (this.#trouble !== 'none') this.#logger.info('Synap takes messages again');
      this.#trouble = 'none';
      this.#failures = 0;
      return;
    }
    const { error } = stopped;
    if (isAboutAccount(error)) {
      this.#warnOnce('account', `${errorForLog(error)}. Messages are kept, and tried again every minute`);
      this.#pause(PROBE_MS);
      return;
    }
    this.#warnOnce('unclear', `${errorForLog(error)}. Messages are kept, and sent again`);
    const asked = askedToWait(error);
    if (asked === undefined) return this.backOff();
    const least = Math.max(Math.min(asked, MAX_RETRY_AFTER_MS), this.#backoff());
    this.#pause(least * (1 + Math.random() * JITTER));
  }

  backOff(): void {
    this.#pause(this.#backoff());
  }

  /** Full jitter: any time up to the bound, so that many apps don't come back at the same moment. */
  #backoff(): number {
    const { baseMs, maxMs } = this.#retry;
    return Math.random() * Math.min(maxMs, baseMs * 2 ** this.#failures++);
  }

  #pause(ms: number): void {
    this.#until = Date.now() + ms;
  }

  #warnOnce(trouble: 'unclear' | 'account', message: string): void {
    if (this.#trouble === trouble) return;
    this.#trouble = trouble;
    this.#logger.warn(message);
  }
}
