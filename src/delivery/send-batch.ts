import type { ClaimedEntry } from '../outbox/outbox.js';
import type { RecordingApi } from '../synap/client.js';
import { UnexpectedResponseError } from '../synap/errors.js';
import { type Failure, failureOf, isStopped, type Outcome, outcomeOf } from './decide.js';

/** Sends requests. `before` is awaited ahead of each, with the messages in it: it keeps the rate limit. */
export interface Sender {
  readonly conversation: RecordingApi;
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
export async function sendBatch(entries: readonly ClaimedEntry[], sender: Sender): Promise<Outcome[]> {
  const [first, ...others] = entries;
  if (first === undefined) return [];
  if (others.length === 0) return [await sendOne(first, sender, 'single')];
  let refused: Set<ClaimedEntry>;
  const open = new Map<ClaimedEntry, Failure>();
  try {
    await sender.before(entries);
    const { results, unread } = await sender.conversation.recordMessagesBatch(
      entries.map(entry => entry.message),
      { signal: sender.signal, onAccepted: () => sender.accepted(entries) },
    );
    if (unread) sender.acceptedUnread(unread);
    refused = new Set(entries.filter((_, index) => results[index]?.error !== undefined));
    for (const [index, entry] of entries.entries()) {
      const why = results[index]?.unknown;
      if (why !== undefined) open.set(entry, failureOf(new UnexpectedResponseError(why, { retryable: true })));
    }
    sender.notAccepted([...refused, ...open.keys()]);
  } catch (error) {
    sender.notAccepted(entries);
    const failure = failureOf(error);
    const action = failure.batch;
    if (action === 'split') return sendHalves(entries, sender);
    return entries.map(entry => outcomeOf(entry, failure, action));
  }
  return sendSuspects(entries, refused, open, sender);
}

/** A batch says why it refused a message only in words. Alone, a message gets a status, which says what to do. */
async function sendSuspects(
  entries: readonly ClaimedEntry[],
  refused: ReadonlySet<ClaimedEntry>,
  open: ReadonlyMap<ClaimedEntry, Failure>,
  sender: Sender,
): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  let stopped: Failure | undefined;
  for (const entry of entries) {
    const unknown = open.get(entry);
    if (unknown) {
      outcomes.push({ entry, type: 'unclear', failure: unknown });
      stopped ??= unknown;
    } else if (!refused.has(entry)) outcomes.push({ entry, type: 'delivered' });
    else if (stopped) outcomes.push({ entry, type: 'held', failure: stopped });
    else {
      const outcome = await sendOne(entry, sender, 'suspect');
      outcomes.push(outcome);
      if (outcome.type !== 'dead') sender.refusedSingly();
      if (isStopped(outcome)) stopped = outcome.failure;
    }
  }
  return outcomes;
}

async function sendOne(entry: ClaimedEntry, sender: Sender, as: 'single' | 'suspect'): Promise<Outcome> {
  try {
    await sender.before([entry]);
    const receipt = await sender.conversation.recordMessage(entry.message, {
      signal: sender.signal,
      onAccepted: () => sender.accepted([entry]),
    });
    // A client of the app's own may answer with nothing.
    if (receipt?.unread) sender.acceptedUnread(receipt.unread);
    return { entry, type: 'delivered' };
  } catch (error) {
    sender.notAccepted([entry]);
    const failure = failureOf(error);
    return outcomeOf(entry, failure, failure[as]);
  }
}

async function sendHalves(entries: readonly ClaimedEntry[], sender: Sender): Promise<Outcome[]> {
  const middle = Math.ceil(entries.length / 2);
  const first = await sendBatch(entries.slice(0, middle), sender);
  const stopped = first.find(isStopped);
  if (stopped)
    return [
      ...first,
      ...entries.slice(middle).map(entry => ({ entry, type: 'held', failure: stopped.failure }) as const),
    ];
  return [...first, ...(await sendBatch(entries.slice(middle), sender))];
}
