import type { ClaimedEntry, Settlement } from '../outbox/outbox.js';
import { NetworkError, RateLimitError, ServiceUnavailableError, SynapError } from '../synap/errors.js';
import { errorForLog } from './error-for-log.js';
import type { LossReason } from './loss.js';

// Everything that decides what becomes of a message: an error and its context in, a decision out. Pure. A new code of
// an error, and a new kind of failure, do not compile until they are handled here.

/** What a failed request means. */
export type FailureKind =
  /** What was sent is refused, and always will be. */
  | 'message'
  /** The key or the credits: every message would meet it. */
  | 'account'
  /** It may be the message, or the account, or the address. */
  | 'unsure'
  | 'rate_limit'
  /** Something between this app and Synap turned the request away: it will soon pass, or be seen to. */
  | 'passing'
  /** Synap is down, or was never reached. */
  | 'unavailable'
  /** It was sent, and no answer arrived at all. */
  | 'unanswered'
  /** An answer arrived and could not be read: most likely what was sent is stored. */
  | 'unreadable'
  /** It is stored, though the call failed. */
  | 'stored'
  /** It was not sent: another process delivers by now. */
  | 'taken_over';

/**
 * What becomes of the messages of a request. `split`: they are sent by halves. `suspect`: other messages have to tell
 * whether it is to blame (see suspects.ts). `retry` counts as an attempt, `hold` does not.
 */
type Action = 'deliver' | 'split' | 'reject' | 'suspect' | 'hold' | 'retry';

interface Reaction {
  /** With several messages in the request. */
  readonly batch: Action;
  /** With one. */
  readonly single: Exclude<Action, 'split'>;
  /** With one that its batch was answered without. */
  readonly item: Exclude<Action, 'split'>;
  /**
   * How long nothing is sent. `probe`: a fixed time. `short-backoff`: a few seconds at most. `slow-backoff`: more and more
   * slowly, as each attempt may be stored.
   */
  readonly pause: 'none' | 'probe' | 'backoff' | 'short-backoff' | 'slow-backoff';
  /** How the next batches find the message to blame. */
  readonly isolate: 'none' | 'halves' | 'late-halves' | 'one' | 'one-by-one';
}

const REACTIONS: Readonly<Record<FailureKind, Reaction>> = {
  message: { batch: 'split', single: 'reject', item: 'reject', pause: 'none', isolate: 'none' },
  account: { batch: 'hold', single: 'hold', item: 'hold', pause: 'probe', isolate: 'none' },
  unsure: { batch: 'split', single: 'suspect', item: 'suspect', pause: 'backoff', isolate: 'none' },
  rate_limit: { batch: 'hold', single: 'hold', item: 'hold', pause: 'backoff', isolate: 'late-halves' },
  passing: { batch: 'retry', single: 'retry', item: 'retry', pause: 'short-backoff', isolate: 'halves' },
  unavailable: { batch: 'retry', single: 'retry', item: 'retry', pause: 'backoff', isolate: 'halves' },
  // A copy more with each attempt: halves would be too many.
  unanswered: { batch: 'retry', single: 'retry', item: 'retry', pause: 'slow-backoff', isolate: 'one' },
  unreadable: { batch: 'retry', single: 'retry', item: 'retry', pause: 'backoff', isolate: 'one-by-one' },
  stored: { batch: 'deliver', single: 'deliver', item: 'deliver', pause: 'none', isolate: 'none' },
  taken_over: { batch: 'hold', single: 'hold', item: 'hold', pause: 'none', isolate: 'none' },
};

/** A failed request, as delivery sees it. */
export interface Failure extends Reaction {
  readonly kind: FailureKind;
  readonly error: unknown;
  /** Whether Synap may have stored what was sent. */
  readonly maybeStored: boolean;
  /** Milliseconds that Synap has asked to wait, if it did. */
  readonly retryAfterMs: number | undefined;
}

/** The right to deliver was lost while a request waited: it was not sent. */
export class TakenOver extends Error {
  override readonly name = 'TakenOver';
}

export function failureOf(error: unknown): Failure {
  try {
    if (error instanceof TakenOver)
      return { kind: 'taken_over', error, maybeStored: false, retryAfterMs: undefined, ...REACTIONS.taken_over };
    if (SynapError.is(error)) return knownFailure(error);
  } catch {
    // A revoked proxy can not even be asked what it is.
  }
  // It comes from a client of the app's own: nobody knows what it has sent.
  return { kind: 'unavailable', error, maybeStored: true, retryAfterMs: undefined, ...REACTIONS.unavailable };
}

