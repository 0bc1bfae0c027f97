import type { Logger } from '../internal/logger.js';
import { monotonicNow } from '../internal/monotonic-clock.js';
import { errorForLog } from './error-for-log.js';
import type { LossReason } from './loss.js';

const MINUTE = 60_000;

/** Logs which messages are lost, and why: of each reason once a minute, with how many there were since. */
export class LossLog {
  readonly #logger: Logger;
  readonly #said = new Map<LossReason, { at: number; since: number }>();

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  lost(key: string, reason: LossReason, error: unknown): void {
    const now = monotonicNow();
    const last = this.#said.get(reason);
    if (last && now - last.at < MINUTE) {
      last.since++;
      return;
    }
    const more = last?.since ? `, and ${last.since} others since this was last logged` : '';
    this.#logger.error(
      `message ${key} is not delivered (${reason}), and kept as a dead letter: ${errorForLog(error)}${more}`,
    );
    this.#said.set(reason, { at: now, since: 0 });
  }
}
