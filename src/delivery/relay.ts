import type { SynapClient } from '../synap/client.js';
import { deliver, errorForLog, type Outcome } from './deliver.js';
import { Epochs } from './epochs.js';
import type { Logger } from './logger.js';
import type { Loss } from './loss.js';
import type { MaybePromise, Outbox, OutboxEntry, PutResult, Settlement } from './outbox.js';
import { type Pace, type PaceOptions, tokenBucket, UNPACED } from './pace.js';
import { Pauses, type RetryOptions } from './pauses.js';

const SECOND = 1000;
const MINUTE = 60 * SECOND;

const MAX_ATTEMPTS = 8;
// Node's timers fire at once beyond this.
const MAX_TIMER_MS = 2 ** 31 - 1;
const MAX_AGE_MS = 15 * MINUTE;

export interface RelayOptions {
  outbox: Outbox;
  client: Pick<SynapClient, 'conversation'>;
  pace: PaceOptions | false;
  /** A batch goes when one of these is reached; `lingerMs` counts from its first message. */
  batch: { maxMessages: number; maxBytes: number; lingerMs: number };
  retry: RetryOptions;
  logger: Logger;
  onLoss(loss: Loss): void;
}

/** What a flush came to, of the messages accepted before it. */
export interface FlushResult {
  delivered: number;
  pending: number;
  deadLettered: number;
}

/** Messages by what became of them: `accepted` is the sum of the others. */
export interface RelayBooks {
  accepted: number;
  delivered: number;
  pending: number;
  inFlight: number;
  deadLettered: number;
  expired: number;
  lostAtShutdown: number;
  /** Attempts after which it was unknown whether Synap had stored the message; not part of the sum. */
  possibleDuplicates: number;
}

/**
 * Carries messages from the outbox to Synap: one batch in flight, oldest first.
 *
 * ```
 *            put               full, due or flushed           pending left
 *   idle ──────────► lingering ───────────────────► sending ──────────────► lingering
 *    ▲                                               │  │ unclear, held      ▲
 *    └───────────────────────────────────────────────┘  └──► pausing ────────┘
 *                        nothing left
 *   close() leads from each to closed, which is final.
 * ```
 *
 * Its timers don't hold the process. Nothing it does rejects or throws into a caller.
 */