function knownFailure(error: SynapError): Failure {
  const kind = kindOf(error);
  const saysWhen = RateLimitError.is(error) || ServiceUnavailableError.is(error);
  const retryAfterMs = saysWhen ? error.retryAfterMs : undefined;
  return { kind, error, maybeStored: error.stored !== 'no', retryAfterMs, ...REACTIONS[kind] };
}

/** Whether every message after this one would fail with the same error: of the key, or of the credits. */
export function isAboutAccount(error: unknown): error is SynapError {
  return failureOf(error).kind === 'account';
}

/** Whether it may be of the message that was sent, or of the account or the address: other messages would tell. */
export function mayBeAboutAccount(error: unknown): error is SynapError {
  return failureOf(error).kind === 'unsure';
}

function kindOf(error: SynapError): FailureKind {
  const { code } = error;
  switch (code) {
    case 'rate_limit':
      return 'rate_limit';
    case 'network':
    case 'timeout':
      if (!NetworkError.is(error) || error.stored === 'no') return 'unavailable';
      return error.answered ? 'unreadable' : 'unanswered';
    case 'service_unavailable':
      return error.stored === 'no' ? 'passing' : kindBySubject(error);
    case 'unexpected_response':
      return error.stored === 'unknown' ? 'unreadable' : kindBySubject(error);
    case 'invalid_input':
    case 'payload_too_large':
    case 'conflict':
    case 'authentication':
    case 'insufficient_credits':
      return kindBySubject(error);
    default:
      return unhandled(code);
  }
}

function kindBySubject({ about, stored }: Pick<SynapError, 'about' | 'stored'>): FailureKind {
  if (stored === 'yes') return 'stored';
  switch (about) {
    case 'message':
    case 'account':
    case 'unsure':
      return about;
    case 'service':
      return 'unavailable';
    default:
      return unhandled(about);
  }
}

/** Another version of this package may know errors that this one does not. */
function unhandled(_: never): FailureKind {
  return 'unavailable';
}

/** How often a message is sent again after an answer that could not be read. */
export const MAX_UNREADABLE_RESENDS = 3;

/** When an entry that finds no clear answer is given up, and whether it is sent again at all. */
export interface GiveUpOptions {
  /** Milliseconds since it was accepted, after which an entry is given up, once it was sent `maxAttempts` times. */
  maxAgeMs: number;
  maxAttempts: number;
  /** What to do where nobody knows whether Synap has stored a message. */
  ifUnknown: 'resend' | 'dead-letter';
}

/**
 * What one attempt came to, for one entry.
 *
 * - `delivered`: Synap has it.
 * - `dead`: Synap refused this very message; it never will be taken.
 * - `refused`: Synap refused it by itself, and it may be the message or the account. Not `isSent`: it was refused before, and
 *   waits for what becomes of another.
 * - `unclear`: it failed, or whether it was stored is unknown; it is sent again under the same key.
 * - `held`: nothing is wrong with it; Synap takes nothing at all for now (rate limit, key, credits), or an older one
 *   must go first.
 */
export type Outcome =
  | { readonly entry: ClaimedEntry; readonly type: 'delivered' }
  | { readonly entry: ClaimedEntry; readonly type: 'dead'; readonly failure: Failure }
  | Refused
  | Stopped;

export interface Refused {
  readonly entry: ClaimedEntry;
  readonly type: 'refused';
  readonly failure: Failure;
  readonly isSent: boolean;
}

/** An outcome behind which nothing more may be sent: going on could bring a conversation out of order. */
export interface Stopped {
  readonly entry: ClaimedEntry;
  readonly type: 'unclear' | 'held';
  readonly failure: Failure;
}

export function isStopped(outcome: Outcome): outcome is Stopped {
  return outcome.type === 'unclear' || outcome.type === 'held';
}

/** Whether a message has left the outbox for good. */
export function isFinal({ type }: Outcome): boolean {
  return type === 'delivered' || type === 'dead';
}

