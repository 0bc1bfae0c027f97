import type { Logger } from '../internal/logger.js';
import { monotonicNow } from '../internal/monotonic-clock.js';
import type { ClaimedEntry } from '../outbox/outbox.js';
import type { Failure } from './decide.js';
import { errorForLog } from './error-for-log.js';

const MINUTE = 60_000;

/** So many refusals in a row are probably about the account: then the next ones are sent one at a time. */
const REFUSALS_TO_DOUBT_ACCOUNT = 3;

/** And so many certainly are: none of them is given up for its age, and each round tries one more message only. */
const REFUSALS_TO_BLAME_ACCOUNT = 10;

/** Suspects that are remembered at most. Whoever is forgotten is sent as any other, and refused again. */
const MAX_SUSPECTS = 10_000;

/** For so long after a suspect was accepted after all, the account may be refused again. */
const COME_AND_GO_MS = 10 * MINUTE;

/** How often a new suspect is logged at most. */
const WARN_AGAIN_MS = 10 * MINUTE;

/**
 * Whether it is the message or the account, as far as the refusals tell.
 *
 * - `none`: nothing was refused since the last acceptance.
 * - `message`: few were, so it may be these messages.
 * - `either`: some were, one after another.
 * - `account`: so many were that it is no message's fault.
 */
export type Blame = 'none' | 'message' | 'either' | 'account';

interface Refusal {
  readonly conversationId: string;
  readonly failure: Failure;
  /** When it was first refused, by itself or in a batch. */
  readonly at: number;
  readonly isProven: boolean;
}

/**
 * Messages that were refused one by one with an answer that may be about the message or about the account: a firewall that
 * dislikes a text answers 403, and so does a suspended account. Only other messages tell the two apart:
 *
 * ```
 *             refused            another message is accepted               refused again
 *   unknown ──────────► suspect ─────────────────────────────► last try ────────────────► proven: a dead letter
 *      ▲                 │  ▲                                     │
 *      │                 │  └──── refused again                   │
 *      └──── accepted ───┴──────────────── accepted ──────────────┘
 * ```
 *
 * The last try is for those that were refused for the account's sake, a moment before it was restored. Once a suspect is
 * accepted after all, the account was to blame, and none of the others is a suspect any more.
 */
export class Suspects {
  readonly #logger: Logger;
  readonly #refusals = new Map<string, Refusal>();
  // Counts requests and answers. Of requests side by side, only what began after a refusal tells anything about it.
  #time = 0;
  /** The acceptance that began last. */
  #accepted = { begunAt: 0, endedAt: 0 };
  /** When something was refused last, by itself or in a batch. */
  #refusedAt = 0;
  #acquittedAt = Number.NEGATIVE_INFINITY;
  #warnedAt = Number.NEGATIVE_INFINITY;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** Messages that were refused, and of which no other has told yet whether it was their fault. */
  get count(): number {
    let count = 0;
    for (const refusal of this.#refusals.values()) if (this.#isInARow(refusal)) count++;
    return count;
  }

  get blame(): Blame {
    const { count } = this;
    if (count === 0) return 'none';
    if (count < REFUSALS_TO_DOUBT_ACCOUNT) return 'message';
    return count < REFUSALS_TO_BLAME_ACCOUNT ? 'either' : 'account';
  }

  /** Whether the account was refused of late, and others accepted: a suspect may well be accepted, too. */
  get comeAndGo(): boolean {
    return monotonicNow() - this.#acquittedAt < COME_AND_GO_MS;
  }

  has(key: string): boolean {
    return this.#refusals.has(key);
  }

  /** Whether another message was accepted since: the next refusal of this one is its own fault. */
  isOnLastTry(key: string): boolean {
    const refusal = this.#refusals.get(key);
    return refusal !== undefined && !this.#isInARow(refusal);
  }

  /** Whether it is this message's own fault. */
  isProven(key: string): boolean {
    return this.#refusals.get(key)?.isProven ?? false;
  }

  /** Why a suspect was refused last. */
  failureOf(key: string): Failure | undefined {
    return this.#refusals.get(key)?.failure;
  }

  /** The conversations of those that have their last try. */
  *conversationsOnLastTry(): Iterable<string> {
    for (const refusal of this.#refusals.values()) if (!this.#isInARow(refusal)) yield refusal.conversationId;
  }

  /** @returns the time, for a request that begins or ends now */
  now(): number {
    return ++this.#time;
  }

  /** @returns the time, for a batch that was refused */
  batchRefused(): number {
    this.#refusedAt = this.now();
    return this.#refusedAt;
  }

  /**
   * This message was refused by itself. A batch with it that was refused before counts as a refusal, too, if this request came
   * right after an acceptance: with another refusal between the two, the account may be refused by now.
   *
   * @param begunAt when the request began
   * @param since when a batch with it was first refused
   */
  refused({ key, message }: ClaimedEntry, failure: Failure, begunAt: number, since?: number): void {
    const isRightAfterAcceptance = this.#accepted.endedAt > this.#refusedAt;
    this.#refusedAt = this.now();
    const at = this.#refusals.get(key)?.at ?? (isRightAfterAcceptance ? since : undefined) ?? this.#refusedAt;
    const isProven = at < this.#accepted.begunAt && this.#accepted.endedAt < begunAt;
    this.#refusals.set(key, { conversationId: message.conversationId, failure, at, isProven });
    const [oldest] = this.#refusals.keys();
    if (this.#refusals.size > MAX_SUSPECTS && oldest !== undefined) this.#refusals.delete(oldest);
    if (!isProven) this.#warn(key, failure);
  }

  /**
   * Synap has accepted these: it takes messages under this key.
   *
   * @param begunAt when the request began
   */
  accepted(entries: readonly ClaimedEntry[], begunAt: number): void {
    if (entries.length === 0) return;
    if (begunAt > this.#accepted.begunAt) this.#accepted = { begunAt, endedAt: this.now() };
    const suspects = entries.filter(({ key }) => this.#refusals.delete(key));
    if (suspects.length === 0) return;
    this.#acquittedAt = monotonicNow();
    for (const [key, { isProven }] of this.#refusals) if (!isProven) this.#refusals.delete(key);
  }

  /** A message left the outbox for good. */
  forget(key: string): void {
    this.#refusals.delete(key);
  }

  #isInARow(refusal: Refusal): boolean {
    return refusal.at > this.#accepted.begunAt;
  }

  #warn(key: string, { error }: Failure): void {
    const now = monotonicNow();
    if (now - this.#warnedAt < WARN_AGAIN_MS || this.count > 1) return;
    this.#warnedAt = now;
    this.#logger.warn(
      `message ${key} was refused: ${errorForLog(error)}. It is held: if Synap accepts other messages and refuses this one again, it becomes a dead letter`,
    );
  }
}
