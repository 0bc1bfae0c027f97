import type { ClaimedEntry, Settlement } from '../outbox/outbox.js';
import type { LossReason } from './loss.js';
import type { Outcome } from './send-batch.js';
import { errorForLog } from './send-batch.js';
import { MAX_UNREADABLE_RESENDS } from './unknown-outcomes.js';

/** When an entry that finds no clear answer is given up, and whether it is sent again at all. */
export interface GiveUpOptions {
  /** Milliseconds since it was accepted, after which an entry is given up, once it was sent `maxAttempts` times. */
  maxAgeMs: number;
  maxAttempts: number;
  /** What to do where nobody knows whether Synap has stored a message. */
  ifUnknown: 'resend' | 'dead-letter';
}

export interface Verdict {
  readonly entry: ClaimedEntry;
  readonly settlement: Settlement;
  /** Why the message will not arrive; undefined while it may, or has. */
  readonly loss?: LossReason;
  readonly error?: unknown;
  /** Synap may have had it already when it was sent, and may have stored it once more. */
  readonly maybeDoubled?: boolean;
}

/**
 * What is to become of an entry, after what came of sending it.
 *
 * @param unreadable how many answers to it could not be read, this one included
 */
export function judge(outcome: Outcome, options: GiveUpOptions, now: number, unreadable = 0): Verdict {
  const maybeStoredNow = outcome.type === 'delivered' || (outcome.type === 'unclear' && outcome.maybeStored);
  return { ...decide(outcome, options, now, unreadable), maybeDoubled: outcome.entry.maybeStored && maybeStoredNow };
}

function decide(
  outcome: Outcome,
  { maxAgeMs, maxAttempts, ifUnknown }: GiveUpOptions,
  now: number,
  unreadable: number,
): Verdict {
  const { entry } = outcome;
  const { key } = entry;
  switch (outcome.type) {
    case 'delivered':
      return { entry, settlement: { key, to: 'delivered' } };
    case 'dead':
      return giveUp(entry, 'dead', 'rejected', outcome.error);
    case 'held': {
      const { attempts, maybeStored } = entry;
      return { entry, settlement: { key, to: 'pending', attempts, maybeStored } };
    }
    case 'unclear': {
      if (outcome.maybeStored && (ifUnknown === 'dead-letter' || unreadable > MAX_UNREADABLE_RESENDS))
        return giveUp(entry, 'dead', 'unknown_outcome', outcome.error);
      const attempts = entry.attempts + 1;
      if (attempts >= maxAttempts && now - entry.acceptedAt > maxAgeMs)
        return giveUp(entry, 'expired', 'expired', outcome.error);
      const maybeStored = entry.maybeStored || outcome.maybeStored;
      return { entry, settlement: { key, to: 'pending', attempts, maybeStored } };
    }
  }
}

/** Nobody knows whether Synap has it, and it is not to be sent again. */
export function unknownOutcome(entry: ClaimedEntry): Verdict {
  return giveUp(entry, 'dead', 'unknown_outcome', undefined);
}

function giveUp(entry: ClaimedEntry, to: 'dead' | 'expired', loss: LossReason, error: unknown): Verdict {
  return { entry, settlement: { key: entry.key, to, error: errorForLog(error) }, loss, error };
}
