import type { ClaimedEntry } from '../outbox/outbox.js';
import type { RecordingApi } from '../synap/client.js';
import { UnexpectedResponseError } from '../synap/errors.js';
import type { BatchItemResult } from '../synap/messages.js';
import { type Failure, failureOf, isStopped, type Outcome, outcomeOf } from './decide.js';
import type { Suspects } from './suspects.js';

/** So many new refusals without an acceptance end a round; a single one, where the account is to blame. */
const MAX_REFUSALS = 3;

/** Sends requests. `before` is awaited ahead of each, with the messages in it: it keeps the rate limit. */
export interface Sender {
  readonly conversation: RecordingApi;
  readonly signal: AbortSignal;
  readonly suspects: Suspects;
  /** Whether an answer about this message could not be read: then it goes alone, so that the next one is about it only. */
  goesAlone(entry: ClaimedEntry): boolean;
  before(entries: readonly ClaimedEntry[]): Promise<void>;
  /** Asked once more when the key is known, which may take its time: a request goes out only if this resolves. */
  beforeSending(): Promise<void>;
  /** Synap has not taken a message of a batch for the moment, and has taken others. */
  refusedSingly(): void;
  /** Synap has answered 2xx to these; what of them it refused is still to be read. */
  accepted(entries: readonly ClaimedEntry[]): void;
  /** The rest of that answer says that these are not stored, or leaves it open. */
  notAccepted(entries: Iterable<ClaimedEntry>): void;
  /** Synap has taken what was sent, but its answer can't be read; `why` is fit for a log. */
  acceptedUnread(why: string): void;
}

/**
 * Sends entries and says what became of each, in order. A batch that is refused, or may be for what is in it, is halved
 * until exactly the refused messages are left, so a bad one takes none of its neighbours with it. Never rejects.
 */
export async function sendBatch(entries: readonly ClaimedEntry[], sender: Sender): Promise<Outcome[]> {
  const round = new Round(sender);
  await round.run(entries);
  return entries.flatMap(entry => round.outcomes.get(entry) ?? []);
}

/**
 * One batch, and what is left of it after each answer. It goes in this order: those that were refused before, one by one;
 * the others; those that other messages have shown to be on their last try; and last, what stands behind a suspect in its
 * own conversation, so that it overtakes none that is accepted after all.
 */
class Round {
  readonly outcomes = new Map<ClaimedEntry, Outcome>();
  readonly #sender: Sender;
  /** What nothing more may be sent behind. */
  #stopped: Failure | undefined;
  /** Messages that were refused since the last acceptance, in this round. */
  #refused = 0;
  /** When a batch with this message was first refused. */
  readonly #refusedSince = new Map<ClaimedEntry, number>();
  /** Those behind a suspect. */
  #deferred: ClaimedEntry[] | undefined = [];

  constructor(sender: Sender) {
    this.#sender = sender;
  }

  async run(entries: readonly ClaimedEntry[]): Promise<void> {
    const { suspects } = this.#sender;
    await this.#sendSuspects(entries.filter(({ key }) => suspects.has(key)));
    for (const entry of entries)
      if (!this.outcomes.has(entry) && this.#sender.goesAlone(entry)) await this.#send([entry]);
    await this.#send(entries.filter(entry => !this.outcomes.has(entry)));
    await this.#sendLastTries();
    await this.#sendDeferred();
    await this.#sendLastTries();
  }

  /** Of those that may have been refused for the account's sake, the oldest is enough to tell whether that has passed. */
  async #sendSuspects(entries: readonly ClaimedEntry[]): Promise<void> {
    const { suspects } = this.#sender;
    let isTried = false;
    for (const entry of entries) {
      const failure = suspects.failureOf(entry.key);
      const isOnLastTry = suspects.isOnLastTry(entry.key);
      if (!this.#stopped && (isOnLastTry || !isTried)) {
        isTried ||= !isOnLastTry;
        await this.#sendOne(entry, 'single');
      } else if (failure) this.#end({ entry, type: 'refused', failure, isSent: false });
    }
  }

