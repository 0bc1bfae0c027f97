import type { JsonObject, Role } from 'synap-recorder';

/** A message to be stored, checked and with ids in their final spelling. */
export interface NewMessage {
  conversationId: string;
  role: Role;
  content: string;
  /** Taken from the conversation's latest message when it is missing. */
  userId?: string | undefined;
  customerId?: string | undefined;
  sessionId?: string | undefined;
  metadata?: JsonObject | undefined;
  /** The same key again in the same conversation is the same message. */
  messageKey?: string | undefined;
}

export interface StoredReceipt {
  messageId: string;
  conversationId: string;
  sessionId: string;
  /** ISO-8601 in UTC, with milliseconds. */
  recordedAt: string;
}

export type RefusalCode = 'conversation_conflict' | 'unknown_user' | 'unknown_customer';

/** What became of a message: stored now, stored before (then with the first receipt), or refused. */
export type Outcome =
  | { status: 'stored' | 'duplicate'; receipt: StoredReceipt }
  | { status: 'refused'; code: RefusalCode; reason: string };

export interface StoredMessage extends StoredReceipt {
  /** The order of acceptance, over all conversations. */
  seq: number;
  role: Role;
  content: string;
  userId: string;
  customerId: string;
  /** Empty when there was none. */
  metadata: JsonObject;
}

export interface ConversationSummary {
  conversationId: string;
  /** Who said its first message. */
  userId: string;
  customerId: string;
  messageCount: number;
  /** How often the user had the word. Messages of one `turn_id` in a row are one turn. */
  turnCount: number;
  firstRecordedAt: string;
  lastRecordedAt: string;
  /** `seq` of its latest message. */
  lastSeq: number;
}

/** A conversation as a list shows it. */
export interface ConversationListing extends ConversationSummary {
  /** How its first message begins. */
  opening: string;
  /** All that spoke in it, all models that answered, and all ways in which an answer ended. */
  users: string[];
  models: string[];
  statuses: string[];
}

/** Which conversations a list shows: those in which each of these values occurs. */
export interface ConversationFilter {
  user?: string | undefined;
  customer?: string | undefined;
  model?: string | undefined;
  status?: string | undefined;
}

/** Some of a list. `next` is where the rest begins; undefined when this is the end. */
export interface Page<T> {
  items: T[];
  next: number | undefined;
}

export function page<T>(rows: T[], limit: number, place: (row: T) => number): Page<T> {
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return { items, next: rows.length > limit && last !== undefined ? place(last) : undefined };
}
