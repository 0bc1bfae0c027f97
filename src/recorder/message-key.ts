import type { Role } from '../synap/messages.js';
import { textDigest } from './text-digest.js';
import type { TurnFacts } from './turn-message.js';

/** Which message of its turn it is. */
export interface MessageName {
  readonly turn: Pick<TurnFacts, 'id' | 'isNamedByApp'>;
  /** The app's own id of a user's message. */
  readonly messageId?: string | undefined;
  /** Above 0 where it says again what it said before it was edited. */
  readonly wording?: number | undefined;
  /** How many messages of the user came before it in the turn; undefined where it can't be read. */
  readonly place?: number | undefined;
  /** How many messages of the same answer came before it: an answer may go on after it was abandoned. */
  readonly part?: number | undefined;
}

/**
 * The `message_key`, by which Synap and the outbox know a message again: over retries, processes and machines.
 *
 * | message | key |
 * |---|---|
 * | user's, the app's id known | conversation, id, short hash of the text: an edit is another key, in every process |
 * | user's, no id | turn, place in the turn |
 * | assistant's | turn; of an answer that went on after it was abandoned, its place among the turn's answers, too |
 *
 * A turn goes by its own id, which is unique, or by an id of the app's, which is so within a conversation.
 *
 * @param message the message after redaction, since a key is made of its text; before that, for the report of a message that
 *   is lost, what is known of it, without the text
 */
export function messageKey(
  message: { readonly conversationId: string | undefined; readonly role: Role; readonly content?: string | undefined },
  { turn, messageId, wording = 0, place, part = 0 }: MessageName,
): string {
  const { conversationId, role, content } = message;
  if (role === 'user' && messageId !== undefined) {
    const hash = content === undefined ? '' : `:${textDigest(content)}`;
    return `${conversationId}:user:${messageId}${hash}${wording > 0 ? `:${wording}` : ''}`;
  }
  const turnName = turn.isNamedByApp ? `${conversationId}:${turn.id}` : turn.id;
  if (role === 'user' && place !== undefined) return `${turnName}:user:${place}`;
  return part > 0 ? `${turnName}:${role}:${part}` : `${turnName}:${role}`;
}
