import type { LossReason } from '../delivery/loss.js';
import type { DeliveryStats } from '../delivery/stats.js';

/** The counters of a recorder: what became of every message. */
export interface RecorderStats extends DeliveryStats {
  /** Messages that were lost before they were accepted, by reason. */
  refused: Partial<Record<LossReason, number>>;
  /** Messages that were not recorded, because they were said before: sent again with a prompt, or by a regenerate. */
  repeated: number;
  /** Answers that failed or were stopped before their first word: no message, unless `emptyAnswers` says otherwise. */
  emptyAnswers: number;
}
