import type { Logger } from '../internal/logger.js';
import type { RateLimitOptions } from './rate-limiter.js';

const SECOND = 1000;
const MINUTE = 60 * SECOND;

/** What waits takes so long at the rate limit that more arrives than it lets go. */
const LONG_WAIT_MS = 10 * SECOND;
/** Only once it takes no longer than this, it counts as over. */
const SHORT_WAIT_MS = 2 * SECOND;

/** Shares of the outbox's room at which a warning is due, and how far below them that is over. */
const LEVELS = [0.5, 0.9] as const;
const RECOVERED_BELOW = 0.1;

/** More waits for delivery than should. */
export interface Backlog {
  /** `rate_limit`: more arrives than the rate limit lets go. `outbox`: half of its room is taken, or 90 %. */
  readonly reason: 'rate_limit' | 'outbox';
  /** How many messages wait. */
  readonly pending: number;
  /** How much of the outbox's room is taken, from 0 to 1; undefined where it does not say. */
  readonly fullness: number | undefined;
  /** For `rate_limit`: milliseconds until all that waits has gone, at that limit. */
  readonly waitMs: number | undefined;
}

/** What an outbox says of what waits. */
export interface Waiting {
  readonly pending: number;
  /** Those under way are not pending, and take room, too. */
  readonly inFlight?: number | undefined;
  readonly pendingBytes: number;
  readonly fullness?: number | undefined;
}

export interface BacklogOptions {
  readonly rateLimit: RateLimitOptions | false;
  readonly batch: { readonly maxMessages: number; readonly maxBytes: number };
  readonly logger: Logger;
  /** Never throws. */
  report(backlog: Backlog): void;
}

/**
 * Says when more waits for delivery than should: each thing once, and again only after it was over.
 *
 * ```
 *   well ──it takes 10 s at the rate limit──► slow       well ──50 %──► half full ──90 %──► nearly full
 *     ▲                                        │           ▲               │ ▲                 │
 *     └────────────it takes 2 s────────────────┘           └─below 40 %────┘ └───below 80 %────┘
 * ```
 */
export class BacklogWatch {
  readonly #options: BacklogOptions;
  #isSlow = false;
  /** How many of the levels are reached. */
  #level = 0;

  constructor(options: BacklogOptions) {
    this.#options = options;
  }

  /** A request is about to go, after so many milliseconds that the rate limit makes it wait. */
  paced(waitMs: number, waiting: Waiting): void {
    const { rateLimit, batch, logger, report } = this.#options;
    if (rateLimit === false) return;
    const { pending, pendingBytes, fullness } = waiting;
    const batches = Math.ceil(Math.max(pending / batch.maxMessages, pendingBytes / batch.maxBytes));
    const allMs = waitMs + (batches * MINUTE) / rateLimit.requestsPerMinute;
    if (allMs <= SHORT_WAIT_MS || pending === 0) this.#isSlow = false;
    if (this.#isSlow || waitMs === 0 || pending === 0 || allMs < LONG_WAIT_MS) return;
    this.#isSlow = true;
    const { requestsPerMinute } = rateLimit;
    logger.warn(
      `more messages arrive than the rate limit lets go: ${pending} wait, and take ${Math.ceil(allMs / SECOND)} s at ${requestsPerMinute} requests a minute. Where your plan allows more, raise rateLimit, e.g. rateLimit: { requestsPerMinute: 500, burst: 40 }, or batch.maxMessages`,
    );
    report({ reason: 'rate_limit', pending, fullness, waitMs: Math.ceil(allMs) });
  }

  /** A message was put: `fullness` of the outbox's room is taken. What waits is asked for only where there is something to say. */
  filled(fullness: number | undefined, waiting: () => Waiting): void {
    if (fullness === undefined) return;
    const reached = LEVELS.filter(level => fullness >= level).length;
    const kept = LEVELS.filter(level => fullness >= level - RECOVERED_BELOW).length;
    const before = this.#level;
    this.#level = Math.max(reached, Math.min(before, kept));
    if (reached <= before) return;
    const { pending: notSent, inFlight = 0 } = waiting();
    const pending = notSent + inFlight;
    const percent = (LEVELS[reached - 1] ?? 0) * 100;
    const next = 'when it is full, new turns are not recorded';
    this.#options.logger.warn(
      `the outbox is ${percent} % full: ${pending} messages wait; ${next}. See whether Synap answers: npx synap-recorder doctor`,
    );
    this.#options.report({ reason: 'outbox', pending, fullness, waitMs: undefined });
  }
}
