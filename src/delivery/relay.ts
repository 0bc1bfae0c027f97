import { outsideRequests } from '../internal/async-context.js';
import { monotonicNow } from '../internal/monotonic-clock.js';
import { isPromise, within } from '../internal/promises.js';
import { clearInterval, setInterval } from '../internal/timers.js';
import type { ClaimedEntry, MaybePromise, Outbox, OutboxEntry, PutResult } from '../outbox/outbox.js';
import { Account } from './account.js';
import { outboxOfAccount } from './account-outbox.js';
import { BacklogWatch } from './backlog.js';
import { backoffMs } from './backoff.js';
import { BatchDelivery } from './batch-delivery.js';
import { errorForLog } from './error-for-log.js';
import { type FlushResult, FlushTracker } from './flush-tracker.js';
import { sayNotClosed } from './lost-at-close.js';
import type { RelayOptions } from './relay-options.js';
import { SendTimer } from './send-timer.js';
import { Settlements } from './settlements.js';
import { type DeliveryStats, NO_STATS } from './stats.js';

const SECOND = 1000;

/** How long the relay waits before it checks again, when there are messages but none of them may go. */
const CHECK_AGAIN_MS = SECOND;

/** How long a flush that ends with a Synap that is down waits for its answer to a request. */
const ANSWER_MS = 10 * SECOND;

/** How long an outbox may take to close, at least: one on disk may have to wait for others that write. */
const CLOSE_GRACE_MS = SECOND;
const DURABLE_CLOSE_GRACE_MS = 6 * SECOND;

type OutboxState = ReturnType<Outbox['stats']>;

type State =
  | { readonly is: 'idle' }
  /** Messages wait for the next batch, the first of them since then. */
  | { readonly is: 'lingering'; readonly since: number }
  | { readonly is: 'closed' };

const IDLE: State = { is: 'idle' };

/**
 * Delivers messages from the outbox to Synap, oldest first.
 *
 * ```
 *            put, or something is pending, or came back
 *   idle ────────────────────────────────────────────► lingering
 *    ▲                                                     │
 *    └────── full, due or flushed: a batch is claimed ─────┘  then it is sent
 *
 *   close() and exit() lead from both to closed, which is final.
 * ```
 *
 * Lingering lasts longer while the circuit breaker is open, or the outbox fails. While up to `maxInFlight` batches are
 * being sent, it lingers for the next. Its timers don't hold the process. Nothing it does rejects or throws into a caller.
 */
export class Relay {
  readonly #options: RelayOptions;
  readonly #account: Account;
  readonly #delivery: BatchDelivery;
  readonly #flushes: FlushTracker;
  readonly #settlements: Settlements;
  readonly #backlog: BacklogWatch | undefined;
  readonly #timer = new SendTimer(() => void this.#send());
  readonly #poll: NodeJS.Timeout | undefined;

  #state: State = IDLE;
  // Batches that are being sent.
  #sending = 0;
  // Until when claiming makes no sense: nothing may go, or the outbox has failed.
  #idleUntil = 0;
  #outboxFailures = 0;
  #knownStats: OutboxState = NO_STATS;

