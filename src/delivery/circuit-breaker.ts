import type { Logger } from '../internal/logger.js';
import { monotonicNow } from '../internal/monotonic-clock.js';
import { type BackoffOptions, backoffMs, unansweredBackoffMs } from './backoff.js';
import { type Failure, isFinal, isStopped, type Outcome } from './decide.js';
import { errorForLog } from './error-for-log.js';

const SECOND = 1000;
const MINUTE = 60 * SECOND;

/** How often a refused key or an empty account is tried again. */
const PROBE_MS = MINUTE;
/** The longest wait after an answer that is not Synap's own. */
const MAX_PASSING_MS = 5 * SECOND;
/** The longest a server's Retry-After is believed. */
const MAX_RETRY_AFTER_MS = 300 * SECOND;
const JITTER = 0.1;

type State = 'closed' | 'open' | 'half-open';

/** Why it is open. */
type Cause = 'none' | 'unclear' | 'rate-limit' | 'account';

/**
 * The circuit breaker between the relay and Synap. Opening it drops nothing: what was under way goes back to its place.
 *
 * ```
 *              a round is stopped                 its pause has passed
 *   closed ──────────────────────────► open ──────────────────────────► half-open: one round goes, as a probe
 *     ▲                                 ▲  no answer, 5xx: backoff           │  │
 *     │                                 │  429: as long as it asks           │  │
 *     │                                 │  sent, no answer, 5 times: slower  │  │
 *     │                                 │  key, credits: a minute            │  │
 *     │                                 │  others' answers: some seconds     │  │
 *     │                                 └──────────── stopped ───────────────┘  │
 *     └──────────────────────────────────── delivered ──────────────────────────┘
 * ```
 *
 * Each cause, and its end, is said in the log once. (Not cockatiel's: it makes an AbortController while it is
 * loaded, which Workers refuse outside of a request, so that no app that has it starts there.)
 */
export class CircuitBreaker {
  readonly #backoff: BackoffOptions;
  readonly #logger: Logger;
  #state: State = 'closed';
  #cause: Cause = 'none';
  #until = 0;
  // As long as Synap has asked for, or for the next probe of an account: a close does not skip these.
  #askedUntil = 0;
  #failures = 0;
  // Rounds that were sent and got no answer, since the last that was delivered.
  #unanswered = 0;

  constructor(backoff: BackoffOptions, logger: Logger) {
    this.#backoff = backoff;
    this.#logger = logger;
  }

  /** Until when nothing is sent, by {@link monotonicNow}. */
  get until(): number {
    return this.#until;
  }

  /** Whether Synap was last seen to fail: then one round goes at a time. True while it is half-open, too. */
  get isOpen(): boolean {
    return this.#state !== 'closed';
  }

  /** Whether everything waits because Synap refuses the key, the account or the address. */
  get isHeld(): boolean {
    return this.#cause === 'account';
  }

  /** Whether Synap was twice in a row seen to give no answer, or a 5xx. */
  get isDown(): boolean {
    return this.#cause === 'unclear' && this.#failures >= 2;
  }

  /** Lets the next probe go at once, where only a backoff keeps it: the relay is about to close. */
  skipBackoff(): void {
    this.#until = this.#askedUntil;
  }

  /** Sends a round, which must not reject. To be called from {@link until} on. */
  async run(round: () => Promise<readonly Outcome[]>): Promise<readonly Outcome[]> {
    if (this.#state === 'open') this.#state = 'half-open';
    const isProbe = this.#state === 'half-open';
    const outcomes = await round();
    const stopped = outcomes.find(isStopped);
    if (stopped && stopped.failure.pause !== 'none') this.#open(stopped.failure, isProbe);
    else if (isProbe && !stopped) this.#afterProbe(outcomes);
    return outcomes;
  }

  #afterProbe(outcomes: readonly Outcome[]): void {
    const refused = outcomes.find(({ type }) => type === 'refused');
    if (refused?.type === 'refused' && !outcomes.some(isFinal)) this.#open(refused.failure, true);
    else this.#close();
  }

  #open(failure: Failure, wasProbe: boolean): void {
    const askedMs = failure.retryAfterMs;
    this.#warn(causeOf(failure), failure.error);
    const atLeast = Math.min(askedMs ?? 0, MAX_RETRY_AFTER_MS);
    // Of rounds side by side, the first that is stopped opens it; another may be told to wait longer.
    if (this.#state === 'open' || (this.#state === 'half-open' && !wasProbe)) return this.#pauseAsAsked(atLeast);
    this.#state = 'open';
    if (failure.pause === 'probe') return this.#pauseAsAsked(PROBE_MS);
    const backoff = this.#backoffMs(failure);
    this.#failures++;
    if (askedMs === undefined) return this.#pause(backoff);
    this.#pauseAsAsked(Math.max(atLeast, backoff) * (1 + Math.random() * JITTER));
  }

  #backoffMs({ pause }: Failure): number {
    if (pause === 'slow-backoff') return unansweredBackoffMs(++this.#unanswered, this.#backoff);
    const { baseMs, maxMs } = this.#backoff;
    return backoffMs(this.#failures, {
      baseMs,
      maxMs: pause === 'short-backoff' ? Math.min(maxMs, MAX_PASSING_MS) : maxMs,
    });
  }

  #close(): void {
    this.#state = 'closed';
    this.#cause = 'none';
    this.#until = this.#askedUntil = 0;
    this.#failures = 0;
    this.#unanswered = 0;
    this.#logger.info('delivery to Synap resumed');
  }

  #pause(ms: number): void {
    this.#until = Math.max(this.#until, monotonicNow() + ms);
  }

  #pauseAsAsked(ms: number): void {
    this.#pause(ms);
    this.#askedUntil = Math.max(this.#askedUntil, monotonicNow() + ms);
  }

  /** Says a cause when it begins; going from unclear to a rate limit and back is no news. */
  #warn(cause: Exclude<Cause, 'none'>, error: unknown): void {
    const isNews = this.#cause === 'none' || (cause === 'account') !== this.isHeld;
    this.#cause = cause;
    if (!isNews) return;
    const when = cause === 'account' ? ', at least every minute' : '';
    this.#logger.warn(
      `delivery to Synap paused: ${errorForLog(error)}. Messages are kept, and sending is tried again${when}`,
    );
  }
}

function causeOf({ kind, retryAfterMs }: Failure): Exclude<Cause, 'none'> {
  if (kind === 'account' || kind === 'unsure') return 'account';
  return retryAfterMs === undefined ? 'unclear' : 'rate-limit';
}
