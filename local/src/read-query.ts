import { isUuid } from 'synap-recorder/wire';
import type { Parsed } from './input.js';
import type { MessageFilter } from './message-log.js';

/** The query of `GET /v1/export`: `conversation_id` (repeatable), `user_id`, `since`. */
export function parseFilter(query: URLSearchParams): Parsed<MessageFilter> {
  const conversationIds = query.getAll('conversation_id').map(id => id.toLowerCase());
  const since = query.get('since');
  const time = since === null ? undefined : Date.parse(since);
  if (!conversationIds.every(isUuid)) return { problem: 'conversation_id must be a UUID' };
  if (time !== undefined && Number.isNaN(time)) return { problem: 'since must be an ISO-8601 date or time' };
  return {
    value: {
      conversationIds: conversationIds.length === 0 ? undefined : conversationIds,
      userId: query.get('user_id') ?? undefined,
      since: time === undefined ? undefined : new Date(time).toISOString(),
    },
  };
}

/**
 * The query of `GET /v1/events`: that of an export, and `after`, the id of the event to go on behind. A reader that was
 * cut off sends it as `Last-Event-ID`, which is the newer of the two.
 */
export function parseEventsQuery(
  query: URLSearchParams,
  lastEventId: string | undefined,
): Parsed<MessageFilter & { after: number | undefined }> {
  const { value, problem } = parseFilter(query);
  if (problem !== undefined) return { problem };
  const after = lastEventId || query.get('after');
  if (after && !/^\d{1,15}$/.test(after)) return { problem: 'after must be the id of an event' };
  return { value: { ...value, after: after ? Number(after) : undefined } };
}
