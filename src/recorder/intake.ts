import type { Loss, LossReason } from '../delivery/loss.js';
import type { Relay } from '../delivery/relay.js';
import { BoundedSet } from '../internal/bounded-set.js';
import type { JsonObject } from '../internal/json.js';
import { isPromise, type MaybePromise } from '../internal/promises.js';
import { wallNow } from '../internal/wall-clock.js';
import type { WarnOnce } from '../internal/warn-once.js';
import type { OutboxEntry, PutResult } from '../outbox/outbox.js';
import type { RecordMessageInput } from '../synap/messages.js';
import { cutText } from './cut-text.js';
import { draftMessage } from './draft.js';
import type { Identity, Resolution, ResolvedIdentity, UnknownParts } from './identity.js';
import {
  lossAdvice,
  missingAdvice,
  missingConversationAdvice,
  TAGS_TOO_LARGE,
  topicOf,
  unknownAdvice,
} from './intake-advice.js';
import { readMessageId, UNKNOWN_MESSAGE_ID } from './message-id.js';
import { answerName, type MessageName, messageKey } from './message-key.js';
import { tagMetadata } from './metadata.js';
import { REDACT_TIMEOUT_MS, type RecorderSettings } from './options.js';
import { type Pending, type TurnRecord, textsOfTurn } from './pending-message.js';
import { checkedRedaction, withoutTornEnd } from './redaction.js';
import { runRedaction } from './run-redaction.js';
import { SaidBefore } from './said-before.js';
import { textDigest } from './text-digest.js';
import { truncateMessage } from './truncate.js';
import type { Acceptance, AssistantMessage, TurnMessage, TurnSink, UserMessage } from './turn-message.js';
import { WaitingMessages } from './waiting-messages.js';

const MAX_RECENT = 10_000;

// What stands for an answer that failed or was stopped before its first word.
const NO_ANSWER = '[no answer]';

export interface IntakeOptions {
  settings: Pick<RecorderSettings, 'metadata' | 'redact' | 'secrets'> &
    Partial<Pick<RecorderSettings, 'emptyAnswers' | 'redactTimeoutMs'>>;
  relay: Pick<Relay, 'put'> | undefined;
  warnOnce: WarnOnce;
  report(loss: Loss): void;
  /** Told of what the outbox has accepted. Never throws. */
  accepted?(entry: OutboxEntry): void;
}

/**
 * What lies between a turn and the outbox. A message goes through it once, in this order:
 *
 * ```
 *   accept() ──► said before? ──► tagged ──► redacted ──► key ──► known key? ──► cut ──► put ──► accepted
 *                    │               │          │                     │           │       │
 *                    │               └──────────┴─────────────────────│───────────┴───────┴────► lost, counted by reason
 *                    └────────────────────────────────────────────────┴────► nothing to record
 * ```
 * It is synchronous for as long as redact and the outbox are. Where one of them takes its time, the messages of a
 * conversation wait for one another.
 */
export class Intake {
  /** Messages that are not recorded, because they were said before. */
  repeated = 0;
  /** Messages that were lost here, by reason. */
  readonly refused: Partial<Record<LossReason, number>> = {};
  /** Answers that failed or were stopped before their first word. */
  emptyAnswers = 0;
  readonly #settings: IntakeOptions['settings'];
  readonly #relay: IntakeOptions['relay'];
  readonly #warnOnce: WarnOnce;
  readonly #report: (loss: Loss) => void;
  readonly #accepted: IntakeOptions['accepted'];
  // The keys of the newest messages, so that one that is said twice is recorded once.
  readonly #recent = new BoundedSet(MAX_RECENT);
  readonly #saidBefore = new SaidBefore();
  readonly #tails = new Map<string, Promise<unknown>>();
  readonly #waiting = new WaitingMessages<Pending>();
  #isClosed = false;

  constructor({ settings, relay, warnOnce, report, accepted }: IntakeOptions) {
    this.#settings = settings;
    this.#relay = relay;
    this.#warnOnce = warnOnce;
    this.#report = report;
    this.#accepted = accepted;
  }

