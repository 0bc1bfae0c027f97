import type { LossReason } from '../delivery/loss.js';
import type { Attachment, TurnDetails } from './metadata.js';

export interface TurnOptions {
  /** What the turn came through: `ai-sdk`, `langchain`, the name of your own framework. */
  framework?: string | undefined;
  /** A stable id, when the framework has one. Default: a fresh UUIDv7. */
  id?: string | undefined;
  /** The app's own tags, on both messages. */
  metadata?: Record<string, unknown> | undefined;
  /** Milliseconds without a sign of life after which the turn is abandoned. Default: never. */
  idleMs?: number | undefined;
  /** When the turn began, on the clock of `performance.now()`. Default: with the first `user()`. */
  startedAt?: number | undefined;
  /** `false` where it is not known how long the answer took: then it says nothing about that. Default `true`. */
  timed?: boolean | undefined;
  /** Whether something is under way that will bring a sign or an end by itself: then the turn is not idle. */
  busy?: (() => boolean) | undefined;
  /** Told when the turn ends, however it does. */
  ended?: (() => void) | undefined;
  /** Asked for the answer so far when the recorder abandons the turn, by an adapter that has not appended it. */
  soFar?: (() => CompleteDetails | undefined) | undefined;
}

export interface UserMessageOptions {
  /** The app's own id of this message: given twice in a conversation, it is recorded once. */
  messageId?: string | undefined;
  attachments?: readonly Attachment[] | undefined;
  /** The app's own tags of this message. */
  metadata?: Record<string, unknown> | undefined;
}

/** What `turn.complete()` may be told. `content` replaces what was appended. */
export interface CompleteDetails extends TurnDetails {
  content?: string | undefined;
}

/** What became of the messages of a turn so far: how many the outbox has accepted, and why the others are lost. */
export interface TurnOutcome {
  readonly accepted: number;
  readonly lost: readonly LossReason[];
}
