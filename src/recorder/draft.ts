import type { JsonObject } from '../internal/json.js';
import type { RecordMessageInput } from '../synap/messages.js';
import { endText } from './error-text.js';
import type { ResolvedIdentity } from './identity.js';
import { assistantMetadata, type MessageFacts, userMetadata } from './metadata.js';
import type { Withheld } from './read-error.js';
import type { AssistantMessage, UserMessage } from './turn-message.js';

/**
 * A message as Synap takes it, before it is redacted, cut, and has a key.
 *
 * @param tags the app's tags, as plain JSON
 * @param withheld what the text of an error may not hold
 */
export function draftMessage(
  message: UserMessage | AssistantMessage,
  identity: ResolvedIdentity,
  tags: JsonObject,
  withheld: Withheld,
): RecordMessageInput {
  const { conversationId, userId, customerId, sessionId } = identity;
  return {
    conversationId,
    role: message.role,
    content: message.content,
    userId,
    customerId,
    sessionId,
    metadata: { ...tags, ...ownMetadata(message, identity.externalConversationId, withheld) },
  };
}

function ownMetadata(
  message: UserMessage | AssistantMessage,
  externalConversationId: string | undefined,
  withheld: Withheld,
): JsonObject {
  const { turn, startedAt } = message;
  const facts: MessageFacts = { turnId: turn.id, framework: turn.framework, externalConversationId, startedAt };
  if (message.role === 'user') return userMetadata({ ...facts, attachments: message.attachments });
  const { details, status, error, endedAt, latencyMs, timeToFirstTokenMs } = message;
  return assistantMetadata(facts, {
    ...details,
    status,
    error: endText(status, error, withheld),
    endedAt,
    latencyMs,
    timeToFirstTokenMs,
  });
}
