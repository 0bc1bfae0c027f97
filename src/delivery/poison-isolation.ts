import { type BackoffOptions, backoffMs, unansweredBackoffMs } from './backoff.js';
import { isStopped, isUnanswered, isUnreadable, type Outcome, type Stopped } from './send-batch.js';

/** Beyond this, it is not single messages that fail. */
const MAX_ASIDE = 1000;

/**
 * Finds the message that keeps failing though Synap is well (a 500 each time, a connection that breaks), and lets the
 * others go on.
 *
 * A batch that fails twice in a row is sent again by halves, down to one; each success doubles the size again. One that got
 * no answer twice begins again with one message, before the circuit slows down. One whose answer can't be read is sent
 * again one by one, because no message of it is sent often enough for halves. What fails alone is set aside with its whole conversation, for longer each time, until it is delivered or given up.
 */
export class Setbacks {
  readonly #maxSize: number;
  readonly #backoff: BackoffOptions;
  readonly #aside = new Map<string, { until: number; failures: number }>();
  #size: number;
  #failed = false;
  // How many messages go one by one before a batch may grow again.
  #alone = 0;

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
    this.#alone = Math.max(0, this.#alone - outcomes.length);
    if (!stopped) {
      this.#failed = false;
      if (this.#alone === 0) this.#size = Math.min(this.#maxSize, this.#size * 2);
      return;
    }
    // What is held has nothing wrong with it.
    if (stopped.type === 'held') return;
    if (outcomes.length === 1) this.#setAside(stopped, now);
    else if (isUnreadable(stopped.error)) this.#sendAlone(outcomes.length);
    else if (this.#failed) this.#size = isUnanswered(stopped.error) ? 1 : Math.ceil(outcomes.length / 2);
    this.#failed = true;
  }

  /** Lets every conversation go at once: the relay is about to close. */
  hurry(): void {
    for (const aside of this.#aside.values()) aside.until = 0;
  }

  /** The message of this conversation that failed is given up. */
  givenUp(conversation: string): void {
    this.#aside.delete(conversation);
  }

  #sendAlone(messages: number): void {
    this.#size = 1;
    this.#alone = messages;
  }

  #setAside({ entry, error }: Stopped, now: number): void {
    const conversation = entry.message.conversationId;
    const known = this.#aside.get(conversation);
    if (!known && this.#aside.size >= MAX_ASIDE) return;
    const failures = known?.failures ?? 0;
    const wait = isUnanswered(error)
      ? unansweredBackoffMs(failures + 1, this.#backoff)
      : backoffMs(failures, this.#backoff);
    this.#aside.set(conversation, { until: now + wait, failures: failures + 1 });
  }
}