  /** How many messages wait for a redaction or the outbox. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** Opens the door for the messages of one turn. */
  open({ resolved, unknown }: Resolution, place: Pick<TurnRecord, 'messageId' | 'traceId'> = {}): TurnSink {
    const turn: TurnRecord = {
      ...place,
      resolved,
      unknown,
      said: new Set(),
      prompt: [],
      isAdmitted: false,
      isRefused: false,
    };
    return {
      accept: message => this.#accept(turn, message),
      empty: message => this.#acceptEmpty(turn, message),
      late: facts => void (this.#relay && this.#lose(turn, { role: 'assistant' }, { turn: facts }, 'late')),
    };
  }

  /** What is said from now on counts as lost. */
  close(): void {
    this.#isClosed = true;
  }

  /** A message was refused, or lost on its way: said again, it is new. */
  forget(key: string | undefined): void {
    if (key !== undefined) this.#recent.delete(key);
  }

  /** Counts what still waits as lost; what comes of it later is nobody's. */
  giveUp(): void {
    for (const pending of this.#waiting) {
      this.#losePending(pending, 'recorder_closed');
      pending.isGivenUp = true;
    }
  }

  /** Resolves when what waits for a redaction or the outbox now has it; undefined when nothing waits. */
  done(): Promise<void> | undefined {
    if (this.#tails.size === 0) return undefined;
    return Promise.all(this.#tails.values()).then(() => {});
  }

  /** Warns of each part of an identity that names nobody. */
  warnOfUnknown(unknown: UnknownParts, framework?: string): void {
    if (!this.#relay) return;
    for (const [part, problem] of Object.entries(unknown) as [keyof Identity, string][])
      this.#warnOnce.warn(`unknown:${part}`, unknownAdvice(part, problem, framework));
  }

  #accept(turn: TurnRecord, message: TurnMessage): MaybePromise<Acceptance> {
    if (!this.#relay) return 'not recorded';
    const unnamed: MessageName = { turn: message.turn };
    if ('unreadable' in message) return this.#lose(turn, message, unnamed, 'invalid_message', message.unreadable);
    try {
      if (message.role === 'user') return this.#acceptPrompt(turn, message);
      return this.#take(turn, message, { ...unnamed, ...answerName(message) });
    } catch (error) {
      return this.#lose(turn, message, unnamed, 'invalid_message', error);
    }
  }

  #acceptEmpty(turn: TurnRecord, message: AssistantMessage): MaybePromise<Acceptance> {
    if (!this.#relay) return 'not recorded';
    this.emptyAnswers++;
    if (this.#settings.emptyAnswers !== 'placeholder') return 'not recorded';
    return this.#accept(turn, { ...message, content: NO_ANSWER });
  }

  #acceptPrompt(turn: TurnRecord, message: UserMessage): MaybePromise<Acceptance> {
    const { content, trailing } = message;
    const { resolved, said } = turn;
    turn.prompt.push(content);
    turn.history = trailing?.history ?? turn.history;
    const isNewest = trailing ? trailing.index === trailing.contents.length - 1 : said.size === 0;
    const { id: messageId, isUnknown } = readMessageId(message.messageId ?? (isNewest ? turn.messageId : undefined));
    if (isUnknown) this.#warnOnce.warn('messageId', UNKNOWN_MESSAGE_ID);
    if (typeof resolved !== 'string' && this.#saidBefore.isRepeated(turn, resolved.conversationId, message, messageId))
      return this.#repeat();
    // Two messages of one prompt may say the same.
    const words = messageId === undefined ? `${trailing?.index ?? ''}\0${content}` : `id\0${messageId}\0${content}`;
    if (said.has(words)) return this.#repeat();
    const place = said.size;
    said.add(words);
    const name = messageId ?? readMessageId(message.storedId).id;
    return this.#take(turn, message, { turn: message.turn, messageId: name, place });
  }

  #repeat(): Acceptance {
    this.repeated++;
    return 'not recorded';
  }

  /** Takes a message that is not known to be said before, or counts it as lost. */
  #take(turn: TurnRecord, message: UserMessage | AssistantMessage, name: MessageName): MaybePromise<Acceptance> {
    const { resolved, unknown } = turn;
    const { framework } = message.turn;
    const lose = (reason: LossReason) => this.#lose(turn, message, name, reason);
    if (this.#isClosed) return lose('recorder_closed');
    this.warnOfUnknown(unknown, framework);
    if (typeof resolved === 'string') {
      const part = resolved === 'missing_user_id' ? 'userId' : 'customerId';
      if (!unknown[part]) this.#warnOnce.warn(resolved, missingAdvice(part, framework));
      return lose(resolved);
    }
    if (resolved.fresh && !unknown.conversationId && !unknown.customerId)
      this.#warnOnce.warn('fresh', missingConversationAdvice(framework));
    if (turn.isRefused) return lose('outbox_full');
    if (!turn.isAdmitted && this.#waiting.isCrowded) {
      turn.isRefused = true;
      return lose('outbox_full');
    }
    const noted = this.#saidBefore.note(turn, resolved.conversationId, message, name);
    const draft = this.#draft(turn, message, resolved, noted.metadata);
    if (turn.traceId !== undefined) draft.metadata = { ...draft.metadata, trace_id: turn.traceId };
    return this.#inOrder({ turn, message, name: noted.name, draft, isGivenUp: false });
  }

  #draft(
    turn: TurnRecord,
    message: UserMessage | AssistantMessage,
    identity: ResolvedIdentity,
    known: JsonObject,
  ): RecordMessageInput {
    const ofMessage = message.role === 'user' ? message.tags : message.details.metadata;
    const tags = tagMetadata([ofMessage, message.turn.tags, this.#settings.metadata], this.#warnOfTag);
    if (tags.dropped_tags !== undefined) this.#warnOnce.warn('tags', TAGS_TOO_LARGE);
    const { secrets } = this.#settings;
    const draft = draftMessage(message, identity, tags, { secrets, texts: textsOfTurn(turn, message) });
    return { ...draft, metadata: { ...draft.metadata, ...known } };
  }

  readonly #warnOfTag = (name: string, reason: string): void => {
    const short = JSON.stringify(cutText(name, 100));
    this.#warnOnce.warn(`tag:${short}`, `the tag ${short} is left out: it ${reason}`);
  };

  #inOrder(pending: Pending): MaybePromise<Acceptance> {
    const { conversationId } = pending.draft;
    const before = this.#tails.get(conversationId);
    const became = before ? before.then(() => this.#redact(pending)) : this.#redact(pending);
    if (!isPromise(became)) return became;
    this.#waiting.add(pending);
    this.#tails.set(conversationId, became);
    void became.then(() => {
      this.#waiting.delete(pending);
      if (this.#tails.get(conversationId) === became) this.#tails.delete(conversationId);
    });
    return became;
  }

  /** @returns a promise only where the redaction or the outbox takes its time; it never rejects */
  #redact(pending: Pending): MaybePromise<Acceptance> {
    const { redact, redactTimeoutMs = REDACT_TIMEOUT_MS } = this.#settings;
    const { draft } = pending;
    if (redact === undefined) return this.#finish(pending, draft);
    try {
      // Which message it is, it can't change, not even in place.
      const redacted = runRedaction(redact, { ...draft, metadata: { ...draft.metadata } }, redactTimeoutMs);
      if (!isPromise(redacted)) return this.#finish(pending, redacted);
      return redacted.then(
        redacted => this.#finish(pending, redacted),
        error => this.#losePending(pending, 'redact_failed', error),
      );
    } catch (error) {
      return this.#losePending(pending, 'redact_failed', error);
    }
  }

  #finish(pending: Pending, redacted: RecordMessageInput | null): MaybePromise<Acceptance> {
    if (redacted === null) return this.#losePending(pending, 'redacted');
    if (pending.turn.isRefused) return this.#losePending(pending, 'outbox_full');
    let entry: OutboxEntry;
    try {
      entry = this.#entry(pending, redacted);
    } catch (error) {
      // What is not redacted can't be wrong.
      return this.#losePending(pending, 'redact_failed', error);
    }
    return this.#recent.add(entry.key) ? this.#put(pending, entry) : this.#repeat();
  }

  /** The message with its key, as small as it must be. */
  #entry({ turn, draft, message, name }: Pending, redacted: RecordMessageInput): OutboxEntry {
    // Redaction may change what a message says, and of whom; not which message it is. What was not redacted is as this
    // recorder made it: nothing in it can be wrong.
    const { conversationId, role } = draft;
    const kept = redacted === draft ? draft : checkedRedaction({ ...redacted, conversationId, role }, this.#warnOfTag);
    if (role === 'user' && name.turn.idMayRepeat) turn.promptDigest = textDigest(kept.content);
    const key = messageKey(kept, { ...name, promptDigest: turn.promptDigest });
    const whole = { content: message.content, missing: message.role === 'user' ? 0 : message.missing };
    const { content, missing } = withoutTornEnd(kept.content, whole);
    const sized = truncateMessage({ ...kept, content, metadata: { ...kept.metadata, message_key: key } }, missing);
    return { key, ...sized, acceptedAt: wallNow(), attempts: 0, maybeStored: false };
  }

  #put(pending: Pending, entry: OutboxEntry): MaybePromise<Acceptance> {
    const { turn } = pending;
    const lose = (reason: LossReason, error?: unknown) => {
      this.#recent.delete(entry.key);
      return this.#losePending(pending, reason, error);
    };
    const stored = (result: PutResult | 'closed' | undefined): Acceptance => {
      // A redaction may come back after close() has stopped waiting for it.
      if (result === 'closed') return lose('recorder_closed');
      if (result === 'full') {
        turn.isRefused = true;
        return lose('outbox_full');
      }
      turn.isAdmitted = true;
      if (result === 'accepted') this.#accepted?.(entry);
      return 'accepted';
    };
    try {
      const result = this.#relay?.put(entry, { admitted: turn.isAdmitted });
      if (!isPromise(result)) return stored(result);
      return Promise.resolve(result).then(stored, error => lose('outbox_failed', error));
    } catch (error) {
      return lose('outbox_failed', error);
    }
  }

  #losePending(pending: Pending, reason: LossReason, error?: unknown): LossReason {
    if (pending.isGivenUp) return 'recorder_closed';
    this.#waiting.delete(pending);
    this.#saidBefore.forgetUser(pending.turn, pending.draft.conversationId, pending.name.messageId);
    return this.#lose(pending.turn, pending.message, pending.name, reason, error);
  }

  #lose(
    turn: TurnRecord,
    { role }: Pick<TurnMessage, 'role'>,
    name: MessageName,
    reason: LossReason,
    error?: unknown,
  ): LossReason {
    const conversationId = typeof turn.resolved === 'string' ? undefined : turn.resolved.conversationId;
    this.refused[reason] = (this.refused[reason] ?? 0) + 1;
    const advice = lossAdvice(reason, error);
    if (advice) this.#warnOnce.warn(topicOf(reason, error), advice);
    this.#report({ reason, role, conversationId, messageKey: messageKey({ conversationId, role }, name), error });
    return reason;
  }
}
