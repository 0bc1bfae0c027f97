import { type BackoffOptions, backoffMs, unansweredBackoffMs } from './backoff.js';
import { isFinal, isStopped, type Outcome, type Refused, type Stopped } from './decide.js';

/** Conversations that wait at most. Beyond this, it is not single messages that fail. */
const MAX_WAITING = 1000;

/** So many rate limits in a row may come of the size of the batch: some limiters count messages, and a large one never passes. */
const RATE_LIMITS_TO_SHRINK = 3;

/**
 * Finds the message that keeps failing though Synap is well (a 500 each time, a connection that breaks), and lets the
 * others go on. How the batches shrink depends on the failure, as {@link Stopped} tells:
 *
 * ```
 *   full ──failed twice in a row──► halved, down to one ──delivered──► twice as many, up to full
 *    │ └──unanswered twice────────► one, before the circuit breaker slows down ──delivered──► the same
 *    ├────rate limit, three times──► halved ──delivered──► the same
 *    └────unreadable──────────────► one by one, as often as there were messages ──► the same
 * ```
 *
 * What fails alone, or is refused alone and may not be to blame, waits with its whole conversation, for longer each time,
 * until it is delivered or given up.
 */
export class PoisonIsolation {
  readonly #maxSize: number;
  readonly #backoff: BackoffOptions;
  readonly #waiting = new Map<string, { until: number; failures: number }>();
  #size: number;
  #failedBefore = false;
  // Rate limits since something was delivered.
  #rateLimits = 0;
  // How many messages go one by one before a batch may grow again.
  #oneByOne = 0;

  constructor(maxSize: number, backoff: BackoffOptions) {
    this.#maxSize = this.#size = maxSize;
    this.#backoff = backoff;
  }

  /** How many messages the next batch may have. */
  get batchSize(): number {
    return this.#size;
  }

  /** The conversations that wait, and until when the first of them does: `Infinity` if there is none. */
  waiting(now: number): { conversations: ReadonlySet<string>; until: number } {
    const waiting = [...this.#waiting].filter(([, { until }]) => until > now);
    return {
      conversations: new Set(waiting.map(([conversation]) => conversation)),
      until: Math.min(...waiting.map(([, { until }]) => until)),
    };
  }

  after(outcomes: readonly Outcome[], now: number): void {
    for (const outcome of outcomes) if (isFinal(outcome)) this.release(outcome.entry.message.conversationId);
    for (const outcome of outcomes) if (outcome.type === 'refused' && outcome.isSent) this.#makeWait(outcome, now);
    const stopped = outcomes.find(isStopped);
    if (outcomes.some(isFinal)) this.#rateLimits = 0;
    this.#oneByOne = Math.max(0, this.#oneByOne - outcomes.length);
    if (!stopped) {
      this.#failedBefore = false;
      if (this.#oneByOne === 0) this.#size = Math.min(this.#maxSize, this.#size * 2);
      return;
    }
    const { isolate } = stopped.failure;
    // A refused account says nothing about the messages, and a rate limit only of their number.
    if (isolate === 'none') return;
    if (isolate === 'late-halves') {
      if (++this.#rateLimits >= RATE_LIMITS_TO_SHRINK) this.#size = Math.ceil(outcomes.length / 2);
      return;
    }
    if (outcomes.length === 1) this.#makeWait(stopped, now);
    else this.#shrink(isolate, outcomes.length);
    this.#failedBefore = true;
  }

  /** Lets every conversation go at once: the relay is about to close. */
  skipBackoff(): void {
    for (const waiting of this.#waiting.values()) waiting.until = 0;
  }

  /** The message of this conversation that failed is delivered or given up. */
  release(conversation: string): void {
    this.#waiting.delete(conversation);
  }

  #shrink(isolate: 'halves' | 'one' | 'one-by-one', messages: number): void {
    if (isolate === 'one-by-one') {
      this.#size = 1;
      this.#oneByOne = messages;
    } else if (this.#failedBefore) this.#size = isolate === 'one' ? 1 : Math.ceil(messages / 2);
  }

  #makeWait({ entry, failure }: Stopped | Refused, now: number): void {
    const conversation = entry.message.conversationId;
    const known = this.#waiting.get(conversation);
    if (!known && this.#waiting.size >= MAX_WAITING) return;
    const failures = known?.failures ?? 0;
    const wait =
      failure.pause === 'slow-backoff'
        ? unansweredBackoffMs(failures + 1, this.#backoff)
        : backoffMs(failures, this.#backoff);
    this.#waiting.set(conversation, { until: now + wait, failures: failures + 1 });
  }
}
