import type { Identity } from '../recorder/identity.js';
import { MAX_CONVERSATION_ID, readId } from '../recorder/known-id.js';

/**
 * Who is talking where, as the `metadata` of one call says it.
 *
 * Without a `conversation_id`, the `session_id` (the name LangChain's message histories go by) or the `thread_id`
 * (LangGraph's) names the conversation. A `session_id` is Synap's session as well.
 *
 * Of several names for one part, the first that says anything counts, also when it names nobody: then the part is
 * missing, and another name would be a guess.
 */
export function callIdentity(metadata: unknown): Identity {
  if (typeof metadata !== 'object' || metadata === null) return {};
  const given = metadata as Record<string, unknown>;
  const sessionId = readId(given.session_id) ?? readId(given.sessionId);
  const conversation = (name: string) => readId(given[name], MAX_CONVERSATION_ID);
  return {
    conversationId:
      conversation('conversation_id') ??
      conversation('conversationId') ??
      conversation('session_id') ??
      conversation('sessionId') ??
      conversation('thread_id') ??
      conversation('threadId'),
    userId: readId(given.user_id) ?? readId(given.userId),
    customerId: readId(given.customer_id) ?? readId(given.customerId),
    sessionId,
  };
}
