import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import type { StoredMessage } from './store/records.js';
import { Statements, textOf } from './store/statements.js';

const MESSAGE = `seq, message_id AS messageId, conversation_id AS conversationId, messages.session_id AS sessionId, role,
  CAST(content AS BLOB) AS content, messages.user_id AS userId, messages.customer_id AS customerId, metadata,
  recorded_at AS recordedAt`;
const PASSES = `seq > ? AND seq <= ? AND (? IS NULL OR messages.user_id = ?) AND (? IS NULL OR recorded_at >= ?)
  ORDER BY seq LIMIT ?`;

// CROSS JOIN keeps SQLite from changing the order of the two tables.
const SQL = {
  // The largest one there ever was: that of a message that was deleted since, too.
  end: "SELECT seq FROM sqlite_sequence WHERE name = 'messages'",
  all: `SELECT ${MESSAGE} FROM messages CROSS JOIN conversations ON conversations.id = messages.conversation
    WHERE ${PASSES}`,
  ofConversation: `SELECT ${MESSAGE} FROM conversations CROSS JOIN messages ON messages.conversation = conversations.id
    WHERE conversation_id = ? AND ${PASSES}`,
  conversations: 'SELECT id, conversation_id AS conversationId FROM conversations WHERE id > ? ORDER BY id LIMIT ?',
} as const;

/** The bounds of one read of the log: messages scanned, messages found, and bytes of their text. */
const MAX_SCANNED = 5000;
const MAX_FOUND = 500;
const MAX_FOUND_BYTES = 1024 * 1024;
const CONVERSATIONS = 500;

/** Which messages to read: those that match every field that is set. */
export interface MessageFilter {
  conversationIds?: readonly string[] | undefined;
  userId?: string | undefined;
  /** Recorded then or later; ISO-8601 in UTC, with milliseconds. */
  since?: string | undefined;
}

/**
 * Reads the messages of a store a piece at a time, so that memory stays bounded however many there are. Between
 * two pieces no transaction is open.
 */
export class MessageLog {
  readonly #statements: Statements;

  constructor(db: DatabaseSync) {
    this.#statements = new Statements(db);
  }

  /** The `seq` of the latest message, whether it is still there or not; 0 when there never was one. */
  end(): number {
    return (this.#statements.of(SQL.end).get()?.seq as number | undefined) ?? 0;
  }

  /**
   * Messages behind `after`, over all conversations, in the order in which they were stored. `through` is the `after` of
   * the next read: everything up to there was scanned.
   */
  behind(after: number, filter: MessageFilter): { messages: StoredMessage[]; through: number } {
    const upTo = Math.min(this.end(), after + MAX_SCANNED);
    const { messages, cut } = this.#read('all', [], after, upTo, filter);
    const wanted = filter.conversationIds && new Set(filter.conversationIds);
    return {
      messages: wanted ? messages.filter(message => wanted.has(message.conversationId)) : messages,
      through: cut ? (messages.at(-1)?.seq ?? upTo) : Math.max(after, upTo),
    };
  }

  /**
   * What is stored now, one conversation after the other in the order in which they began, in pieces of at most 500
   * messages or about 1 MiB. A piece may be empty, so that the reader can stop in between.
   */
  *transcripts(filter: MessageFilter): Generator<StoredMessage[]> {
    const upTo = this.end();
    for (const conversationId of filter.conversationIds ?? this.#conversationIds())
      for (let after = 0; after < upTo; ) {
        const { messages, cut } = this.#read('ofConversation', [conversationId], after, upTo, filter);
        yield messages;
        after = cut ? (messages.at(-1)?.seq ?? upTo) : upTo;
      }
  }

  *#conversationIds(): Generator<string> {
    for (let last = 0; ; ) {
      const rows = this.#statements.of(SQL.conversations).all(last, CONVERSATIONS);
      for (const row of rows) yield row.conversationId as string;
      if (rows.length < CONVERSATIONS) return;
      last = rows.at(-1)?.id as number;
    }
  }

  #read(name: 'all' | 'ofConversation', values: SQLInputValue[], after: number, upTo: number, filter: MessageFilter) {
    const { userId = null, since = null } = filter;
    const messages: StoredMessage[] = [];
    let bytes = 0;
    for (const row of this.#statements
      .of(SQL[name])
      .iterate(...values, after, upTo, userId, userId, since, since, MAX_FOUND)) {
      const content = row.content as Uint8Array;
      const metadata = typeof row.metadata === 'string' ? JSON.parse(row.metadata) : {};
      messages.push({ ...row, content: textOf(content), metadata } as unknown as StoredMessage);
      bytes += content.length + String(row.metadata ?? '').length;
      if (bytes >= MAX_FOUND_BYTES) break;
    }
    return { messages, cut: messages.length === MAX_FOUND || bytes >= MAX_FOUND_BYTES };
  }
}