  constructor(options: RelayOptions) {
    const { account = { name: '' }, logger } = options;
    this.#account = new Account(account, { ...options, changed: () => this.wake() });
    const outbox = outboxOfAccount(options.outbox, this.#account.name, logger);
    this.#options = { ...options, outbox };
    this.#flushes = new FlushTracker(outbox);
    this.#settlements = new Settlements({ ...this.#options, flushes: this.#flushes });
    this.#backlog = options.onBacklog && new BacklogWatch({ ...options, report: options.onBacklog });
    this.#delivery = new BatchDelivery({
      ...options,
      settlements: this.#settlements,
      keepsLease: () => outbox.keepsLease?.() ?? true,
      paced: waitMs => this.#backlog?.paced(waitMs, { ...this.#outboxStats(), fullness: this.#fullness }),
    });
    outsideRequests(() => {
      outbox.open?.(logger);
      this.#account.start();
      this.#check();
    });
    if (outbox.pollMs !== undefined) {
      this.#poll = outsideRequests(() => setInterval(() => this.#check(), outbox.pollMs));
      this.#poll.unref?.();
    }
  }

  /** Puts an entry into the outbox and sees to its delivery. Throws, or rejects, only as the outbox does. */
  put(entry: OutboxEntry, options: { admitted: boolean }): MaybePromise<PutResult | 'closed'> {
    if (this.#isClosed) return 'closed';
    const result = this.#options.outbox.put(entry, options);
    return typeof result === 'string' ? this.#afterPut(result) : result.then(result => this.#afterPut(result));
  }

  stats(): DeliveryStats {
    const { pendingBytes: _, foreign = 0, ...stats } = this.#outboxStats();
    const refused = Math.min(stats.pending, this.#delivery.suspects.count);
    const held = this.#isClosed ? 0 : this.#delivery.circuit.isHeld ? stats.pending : refused;
    const { lost: lostAtShutdown, maybeLost } = this.#delivery.lostAtClose;
    const { possibleDuplicates } = this.#settlements;
    return { ...stats, pending: stats.pending - held, held, foreign, lostAtShutdown, maybeLost, possibleDuplicates };
  }

  /**
   * Sends what was put before without lingering, and waits for it, at most `timeoutMs`: that is, what was put when `ready`
   * resolves.
   *
   * @param options.whileUp to wait no longer, too, once Synap is seen to be down, or has not answered for 10 seconds
   */
  flush(timeoutMs: number, ready?: Promise<void>, { whileUp = false } = {}): Promise<FlushResult> {
    if (this.#isClosed) return Promise.resolve({ delivered: 0, pending: 0, deadLettered: 0 });
    const begin = () => this.#flush(timeoutMs, ready, whileUp);
    return ready ? begin() : this.#flushes.once(`${timeoutMs} ${whileUp}`, begin);
  }

  async #flush(timeoutMs: number, ready: Promise<void> | undefined, whileUp: boolean): Promise<FlushResult> {
    const begunAt = monotonicNow();
    const checks = whileUp ? setInterval(() => this.#flushes.progress(), SECOND) : undefined;
    checks?.unref?.();
    const { circuit } = this.#delivery;
    const isDown = () =>
      this.#sending > 0
        ? monotonicNow() - Math.max(begunAt, this.#delivery.answeredAt) >= ANSWER_MS
        : circuit.isDown && circuit.until > monotonicNow();
    // What others send from the same outbox, they may go on with.
    const isLate = (deadline: number) =>
      this.#options.outbox.pollMs === undefined &&
      this.#sending === 0 &&
      Math.max(circuit.until, this.#delivery.waitsForOthersUntil(this.#outboxStats().pending)) > deadline;
    try {
      return await this.#flushes.flush(timeoutMs, ready, {
        begun: () => this.#check(),
        cannotFinishBy: deadline => isLate(deadline) || (whileUp && isDown()),
        outstanding: () => this.#outboxStats().pending + this.#outboxStats().inFlight,
      });
    } finally {
      clearInterval(checks);
    }
  }

  /** How old the oldest message that waits is, in milliseconds, as far as the outbox says so. */
  oldestAgeMs(): number | undefined {
    try {
      return this.#options.outbox.oldestAgeMs?.();
    } catch {
      return undefined;
    }
  }

  /**
   * For so long nothing lingers, and no backoff or rate limit is waited for, until Synap asks to slow down: the process is
   * about to end.
   */
  skipBackoff(ms: number): void {
    if (this.#isClosed) return;
    this.#delivery.skipBackoff();
    this.#delivery.rateLimiter.suspend(ms);
    this.#check();
  }

  /** Flushes, then breaks off what is under way. What is left in memory is lost, and reported as such. */
  async close(timeoutMs: number, ready?: Promise<void>): Promise<FlushResult> {
    this.#delivery.skipBackoff();
    let result = await this.flush(timeoutMs, ready);
    if (this.#isClosed) return result;
    const graceMs = Math.max(timeoutMs, this.#options.outbox.durable ? DURABLE_CLOSE_GRACE_MS : CLOSE_GRACE_MS);
    try {
      const accepted = this.#delivery.accepted.size;
      result = { ...result, delivered: result.delivered + accepted, pending: Math.max(0, result.pending - accepted) };
      const closing = this.#shut();
      // What is lost may be known only after the time is up.
      const closed = isPromise(closing) ? closing.then(lost => this.#reportLost(lost)) : this.#reportLost(closing);
      await within(graceMs, closed);
    } catch (error) {
      sayNotClosed(this.#options, graceMs, error);
    }
    this.#flushes.stop();
    return result;
  }

  /** The process ends here and now. What is left in memory is lost, and reported as such. */
  exit(): void {
    if (this.#isClosed) return;
    try {
      const lost = this.#shut({ isExit: true });
      if (Array.isArray(lost)) this.#reportLost(lost);
    } catch {
      // There is nothing left that could be done about it.
    }
  }

  /** Checks whether there is something to send: something may have been put by others, or put back. */
  wake(): void {
    this.#idleUntil = 0;
    this.#check();
  }

  /** The outbox's stats, or, while it fails to read them, the last that it read. */
  #outboxStats(): OutboxState {
    try {
      this.#knownStats = this.#options.outbox.stats();
    } catch {
      // What it can't do, its other methods say.
    }
    return this.#knownStats;
  }

  get #fullness(): number | undefined {
    return this.#options.outbox.fullness?.();
  }

  get #isClosed(): boolean {
    return this.#state.is === 'closed';
  }

  #linger(since: number): void {
    if (this.#state.is === 'idle') this.#state = { is: 'lingering', since };
  }

  #shut(options?: { isExit: boolean }): ReturnType<Outbox['close']> {
    this.#state = { is: 'closed' };
    this.#timer.stop();
    clearInterval(this.#poll);
    this.#delivery.close();
    this.#account.close();
    const { outbox } = this.#options;
    const { accepted } = this.#delivery;
    if (accepted.size === 0) return outbox.close(options);
    // Their answer is cut off, but its status was read.
    const settled = outbox.settle([...accepted].map(key => ({ key, to: 'delivered' })));
    return isPromise(settled) ? settled.then(() => outbox.close(options)) : outbox.close(options);
  }

  #reportLost(lost: readonly OutboxEntry[]): void {
    this.#delivery.lostAtClose.close(lost, this.#options.logger, (entry, reason) =>
      this.#settlements.report(entry, reason),
    );
  }

  #afterPut(result: PutResult): PutResult {
    if (result !== 'accepted') return result;
    // Where others deliver, asking again at each message would be no use.
    if (this.#options.outbox.pollMs === undefined) this.#idleUntil = 0;
    this.#flushes.changed();
    this.#linger(monotonicNow());
    this.#schedule();
    this.#backlog?.filled(this.#fullness, () => this.#outboxStats());
    return result;
  }

  #check(): void {
    if (this.#isClosed) return;
    if (this.#outboxStats().pending > 0) this.#linger(monotonicNow());
    this.#schedule();
  }

  #schedule(): void {
    const { circuit, rateLimiter } = this.#delivery;
    if (this.#isClosed || this.#sending >= (circuit.isOpen ? 1 : this.#options.maxInFlight)) return;
    const due = this.#dueAt();
    if (due === undefined) return;
    const at = Math.max(due, circuit.until, this.#idleUntil);
    if (rateLimiter.isSuspended && at <= monotonicNow()) this.#timer.now();
    else this.#timer.at(at);
  }

  /** When the next batch is full, or has lingered long enough; undefined while idle. */
  #dueAt(): number | undefined {
    const { batch } = this.#options;
    const now = monotonicNow();
    if (this.#settlements.isOwed) return now;
    if (this.#state.is !== 'lingering') return undefined;
    if (this.#flushes.isWaiting || this.#delivery.rateLimiter.isSuspended) return now;
    const { pending, pendingBytes } = this.#outboxStats();
    const isFull = pending >= batch.maxMessages || pendingBytes >= batch.maxBytes;
    return isFull ? now : this.#state.since + batch.lingerMs;
  }

  async #send(): Promise<void> {
    if (this.#isClosed) return;
    this.#sending++;
    try {
      await this.#settlements.settle([]);
      await this.#round();
    } catch (error) {
      // Only an outbox can get here: sendBatch() never rejects.
      const wait = backoffMs(this.#outboxFailures++, this.#options.retry);
      this.#idleUntil = monotonicNow() + wait;
      this.#options.logger.error(
        `the outbox failed: ${errorForLog(error)}. It is tried again in ${Math.ceil(wait)} ms, and delivery waits until then`,
      );
    } finally {
      this.#sending--;
      if (this.#sending === 0 && this.#delivery.answeredAt > 0) this.#account.idle();
      this.#flushes.progress();
      this.#check();
    }
  }

  async #round(): Promise<void> {
    if (this.#account.ready) await this.#account.ready;
    // A timer may fire a little early, and the circuit may have opened meanwhile.
    if (this.#isClosed || monotonicNow() < this.#delivery.circuit.until) return;
    const since = this.#state.is === 'lingering' ? this.#state.since : undefined;
    this.#state = IDLE;
    const claimed = await this.#claim();
    // What a batch leaves behind has lingered long enough.
    if (since !== undefined && this.#outboxStats().pending > 0) this.#linger(since);
    if (claimed.length === 0 || this.#isClosed) return;
    if (this.#options.maxInFlight > 1) this.#schedule();
    const isDone = await this.#delivery.deliver(claimed);
    // The conversations of this batch are free again.
    this.#idleUntil = 0;
    if (!isDone && since !== undefined) this.#linger(since);
  }

  async #claim(): Promise<readonly ClaimedEntry[]> {
    const { outbox } = this.#options;
    const now = monotonicNow();
    const { until, ...limits } = this.#delivery.limits(now);
    const claimed = await outbox.claim(limits);
    this.#outboxFailures = 0;
    this.#idleUntil = claimed.length > 0 ? 0 : Math.min(until, now + (outbox.pollMs ?? CHECK_AGAIN_MS));
    return claimed;
  }
}
