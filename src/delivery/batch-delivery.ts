import { type Logger, loggerUntil } from '../internal/logger.js';
import { monotonicNow } from '../internal/monotonic-clock.js';
import { wallNow } from '../internal/wall-clock.js';
import type { ClaimedEntry, ClaimLimits, MaybePromise, OutboxEntry } from '../outbox/outbox.js';
import type { RecordingClient } from '../synap/client.js';
import { NetworkError } from '../synap/errors.js';
import type { BackoffOptions } from './backoff.js';
import { CircuitBreaker } from './circuit-breaker.js';
import {
  type Decision,
  type DecisionContext,
  decide,
  decideBeforeSending,
  type GiveUpOptions,
  isFinal,
  isStopped,
  type Outcome,
  TakenOver,
} from './decide.js';
import { errorForLog } from './error-for-log.js';
import { LostAtClose } from './lost-at-close.js';
import { PoisonIsolation } from './poison-isolation.js';
import { RateLimiter, type RateLimitOptions, tokenBucket, UNLIMITED } from './rate-limiter.js';
import { sendBatch } from './send-batch.js';
import type { Settlements } from './settlements.js';
import { Suspects } from './suspects.js';
import { UnknownOutcomes } from './unknown-outcomes.js';

const SECOND = 1000;

/** For how long no batch holds two messages of a conversation, after Synap has refused a single one for the moment. */
const ONE_PER_CONVERSATION_MS = 600 * SECOND;

export interface BatchDeliveryOptions {
  readonly client: RecordingClient;
  readonly rateLimit: RateLimitOptions | false;
  readonly batch: { maxMessages: number; maxBytes: number };
  readonly retry: BackoffOptions & GiveUpOptions;
  readonly logger: Logger;
  readonly settlements: Settlements;
  /** Whether what was claimed may still be sent. */
  keepsLease(): MaybePromise<boolean>;
  /** Told before each request how long the rate limit makes it wait, in milliseconds. */
  paced?(waitMs: number): void;
}

/** Delivers one batch after another: sends it, decides about each message of it, and settles that with the outbox. */
export class BatchDelivery {
  readonly circuit: CircuitBreaker;
  readonly rateLimiter: RateLimiter;
  readonly lostAtClose = new LostAtClose();
  readonly suspects: Suspects;
  readonly #options: BatchDeliveryOptions;
  readonly #isolation: PoisonIsolation;
  readonly #unknownOutcomes: UnknownOutcomes;
  // Workers refuse to make one outside of a request, and rightly: timers and sockets belong to the request they began in,
  // so a recorder does, too.
  readonly #abort = new AbortController();
  // Not read off the signal: in Workers that belongs to the request that it was made in.
  #isClosed = false;
  // Keys of what Synap has answered 2xx to, until the outbox knows what became of it.
  readonly #accepted = new Set<string>();
  #answeredAt = 0;
  // When Synap refuses one message of a batch for the moment, and takes the next of its conversation, the two change
  // places. After that was seen, no batch holds two of one conversation for a while.
  #refusedSinglyAt = Number.NEGATIVE_INFINITY;

