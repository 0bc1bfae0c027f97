import type { LossReason } from '../delivery/loss.js';
import type { MaybePromise } from '../internal/promises.js';
import type { Attachment, TurnDetails, TurnStatus } from './turn-details.js';

/** What the messages of a turn have in common. */
export interface TurnFacts {
  readonly id: string;
  /** Whether the id is the app's own. It may stand for another turn in another conversation. */
  readonly isNamedByApp: boolean;
  /** Whether the id may come again for another turn of the conversation, as that of a run does. */
  readonly idMayRepeat?: boolean | undefined;
  readonly framework: string | undefined;
  /** The app's tags of the turn, as they were handed over. */
  readonly tags: unknown;
}

/** A text, and how many characters followed it that were not kept, because no message is as long. */
export interface BoundedText {
  readonly content: string;
  readonly missing: number;
}

/** What a user said. */
export interface UserMessage {
  readonly role: 'user';
  readonly turn: TurnFacts;
  readonly content: string;
  /** The app's own id of the message, as it was handed over. */
  readonly messageId: unknown;
  /** The id under which a framework keeps the message, where the app has none for it. */
  readonly storedId?: unknown;
  readonly attachments: readonly Attachment[] | undefined;
  /** The app's tags of the message, as they were handed over. */
  readonly tags: unknown;
  readonly startedAt: Date;
  /** Where it stands among the user's messages at the end of a prompt; undefined for one that was said by itself. */
  readonly trailing: TrailingPlace | undefined;
}

/** Where a message stands among the user's messages at the end of a prompt, `contents`: the same list for each of them. */
export interface TrailingPlace {
  readonly index: number;
  readonly contents: readonly unknown[];
  readonly history: PromptHistory | undefined;
  /** The app's own id of the last of them, as it was handed over. */
  readonly newestId: unknown;
}

/** What else stands in a prompt. */
export interface PromptHistory {
  /** How many messages of the user come before those at its end. */
  readonly place: number;
  /** What they say. */
  earlier(): readonly string[];
  /** Text of the assistant's at the very end, which the answer goes on from; empty for none. */
  readonly prefill: string;
}

/** What the assistant answered, as far as it came. */
export interface AssistantMessage extends BoundedText {
  readonly role: 'assistant';
  readonly turn: TurnFacts;
  readonly status: TurnStatus;
  /** How many messages of the turn's answer came before it: one goes on after it was abandoned. */
  readonly part?: number | undefined;
  /** The id under which a framework keeps it. */
  readonly answerId?: unknown;
  /** What the turn failed with, or why it was aborted. */
  readonly error: unknown;
  readonly details: TurnDetails;
  readonly startedAt: Date;
  readonly endedAt: Date;
  /** In milliseconds; undefined where it is not known. */
  readonly latencyMs: number | undefined;
  readonly timeToFirstTokenMs: number | undefined;
}

/** A message that can't be read: a text that is no string, a getter that throws. */
interface UnreadableMessage {
  readonly role: 'user' | 'assistant';
  readonly turn: TurnFacts;
  readonly unreadable: unknown;
}

/** A message as a turn hands it on. */
export type TurnMessage = UserMessage | AssistantMessage | UnreadableMessage;

/** What became of a message: it is in the outbox, there was nothing to record (it was said before), or why it is lost. */
export type Acceptance = 'accepted' | 'not recorded' | LossReason;

/** Where a turn's messages go. */
export interface TurnSink {
  /** Never throws or rejects. */
  accept(message: TurnMessage): MaybePromise<Acceptance>;
  /** An answer that failed or was stopped before its first word. */
  empty?(message: AssistantMessage): MaybePromise<Acceptance>;
  /** Something was said after the turn was abandoned, and nobody will record it. */
  late?(turn: TurnFacts): void;
}
