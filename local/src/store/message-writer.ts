import type { Tenancy } from 'synap-recorder';
import { v7 as uuidv7 } from 'uuid';
import { resolveCustomer } from '../tenancy.js';
import type { Facets } from './facets.js';
import type { NewMessage, Outcome, RefusalCode, StoredReceipt } from './records.js';
import type { Statements } from './statements.js';
import { type Tallied, tally } from './tally.js';

interface KnownConversation extends Tallied {
  sessionId: string | null;
}

const SQL = {
  conversation: `SELECT id, user_id AS userId, customer_id AS customerId, session_id AS sessionId, last_turn AS lastTurn
    FROM conversations WHERE conversation_id = ?`,
  latestUser: 'SELECT user_id FROM messages WHERE conversation = ? ORDER BY seq DESC LIMIT 1',
  byKey: `SELECT message_id AS messageId, session_id AS sessionId, recorded_at AS recordedAt
    FROM messages WHERE conversation = ? AND message_key = ?`,
  open: `INSERT INTO conversations
    (conversation_id, user_id, customer_id, message_count, turn_count, first_recorded_at, last_recorded_at, last_seq)
    VALUES (?, ?, ?, 0, 0, ?, ?, 0)`,
  insert: `INSERT INTO messages
    (message_id, conversation, session_id, role, content, user_id, customer_id, metadata, message_key, recorded_at)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  touch: `UPDATE conversations SET message_count = message_count + 1, turn_count = turn_count + ?, last_turn = ?,
    last_recorded_at = ?, last_seq = ?, session_id = ? WHERE id = ?`,
} as const;

/** Writes messages, each at the end of its conversation. The caller has a transaction open. */
export class MessageWriter {
  readonly #statements: Statements;
  readonly #facets: Facets;
  readonly #tenancy: Tenancy;

  constructor(statements: Statements, facets: Facets, tenancy: Tenancy) {
    this.#statements = statements;
    this.#facets = facets;
    this.#tenancy = tenancy;
  }

  write(message: NewMessage): Outcome {
    const { conversationId, messageKey } = message;
    const known = this.#sql('conversation').get(conversationId) as KnownConversation | undefined;
    if (this.#tenancy === 'b2b' && known && message.customerId && message.customerId !== known.customerId)
      return refused('conversation_conflict', 'conversation_id belongs to another customer');

    if (known && messageKey !== undefined) {
      const first = this.#sql('byKey').get(known.id, messageKey);
      if (first) return { status: 'duplicate', receipt: { ...(first as unknown as StoredReceipt), conversationId } };
    }

    const userId = message.userId ?? (known && (this.#sql('latestUser').get(known.id)?.user_id as string | undefined));
    if (userId === undefined)
      return refused('unknown_user', 'user_id is missing, and the conversation is not known yet');
    const customerId = resolveCustomer(this.#tenancy, userId, message.customerId, known?.customerId);
    if (customerId === undefined)
      return refused('unknown_customer', 'customer_id is missing, and the conversation is not known yet');

    const recordedAt = new Date().toISOString();
    const conversation = known ?? this.#open(conversationId, userId, customerId, recordedAt);
    const { role, content, metadata } = message;
    const madeUp = known?.sessionId ?? (message.sessionId === undefined ? uuidv7() : null);
    const sessionId = message.sessionId ?? (madeUp as string);
    const messageId = uuidv7();
    const { lastInsertRowid: seq } = this.#sql('insert').run(
      messageId,
      conversation.id,
      sessionId,
      role,
      content,
      userId,
      customerId,
      metadata === undefined ? null : JSON.stringify(metadata),
      messageKey ?? null,
      recordedAt,
    );
    const said = { role, userId, customerId, metadata };
    const { turns, lastTurn } = tally(this.#facets, conversation, said, known === undefined);
    this.#sql('touch').run(turns, lastTurn, recordedAt, seq, madeUp, conversation.id);
    return { status: 'stored', receipt: { messageId, conversationId, sessionId, recordedAt } };
  }

  #open(conversationId: string, userId: string, customerId: string, at: string): KnownConversation {
    const { lastInsertRowid } = this.#sql('open').run(conversationId, userId, customerId, at, at);
    return { id: Number(lastInsertRowid), userId, customerId, sessionId: null, lastTurn: null };
  }

  #sql(name: keyof typeof SQL) {
    return this.#statements.of(SQL[name]);
  }
}

function refused(code: RefusalCode, reason: string): Outcome {
  return { status: 'refused', code, reason };
}