  constructor(options: BatchDeliveryOptions) {
    this.#options = options;
    const { retry, batch, rateLimit, logger } = options;
    // What becomes of the requests that a close breaks off is no news.
    this.circuit = new CircuitBreaker(
      retry,
      loggerUntil(() => this.#isClosed, logger),
    );
    this.rateLimiter = new RateLimiter(rateLimit === false ? UNLIMITED : tokenBucket(rateLimit));
    this.#isolation = new PoisonIsolation(batch.maxMessages, retry);
    this.#unknownOutcomes = new UnknownOutcomes(logger);
    this.suspects = new Suspects(logger);
  }

  /** When a batch was last answered, or has failed, by {@link monotonicNow}. */
  get answeredAt(): number {
    return this.#answeredAt;
  }

  /** Keys of messages that Synap has answered 2xx to, of which the outbox does not know yet. */
  get accepted(): ReadonlySet<string> {
    return this.#accepted;
  }

  /** What the next batch may hold. `until`: when the first conversation may go that has to wait now. */
  limits(now: number): ClaimLimits & { readonly until: number } {
    const { conversations, until } = this.#isolation.waiting(now);
    return {
      maxMessages: this.#isolation.batchSize,
      maxBytes: this.#options.batch.maxBytes,
      onePerConversation: now - this.#refusedSinglyAt < ONE_PER_CONVERSATION_MS,
      except: conversations,
      until,
    };
  }

  /**
   * Delivers what was claimed. Rejects only as the outbox does.
   *
   * @returns whether everything of it has left the outbox for good
   */
  async deliver(claimed: readonly ClaimedEntry[]): Promise<boolean> {
    const { retry, settlements } = this.#options;
    const claimedAt = monotonicNow();
    const entries: ClaimedEntry[] = [];
    const decisions: Decision[] = [];
    for (const entry of claimed) {
      const decision = decideBeforeSending(entry, retry);
      if (decision) decisions.push(decision);
      else entries.push(entry);
    }
    const outcomes = entries.length === 0 ? [] : await this.circuit.run(() => this.#send(entries));
    // The close has settled what is known.
    if (this.#isClosed) return false;
    this.#learn(outcomes);
    decisions.push(...outcomes.map(outcome => decide(outcome, retry, this.#contextOf(outcome, claimedAt))));
    for (const { entry, loss } of decisions)
      if (loss !== undefined) this.#isolation.release(entry.message.conversationId);
    for (const { settlement } of decisions) if (settlement.to !== 'pending') this.suspects.forget(settlement.key);
    for (const { key } of claimed) this.#accepted.delete(key);
    await settlements.settle(decisions);
    this.lostAtClose.settled(entries);
    return outcomes.every(isFinal);
  }

  /** Until when nothing of so many messages may go, because each of them was refused and waits; 0 if some may. */
  waitsForOthersUntil(messages: number): number {
    const { until } = this.#isolation.waiting(monotonicNow());
    return messages > this.suspects.count || until === Number.POSITIVE_INFINITY ? 0 : until;
  }

  /** Lets the next batch go at once, where only a backoff keeps it. */
  skipBackoff(): void {
    this.circuit.skipBackoff();
    this.#isolation.skipBackoff();
  }

  /** Breaks off what is under way. */
  close(): void {
    this.#isClosed = true;
    this.#abort.abort();
  }

  #contextOf(outcome: Outcome, claimedAt: number): DecisionContext {
    const { ageMs, acceptedAt } = outcome.entry;
    return {
      ageMs: ageMs === undefined ? wallNow() - acceptedAt : ageMs + monotonicNow() - claimedAt,
      unreadable: this.#unknownOutcomes.after(outcome),
      isProven: this.suspects.isProven(outcome.entry.key),
      isAccountToBlame: this.suspects.blame === 'account',
    };
  }

  #learn(outcomes: readonly Outcome[]): void {
    this.#answeredAt = monotonicNow();
    if (outcomes.some(outcome => isStopped(outcome) && outcome.failure.kind === 'rate_limit'))
      this.rateLimiter.resume();
    // Counted from the next probe on, which another message is to be: it tells one that always fails from an outage.
    this.#isolation.after(outcomes, Math.max(monotonicNow(), this.circuit.until));
    for (const conversation of this.suspects.conversationsOnLastTry()) this.#isolation.release(conversation);
  }

  #send(entries: readonly ClaimedEntry[]): Promise<Outcome[]> {
    return sendBatch(entries, {
      conversation: this.#options.client.conversation,
      signal: this.#abort.signal,
      suspects: this.suspects,
      goesAlone: ({ key }) => this.#unknownOutcomes.isUnreadable(key),
      before: async sending => {
        await this.#waitForTurn();
        await this.#assertLease();
        this.lostAtClose.sending(sending);
      },
      beforeSending: () => this.#assertLease(),
      refusedSingly: () => {
        this.#refusedSinglyAt = monotonicNow();
      },
      accepted: entries => this.#noteAccepted(entries),
      notAccepted: entries => {
        for (const { key } of entries) this.#accepted.delete(key);
      },
      acceptedUnread: why => this.#unknownOutcomes.acceptedUnread(why),
    });
  }

  #noteAccepted(entries: readonly OutboxEntry[]): void {
    for (const { key } of entries) this.#accepted.add(key);
  }

  /** This process may have been suspended, for as long as another needed to take over. */
  async #assertLease(): Promise<void> {
    const { keepsLease, logger } = this.#options;
    let isKept = true;
    try {
      isKept = await keepsLease();
    } catch (error) {
      logger.info(`the outbox does not say who delivers: ${errorForLog(error)}`);
    }
    if (!isKept) throw new TakenOver('another process delivers by now');
  }

  async #waitForTurn(): Promise<void> {
    for (;;) {
      // A round that goes on while another has met a rate limit waits with it; a probe is past that time.
      const isOpen = this.circuit.until > monotonicNow();
      const wait = isOpen ? this.circuit.until - monotonicNow() : this.rateLimiter.next();
      if (!isOpen) this.#options.paced?.(wait);
      if (this.#isClosed) throw new NetworkError('The recorder was closed before this was sent', { sent: 'no' });
      if (wait === 0) return;
      await this.rateLimiter.pause(wait);
    }
  }
}
