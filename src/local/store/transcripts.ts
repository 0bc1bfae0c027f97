import type { JsonObject } from '../../synap/json.js';
import { type Page, page, type StoredMessage } from './records.js';
import { type Statements, textOf } from './statements.js';

const MESSAGE = `SELECT seq, message_id AS messageId, session_id AS sessionId, role, CAST(content AS BLOB) AS content,
  user_id AS userId, customer_id AS customerId, metadata, recorded_at AS recordedAt
  FROM messages WHERE conversation = ?`;

const SQL = {
  conversation: 'SELECT id FROM conversations WHERE conversation_id = ?',
  after: `${MESSAGE} AND seq > ? ORDER BY seq LIMIT ?`,
  before: `${MESSAGE} AND seq < ? ORDER BY seq DESC LIMIT ?`,
  one: `${MESSAGE} AND seq = ?`,
  place: 'SELECT count(*) AS n FROM messages WHERE conversation = ? AND seq < ?',
  answers: `SELECT seq, metadata FROM messages WHERE conversation = ? AND role = 'assistant' ORDER BY seq DESC LIMIT ?`,
} as const;

/** What an answer says about itself, without its text. */
export interface AnswerMetadata {
  seq: number;
  metadata: JsonObject;
}

/** Reads the messages of conversations. Of a conversation that there is none of, every method answers undefined. */
export class Transcripts {
  readonly #statements: Statements;

  constructor(statements: Statements) {
    this.#statements = statements;
  }

  /** The oldest first, from the one after `after` on. `next` is the `after` of what follows. */
  after(conversationId: string, limit: number, after: number): Page<StoredMessage> | undefined {
    const messages = this.#read('after', conversationId, after, limit + 1);
    return messages && page(messages, limit, message => message.seq);
  }

  /** Those right before `before`, the oldest of them first. `next` is the `before` of what came before them. */
  before(conversationId: string, limit: number, before: number): Page<StoredMessage> | undefined {
    const messages = this.#read('before', conversationId, before, limit + 1);
    if (messages === undefined) return undefined;
    const { items, next } = page(messages, limit, message => message.seq);
    return { items: items.reverse(), next };
  }

  message(conversationId: string, seq: number): StoredMessage | undefined {
    return this.#read('one', conversationId, seq)?.[0];
  }

  /** How many messages of the conversation come before `seq`. */
  place(conversationId: string, seq: number): number | undefined {
    const id = this.#id(conversationId);
    return id === undefined ? undefined : (this.#sql('place').get(id, seq)?.n as number);
  }

  /** What the latest answers say about themselves, the oldest of them first. */
  answers(conversationId: string, limit: number): AnswerMetadata[] | undefined {
    const id = this.#id(conversationId);
    if (id === undefined) return undefined;
    const rows = this.#sql('answers').all(id, limit).reverse();
    return rows.map(row => ({ seq: row.seq as number, metadata: metadataOf(row.metadata) }));
  }

  #read(name: 'after' | 'before' | 'one', conversationId: string, ...rest: number[]): StoredMessage[] | undefined {
    const id = this.#id(conversationId);
    if (id === undefined) return undefined;
    return this.#sql(name)
      .all(id, ...rest)
      .map(
        row =>
          ({
            ...row,
            conversationId,
            content: textOf(row.content),
            metadata: metadataOf(row.metadata),
          }) as unknown as StoredMessage,
      );
  }

  #id(conversationId: string): number | undefined {
    return this.#sql('conversation').get(conversationId)?.id as number | undefined;
  }

  #sql(name: keyof typeof SQL) {
    return this.#statements.of(SQL[name]);
  }
}

function metadataOf(json: unknown): JsonObject {
  return typeof json === 'string' ? (JSON.parse(json) as JsonObject) : {};
}
