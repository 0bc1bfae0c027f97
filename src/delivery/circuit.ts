import {
  type CircuitBreakerPolicy,
  CircuitState,
  ConsecutiveBreaker,
  circuitBreaker,
  DelegateBackoff,
  ExponentialBackoff,
  type FailureReason,
  fullJitterGenerator,
  handleWhenResult,
  type IBackoff,
  type IHalfOpenAfterBackoffContext,
  isBrokenCircuitError,
} from 'cockatiel';
import { askedToWait, errorForLog, isAboutAccount, isStopped, type Outcome } from './deliver.js';
import type { Logger } from './logger.js';

const SECOND = 1000;
const MINUTE = 60 * SECOND;

/** How often a refused key or an empty account is tried again. */
const PROBE_MS = MINUTE;
/** The longest a server's Retry-After is believed. */
const MAX_RETRY_AFTER_MS = 300 * SECOND;
const JITTER = 0.1;
const MAX_PAUSE_MS = MAX_RETRY_AFTER_MS * (1 + JITTER);

/** Wait after the n-th failure in a row: a random time up to `min(maxMs, baseMs · 2ⁿ)`. */
export interface BackoffOptions {
  baseMs: number;
  maxMs: number;
}

/** Waits that grow with each failure in a row, with full jitter: many apps don't come back at the same moment. */
export function exponentialBackoff({ baseMs, maxMs }: BackoffOptions): ExponentialBackoff<number> {
  return new ExponentialBackoff({ initialDelay: baseMs, maxDelay: maxMs, generator: fullJitterGenerator });
}

/**
 * The circuit breaker between the relay and Synap. Opening it drops nothing: what was under way goes back to its place.
 *
 * ```
 *              a round is stopped                 its time is over
 *   closed ──────────────────────────► open ──────────────────────────► half-open: one round goes, as a probe
 *     ▲                                 ▲  no answer, 5xx: backoff           │  │
 *     │                                 │  429: as long as it asks           │  │
 *     │                                 │  key, credits, address: a minute   │  │
 *     │                                 └──────────── stopped ───────────────┘  │
 *     └──────────────────────────────────── delivered ──────────────────────────┘
 * ```
 *
 * Each kind of trouble, and its end, is said in the log once.
 */
export class Circuit {
  readonly #breaker: CircuitBreakerPolicy;
  readonly #logger: Logger;
  #until = 0;
  #pauseMs = 0;
  #onlyBackoff = false;
  #hurried = false;
  #trouble: 'none' | 'unclear' | 'account' = 'none';

  constructor(options: BackoffOptions, logger: Logger) {
    this.#logger = logger;
    const backoff = exponentialBackoff(options);
    this.#breaker = circuitBreaker(
      handleWhenResult(outcomes => (outcomes as readonly Outcome[]).some(isStopped)),
      {
        // Every failure counts: what it stands for is known by its error, not by how many there were.
        breaker: new ConsecutiveBreaker(1),
        halfOpenAfter: new DelegateBackoff<IHalfOpenAfterBackoffContext, IBackoff<unknown>>(({ result }, last) => {
          const error = reasonOf(result);
          const next = isAboutAccount(error) && last ? last : (last ?? backoff).next(undefined);
          this.#pauseMs = pauseAfter(error, next.duration);
          return { delay: this.#pauseMs, state: next };
        }),
      },
    );
    this.#breaker.onBreak(() => this.#waitUntil(Date.now() + this.#pauseMs));
    this.#breaker.onReset(() => {
      this.#trouble = 'none';
      this.#logger.info('Synap takes messages again');
    });
  }

  /** Until when nothing is sent, in milliseconds since 1970. */
  get until(): number {
    // However the clock was set meanwhile.
    return Math.min(this.#until, Date.now() + MAX_PAUSE_MS);
  }

  /** Lets rounds go before their time, as long as they succeed, where only a backoff keeps them: the relay will close. */
  hurry(): void {
    if (!this.broken || !this.#onlyBackoff) return;
    this.#hurried = true;
    this.#until = 0;
  }

  /** Whether Synap was last seen to fail: then one round goes at a time. */
  get broken(): boolean {
    return this.#breaker.state !== CircuitState.Closed;
  }

  /** Whether everything waits because Synap refuses the key, the account or the address. */
  get holds(): boolean {
    return this.#trouble === 'account';
  }

  /** Sends a round, which must not reject. To be called from {@link until} on. */
  async run(round: () => Promise<readonly Outcome[]>): Promise<readonly Outcome[]> {
    const outcomes = await (this.#hurried ? round() : this.#tried(round));
    const error = outcomes.find(isStopped)?.error;
    if (error === undefined) return outcomes;
    if (this.#hurried) this.#waitUntil(Date.now() + this.#pauseMs);
    this.#hurried = false;
    const asked = askedToWait(error);
    this.#onlyBackoff = !isAboutAccount(error) && asked === undefined;
    // Of rounds side by side, the breaker has heard the first that was stopped; another may be told to wait longer.
    if (asked !== undefined) this.#waitUntil(Date.now() + Math.min(asked, MAX_RETRY_AFTER_MS));
    if (isAboutAccount(error))
      this.#warnOnce('account', `${errorForLog(error)}. Messages are kept, and tried again every minute`);
    else this.#warnOnce('unclear', `${errorForLog(error)}. Messages are kept, and sent again`);
    return outcomes;
  }

  async #tried(round: () => Promise<readonly Outcome[]>): Promise<readonly Outcome[]> {
    try {
      return await this.#breaker.execute(round);
    } catch (error) {
      // The clock was set back: by it, the breaker's time is not over.
      if (isBrokenCircuitError(error)) return round();
      throw error;
    }
  }

  #waitUntil(time: number): void {
    this.#until = Math.max(this.#until, time);
  }

  #warnOnce(trouble: 'unclear' | 'account', message: string): void {
    if (this.#trouble === trouble) return;
    this.#trouble = trouble;
    this.#logger.warn(message);
  }
}

function pauseAfter(error: unknown, backoffMs: number): number {
  if (isAboutAccount(error)) return PROBE_MS;
  const asked = askedToWait(error);
  if (asked === undefined) return backoffMs;
  return Math.max(Math.min(asked, MAX_RETRY_AFTER_MS), backoffMs) * (1 + Math.random() * JITTER);
}

function reasonOf(result: FailureReason<unknown>): unknown {
  if ('error' in result) return result.error;
  return (result.value as readonly Outcome[]).find(isStopped)?.error;
}
