import type { Logger } from '../internal/logger.js';
import { monotonicNow } from '../internal/monotonic-clock.js';
import { isStopped, MAX_UNREADABLE_RESENDS, type Outcome } from './decide.js';
import { errorForLog } from './error-for-log.js';

const MINUTE = 60_000;

/** From so many attempts without an answer on, the log says that a message may be there more than once. */
const UNANSWERED_TO_WARN = 3;

/** Messages that are counted at most: those that failed last. */
const MAX_COUNTED = 10_000;

/** How often each warning is logged at most. */
const WARN_AGAIN_MS = 10 * MINUTE;

interface Counts {
  unreadable: number;
  unanswered: number;
}

/**
 * Counts, for each message, the attempts of which nobody knows whether Synap stored it, and warns: each time it is sent
 * again, it may be there once more.
 *
 * - An answer arrived, and could not be read: most likely it is stored. It is sent again {@link MAX_UNREADABLE_RESENDS} times.
 * - No answer at all: it may be an outage, which must lose nothing. It is sent again more and more slowly.
 */
export class UnknownOutcomes {
  readonly #logger: Logger;
  readonly #counts = new Map<string, Counts>();
  readonly #warnedAt = new Map<string, number>();

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** @returns how many answers to this message could not be read, this one included */
  after(outcome: Outcome): number {
    const { key } = outcome.entry;
    if (!isStopped(outcome)) this.#counts.delete(key);
    else if (outcome.failure.kind === 'unreadable') return this.#unreadable(key, outcome.failure.error);
    else if (outcome.failure.kind === 'unanswered') this.#unanswered(key, outcome.failure.error);
    return this.#counts.get(key)?.unreadable ?? 0;
  }

  /** Whether an answer to this message could not be read. */
  isUnreadable(key: string): boolean {
    return (this.#counts.get(key)?.unreadable ?? 0) > 0;
  }

  /** Synap answered 2xx, and the rest of its answer could not be read. */
  acceptedUnread(why: string): void {
    this.#warn('accepted', `${why}: the messages count as delivered`);
  }

  #unreadable(key: string, error: unknown): number {
    const counts = this.#count(key);
    counts.unreadable++;
    this.#warn(
      'unreadable',
      `${errorForLog(error)}. Synap has probably stored what was sent. It is sent again at most ${MAX_UNREADABLE_RESENDS} times, and may be there as often, under one message_key; then it is a dead letter (unknown_outcome)`,
    );
    return counts.unreadable;
  }

  #unanswered(key: string, error: unknown): void {
    const counts = this.#count(key);
    if (++counts.unanswered < UNANSWERED_TO_WARN) return;
    this.#warn(
      'unanswered',
      `message ${key} was sent ${counts.unanswered} times and got no answer (${errorForLog(error)}): if Synap stored it each time, it is there as often, under one message_key. It is sent again more and more slowly. Check what stands between this app and Synap; retry.ifUnknown: 'dead-letter' stops sending such messages again`,
    );
  }

  #count(key: string): Counts {
    const counts = this.#counts.get(key) ?? { unreadable: 0, unanswered: 0 };
    // The newest stands last.
    this.#counts.delete(key);
    this.#counts.set(key, counts);
    const [oldest] = this.#counts.keys();
    if (this.#counts.size > MAX_COUNTED && oldest !== undefined) this.#counts.delete(oldest);
    return counts;
  }

  #warn(kind: 'accepted' | 'unreadable' | 'unanswered', message: string): void {
    const last = this.#warnedAt.get(kind) ?? Number.NEGATIVE_INFINITY;
    if (monotonicNow() - last < WARN_AGAIN_MS) return;
    this.#warnedAt.set(kind, monotonicNow());
    this.#logger.warn(message);
  }
}
