import type { Role } from '../synap/messages.js';

/**
 * Why a message will never arrive, or, where it says so, may never have.
 *
 * Never accepted: `missing_user_id`, `missing_customer_id` (there is none, or it names nobody), `invalid_message` (it can't
 * be written as JSON), `redact_failed`, `redacted` (redact answered null), `outbox_full`, `outbox_failed`,
 * `recorder_closed`, `late` (it was said after its turn was abandoned).
 * Accepted, but: `rejected` (Synap refused it for good: a dead letter), `expired` (no clear answer for too long: a dead
 * letter, too), `unknown_outcome` (Synap may have it, and `retry.ifUnknown` says not to send it again: a dead letter),
 * `shutdown` (still waiting in memory when the recorder ended), `maybe_lost` (a request with it was under way when the
 * recorder ended, or an earlier one was never answered; Synap may have it).
 */
export type LossReason =
  | 'missing_user_id'
  | 'missing_customer_id'
  | 'invalid_message'
  | 'redact_failed'
  | 'redacted'
  | 'outbox_full'
  | 'outbox_failed'
  | 'recorder_closed'
  | 'late'
  | 'rejected'
  | 'expired'
  | 'unknown_outcome'
  | 'shutdown'
  | 'maybe_lost';

/** A message that will never arrive. It says which, never what was in it. */
export interface Loss {
  readonly reason: LossReason;
  readonly role?: Role | undefined;
  readonly conversationId?: string | undefined;
  readonly messageKey?: string | undefined;
  readonly error?: unknown;
}
