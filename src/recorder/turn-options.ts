import type { LossReason } from '../delivery/loss.js';
import { isNumber, property } from '../internal/guards.js';
import { readMessageId } from './message-id.js';
import type { Attachment, TurnDetails } from './metadata.js';

export interface TurnOptions {
  /** What the turn came through: `ai-sdk`, `langchain`, the name of your own framework. */
  framework?: string | undefined;
  /** A stable id, when the framework has one. Default: a fresh UUID. */
  id?: string | undefined;
  /** `true` where the same `id` may be given to another turn of the conversation, as that of a run may. Default `false`. */
  idMayRepeat?: boolean | undefined;
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
  /**
   * Asked when the turn would be abandoned: how it ends instead, where nothing of it is under way and that is known, as between
   * two steps, or once the app has aborted it. Undefined: it is `abandoned`.
   */
  endsAs?: (() => { error?: unknown } | { aborted: unknown } | undefined) | undefined;
  /** Called when the turn ends, however it does. */
  ended?: (() => void) | undefined;
  /** Asked for the answer so far when the recorder abandons the turn, by an adapter that has not appended it. */
  soFar?: (() => FollowedAnswer | undefined) | undefined;
}

/** Options of a turn as they are used: each is read once and by itself; what is not what it should be is not there. */
export interface TurnSettings extends Omit<TurnOptions, 'metadata'> {
  readonly metadata: unknown;
}

export function readTurnOptions(options: TurnOptions): TurnSettings {
  const option = (name: keyof TurnOptions) => property(options, name);
  const act = (name: keyof TurnOptions) => {
    const value = option(name);
    return typeof value === 'function' ? (value as () => never) : undefined;
  };
  const [framework, idleMs, timed, startedAt, idMayRepeat] = (
    ['framework', 'idleMs', 'timed', 'startedAt', 'idMayRepeat'] as const
  ).map(option);
  return {
    id: readMessageId(option('id')).id,
    idMayRepeat: idMayRepeat === true || undefined,
    framework: typeof framework === 'string' ? framework : undefined,
    idleMs: isNumber(idleMs) && idleMs > 0 ? idleMs : undefined,
    timed: typeof timed === 'boolean' ? timed : undefined,
    startedAt: isNumber(startedAt) ? startedAt : undefined,
    metadata: option('metadata'),
    soFar: act('soFar'),
    ended: act('ended'),
    busy: act('busy'),
    endsAs: act('endsAs'),
  };
}

export interface UserMessageOptions {
  /**
   * The app's own id of this message: used twice in a conversation, it is recorded once. One that was made from a value
   * that is not there (`"undefined"`) is none.
   */
  messageId?: string | undefined;
  attachments?: readonly Attachment[] | undefined;
  /** The app's own tags of this message. */
  metadata?: Record<string, unknown> | undefined;
}

/** A message of the user's that a framework keeps under an id of its own. */
export interface StoredMessageOptions extends UserMessageOptions {
  /** That id: it names the message in every process, where the app has no id for it. */
  storedId?: string | undefined;
}

/** What `turn.complete()` takes. `content` replaces what was appended. */
export interface CompleteDetails extends TurnDetails {
  content?: string | undefined;
}

/** The answer of a framework that keeps it. */
export interface StoredAnswer extends CompleteDetails {
  /** The id under which it is kept: it names the answer in every process. */
  answerId?: string | undefined;
}

/** What an adapter that follows the readers of an answer knows of it. */
export interface FollowedAnswer extends CompleteDetails {
  /** How many characters followed `content` that were not kept, because no message is as long. */
  missing?: number | undefined;
  /** When its last part was read, on the clock of `performance.now()`. */
  lastPartAt?: number | undefined;
  /** When its first part came, where the turn was not told of it by then; on the same clock. */
  firstTokenAt?: number | undefined;
}

/** What became of the messages of a turn so far: how many the outbox has accepted, and why the others are lost. */
export interface TurnOutcome {
  readonly accepted: number;
  readonly lost: readonly LossReason[];
}
