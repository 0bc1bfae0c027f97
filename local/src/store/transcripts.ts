import type { JsonObject } from 'synap-recorder';
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

/** The most text of one page, in bytes of UTF-8: messages may be large, and a page is read, and sent, in one go. */
const MAX_PAGE_BYTES = 1024 * 1024;

/** The metadata of an answer, without its text. */
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

  /**
   * The oldest first, from the one after `after` on. `next` is the `after` of what follows. Where messages are large, there
   * are fewer of them than `limit`.
   */
  after(conversationId: string, limit: number, after: number): Page<StoredMessage> | undefined {
    return this.#page('after', conversationId, limit, after);
  }

  /** Those right before `before`, the oldest of them first. `next` is the `before` of what came before them. */
  before(conversationId: string, limit: number, before: number): Page<StoredMessage> | undefined {
    const found = this.#page('before', conversationId, limit, before);
    return found && { items: found.items.reverse(), next: found.next };
  }

  message(conversationId: string, seq: number): StoredMessage | undefined {
    return this.#read('one', conversationId, seq)?.messages[0];
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

  #page(
    name: 'after' | 'before',
    conversationId: string,
    limit: number,
    from: number,
  ): Page<StoredMessage> | undefined {
    const found = this.#read(name, conversationId, from, limit + 1);
    if (found === undefined) return undefined;
    const { messages, cut } = found;
    return page(messages, cut ? messages.length - 1 : limit, message => message.seq);
  }

  /** `cut`: the last message is one too many for a page. */
  #read(
    name: 'after' | 'before' | 'one',
    conversationId: string,
    ...rest: number[]
  ): { messages: StoredMessage[]; cut: boolean } | undefined {
    const id = this.#id(conversationId);
    if (id === undefined) return undefined;
    const messages: StoredMessage[] = [];
    let bytes = 0;
    for (const row of this.#sql(name).iterate(id, ...rest)) {
      const content = row.content as Uint8Array;
      const metadata = metadataOf(row.metadata);
      messages.push({ ...row, conversationId, content: textOf(content), metadata } as unknown as StoredMessage);
      const isFull = bytes > 0 && bytes + content.length > MAX_PAGE_BYTES;
      if (isFull) return { messages, cut: true };
      bytes += content.length + String(row.metadata ?? '').length;
    }
    return { messages, cut: false };
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
