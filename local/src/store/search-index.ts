import { type Statements, textOf } from './statements.js';

const SQL = {
  // Every message has a row, so the largest one is how far the index has come.
  newest: 'SELECT rowid AS seq FROM search_index ORDER BY rowid DESC LIMIT 1',
  behind: 'SELECT count(*) AS n FROM (SELECT 1 FROM messages WHERE seq > ? LIMIT ?)',
  unindexed: `
    SELECT said.seq, CAST(said.content AS BLOB) AS content, said.user_id AS userId, said.customer_id AS customerId,
      said.session_id AS sessionId, json_extract(said.metadata, '$.external_conversation_id') AS externalId,
      conversation_id AS conversationId, previous.user_id AS previousUser, previous.customer_id AS previousCustomer,
      previous.session_id AS previousSession
    FROM messages AS said
    JOIN conversations ON conversations.id = said.conversation
    LEFT JOIN messages AS previous ON previous.seq =
      (SELECT max(seq) FROM messages AS earlier WHERE earlier.conversation = said.conversation AND earlier.seq < said.seq)
    WHERE said.seq > ? AND said.seq <= ? ORDER BY said.seq LIMIT ?`,
  remove: 'DELETE FROM search_index WHERE rowid = ?',
  // Deleting only marks a row: what it held goes when everything is merged.
  merge: "INSERT INTO search_index (search_index) VALUES ('optimize')",
  add: 'INSERT INTO search_index (rowid, text) VALUES (?, ?)',
} as const;

// Of a longer message, the beginning is found.
const MAX_INDEXED_CHARACTERS = 256 * 1024;

// What one transaction takes on: a few milliseconds' work.
const SLICE_MESSAGES = 64;
const SLICE_CHARACTERS = 128 * 1024;

const MAX_LAG = 1_000_000;

interface Unindexed {
  seq: number;
  content: Uint8Array;
  userId: string;
  customerId: string;
  sessionId: string;
  externalId: unknown;
  conversationId: string;
  previousUser: string | null;
  previousCustomer: string | null;
  previousSession: string | null;
}

/**
 * The trigrams of what was said. They are written after the fact, many messages at a time, because message by message
 * they would cost several times what storing the message does (bench/viewer.ts).
 */
export class SearchIndex {
  readonly #statements: Statements;

  constructor(statements: Statements) {
    this.#statements = statements;
  }

  /** How many messages are still to be indexed, counted up to a million. */
  lag(): number {
    return this.#statements.of(SQL.behind).get(this.newest(), MAX_LAG)?.n as number;
  }

  /** Indexes messages again that have another message before them now; those up to `newest` had been indexed. */
  renew(seqs: readonly number[], newest: number): void {
    for (const seq of seqs) {
      if (seq > newest) continue;
      const [row] = this.#statements.of(SQL.unindexed).all(seq - 1, seq, 1) as unknown as Unindexed[];
      this.#statements.of(SQL.remove).run(seq);
      if (row) this.#statements.of(SQL.add).run(seq, documentOf(row));
    }
  }

  remove(seqs: readonly number[]): void {
    for (const seq of seqs) this.#statements.of(SQL.remove).run(seq);
  }

  /** Takes out of the file what {@link remove} has only marked. It rewrites the whole index. */
  compact(): void {
    this.#statements.of(SQL.merge).run();
  }

  /**
   * Indexes some of what is not indexed yet. The caller has a transaction open.
   *
   * @returns whether that was all
   */
  advance(): boolean {
    let characters = 0;
    const rows = this.#statements
      .of(SQL.unindexed)
      .all(this.newest(), Number.MAX_SAFE_INTEGER, SLICE_MESSAGES) as unknown as Unindexed[];
    for (const row of rows) {
      if (characters > SLICE_CHARACTERS) return false;
      const text = documentOf(row);
      this.#statements.of(SQL.add).run(row.seq, text);
      characters += text.length;
    }
    return rows.length < SLICE_MESSAGES;
  }

  /** The `seq` up to which messages are indexed. */
  newest(): number {
    return (this.#statements.of(SQL.newest).get()?.seq as number | undefined) ?? 0;
  }
}

/** The text, and the ids that the message before it had not: each conversation is found by its ids, but only once. */
function documentOf(row: Unindexed): string {
  const { userId, customerId, sessionId, conversationId, externalId } = row;
  const parts = [textOf(row.content).slice(0, MAX_INDEXED_CHARACTERS)];
  if (row.previousUser === null) parts.push(conversationId);
  if (row.previousUser === null && typeof externalId === 'string') parts.push(externalId);
  if (userId !== row.previousUser) parts.push(userId);
  if (customerId !== row.previousCustomer) parts.push(customerId);
  if (sessionId !== row.previousSession) parts.push(sessionId);
  return parts.join('\n');
}
