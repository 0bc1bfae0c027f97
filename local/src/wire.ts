import type { JsonObject } from 'synap-recorder';
import type { ConversationSummary, StoredMessage, StoredReceipt } from './store/records.js';

// What is stored, in the words of the API: snake_case, and only fields that Synap's own answers have.

export function receiptToWire(receipt: StoredReceipt) {
  return {
    message_id: receipt.messageId,
    conversation_id: receipt.conversationId,
    session_id: receipt.sessionId,
    recorded_at: receipt.recordedAt,
  };
}

export function conversationToWire(conversation: ConversationSummary) {
  return {
    conversation_id: conversation.conversationId,
    user_id: conversation.userId,
    customer_id: conversation.customerId,
    message_count: conversation.messageCount,
    first_recorded_at: conversation.firstRecordedAt,
    last_recorded_at: conversation.lastRecordedAt,
  };
}

export function messageToWire(message: StoredMessage) {
  return {
    message_id: message.messageId,
    conversation_id: message.conversationId,
    session_id: message.sessionId,
    role: message.role,
    content: message.content,
    user_id: message.userId,
    customer_id: message.customerId,
    metadata: message.metadata,
    recorded_at: message.recordedAt,
  };
}

/** A stored message as lists, exports and events show it. */
export type WireStoredMessage = ReturnType<typeof messageToWire>;

/**
 * A stored message as it stands in the context of a prompt. `timestamp` is when it was said, as far as that is known;
 * `metadata` is more than the service's own answer has.
 */
export function recentMessageToWire({ role, content, messageId, recordedAt, metadata }: StoredMessage) {
  return { role, content, timestamp: saidAt(role, metadata) ?? recordedAt, message_id: messageId, metadata };
}

/** When a message was said, by its metadata: an answer at its end. */
export function saidAt(role: unknown, { started_at, ended_at }: JsonObject): string | undefined {
  const said = role === 'assistant' ? (ended_at ?? started_at) : started_at;
  return typeof said === 'string' && !Number.isNaN(Date.parse(said)) ? said : undefined;
}
