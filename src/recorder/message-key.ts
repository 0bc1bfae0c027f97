import type { Role } from '../synap/messages.js';
import { readMessageId } from './message-id.js';
import { textDigest } from './text-digest.js';
import type { AssistantMessage, TurnFacts } from './turn-message.js';

/** Which message of its turn it is. */
export interface MessageName {
  readonly turn: Pick<TurnFacts, 'id' | 'isNamedByApp' | 'idMayRepeat'>;
  /** The app's own id of a user's message. */
  readonly messageId?: string | undefined;
  /** Above 0 where it says again what it said before it was edited. */
  readonly wording?: number | undefined;
  /** How many messages of the user came before it in the turn; undefined where it can't be read. */
  readonly place?: number | undefined;
  /** How many messages of the same answer came before it: an answer may go on after it was abandoned. */
  readonly part?: number | undefined;
  /** The id under which a framework keeps the answer, the same in every process. */
  readonly answerId?: string | undefined;
  /** Of an answer: a digest of what the user said last in the turn, after redaction; undefined where nothing was. */
  readonly promptDigest?: string | undefined;
  /** Of an answer: whether it ended before it was whole. */
  readonly isPartial?: boolean | undefined;
}

/** What names an answer beside its turn. */
export function answerName({ part, status, answerId }: AssistantMessage): Omit<MessageName, 'turn'> {
  return { part, answerId: readMessageId(answerId).id, isPartial: status !== 'complete' };
}

/**
 * The `message_key`, by which Synap and the outbox know a message again: over retries, processes and machines.
 *
 * | message | key |
 * |---|---|
 * | user's, the app's id known | conversation, id, short hash of the text: an edit is another key, in every process |
 * | user's, no id | turn, place in the turn |
 * | assistant's, its framework keeps it under an id | conversation, id, short hash of the text |
 * | assistant's | turn; of an answer that went on after it was abandoned, its place among the turn's answers, too |
 *
 * A turn goes by its own id, which is unique, or by an id of the app's, which is so within a conversation. Where an id may
 * come again for another turn (the id of a run), what the user said tells the two apart; and of a run that is tried again
 * under its own id, an answer that broke off is not the whole one.
 *
 * @param message the message after redaction, since a key is made of its text; before that, for the report of a message that
 *   is lost, what is known of it, without the text
 */
export function messageKey(
  message: { readonly conversationId: string | undefined; readonly role: Role; readonly content?: string | undefined },
  { turn, messageId, wording = 0, place, part = 0, answerId, promptDigest, isPartial = false }: MessageName,
): string {
  const { conversationId, role, content } = message;
  const hash = () => content !== undefined && textDigest(content);
  if (role === 'user' && messageId !== undefined)
    return named(conversationId, role, messageId, hash(), wording > 0 && wording);
  if (role === 'assistant' && answerId !== undefined) return named(conversationId, role, answerId, hash());
  const { id, isNamedByApp, idMayRepeat = false } = turn;
  const isNamedByText = role === 'user' || isPartial || promptDigest === undefined;
  const said = idMayRepeat ? [role === 'assistant' && promptDigest, isNamedByText && hash()] : [];
  const turnName = isNamedByApp ? named(conversationId, ...said, id) : id;
  return named(turnName, role, role === 'user' ? place : part > 0 && part);
}

function named(...parts: readonly (string | number | undefined | false)[]): string {
  return parts.filter(part => part !== undefined && part !== false).join(':');
}
