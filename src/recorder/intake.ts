import type { Loss, LossReason } from '../delivery/loss.js';
import type { Relay } from '../delivery/relay.js';
import { errorForLog } from '../delivery/send-batch.js';
import { BoundedSet } from '../internal/bounded-set.js';
import { isPromise } from '../internal/promises.js';
import type { WarnOnce } from '../internal/warn-once.js';
import type { MaybePromise, PutResult } from '../outbox/outbox.js';
import type { RecordMessageInput, Role } from '../synap/messages.js';
import { cutText } from './cut-text.js';
import type { MissingIdentity, ResolvedIdentity, UnknownParts } from './identity.js';
import { tagMetadata } from './metadata.js';
import type { RecorderSettings } from './options.js';
import { checkedRedaction, withoutTornEnd } from './redaction.js';
import { Unanswered } from './repeated-prompts.js';
import { type Fitted, fitToSize } from './truncate.js';
import type { Turn, TurnMessage } from './turn.js';
import type { TurnOutcome } from './turn-options.js';

const MAX_RECENT = 10_000;

// What waits for a redaction is not in the outbox yet, so that one's bounds do not hold for it.
const MAX_WAITING = 10_000;
const MAX_WAITING_CHARACTERS = 32 * 1024 * 1024;

interface Admission {
  readonly identity: ResolvedIdentity | MissingIdentity;
  readonly unknown: UnknownParts;
  /** Once the outbox has refused a turn for being full, it refuses all of it; once it has taken some, it takes all. */
  admitted: boolean;
  refused: boolean;
  readonly outcome: { accepted: number; lost: LossReason[] };
  tail: Promise<void> | undefined;
}

export interface AdmissionsOptions {
  settings: Pick<RecorderSettings, 'metadata' | 'redact'>;
  relay: Relay | undefined;
  notices: WarnOnce;
  report(loss: Loss): void;
}

/**
 * What lies between a turn and the outbox: a message is named, redacted, measured and put, or counted as lost.
 *
 * ```
 *   record() ──► tagged ──► redacted ──► put ──► accepted
 *       │                      │          │
 *       └──────────────────────┴──────────┴────► refused, counted by reason
 * ```
 * It is synchronous for as long as redact and the outbox are. Where one of them takes its time, the messages of a
 * conversation wait for one another.
 */
export class Admissions {
  readonly refused: Partial<Record<LossReason, number>> = {};
  readonly #settings: AdmissionsOptions['settings'];
  readonly #relay: Relay | undefined;
  readonly #notices: WarnOnce;
  readonly #report: (loss: Loss) => void;
  readonly #admissions = new WeakMap<Turn, Admission>();
  // The keys of the newest messages, so that one said twice is recorded once.
  readonly #recent = new BoundedSet(MAX_RECENT);
  readonly #unanswered = new Unanswered();
  readonly #tails = new Map<string, Promise<void>>();
  readonly #waiting = new Set<TurnMessage>();
  #waitingCharacters = 0;
  // What was counted as lost while it waited: it may come back.
  readonly #givenUp = new WeakSet<TurnMessage>();

  constructor({ settings, relay, notices, report }: AdmissionsOptions) {
    this.#settings = settings;
    this.#relay = relay;
    this.#notices = notices;
    this.#report = report;
  }

  /** How many messages wait for a redaction or the outbox. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** Counts what still waits as lost; what comes of it later is nobody's. */
  close(): void {
    for (const message of this.#waiting) {
      this.#refuse(message, 'recorder_closed');
      this.#givenUp.add(message);
    }
  }

