import type { StoredMessage } from '../store/records.js';
import type { Store } from '../store.js';
import { parseSeq } from './list-query.js';

const MESSAGES_A_PAGE = 100;

/** The messages of a conversation that a page shows. */
export interface MessageWindow {
  messages: StoredMessage[];
  /** How many come before them. */
  place: number;
  /** The requested one, if any. */
  at: number | undefined;
}

/**
 * The part of a conversation that an address asks for: around the message `at`, right `before` or `after` one, or, when
 * it says nothing, the newest. Undefined when there is no such conversation.
 */
export function messageWindow(
  store: Store,
  conversationId: string,
  query: Record<string, string>,
): MessageWindow | undefined {
  const at = parseSeq(query.at);
  const messages = read(store, conversationId, at, parseSeq(query.before), parseSeq(query.after));
  if (messages === undefined) return undefined;
  const first = messages.at(0)?.seq ?? Number.MAX_SAFE_INTEGER;
  return { messages, at, place: store.place(conversationId, first) ?? 0 };
}

function read(store: Store, id: string, at?: number, before?: number, after?: number): StoredMessage[] | undefined {
  if (after !== undefined) return store.messages(id, { limit: MESSAGES_A_PAGE, after })?.items;
  if (at === undefined) return store.messagesBefore(id, MESSAGES_A_PAGE, before ?? Number.MAX_SAFE_INTEGER)?.items;
  const half = MESSAGES_A_PAGE / 2;
  const earlier = store.messagesBefore(id, half, at)?.items;
  return earlier && [...earlier, ...(store.messages(id, { limit: half, after: at - 1 })?.items ?? [])];
}
