import type { Logger } from '../internal/logger.js';
import type { Outbox, OutboxEntry } from '../outbox/outbox.js';
import type { Decision } from './decide.js';
import type { FlushTracker } from './flush-tracker.js';
import type { Loss, LossReason } from './loss.js';
import { LossLog } from './loss-log.js';

export interface SettlementsOptions {
  readonly outbox: Outbox;
  readonly logger: Logger;
  readonly flushes: FlushTracker;
  onLoss(loss: Loss): void;
  /** Told of each entry that is delivered, once the outbox has taken note of it. Never throws. */
  onDelivered?: ((entry: OutboxEntry) => void) | undefined;
}

/**
 * Settles entries with the outbox, then counts and reports what is lost. What the outbox fails to take is kept, and
 * settled again with the next call.
 *
 * ```
 *   settle ──► unsettled ──the outbox took it──► counted and reported
 *                │    ▲
 *                │    └─── the outbox failed
 *                └──stale: another process delivers──► dropped, nothing is counted
 * ```
 */
export class Settlements {
  readonly #options: SettlementsOptions;
  readonly #lossLog: LossLog;
  // Decisions that the outbox has not taken yet; it gets them one after another.
  #unsettled: Decision[] = [];
  #settling: Promise<void> = Promise.resolve();
  #possibleDuplicates = 0;

  constructor(options: SettlementsOptions) {
    this.#options = options;
    this.#lossLog = new LossLog(options.logger);
  }

  /** Whether something is to be settled again. */
  get isOwed(): boolean {
    return this.#unsettled.length > 0;
  }

  /** Copies that may have been stored beyond the first: messages sent again though Synap may have had them. */
  get possibleDuplicates(): number {
    return this.#possibleDuplicates;
  }

  /** Settles these, and what is kept from before. Rejects as the outbox does. */
  settle(decisions: readonly Decision[]): Promise<void> {
    this.#unsettled.push(...decisions);
    const settled = this.#settling.then(() => this.#settleNow());
    this.#settling = settled.catch(() => {});
    return settled;
  }

  /** Reports a message that will never arrive. */
  report({ key, message: { role, conversationId } }: OutboxEntry, reason: LossReason, error?: unknown): void {
    this.#options.onLoss({ reason, role, conversationId, messageKey: key, error });
  }

  async #settleNow(): Promise<void> {
    const decisions = [...this.#unsettled];
    if (decisions.length === 0) return;
    const { outbox, logger, flushes, onDelivered } = this.#options;
    const answer = await outbox.settle(decisions.map(decision => decision.settlement));
    this.#unsettled = this.#unsettled.slice(decisions.length);
    if (answer === 'stale') return logger.info('outbox lease lost: another process is delivering');
    flushes.settled(decisions);
    for (const { entry, settlement, maybeDoubled, loss, error } of decisions) {
      if (settlement.to === 'delivered') onDelivered?.(entry);
      if (maybeDoubled) this.#possibleDuplicates++;
      if (loss === undefined) continue;
      this.#lossLog.lost(entry.key, loss, error);
      this.report(entry, loss, error);
    }
  }
}
