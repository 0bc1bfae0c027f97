import type { Identity } from '../recorder/identity.js';

/**
 * Who is talking where, as the `metadata` of one call says it.
 *
 * Without a `conversation_id`, the `session_id` (the name LangChain's message histories go by) or the `thread_id`
 * (LangGraph's) names the conversation. A `session_id` is Synap's session as well.
 */
export function callIdentity(metadata: unknown): Identity {
  if (typeof metadata !== 'object' || metadata === null) return {};
  const given = metadata as Record<string, unknown>;
  const sessionId = idOf(given.session_id) ?? idOf(given.sessionId);
  return {
    conversationId:
      idOf(given.conversation_id) ??
      idOf(given.conversationId) ??
      sessionId ??
      idOf(given.thread_id) ??
      idOf(given.threadId),
    userId: idOf(given.user_id) ?? idOf(given.userId),
    customerId: idOf(given.customer_id) ?? idOf(given.customerId),
    sessionId,
  };
}

function idOf(value: unknown): string | undefined {
  if (typeof value === 'number' || typeof value === 'bigint') return String(value);
  return typeof value === 'string' && value.trim() !== '' ? value : undefined;
}
