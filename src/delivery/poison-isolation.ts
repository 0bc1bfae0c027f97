import { type BackoffOptions, backoffMs } from './backoff.js';
import { isStopped, type Outcome } from './send-batch.js';

/** Beyond this, it is not single messages that fail. */
const MAX_ASIDE = 1000;

/**
 * Finds the message that keeps failing though Synap is well (a 500 each time, a connection that breaks), and lets the
 * others go on.
 *
 * A batch that fails twice in a row is sent again by halves, down to one; each success doubles the size again. What
 * fails alone is set aside with its whole conversation, for longer each time, until it is delivered or given up.
 */
export class Setbacks {
  readonly #maxSize: number;
  readonly #backoff: BackoffOptions;
  readonly #aside = new Map<string, { until: number; failures: number }>();
  #size: number;
  #failed = false;

  constructor(maxSize: number, retry: BackoffOptions) {
    this.#maxSize = this.#size = maxSize;
    this.#backoff = retry;
  }

  /** How many messages the next batch may have. */
  get batchSize(): number {
    return this.#size;
  }

  /** The conversations that wait, and until when the first of them does. */
  aside(now: number): { conversations: ReadonlySet<string>; until: number } {
    const waiting = [...this.#aside].filter(([, { until }]) => until > now);
    return {
      conversations: new Set(waiting.map(([conversation]) => conversation)),
      until: Math.min(...waiting.map(([, { until }]) => until)),
    };
  }

  after(outcomes: readonly Outcome[], now: number): void {
    for (const { type, entry } of outcomes)
      if (type === 'delivered' || type === 'dead') this.#aside.delete(entry.message.conversationId);
    const stopped = outcomes.find(isStopped);
    if (!stopped) {
      this.#failed = false;
      this.#size = Math.min(this.#maxSize, this.#size * 2);
      return;
    }
    // What is held has nothing wrong with it.
    if (stopped.type === 'held') return;
    if (outcomes.length === 1) this.#setAside(stopped.entry.message.conversationId, now);
    else if (this.#failed) this.#size = Math.ceil(outcomes.length / 2);
    this.#failed = true;
  }

  /** The message of this conversation that failed is given up. */
  givenUp(conversation: string): void {
    this.#aside.delete(conversation);
  }

  #setAside(conversation: string, now: number): void {
    const known = this.#aside.get(conversation);
    if (!known && this.#aside.size >= MAX_ASIDE) return;
    const failures = known?.failures ?? 0;
    this.#aside.set(conversation, { until: now + backoffMs(failures, this.#backoff), failures: failures + 1 });
  }
}
