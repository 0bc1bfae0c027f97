import type { Logger } from '../internal/logger.js';
import type { Outbox, OutboxEntry } from '../outbox/outbox.js';
import type { Verdict } from './decide.js';
import type { Flushes } from './flush-tracker.js';
import type { Loss, LossReason } from './loss.js';
import { LossLog } from './loss-log.js';

export interface SettlementsOptions {
  readonly outbox: Outbox;
  readonly logger: Logger;
  readonly flushes: Flushes;
  onLoss(loss: Loss): void;
}

/** Tells the outbox what became of its entries, and then everybody else. What it does not take, it is told again. */
export class Settlements {
  readonly #options: SettlementsOptions;
  readonly #lossLog: LossLog;
  // Verdicts that the outbox has not taken yet; they are told one after another.
  #unsettled: Verdict[] = [];
  #settling: Promise<void> = Promise.resolve();
  #possibleDuplicates = 0;

  constructor(options: SettlementsOptions) {
    this.#options = options;
    this.#lossLog = new LossLog(options.logger);
  }

  /** Whether the outbox has to be told something again. */
  get owed(): boolean {
    return this.#unsettled.length > 0;
  }

  /** Copies that may have been stored beyond the first: messages sent again though Synap may have had them. */
  get possibleDuplicates(): number {
    return this.#possibleDuplicates;
  }

  /** Settles these, and what is owed. Rejects as the outbox does. */
  settle(verdicts: readonly Verdict[]): Promise<void> {
    this.#unsettled.push(...verdicts);
    const settled = this.#settling.then(() => this.#settleNow());
    this.#settling = settled.catch(() => {});
    return settled;
  }

  /** Reports a message that will never arrive. */
  report({ key, message: { role, conversationId } }: OutboxEntry, reason: LossReason, error?: unknown): void {
    this.#options.onLoss({ reason, role, conversationId, messageKey: key, error });
  }

  async #settleNow(): Promise<void> {
    const verdicts = [...this.#unsettled];
    if (verdicts.length === 0) return;
    const { outbox, logger, flushes } = this.#options;
    const answer = await outbox.settle(verdicts.map(verdict => verdict.settlement));
    this.#unsettled = this.#unsettled.slice(verdicts.length);
    if (answer === 'stale') return logger.info('another process carries the messages of this outbox now');
    flushes.settled(verdicts);
    for (const { entry, maybeDoubled, loss, error } of verdicts) {
      if (maybeDoubled) this.#possibleDuplicates++;
      if (loss === undefined) continue;
      this.#lossLog.lost(entry.key, loss, error);
      this.report(entry, loss, error);
    }
  }
}
