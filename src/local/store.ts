import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { v7 as uuidv7 } from 'uuid';
import type { JsonObject } from '../synap/json.js';
import type { Role, Tenancy } from '../synap/messages.js';
import { IN_MEMORY, openDatabase } from './database.js';
import { LocalSynapError } from './errors.js';
import { resolveCustomer } from './tenancy.js';

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
  /** Empty when none was given. */
  metadata: JsonObject;
}

export interface ConversationSummary {
  conversationId: string;
  /** Who said its first message. */
  userId: string;
  customerId: string;
  messageCount: number;
  firstRecordedAt: string;
  lastRecordedAt: string;
  /** `seq` of its latest message. */
  lastSeq: number;
}

/** Some of a list. `next` is where the rest begins; undefined when this is the end. */
export interface Page<T> {
  items: T[];
  next: number | undefined;
}

interface ConversationRow {
  id: number;
  customer_id: string;
  session_id: string | null;
}

// node:sqlite of Node 22 ends a text at its first NUL when it reads one; bytes it reads whole.
const MESSAGE = `seq, message_id AS messageId, messages.session_id AS sessionId, role, CAST(content AS BLOB) AS content,
  messages.user_id AS userId, messages.customer_id AS customerId, metadata, recorded_at AS recordedAt`;
const CONVERSATION = `conversation_id AS conversationId, user_id AS userId, customer_id AS customerId,
  message_count AS messageCount, first_recorded_at AS firstRecordedAt, last_recorded_at AS lastRecordedAt,
  last_seq AS lastSeq`;