export class Relay {
  readonly #options: RelayOptions;
  readonly #pace: Pace;
  readonly #abort = new AbortController();
  readonly #books = {
    accepted: 0,
    delivered: 0,
    deadLettered: 0,
    expired: 0,
    lostAtShutdown: 0,
    possibleDuplicates: 0,
  };

  #timer: NodeJS.Timeout | undefined;
  #timerAt = 0;
  #sending = false;
  #closed = false;
  #firstPendingAt: number | undefined;

  readonly #epochs = new Epochs();
  readonly #pauses: Pauses;
  #flushes = 0;
  readonly #settled = new Set<() => void>();

  constructor(options: RelayOptions) {
    this.#options = options;
    this.#pauses = new Pauses(options.retry, options.logger);
    this.#pace = options.pace === false ? UNPACED : tokenBucket(options.pace);
    this.#books.accepted = options.outbox.size().pending;
    if (this.#books.accepted > 0) this.#noticePending();
  }

  /** Puts an entry into the outbox and sees to its delivery. Throws, or rejects, only as the outbox does. */
  put(entry: OutboxEntry, options: { admitted: boolean }): MaybePromise<PutResult | 'closed'> {
    if (this.#closed) return 'closed';
    const result = this.#options.outbox.put(entry, options);
    return typeof result === 'string' ? this.#noted(entry, result) : result.then(result => this.#noted(entry, result));
  }

  books(): RelayBooks {
    const { pending, inFlight } = this.#closed ? { pending: 0, inFlight: 0 } : this.#options.outbox.size();
    return { ...this.#books, pending, inFlight };
  }

  /** Sends what was put before without lingering, and waits for it, at most `timeoutMs`. */
  async flush(timeoutMs: number): Promise<FlushResult> {
    const covered = this.#epochs.next();
    const before = this.#epochs.upTo(covered);
    let timer: NodeJS.Timeout | undefined;
    let wake: (() => void) | undefined;
    this.#flushes++;
    try {
      // This timer does hold the process: whoever flushes waits for it.
      const deadline = new Promise<'late'>(resolve => {
        timer = setTimeout(resolve, Math.min(timeoutMs, MAX_TIMER_MS), 'late');
      });
      this.#schedule();
      while (!this.#closed && this.#epochs.upTo(covered).outstanding > 0) {
        const progress = new Promise<void>(resolve => {
          wake = resolve;
          this.#settled.add(resolve);
        });
        if ((await Promise.race([progress, deadline])) === 'late') break;
      }
    } finally {
      clearTimeout(timer);
      if (wake) this.#settled.delete(wake);
      this.#flushes--;
    }
    const after = this.#epochs.upTo(covered);
    if (this.#flushes === 0) this.#epochs.forget();
    return {
      delivered: after.delivered - before.delivered,
      pending: after.outstanding,
      deadLettered: after.deadLettered - before.deadLettered,
    };
  }

  /** Flushes, then breaks off what is under way. What is left in a memory outbox is lost, and reported as such. */
  async close(timeoutMs: number): Promise<FlushResult> {
    if (this.#closed) return { delivered: 0, pending: 0, deadLettered: 0 };
    const result = await this.flush(timeoutMs);
    if (this.#closed) return result;
    const { outbox, onLoss } = this.#options;
    const { pending, inFlight } = outbox.size();
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#abort.abort();
    if (!outbox.durable && pending + inFlight > 0) {
      this.#books.lostAtShutdown = pending + inFlight;
      this.#options.logger.error(`closed with ${pending + inFlight} messages undelivered; they are lost`);
      for (let lost = 0; lost < pending + inFlight; lost++) onLoss({ reason: 'shutdown' });
    }
    this.#wakeFlushes();
    try {
      await outbox.close();
    } catch (error) {
      this.#options.logger.error(`the outbox could not be closed: ${errorForLog(error)}`);
    }
    return result;
  }

  #noted(entry: OutboxEntry, result: PutResult): PutResult {
    if (result !== 'accepted') return result;
    this.#books.accepted++;
    this.#epochs.put(entry.key);
    this.#noticePending();
    return result;
  }

  #noticePending(): void {
    this.#firstPendingAt ??= Date.now();
    this.#schedule();
  }

  #schedule(): void {
    if (this.#sending || this.#closed || this.#firstPendingAt === undefined) return;
    const { batch, outbox } = this.#options;
    const { pending, pendingBytes } = outbox.size();
    const now = Date.now();
    const ready = this.#flushes > 0 || pending >= batch.maxMessages || pendingBytes >= batch.maxBytes;
    const at = Math.max(ready ? now : this.#firstPendingAt + batch.lingerMs, this.#pauses.until);
    if (this.#timer && this.#timerAt <= at) return;
    clearTimeout(this.#timer);
    this.#timerAt = at;
    this.#timer = setTimeout(() => void this.#send(), Math.max(0, at - now));
    this.#timer.unref?.();
  }

  async #send(): Promise<void> {
    this.#timer = undefined;
    if (this.#sending || this.#closed) return;
    this.#sending = true;
    const { outbox, batch, logger } = this.#options;
    const claimedAt = this.#firstPendingAt;
    this.#firstPendingAt = undefined;
    try {
      const entries = await outbox.claim(batch);
      // What a full batch leaves behind has lingered long enough.
      if (outbox.size().pending > 0) this.#firstPendingAt = claimedAt;
      const outcomes = await deliver(entries, {
        conversation: this.#options.client.conversation,
        signal: this.#abort.signal,
        before: () => this.#waitForPace(),
      });
      if (this.#closed) return;
      await this.#settle(outcomes);
      // What comes back has, too.
      if (outcomes.some(outcome => outcome.type !== 'delivered') && outbox.size().pending > 0)
        this.#firstPendingAt = claimedAt;
    } catch (error) {
      // Only an outbox can get here: deliver() never rejects.
      logger.error(`the outbox failed: ${errorForLog(error)}; it is tried again`);
      this.#pauses.backOff();
    } finally {
      this.#sending = false;
      if (!this.#closed && outbox.size().pending > 0) this.#firstPendingAt ??= Date.now();
      this.#wakeFlushes();
      this.#schedule();
    }
  }

  async #waitForPace(): Promise<void> {
    for (let wait = this.#pace.take(Date.now()); wait > 0; wait = this.#pace.take(Date.now()))
      await new Promise<void>(resolve => {
        setTimeout(resolve, wait).unref?.();
      });
  }

  async #settle(outcomes: readonly Outcome[]): Promise<void> {
    const { outbox, onLoss } = this.#options;
    const settlements = outcomes.map(outcome => this.#judge(outcome));
    await outbox.settle(settlements);
    settlements.forEach((settlement, index) => {
      if (settlement.outcome === 'released') return;
      const outcome = outcomes[index] as Outcome;
      this.#close(settlement);
      if (settlement.outcome === 'delivered') return;
      const { message, key } = outcome.entry;
      const reason = outcome.type === 'dead' ? 'rejected' : 'expired';
      const error = 'error' in outcome ? outcome.error : undefined;
      this.#options.logger.error(`message ${key} is lost (${reason}): ${errorForLog(error)}`);
      onLoss({ reason, role: message.role, conversationId: message.conversationId, messageKey: key, error });
    });
    this.#pauses.after(outcomes);
  }

  #judge({ entry, ...outcome }: Outcome): Settlement {
    const { key } = entry;
    switch (outcome.type) {
      case 'delivered':
        return { key, outcome: 'delivered' };
      case 'dead':
        return { key, outcome: 'removed', reason: 'rejected' };
      case 'held':
        return { key, outcome: 'released', attempts: entry.attempts };
      case 'unclear': {
        if (outcome.maybeStored) this.#books.possibleDuplicates++;
        const attempts = entry.attempts + 1;
        const old = Date.now() - entry.acceptedAt > MAX_AGE_MS;
        if (attempts >= MAX_ATTEMPTS && old && !this.#options.outbox.durable)
          return { key, outcome: 'removed', reason: 'expired' };
        return { key, outcome: 'released', attempts };
      }
    }
  }

  #close(settlement: Settlement): void {
    const end =
      settlement.outcome === 'delivered'
        ? 'delivered'
        : settlement.outcome === 'removed' && settlement.reason === 'expired'
          ? 'expired'
          : 'deadLettered';
    this.#books[end]++;
    this.#epochs.settle(settlement.key, end);
  }

  #wakeFlushes(): void {
    const waiting = [...this.#settled];
    this.#settled.clear();
    for (const wake of waiting) wake();
  }
}
