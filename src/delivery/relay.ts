import { outsideRequests } from '../internal/async-context.js';
import { type Logger, loggerUntil } from '../internal/logger.js';
import { monotonicNow } from '../internal/monotonic-clock.js';
import { isPromise, MAX_TIMER_MS, within } from '../internal/promises.js';
import type { ClaimedEntry, MaybePromise, Outbox, OutboxEntry, PutResult } from '../outbox/outbox.js';
import type { SynapClient } from '../synap/client.js';
import { NetworkError, RateLimitError } from '../synap/errors.js';
import { type BackoffOptions, backoffMs } from './backoff.js';
import { Circuit } from './circuit-breaker.js';
import { type GiveUpOptions, judge, unknownOutcome } from './decide.js';
import { Flushes, type FlushResult } from './flush-tracker.js';
import type { Loss } from './loss.js';
import { LostAtClose } from './lost-at-close.js';
import { Setbacks } from './poison-isolation.js';
import { RateLimiter, type RateLimitOptions, tokenBucket, UNLIMITED } from './rate-limiter.js';
import { deliver, errorForLog, isStopped } from './send-batch.js';
import { Settlements } from './settlements.js';
import { NO_BOOKS, type RelayBooks } from './stats.js';
import { UnknownOutcomes } from './unknown-outcomes.js';

const SECOND = 1000;

/** For how long no batch holds two messages of a conversation, after Synap has refused a single one for the moment. */
const ONE_BY_ONE_MS = 600 * SECOND;

/** How long the relay waits before it looks again, when there are messages but none of them may go. */
const LOOK_AGAIN_MS = SECOND;

/** How long one who gives up with a Synap that is down waits for its answer to a request. */
const ANSWER_MS = 10 * SECOND;

/** How long an outbox may take to close, at least. */
const CLOSE_GRACE_MS = SECOND;

export interface RelayOptions {
  outbox: Outbox;
  client: Pick<SynapClient, 'conversation'>;
  rateLimit: RateLimitOptions | false;
  /** A batch goes when one of these is reached; `lingerMs` counts from its first message. */
  batch: { maxMessages: number; maxBytes: number; lingerMs: number };
  /** Batches under way at once, 1 to 8; never two with messages of the same conversation. */
  maxInFlight: number;
  retry: BackoffOptions & GiveUpOptions;
  logger: Logger;
  onLoss(loss: Loss): void;
}

/**
 * Carries messages from the outbox to Synap, oldest first.
 *
 * ```
 *            put               full, due or flushed           pending left
 *   idle ──────────► lingering ───────────────────► sending ──────────────► lingering
 *    ▲                  ▲                            │  │ stopped
 *    │                  └─── its time is over ───────│──┴──► circuit open
 *    └───────────────────────────────────────────────┘
 *                        nothing left
 *   close() leads from each to closed, which is final.
 * ```
 *
 * Its timers don't hold the process. Nothing it does rejects or throws into a caller.
 */
export class Relay {
  readonly #options: RelayOptions;
  readonly #rateLimiter: RateLimiter;
  // Workers refuse to make one outside of a request, and rightly: timers and sockets belong to the request they began in,
  // so a recorder does, too.
  readonly #abort = new AbortController();
  readonly #circuit: Circuit;
  readonly #setbacks: Setbacks;
  readonly #flushes: Flushes;
  readonly #settlements: Settlements;
  readonly #unknownOutcomes: UnknownOutcomes;
  readonly #lostAtClose = new LostAtClose();
  readonly #poll: NodeJS.Timeout | undefined;
  // Keys of what Synap has answered 2xx to, until the outbox knows what became of it.
  readonly #accepted = new Set<string>();

  #timer: NodeJS.Timeout | undefined;
  #timerAt = 0;
  #sending = 0;
  #closed = false;
  #firstPendingAt: number | undefined;
  // Until when claiming makes no sense: nothing may go, or the outbox has failed.
  #idleUntil = 0;
  #outboxFailures = 0;
  #knownBooks: ReturnType<Outbox['books']> = NO_BOOKS;
  #answeredAt = 0;
  // When Synap refuses one message of a batch for the moment, and takes the next of its conversation, the two change
  // places. After that was seen, no batch holds two of one conversation for a while.
  #refusedSinglyAt = Number.NEGATIVE_INFINITY;

