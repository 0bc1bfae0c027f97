import { v7 as uuidv7 } from 'uuid';
import type { MessageWriter } from './message-writer.js';
import type { NewMessage } from './records.js';
import type { Statements } from './statements.js';

/** A whole transcript. */
export interface NewTranscript {
  conversationId: string;
  /** In their order; at least one. */
  messages: readonly NewMessage[];
  /** A hash of what makes it this transcript and no other. */
  digest: string;
}

/** What became of a transcript: stored now, the identical one stored before, or in the way of what is there. */
export type IngestOutcome =
  | { status: 'stored' | 'duplicate'; ingestionId: string }
  | { status: 'conflict'; reason: string };

const SQL = {
  known: `SELECT ingestion_id AS ingestionId, digest FROM conversations
    LEFT JOIN ingestions ON ingestions.conversation = conversations.id WHERE conversation_id = ?`,
  add: `INSERT INTO ingestions (conversation, ingestion_id, digest)
    SELECT id, ?, ? FROM conversations WHERE conversation_id = ?`,
} as const;

/** Stores transcripts that come in one piece, each once. The caller has a transaction open. */
export class Ingestions {
  readonly #statements: Statements;
  readonly #writer: MessageWriter;

  constructor(statements: Statements, writer: MessageWriter) {
    this.#statements = statements;
    this.#writer = writer;
  }

  ingest({ conversationId, messages, digest }: NewTranscript): IngestOutcome {
    const known = this.#statements.of(SQL.known).get(conversationId) as
      | { ingestionId: string | null; digest: string | null }
      | undefined;
    if (known?.ingestionId === null)
      return { status: 'conflict', reason: 'conversation_id has messages that were recorded one by one' };
    if (known)
      return known.digest === digest
        ? { status: 'duplicate', ingestionId: known.ingestionId }
        : { status: 'conflict', reason: 'conversation_id has another transcript' };
    for (const message of messages) {
      const outcome = this.#writer.write(message);
      // Not part of a transcript on its own: the transaction takes back what was written.
      if (outcome.status === 'refused') throw new Error(`a message of a transcript was refused: ${outcome.code}`);
    }
    const ingestionId = uuidv7();
    this.#statements.of(SQL.add).run(ingestionId, digest, conversationId);
    return { status: 'stored', ingestionId };
  }
}