const SQL = {
  conversation: 'SELECT id, customer_id, session_id FROM conversations WHERE conversation_id = ?',
  latestUser: 'SELECT user_id FROM messages WHERE conversation = ? ORDER BY seq DESC LIMIT 1',
  byKey: `SELECT message_id AS messageId, session_id AS sessionId, recorded_at AS recordedAt
    FROM messages WHERE conversation = ? AND message_key = ?`,
  open: `INSERT INTO conversations
    (conversation_id, user_id, customer_id, message_count, first_recorded_at, last_recorded_at, last_seq)
    VALUES (?, ?, ?, 0, ?, ?, 0)`,
  insert: `INSERT INTO messages
    (message_id, conversation, session_id, role, content, user_id, customer_id, metadata, message_key, recorded_at)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  touch: `UPDATE conversations SET message_count = message_count + 1, last_recorded_at = ?, last_seq = ?,
    session_id = ? WHERE id = ?`,
  summary: `SELECT ${CONVERSATION} FROM conversations WHERE conversation_id = ?`,
  list: `SELECT ${CONVERSATION} FROM conversations WHERE last_seq < ? ORDER BY last_seq DESC LIMIT ?`,
  messages: `SELECT ${MESSAGE} FROM messages WHERE conversation = ? AND seq > ? ORDER BY seq LIMIT ?`,
  getMeta: 'SELECT value FROM meta WHERE key = ?',
  setMeta: 'INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value',
  anyConversation: 'SELECT 1 FROM conversations LIMIT 1',
} as const;

export interface StoreOptions {
  /** A file, or `:memory:`. */
  path: string;
  /** Must agree with what the file holds. Defaults to that, or to `b2c` for a new one. */
  tenancy?: Tenancy | undefined;
}

/**
 * The conversations of a local Synap, in SQLite. What a method has stored is on disk when it returns; several of them in
 * one {@link transaction} are stored together. Several stores, of several processes, may have the same file open.
 *
 * @example
 * ```ts
 * const store = new Store({ path: './synap.db' });
 * const outcome = store.record({ conversationId, role: 'user', content: 'Hello!', userId: 'ada' });
 * const { items, next } = store.messages(conversationId, { limit: 50 }) ?? { items: [] };
 * store.close();
 * ```
 */
export class Store {
  readonly path: string;
  readonly tenancy: Tenancy;
  readonly #db: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  /** @throws LocalSynapError the file can't be used, or holds the other tenancy */
  constructor({ path, tenancy }: StoreOptions) {
    this.path = path;
    this.#db = openDatabase(path);
    try {
      this.tenancy = this.transaction(() => this.#settleTenancy(tenancy));
    } catch (error) {
      this.#db.close();
      throw error;
    }
  }

  /** Stores a message, at the end of its conversation. */
  record(message: NewMessage): Outcome {
    return this.transaction(() => this.#record(message));
  }

  /** One conversation, or undefined if there is none with this id. */
  conversation(conversationId: string): ConversationSummary | undefined {
    return this.#sql('summary').get(conversationId) as ConversationSummary | undefined;
  }

  /** Conversations, the one with the latest message first. `before` is the `next` of the page before. */
  conversations({ limit, before = Number.MAX_SAFE_INTEGER }: { limit: number; before?: number | undefined }) {
    const rows = this.#sql('list').all(before, limit + 1) as unknown as ConversationSummary[];
    return page(rows, limit, row => row.lastSeq);
  }

  /** A conversation's messages, the oldest first, or undefined if there is none with this id. */
  messages(
    conversationId: string,
    { limit, after = 0 }: { limit: number; after?: number | undefined },
  ): Page<StoredMessage> | undefined {
    const conversation = this.#sql('conversation').get(conversationId);
    if (conversation === undefined) return undefined;
    const rows = this.#sql('messages').all(conversation.id ?? null, after, limit + 1);
    const messages = rows.map(
      row =>
        ({
          ...row,
          conversationId,
          content: utf8.decode(row.content as Uint8Array),
          metadata: typeof row.metadata === 'string' ? JSON.parse(row.metadata) : {},
        }) as unknown as StoredMessage,
    );
    return page(messages, limit, message => message.seq);
  }

  /** The value kept under `key`; `make()` is kept and returned when there is none yet. */
  remember(key: string, make: () => string): string {
    return this.transaction(() => {
      const known = this.#meta(key);
      if (known !== undefined) return known;
      const value = make();
      this.#sql('setMeta').run(key, value);
      return value;
    });
  }

  /** All that `work` stores is kept, or, when it throws, nothing of it. Inside another one it joins that. */
  transaction<T>(work: () => T): T {
    if (this.#db.isTransaction) return work();
    this.#db.exec('BEGIN IMMEDIATE');
    try {
      const result = work();
      this.#db.exec('COMMIT');
      return result;
    } catch (error) {
      // Some errors, a full disk among them, have rolled back by themselves.
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
      throw error;
    }
  }

  /** Moves the write-ahead log into the file and closes it. Again is nothing. */
  close(): void {
    if (!this.#db.isOpen) return;
    // Another process that reads would make the checkpoint wait; closing does not depend on it.
    this.#db.exec('PRAGMA busy_timeout = 0');
    if (this.path !== IN_MEMORY) this.#db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    this.#db.close();
  }

  #record(message: NewMessage): Outcome {
    const { conversationId, messageKey } = message;
    const known = this.#sql('conversation').get(conversationId) as ConversationRow | undefined;
    if (this.tenancy === 'b2b' && known && message.customerId && message.customerId !== known.customer_id)
      return refused('conversation_conflict', 'conversation_id belongs to another customer');

    if (known && messageKey !== undefined) {
      const first = this.#sql('byKey').get(known.id, messageKey);
      if (first) return { status: 'duplicate', receipt: { ...(first as unknown as StoredReceipt), conversationId } };
    }

    const userId = message.userId ?? (known && (this.#sql('latestUser').get(known.id)?.user_id as string | undefined));
    if (userId === undefined)
      return refused('unknown_user', 'user_id is missing, and the conversation is not known yet');
    const customerId = resolveCustomer(this.tenancy, userId, message.customerId, known?.customer_id);
    if (customerId === undefined)
      return refused('unknown_customer', 'customer_id is missing, and the conversation is not known yet');

    const recordedAt = new Date().toISOString();
    const conversation =
      known?.id ??
      Number(this.#sql('open').run(conversationId, userId, customerId, recordedAt, recordedAt).lastInsertRowid);
    const madeUp = known?.session_id ?? (message.sessionId === undefined ? uuidv7() : null);
    const sessionId = message.sessionId ?? (madeUp as string);
    const messageId = uuidv7();
    const { lastInsertRowid: seq } = this.#sql('insert').run(
      messageId,
      conversation,
      sessionId,
      message.role,
      message.content,
      userId,
      customerId,
      message.metadata === undefined ? null : JSON.stringify(message.metadata),
      messageKey ?? null,
      recordedAt,
    );
    this.#sql('touch').run(recordedAt, seq, madeUp, conversation);
    return { status: 'stored', receipt: { messageId, conversationId, sessionId, recordedAt } };
  }

  #settleTenancy(wanted: Tenancy | undefined): Tenancy {
    const known = this.#meta('tenancy') as Tenancy | undefined;
    if (known !== undefined && (wanted === undefined || wanted === known)) return known;
    if (known !== undefined && this.#sql('anyConversation').get() !== undefined)
      throw new LocalSynapError(
        `${this.path} holds ${known} conversations: start with tenancy ${known}, or choose another file`,
      );
    const tenancy = wanted ?? 'b2c';
    this.#sql('setMeta').run('tenancy', tenancy);
    return tenancy;
  }

  #meta(key: string): string | undefined {
    return this.#sql('getMeta').get(key)?.value as string | undefined;
  }

  #sql(name: keyof typeof SQL): StatementSync {
    let statement = this.#statements.get(name);
    if (statement === undefined) {
      statement = this.#db.prepare(SQL[name]);
      this.#statements.set(name, statement);
    }
    return statement;
  }
}

const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });

function page<T>(rows: T[], limit: number, place: (row: T) => number): Page<T> {
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return { items, next: rows.length > limit && last !== undefined ? place(last) : undefined };
}

function refused(code: RefusalCode, reason: string): Outcome {
  return { status: 'refused', code, reason };
}