/** What came of sending an entry, by what is to be done about the failure. */
export function outcomeOf(entry: ClaimedEntry, failure: Failure, action: Exclude<Action, 'split'>): Outcome {
  switch (action) {
    case 'deliver':
      return { entry, type: 'delivered' };
    case 'reject':
      return { entry, type: 'dead', failure };
    case 'suspect':
      return { entry, type: 'refused', failure, isSent: true };
    case 'hold':
      return { entry, type: 'held', failure };
    case 'retry':
      return { entry, type: 'unclear', failure };
  }
}

/** What is to become of an entry. */
export interface Decision {
  readonly entry: ClaimedEntry;
  readonly settlement: Settlement;
  /** Why the message will not arrive; undefined while it may, or has. */
  readonly loss?: LossReason;
  readonly error?: unknown;
  /** Synap may have had it already when it was sent, and may have stored it once more. */
  readonly maybeDoubled?: boolean;
}

/** Decides about an entry before it is sent; undefined: it may go. */
export function decideBeforeSending(entry: ClaimedEntry, { ifUnknown }: GiveUpOptions): Decision | undefined {
  if (!entry.maybeStored || ifUnknown === 'resend') return undefined;
  return giveUp(entry, 'dead', 'unknown_outcome', undefined);
}

/** What delivery knows beyond an outcome. */
export interface DecisionContext {
  /** How long the message has waited since it was accepted, in milliseconds. */
  readonly ageMs: number;
  /** How many answers to this message could not be read, this one included. */
  readonly unreadable: number;
  /** Whether other messages have shown that a refusal was this message's own fault. */
  readonly isProven: boolean;
  /** Whether so many messages were refused in a row that it is no message's fault. */
  readonly isAccountToBlame: boolean;
}

/** Decides about an entry after it was sent. */
export function decide(outcome: Outcome, options: GiveUpOptions, context: DecisionContext): Decision {
  const { entry, type } = outcome;
  const maybeStoredNow = type === 'delivered' || (type === 'unclear' && outcome.failure.maybeStored);
  return { ...decisionOn(outcome, options, context), maybeDoubled: entry.maybeStored && maybeStoredNow };
}

function decisionOn(outcome: Outcome, options: GiveUpOptions, context: DecisionContext): Decision {
  const { entry } = outcome;
  switch (outcome.type) {
    case 'delivered':
      return { entry, settlement: { key: entry.key, to: 'delivered' } };
    case 'dead':
      return giveUp(entry, 'dead', 'rejected', outcome.failure.error);
    case 'refused':
      return decisionOnSuspect(outcome, options, context);
    case 'held':
      return putBack(entry, entry.attempts, entry.maybeStored);
    case 'unclear': {
      const { maybeStored, error } = outcome.failure;
      if (maybeStored && (options.ifUnknown === 'dead-letter' || context.unreadable > MAX_UNREADABLE_RESENDS))
        return giveUp(entry, 'dead', 'unknown_outcome', error);
      const attempts = entry.attempts + 1;
      if (isTooOld(attempts, options, context)) return giveUp(entry, 'expired', 'expired', error);
      return putBack(entry, attempts, entry.maybeStored || maybeStored);
    }
  }
}

function decisionOnSuspect(
  { entry, failure, isSent }: Refused,
  options: GiveUpOptions,
  context: DecisionContext,
): Decision {
  const { isProven, isAccountToBlame } = context;
  const attempts = isSent && !isAccountToBlame ? entry.attempts + 1 : entry.attempts;
  if (isProven || (!isAccountToBlame && isTooOld(attempts, options, context)))
    return giveUp(entry, 'dead', 'rejected', failure.error);
  return putBack(entry, attempts, entry.maybeStored, errorForLog(failure.error));
}

function isTooOld(attempts: number, { maxAgeMs, maxAttempts }: GiveUpOptions, { ageMs }: DecisionContext): boolean {
  return attempts >= maxAttempts && ageMs > maxAgeMs;
}

function putBack(entry: ClaimedEntry, attempts: number, maybeStored: boolean, refused?: string): Decision {
  const settlement = { key: entry.key, to: 'pending', attempts, maybeStored } as const;
  return { entry, settlement: refused === undefined ? settlement : { ...settlement, refused } };
}

function giveUp(entry: ClaimedEntry, to: 'dead' | 'expired', loss: LossReason, error: unknown): Decision {
  return { entry, settlement: { key: entry.key, to, error: errorForLog(error) }, loss, error };
}