  async #sendLastTries(): Promise<void> {
    const { suspects } = this.#sender;
    for (const { entry, type } of [...this.outcomes.values()])
      if (!this.#stopped && type === 'refused' && suspects.isOnLastTry(entry.key) && !suspects.isProven(entry.key))
        await this.#sendOne(entry, 'single');
  }

  /**
   * Of what stands behind a suspect, one may be the only message that can tell whether the account is to blame. Where refusals
   * come and go, it waits for the suspect.
   */
  async #sendDeferred(): Promise<void> {
    const { suspects } = this.#sender;
    const deferred = this.#deferred ?? [];
    this.#deferred = undefined;
    const waitsFor = new Map<string, Failure>();
    if (suspects.comeAndGo)
      for (const outcome of this.outcomes.values())
        if (outcome.type === 'refused' && !suspects.isProven(outcome.entry.key))
          waitsFor.set(conversationOf(outcome.entry), outcome.failure);
    for (const entry of deferred) {
      const failure = waitsFor.get(conversationOf(entry));
      if (failure) this.#end({ entry, type: 'refused', failure, isSent: false });
    }
    await this.#send(deferred.filter(entry => !this.outcomes.has(entry)));
  }

  async #send(entries: readonly ClaimedEntry[]): Promise<void> {
    let rest = entries;
    while (rest.length > 0) {
      if (this.#stopped) return this.#hold(rest, this.#stopped);
      rest = this.#withoutDeferred(rest);
      const { blame } = this.#sender.suspects;
      const isDoubted = blame === 'either' || blame === 'account';
      const count = isDoubted ? 1 : rest.length;
      await this.#sendGroup(rest.slice(0, count));
      rest = rest.slice(count);
    }
  }

  #withoutDeferred(entries: readonly ClaimedEntry[]): readonly ClaimedEntry[] {
    const deferred = this.#deferred;
    if (!deferred) return entries;
    const suspected = new Set<string>();
    for (const { entry, type } of this.outcomes.values()) if (type === 'refused') suspected.add(conversationOf(entry));
    if (suspected.size === 0) return entries;
    const isBehind = (entry: ClaimedEntry) => suspected.has(conversationOf(entry));
    deferred.push(...entries.filter(isBehind));
    return entries.filter(entry => !isBehind(entry));
  }

  async #sendGroup(entries: readonly ClaimedEntry[]): Promise<void> {
    const { conversation, signal, ...sender } = this.#sender;
    const [first, ...others] = entries;
    if (first === undefined) return;
    if (others.length === 0) return this.#sendOne(first, 'single');
    let results: readonly BatchItemResult[];
    let begunAt = 0;
    try {
      await sender.before(entries);
      begunAt = this.#sender.suspects.now();
      const answer = await conversation.recordMessagesBatch(
        entries.map(entry => entry.message),
        { signal, beforeSending: () => sender.beforeSending(), onAccepted: () => sender.accepted(entries) },
      );
      if (answer.unread) sender.acceptedUnread(answer.unread);
      // A client of the app's own may answer with none, which is no answer.
      results = [...answer.results];
    } catch (error) {
      sender.notAccepted(entries);
      const failure = failureOf(error);
      const action = failure.batch;
      if (action === 'split') return this.#sendHalves(entries);
      for (const entry of entries) this.#end(outcomeOf(entry, failure, action));
      return;
    }
    await this.#readResults(entries, results, begunAt);
  }

  async #readResults(
    entries: readonly ClaimedEntry[],
    results: readonly BatchItemResult[],
    begunAt: number,
  ): Promise<void> {
    const sender = this.#sender;
    const isTaken = (index: number) => results[index]?.error === undefined && results[index]?.unknown === undefined;
    sender.notAccepted(entries.filter((_, index) => !isTaken(index)));
    // The others are of the same answer, and say that the account is not to blame.
    for (const [index, entry] of entries.entries())
      if (results[index]?.error !== undefined) this.#refusedSince.set(entry, begunAt - 0.5);
    this.#delivered(
      entries.filter((_, index) => isTaken(index)),
      begunAt,
    );
    for (const [index, entry] of entries.entries()) {
      const { error, unknown } = results[index] ?? {};
      if (unknown !== undefined) this.#leaveOpen(entry, unknown);
      else if (error !== undefined) await this.#sendRefused(entry);
    }
  }

  #leaveOpen(entry: ClaimedEntry, why: string): void {
    const failure = failureOf(new UnexpectedResponseError(why, { retryable: true }));
    this.#end({ entry, type: 'unclear', failure });
    this.#sender.refusedSingly();
  }

  /** A batch says why it refused a message only in words. Alone, a message gets a status, which says what to do. */
  async #sendRefused(entry: ClaimedEntry): Promise<void> {
    if (this.#stopped) return this.#hold([entry], this.#stopped);
    await this.#sendOne(entry, 'item');
    const { type } = this.outcomes.get(entry) ?? {};
    if (type !== 'dead' && type !== 'refused') this.#sender.refusedSingly();
  }

  async #sendOne(entry: ClaimedEntry, as: 'single' | 'item'): Promise<void> {
    const { conversation, signal, suspects, ...sender } = this.#sender;
    let begunAt = 0;
    try {
      await sender.before([entry]);
      begunAt = suspects.now();
      const receipt = await conversation.recordMessage(entry.message, {
        signal,
        beforeSending: () => sender.beforeSending(),
        onAccepted: () => sender.accepted([entry]),
      });
      // A client of the app's own may answer with nothing.
      if (receipt?.unread) sender.acceptedUnread(receipt.unread);
      this.#delivered([entry], begunAt);
    } catch (error) {
      sender.notAccepted([entry]);
      const failure = failureOf(error);
      const action = failure[as];
      if (action === 'deliver') this.#delivered([entry], begunAt);
      else if (action === 'suspect') this.#suspect(entry, failure, begunAt);
      else this.#end(outcomeOf(entry, failure, action));
    }
  }

  #suspect(entry: ClaimedEntry, failure: Failure, begunAt: number): void {
    const { suspects } = this.#sender;
    const isNew = !suspects.has(entry.key);
    suspects.refused(entry, failure, begunAt, this.#refusedSince.get(entry));
    this.#end({ entry, type: 'refused', failure, isSent: true });
    if (!isNew || suspects.isProven(entry.key)) return;
    this.#refused++;
    if (this.#refused >= (suspects.blame === 'account' ? 1 : MAX_REFUSALS)) this.#stopped ??= failure;
  }

  async #sendHalves(entries: readonly ClaimedEntry[]): Promise<void> {
    const now = this.#sender.suspects.batchRefused();
    for (const entry of entries) if (!this.#refusedSince.has(entry)) this.#refusedSince.set(entry, now);
    const middle = Math.ceil(entries.length / 2);
    await this.#send(entries.slice(0, middle));
    await this.#send(entries.slice(middle));
  }

  #delivered(entries: readonly ClaimedEntry[], begunAt: number): void {
    if (entries.length > 0) this.#refused = 0;
    this.#sender.suspects.accepted(entries, begunAt);
    for (const entry of entries) this.#end({ entry, type: 'delivered' });
  }

  #hold(entries: readonly ClaimedEntry[], failure: Failure): void {
    for (const entry of entries) this.#end({ entry, type: 'held', failure });
  }

  #end(outcome: Outcome): void {
    this.outcomes.set(outcome.entry, outcome);
    if (isStopped(outcome)) this.#stopped ??= outcome.failure;
  }
}

function conversationOf({ message }: ClaimedEntry): string {
  return message.conversationId;
}
