import type { ClaimedEntry } from '../outbox/outbox.js';
import type { SynapClient } from '../synap/client.js';
import {
  AuthenticationError,
  ConflictError,
  InsufficientCreditsError,
  InvalidInputError,
  NetworkError,
  PayloadTooLargeError,
  RateLimitError,
  ServiceUnavailableError,
  SynapError,
  UnexpectedResponseError,
} from '../synap/errors.js';

/**
 * What one attempt came to, for one entry.
 *
 * - `delivered`: Synap has it.
 * - `dead`: Synap refused this very message; it never will be taken.
 * - `unclear`: it failed, or whether it was stored is unknown; it is sent again under the same key.
 * - `held`: nothing is wrong with it; Synap takes nothing at all for now (rate limit, key, credits), or an older one
 *   must go first.
 */
export type Outcome =
  | { readonly entry: ClaimedEntry; readonly type: 'delivered' }
  | { readonly entry: ClaimedEntry; readonly type: 'dead'; readonly error: SynapError }
  | Stopped;

/** An outcome behind which nothing more may be sent: going on could bring a conversation out of order. */
export type Stopped =
  | { readonly entry: ClaimedEntry; readonly type: 'unclear'; readonly error: unknown; readonly maybeStored: boolean }
  | { readonly entry: ClaimedEntry; readonly type: 'held'; readonly error: unknown };

export function isStopped(outcome: Outcome): outcome is Stopped {
  return outcome.type === 'unclear' || outcome.type === 'held';
}

/** Sends requests; `before` is waited for ahead of each (pacing), and told what is in it. */
export interface Carrier {
  readonly conversation: SynapClient['conversation'];
  readonly signal: AbortSignal;
  before(entries: readonly ClaimedEntry[]): Promise<void>;
  /** Synap has refused a message of a batch that it does not refuse for good, and taken others. */
  refusedSingly(): void;
  /** Synap has answered 2xx to these; what of them it refused is still to be read. */
  accepted(entries: readonly ClaimedEntry[]): void;
  /** The rest of that answer says that these are not stored, or leaves it open. */
  notAccepted(entries: Iterable<ClaimedEntry>): void;
  /** Synap has taken what was sent, but its answer can't be read; `why` is fit for a log. */
  acceptedUnread(why: string): void;
}

/**
 * Sends entries and says what became of each, in order. A batch that Synap refuses for what is in it is halved until
 * exactly the refused messages are left, so a bad one takes none of its neighbours with it. Never rejects.
 */
export async function deliver(entries: readonly ClaimedEntry[], carrier: Carrier): Promise<Outcome[]> {
  const [first, ...others] = entries;
  if (first === undefined) return [];
  if (others.length === 0) return [await deliverOne(first, carrier)];
  let refused: Set<ClaimedEntry>;
  try {
    await carrier.before(entries);
    const { results, unread } = await carrier.conversation.recordMessagesBatch(
      entries.map(entry => entry.message),
      { signal: carrier.signal, onAccepted: () => carrier.accepted(entries) },
    );
    if (unread) carrier.acceptedUnread(unread);
    refused = new Set(entries.filter((_, index) => results[index]?.error !== undefined));
    carrier.notAccepted(refused);
  } catch (error) {
    carrier.notAccepted(entries);
    if (isAboutContent(error)) return deliverHalves(entries, carrier);
    return entries.map(entry => failed(entry, error));
  }
  // A batch says why it refused a message only in words. Alone, a message gets a status, which says what to do.
  const outcomes: Outcome[] = [];
  let stopped: unknown;
  for (const entry of entries) {
    if (!refused.has(entry)) outcomes.push({ entry, type: 'delivered' });
    else if (stopped !== undefined) outcomes.push(hold(entry, stopped));
    else {
      const outcome = await deliverOne(entry, carrier, true);
      outcomes.push(outcome);
      if (outcome.type !== 'dead') carrier.refusedSingly();
      if (isStopped(outcome)) stopped = outcome.error;
    }
  }
  return outcomes;
}

/** @param refused its batch was answered, so the key and the address are right: what is refused now is this message */
async function deliverOne(entry: ClaimedEntry, carrier: Carrier, refused = false): Promise<Outcome> {
  try {
    await carrier.before([entry]);
    const receipt = await carrier.conversation.recordMessage(entry.message, {
      signal: carrier.signal,
      onAccepted: () => carrier.accepted([entry]),
    });
    // A client of the app's own may answer with nothing.
    if (receipt?.unread) carrier.acceptedUnread(receipt.unread);
    return { entry, type: 'delivered' };
  } catch (error) {
    carrier.notAccepted([entry]);
    if (isAboutContent(error) || (refused && isForbidden(error))) return { entry, type: 'dead', error };
    return failed(entry, error);
  }
}

async function deliverHalves(entries: readonly ClaimedEntry[], carrier: Carrier): Promise<Outcome[]> {
  const middle = Math.ceil(entries.length / 2);
  const first = await deliver(entries.slice(0, middle), carrier);
  const stopped = first.find(isStopped);
  if (stopped) return [...first, ...entries.slice(middle).map(entry => hold(entry, stopped.error))];
  return [...first, ...(await deliver(entries.slice(middle), carrier))];
}

/** Errors that lie in the messages, not in the way to Synap. */
function isAboutContent(error: unknown): error is SynapError {
  return InvalidInputError.is(error) || PayloadTooLargeError.is(error) || ConflictError.is(error);
}

/** Errors by which one message may be meant, though they are mostly about the account or the address. */
function isForbidden(error: unknown): error is SynapError {
  return (
    (AuthenticationError.is(error) && error.status === 403) || (UnexpectedResponseError.is(error) && !error.retryable)
  );
}

/** Errors that lie in the account or the address: every message would meet them, and none is to blame. */
export function isAboutAccount(error: unknown): error is SynapError {
  return (
    AuthenticationError.is(error) ||
    InsufficientCreditsError.is(error) ||
    (UnexpectedResponseError.is(error) && !error.retryable)
  );
}

function failed(entry: ClaimedEntry, error: unknown): Outcome {
  if (RateLimitError.is(error) || isAboutAccount(error)) return hold(entry, error);
  const isNotStored =
    (NetworkError.is(error) && error.sent === 'no') || (ServiceUnavailableError.is(error) && error.stored === 'no');
  return { entry, type: 'unclear', error, maybeStored: !isNotStored };
}

/** An answer arrived, but could not be read: most likely what was sent is stored. */
export function isUnreadable(error: unknown): error is NetworkError {
  return NetworkError.is(error) && error.sent === 'unknown' && error.answered;
}

/** It was sent, and no answer arrived at all. */
export function isUnanswered(error: unknown): error is NetworkError {
  return NetworkError.is(error) && error.sent === 'unknown' && !error.answered;
}

function hold(entry: ClaimedEntry, error: unknown): Outcome {
  return { entry, type: 'held', error };
}

/** Milliseconds the server asked us to wait, if it did. */
export function askedToWait(error: unknown): number | undefined {
  return RateLimitError.is(error) || ServiceUnavailableError.is(error) ? error.retryAfterMs : undefined;
}

/** An error in words fit for a log: ours hold neither key nor message text; others are named only. */
export function errorForLog(error: unknown): string {
  try {
    if (SynapError.is(error)) return error.message;
    return error instanceof Error ? String(error.name) : 'unknown error';
  } catch {
    // A revoked proxy can not even be asked what it is.
    return 'unknown error';
  }
}