  constructor(options: RelayOptions) {
    this.#options = options;
    const { outbox, retry, batch, rateLimit, logger } = options;
    // What becomes of the requests that a close breaks off is no news.
    this.#circuit = new Circuit(
      retry,
      loggerUntil(() => this.#closed, logger),
    );
    this.#setbacks = new Setbacks(batch.maxMessages, retry);
    this.#flushes = new Flushes(outbox);
    this.#settlements = new Settlements({ ...options, flushes: this.#flushes });
    this.#unknownOutcomes = new UnknownOutcomes(logger);
    this.#rateLimiter = new RateLimiter(rateLimit === false ? UNLIMITED : tokenBucket(rateLimit));
    outbox.open?.(logger);
    this.#look();
    if (outbox.pollMs !== undefined) {
      this.#poll = outsideRequests(() => setInterval(() => this.#look(), outbox.pollMs));
      this.#poll.unref?.();
    }
  }

  /** Puts an entry into the outbox and sees to its delivery. Throws, or rejects, only as the outbox does. */
  put(entry: OutboxEntry, options: { admitted: boolean }): MaybePromise<PutResult | 'closed'> {
    if (this.#closed) return 'closed';
    const result = this.#options.outbox.put(entry, options);
    return typeof result === 'string' ? this.#noted(result) : result.then(result => this.#noted(result));
  }

  books(): RelayBooks {
    const { pendingBytes: _, ...books } = this.#outboxBooks();
    const held = this.#circuit.holds && !this.#closed ? books.pending : 0;
    const pending = books.pending - held;
    return {
      ...books,
      pending,
      held,
      lostAtShutdown: this.#lostAtClose.lost,
      maybeLost: this.#lostAtClose.maybeLost,
      possibleDuplicates: this.#settlements.possibleDuplicates,
    };
  }

  /**
   * Sends what was put before without lingering, and waits for it, at most `timeoutMs`: that is, what was put when `ready`
   * resolves.
   *
   * @param options.whileUp to wait no longer, too, once Synap is seen to be down, or has not answered for 10 seconds
   */
  async flush(timeoutMs: number, ready?: Promise<void>, { whileUp = false } = {}): Promise<FlushResult> {
    if (this.#closed) return { delivered: 0, pending: 0, deadLettered: 0 };
    const begunAt = monotonicNow();
    const looks = whileUp ? setInterval(() => this.#flushes.progress(), SECOND) : undefined;
    looks?.unref?.();
    const isDown = () =>
      this.#sending > 0
        ? monotonicNow() - Math.max(begunAt, this.#answeredAt) >= ANSWER_MS
        : this.#circuit.isDown && this.#circuit.until > monotonicNow();
    // What others send from the same outbox, they may go on with.
    const isLate = (deadline: number) =>
      this.#options.outbox.pollMs === undefined && this.#sending === 0 && this.#circuit.until > deadline;
    try {
      return await this.#flushes.flush(timeoutMs, ready, {
        begun: () => this.#look(),
        isHopeless: deadline => isLate(deadline) || (whileUp && isDown()),
        outstanding: () => this.#outboxBooks().pending + this.#outboxBooks().inFlight,
      });
    } finally {
      clearInterval(looks);
    }
  }

  /** Nothing lingers or is paced for so long, until Synap asks to slow down: the process is about to end. */
  hurry(ms: number): void {
    if (this.#closed) return;
    this.#circuit.hurry();
    this.#setbacks.hurry();
    this.#rateLimiter.hurry(ms);
    this.#look();
  }

  /** Flushes, then breaks off what is under way. What is left in memory is lost, and reported as such. */
  async close(timeoutMs: number, ready?: Promise<void>): Promise<FlushResult> {
    const { logger } = this.#options;
    this.#circuit.hurry();
    this.#setbacks.hurry();
    let result = await this.flush(timeoutMs, ready);
    if (this.#closed) return result;
    try {
      const accepted = this.#accepted.size;
      result = { ...result, delivered: result.delivered + accepted, pending: Math.max(0, result.pending - accepted) };
      this.#reportLost(await within(Math.max(timeoutMs, CLOSE_GRACE_MS), this.#shut()));
    } catch (error) {
      logger.error(`the outbox could not be closed: ${errorForLog(error)}`);
    }
    this.#flushes.stop();
    return result;
  }

  /** The process ends here and now. What is left in memory is lost, and reported as such. */
  exit(): void {
    if (this.#closed) return;
    try {
      const lost = this.#shut();
      if (Array.isArray(lost)) this.#reportLost(lost);
    } catch {
      // There is nothing left that could be done about it.
    }
  }

  /** Looks whether there is something to send: something may have been put by others, or put back. */
  wake(): void {
    this.#idleUntil = 0;
    this.#look();
  }

  /** The outbox's books, or, from one that fails to tell, what it told last. */
  #outboxBooks(): ReturnType<Outbox['books']> {
    try {
      this.#knownBooks = this.#options.outbox.books();
    } catch {
      // What it can't do, its other methods say.
    }
    return this.#knownBooks;
  }

  #shut(): ReturnType<Outbox['close']> {
    this.#closed = true;
    clearTimeout(this.#timer);
    clearInterval(this.#poll);
    this.#abort.abort();
    const { outbox } = this.#options;
    if (this.#accepted.size === 0) return outbox.close();
    // Their answer is broken off, but its status was read.
    const settled = outbox.settle([...this.#accepted].map(key => ({ key, to: 'delivered' })));
    return isPromise(settled) ? settled.then(() => outbox.close()) : outbox.close();
  }

  #reportLost(lost: readonly OutboxEntry[]): void {
    this.#lostAtClose.close(lost, this.#options.logger, (entry, reason) => this.#settlements.report(entry, reason));
  }

  #noted(result: PutResult): PutResult {
    if (result !== 'accepted') return result;
    // Where others carry, asking again at each message would be no use.
    if (this.#options.outbox.pollMs === undefined) this.#idleUntil = 0;
    this.#firstPendingAt ??= monotonicNow();
    this.#schedule();
    return result;
  }

  #look(): void {
    if (this.#closed) return;
    if (this.#outboxBooks().pending > 0) this.#firstPendingAt ??= monotonicNow();
    this.#schedule();
  }

  #schedule(): void {
    const { batch, maxInFlight } = this.#options;
    if (this.#closed || this.#sending >= (this.#circuit.broken ? 1 : maxInFlight)) return;
    const now = monotonicNow();
    let due: number;
    if (this.#settlements.owed) due = now;
    else if (this.#firstPendingAt === undefined) return;
    else if (this.#flushes.waiting || this.#rateLimiter.hurries) due = now;
    else {
      const { pending, pendingBytes } = this.#outboxBooks();
      const full = pending >= batch.maxMessages || pendingBytes >= batch.maxBytes;
      due = full ? now : this.#firstPendingAt + batch.lingerMs;
    }
    const at = Math.max(due, this.#circuit.until, this.#idleUntil);
    // There may not be another tick.
    if (this.#rateLimiter.hurries && at <= now) {
      clearTimeout(this.#timer);
      return void outsideRequests(() => this.#send());
    }
    if (this.#timer && this.#timerAt <= at) return;
    clearTimeout(this.#timer);
    this.#timerAt = at;
    const wait = Math.min(MAX_TIMER_MS, Math.max(0, at - now));
    this.#timer = outsideRequests(() => setTimeout(() => void this.#send(), wait));
    this.#timer.unref?.();
  }

  async #send(): Promise<void> {
    this.#timer = undefined;
    if (this.#closed) return;
    this.#sending++;
    try {
      await this.#settlements.settle([]);
      await this.#round();
    } catch (error) {
      // Only an outbox can get here: deliver() never rejects.
      this.#options.logger.error(`the outbox failed: ${errorForLog(error)}; it is tried again`);
      this.#idleUntil = monotonicNow() + backoffMs(this.#outboxFailures++, this.#options.retry);
    } finally {
      this.#sending--;
      this.#flushes.progress();
      this.#look();
    }
  }

  async #round(): Promise<void> {
    // A timer may fire a little early, and the circuit may have opened meanwhile.
    if (monotonicNow() < this.#circuit.until) return;
    const { maxInFlight, retry } = this.#options;
    const lingering = this.#firstPendingAt;
    this.#firstPendingAt = undefined;
    const claimed = await this.#claim();
    // What a batch leaves behind has lingered long enough.
    if (this.#outboxBooks().pending > 0) this.#firstPendingAt ??= lingering;
    if (claimed.length === 0 || this.#closed) return;
    if (maxInFlight > 1) this.#schedule();
    const unknown = retry.ifUnknown === 'dead-letter' ? claimed.filter(entry => entry.maybeStored) : [];
    const entries = claimed.filter(entry => !unknown.includes(entry));
    const outcomes = entries.length === 0 ? [] : await this.#circuit.run(() => this.#deliver(entries));
    if (this.#closed) return;
    this.#answeredAt = monotonicNow();
    if (outcomes.some(outcome => isStopped(outcome) && RateLimitError.is(outcome.error))) this.#rateLimiter.slowDown();
    // Counted from the next probe on, which another message is to be: it tells one that always fails from an outage.
    this.#setbacks.after(outcomes, Math.max(monotonicNow(), this.#circuit.until));
    const unknowns = this.#unknownOutcomes;
    const verdicts = outcomes.map(outcome => judge(outcome, retry, Date.now(), unknowns.after(outcome)));
    for (const { entry, loss } of verdicts)
      if (loss !== undefined) this.#setbacks.givenUp(entry.message.conversationId);
    for (const { key } of claimed) this.#accepted.delete(key);
    await this.#settlements.settle([...unknown.map(unknownOutcome), ...verdicts]);
    this.#lostAtClose.settled(entries);
    // The conversations of this batch are free again.
    this.#idleUntil = 0;
    if (outcomes.some(isStopped)) this.#firstPendingAt ??= lingering;
  }

  async #claim(): Promise<readonly ClaimedEntry[]> {
    const { outbox, batch } = this.#options;
    const now = monotonicNow();
    const { conversations, until } = this.#setbacks.aside(now);
    const claimed = await outbox.claim({
      maxMessages: this.#setbacks.batchSize,
      maxBytes: batch.maxBytes,
      onePerConversation: now - this.#refusedSinglyAt < ONE_BY_ONE_MS,
      except: conversations,
    });
    this.#outboxFailures = 0;
    this.#idleUntil = claimed.length > 0 ? 0 : Math.min(until, now + (outbox.pollMs ?? LOOK_AGAIN_MS));
    return claimed;
  }

  #deliver(entries: readonly ClaimedEntry[]) {
    return deliver(entries, {
      conversation: this.#options.client.conversation,
      signal: this.#abort.signal,
      before: async sending => {
        await this.#waitForPace();
        this.#lostAtClose.sending(sending);
      },
      refusedSingly: () => {
        this.#refusedSinglyAt = monotonicNow();
      },
      accepted: entries => {
        for (const { key } of entries) this.#accepted.add(key);
      },
      notAccepted: entries => {
        for (const { key } of entries) this.#accepted.delete(key);
      },
      acceptedUnread: why => this.#unknownOutcomes.acceptedUnread(why),
    });
  }

  async #waitForPace(): Promise<void> {
    for (;;) {
      // A round that goes on while another has met a rate limit waits with it; a probe is past that time.
      const wait = Math.max(this.#circuit.until - monotonicNow(), 0) || this.#rateLimiter.next();
      if (this.#closed) throw new NetworkError('The recorder was closed before this was sent', { sent: 'no' });
      if (wait === 0) return;
      await this.#rateLimiter.pause(wait);
    }
  }
}