  /** @param unknown what to say of each part of the identity that names nobody */
  open(turn: Turn, identity: ResolvedIdentity | MissingIdentity, unknown: UnknownParts): void {
    this.#admissions.set(turn, {
      identity,
      unknown,
      admitted: false,
      refused: false,
      outcome: { accepted: 0, lost: [] },
      tail: undefined,
    });
  }

  /** Resolves when everything the turn has said is accepted or refused. */
  async settled(turn: Turn): Promise<TurnOutcome> {
    const admission = this.#admissions.get(turn);
    await admission?.tail;
    const { accepted, lost } = admission?.outcome ?? { accepted: 0, lost: [] };
    return { accepted, lost: [...lost] };
  }

  isUnanswered(turn: Turn, content: string): boolean {
    return this.#unanswered.has(turn.conversationId, content);
  }

  noticeUnknown(unknown: UnknownParts): void {
    if (!this.#relay) return;
    for (const [part, problem] of Object.entries(unknown)) this.#notices.warn(`unknown:${part}`, problem);
  }

  /** Takes a message of a turn, or counts it as lost. */
  record(message: TurnMessage, closed: boolean): void {
    const admission = this.#admissions.get(message.turn);
    if (!this.#relay || !admission) return;
    if (closed) return this.#refuse(message, 'recorder_closed');
    const { identity, unknown } = admission;
    this.noticeUnknown(unknown);
    if (typeof identity === 'string') {
      const part = identity === 'missing_user_id' ? 'userId' : 'customerId';
      if (!unknown[part])
        this.#notices.warn(
          identity,
          `a turn without ${part} can't be recorded: give one to the call, the wrapper or the recorder`,
        );
      return this.#refuse(message, identity);
    }
    if (identity.fresh && !unknown.conversationId && !unknown.customerId)
      this.#notices.warn(
        'fresh',
        'a turn without conversationId is recorded as a conversation of its own: give one to the call',
      );
    if (admission.refused) return this.#refuse(message, 'outbox_full');
    if (!admission.admitted && this.#isCrowded()) {
      admission.refused = true;
      return this.#refuse(message, 'outbox_full');
    }
    if (!this.#recent.add(message.key)) return;
    this.#unanswered.note(identity.conversationId, message);

    const input = this.#input(message, identity);
    const tail = this.#tails.get(identity.conversationId);
    const done = tail
      ? tail.then(() => this.#admit(input, message, admission))
      : this.#admit(input, message, admission);
    if (!isPromise(done)) return;
    this.#waiting.add(message);
    this.#waitingCharacters += message.content.length;
    this.#tails.set(identity.conversationId, done);
    admission.tail = done;
    void done.then(() => {
      this.#noLongerWaits(message);
      if (this.#tails.get(identity.conversationId) === done) this.#tails.delete(identity.conversationId);
    });
  }

  #input(message: TurnMessage, identity: ResolvedIdentity): RecordMessageInput {
    const tags = tagMetadata([...message.tags, this.#settings.metadata], this.#dropTag);
    if (tags.dropped_tags !== undefined)
      this.#notices.warn(
        'tags',
        'the largest tags of a message are left out: all together are over 64 KiB or 5,000 values',
      );
    return {
      conversationId: identity.conversationId,
      role: message.role,
      content: message.content,
      userId: identity.userId,
      customerId: identity.customerId,
      sessionId: identity.sessionId,
      metadata: { ...tags, ...message.metadata },
    };
  }

  readonly #dropTag = (name: string, reason: string): void => {
    const short = JSON.stringify(cutText(name, 100));
    this.#notices.warn(`tag:${short}`, `the tag ${short} is left out: it ${reason}`);
  };

  /** Redacts and puts. Answers with a promise only where one of the two does; that never rejects. */
  #admit(input: RecordMessageInput, message: TurnMessage, admission: Admission): MaybePromise<void> {
    const { redact } = this.#settings;
    let redacted: MaybePromise<RecordMessageInput | null>;
    let later: Promise<RecordMessageInput | null> | undefined;
    try {
      // Which message it is, it can't change, not even in place.
      redacted = redact ? redact({ ...input, metadata: { ...input.metadata } }) : input;
      if (isPromise(redacted)) later = Promise.resolve(redacted);
    } catch (error) {
      return this.#refuse(message, 'redact_failed', error);
    }
    if (!later) return this.#put(input, redacted as RecordMessageInput | null, message, admission);
    return later.then(
      redacted => this.#put(input, redacted, message, admission),
      error => this.#refuse(message, 'redact_failed', error),
    );
  }

  #put(
    input: RecordMessageInput,
    redacted: RecordMessageInput | null,
    message: TurnMessage,
    admission: Admission,
  ): MaybePromise<void> {
    if (redacted === null) return this.#refuse(message, 'redacted');
    if (typeof redacted !== 'object') return this.#refuse(message, 'redact_failed');
    if (admission.refused) return this.#refuse(message, 'outbox_full');
    let fitted: Fitted;
    try {
      // Redaction may change what a message says, and of whom; not which message it is.
      const { conversationId, role } = input;
      // What was not redacted is as this recorder made it: nothing in it can be wrong.
      const kept = redacted === input ? input : checkedRedaction({ ...redacted, conversationId, role }, this.#dropTag);
      const { content, missing } = withoutTornEnd(kept.content, message);
      fitted = fitToSize({ ...kept, content, metadata: { ...kept.metadata, message_key: message.key } }, missing);
    } catch (error) {
      return this.#refuse(message, 'invalid_message', error);
    }
    const entry = { key: message.key, ...fitted, acceptedAt: Date.now(), attempts: 0, maybeStored: false };
    try {
      const result = this.#relay?.put(entry, { admitted: admission.admitted });
      if (!isPromise(result)) return this.#putDone(result, message, admission);
      return Promise.resolve(result).then(
        result => this.#putDone(result, message, admission),
        error => this.#refuse(message, 'outbox_failed', error),
      );
    } catch (error) {
      return this.#refuse(message, 'outbox_failed', error);
    }
  }

  #putDone(result: PutResult | 'closed' | undefined, message: TurnMessage, admission: Admission): void {
    // A redaction may come back after close() has stopped waiting for it.
    if (result === 'closed') return this.#refuse(message, 'recorder_closed');
    if (result === 'full') {
      admission.refused = true;
      return this.#refuse(message, 'outbox_full');
    }
    admission.admitted = true;
    admission.outcome.accepted++;
  }

  /** What the app handed to a turn can't be read: a text that is no string, a getter that throws. */
  unreadable(turn: Turn, role: Role, error: unknown): void {
    if (!this.#relay) return;
    const key = `${turn.id}:${role}`;
    const message = { turn, role, content: '', missing: 0, key, status: undefined, metadata: {}, tags: [] };
    this.#refuse(message, 'invalid_message', error);
  }

  #refuse(message: TurnMessage, reason: LossReason, error?: unknown): void {
    if (this.#givenUp.has(message)) return;
    this.#noLongerWaits(message);
    this.#recent.delete(message.key);
    this.#admissions.get(message.turn)?.outcome.lost.push(reason);
    this.refused[reason] = (this.refused[reason] ?? 0) + 1;
    if (reason !== 'redacted' && !reason.startsWith('missing_'))
      this.#notices.warn(
        reason,
        `messages are not recorded (${reason})${error === undefined ? '' : `: ${errorForLog(error)}`}`,
      );
    this.#report({
      reason,
      role: message.role,
      conversationId: message.turn.conversationId,
      messageKey: message.key,
      error,
    });
  }

  #isCrowded(): boolean {
    return this.#waiting.size >= MAX_WAITING || this.#waitingCharacters >= MAX_WAITING_CHARACTERS;
  }

  #noLongerWaits(message: TurnMessage): void {
    if (this.#waiting.delete(message)) this.#waitingCharacters -= message.content.length;
  }

  /** Resolves when what waits for a redaction or the outbox now has it; undefined when nothing waits. */
  done(): Promise<void> | undefined {
    if (this.#tails.size === 0) return undefined;
    return Promise.all(this.#tails.values()).then(() => {});
  }
}
