import type { Logger } from '../internal/logger.js';
import { monotonicNow } from '../internal/monotonic-clock.js';
import { type BackoffOptions, backoffMs, unansweredBackoffMs } from './backoff.js';
import { askedToWait, errorForLog, isAboutAccount, isStopped, isUnanswered, type Outcome } from './send-batch.js';

const SECOND = 1000;
const MINUTE = 60 * SECOND;

/** How often a refused key or an empty account is tried again. */
const PROBE_MS = MINUTE;
/** The longest a server's Retry-After is believed. */
const MAX_RETRY_AFTER_MS = 300 * SECOND;
const JITTER = 0.1;

/**
 * The circuit breaker between the relay and Synap. Opening it drops nothing: what was under way goes back to its place.
 *
 * ```
 *              a round is stopped                 its time is over
 *   closed ──────────────────────────► open ──────────────────────────► half-open: one round goes, as a probe
 *     ▲                                 ▲  no answer, 5xx: backoff           │  │
 *     │                                 │  429: as long as it asks           │  │
 *     │                                 │  sent, no answer, 5 times: slower  │  │
 *     │                                 │  key, credits, address: a minute   │  │
 *     │                                 └──────────── stopped ───────────────┘  │
 *     └──────────────────────────────────── delivered ──────────────────────────┘
 * ```
 *
 * Each kind of trouble, and its end, is said in the log once. (Not cockatiel's: it makes an AbortController while it is
 * loaded, which Workers refuse outside of a request, so that no app that has it starts there.)
 */
export class Circuit {
  readonly #backoff: BackoffOptions;
  readonly #logger: Logger;
  #state: 'closed' | 'open' | 'half-open' = 'closed';
  #until = 0;
  // As long as Synap has asked for, or for the next look at an account: a close does not hurry these.
  #askedUntil = 0;
  #failures = 0;
  // Rounds that were sent and got no answer, since the last that was delivered.
  #unanswered = 0;
  #trouble: 'none' | 'unclear' | 'rate-limit' | 'account' = 'none';

  constructor(backoff: BackoffOptions, logger: Logger) {
    this.#backoff = backoff;
    this.#logger = logger;
  }

  /** Until when nothing is sent, by {@link monotonicNow}. */
  get until(): number {
    return this.#until;
  }

  /** Whether Synap was last seen to fail: then one round goes at a time. */
  get broken(): boolean {
    return this.#state !== 'closed';
  }

  /** Whether everything waits because Synap refuses the key, the account or the address. */
  get holds(): boolean {
    return this.#trouble === 'account';
  }

  /** Whether Synap was twice in a row seen to give no answer, or a 5xx. */
  get isDown(): boolean {
    return this.#trouble === 'unclear' && this.#failures >= 2;
  }

  /** Lets the next probe go at once, where only a backoff keeps it: the relay is about to close. */
  hurry(): void {
    this.#until = this.#askedUntil;
  }

  /** Sends a round, which must not reject. To be called from {@link until} on. */
  async run(round: () => Promise<readonly Outcome[]>): Promise<readonly Outcome[]> {
    if (this.#state === 'open') this.#state = 'half-open';
    const probes = this.#state === 'half-open';
    const outcomes = await round();
    const stopped = outcomes.find(isStopped);
    if (stopped) this.#stopped(stopped.error, probes);
    else if (probes) this.#close();
    return outcomes;
  }

  #stopped(error: unknown, probed: boolean): void {
    const asked = askedToWait(error);
    if (isAboutAccount(error))
      this.#warn('account', `${errorForLog(error)}. What waits is kept, and sending is tried again every minute`);
    else
      this.#warn(
        asked === undefined ? 'unclear' : 'rate-limit',
        `${errorForLog(error)}. What waits is kept, and sending is tried again`,
      );
    const atLeast = Math.min(asked ?? 0, MAX_RETRY_AFTER_MS);
    // Of rounds side by side, the first that is stopped opens it; another may be told to wait longer.
    if (this.#state === 'open' || (this.#state === 'half-open' && !probed)) return this.#pauseAsAsked(atLeast);
    this.#state = 'open';
    if (isAboutAccount(error)) return this.#pauseAsAsked(PROBE_MS);
    const backoff = isUnanswered(error)
      ? unansweredBackoffMs(++this.#unanswered, this.#backoff)
      : backoffMs(this.#failures, this.#backoff);
    this.#failures++;
    if (asked === undefined) return this.#pause(backoff);
    this.#pauseAsAsked(Math.max(atLeast, backoff) * (1 + Math.random() * JITTER));
  }

  #close(): void {
    this.#state = 'closed';
    this.#until = this.#askedUntil = 0;
    this.#failures = 0;
    this.#unanswered = 0;
    this.#trouble = 'none';
    this.#logger.info('Synap takes messages again');
  }

  #pause(ms: number): void {
    this.#until = Math.max(this.#until, monotonicNow() + ms);
  }

  #pauseAsAsked(ms: number): void {
    this.#pause(ms);
    this.#askedUntil = Math.max(this.#askedUntil, monotonicNow() + ms);
  }

  /** Says a trouble when it begins; going from unclear to a rate limit and back is no news. */
  #warn(trouble: 'unclear' | 'rate-limit' | 'account', message: string): void {
    const news = this.#trouble === 'none' || (trouble === 'account') !== this.holds;
    this.#trouble = trouble;
    if (news) this.#logger.warn(message);
  }
}
