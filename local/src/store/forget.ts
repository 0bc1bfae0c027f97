import type { Facets } from './facets.js';
import { retally } from './retally.js';
import type { SearchIndex } from './search-index.js';
import type { Statements } from './statements.js';

/** Somebody whose messages are to be deleted, with the answers that were recorded for them. */
export interface Person {
  userId: string;
  /** Only what belongs to this customer. */
  customerId?: string | undefined;
}

/** What is stored of a person, or was. */
export interface PersonCount {
  messages: number;
  /** In which they occur. */
  conversations: number;
  /** In which nobody else does: those vanish. */
  ownConversations: number;
}

const IS_THEIRS = 'user_id = ? AND (? IS NULL OR customer_id = ?)';

const SQL = {
  conversations: `SELECT conversation FROM facets JOIN conversation_facets ON facet = facets.id
    WHERE kind = 'user' AND value = ?`,
  messages: `SELECT seq, ${IS_THEIRS} AS gone FROM messages WHERE conversation = ? ORDER BY seq`,
  deleteMessage: 'DELETE FROM messages WHERE seq = ?',
  deleteFacets: 'DELETE FROM conversation_facets WHERE conversation = ?',
  deleteIngestion: 'DELETE FROM ingestions WHERE conversation = ?',
  deleteConversation: 'DELETE FROM conversations WHERE id = ?',
  deleteUnused: `DELETE FROM facets
    WHERE NOT EXISTS (SELECT 1 FROM conversation_facets WHERE conversation_facets.facet = facets.id)`,
  first: `SELECT conversation AS id, user_id AS userId, customer_id AS customerId, recorded_at AS recordedAt
    FROM messages WHERE conversation = ? ORDER BY seq LIMIT 1`,
  lastRecordedAt: 'SELECT recorded_at AS at FROM messages WHERE conversation = ? ORDER BY seq DESC LIMIT 1',
  // `last_seq` stays: a reader who goes through the pages of a list meets each conversation once.
  save: `UPDATE conversations SET user_id = ?, customer_id = ?, message_count = ?, first_recorded_at = ?,
    last_recorded_at = ? WHERE id = ?`,
} as const;

/** Deletes a person's messages, and all that was made of them. The caller has a transaction open. */
export class Forget {
  readonly #statements: Statements;
  readonly #facets: Facets;
  readonly #index: SearchIndex;

  constructor(statements: Statements, facets: Facets, index: SearchIndex) {
    this.#statements = statements;
    this.#facets = facets;
    this.#index = index;
  }

  count(person: Person): PersonCount {
    const found = this.#conversations(person);
    return {
      messages: found.reduce((sum, { gone }) => sum + gone.length, 0),
      conversations: found.length,
      ownConversations: found.filter(({ kept }) => kept.length === 0).length,
    };
  }

  forget(person: Person): PersonCount {
    const counted = this.count(person);
    const newest = this.#index.newest();
    for (const { id, gone, kept, moved } of this.#conversations(person)) {
      this.#index.remove(gone);
      for (const seq of gone) this.#sql('deleteMessage').run(seq);
      this.#sql('deleteFacets').run(id);
      this.#sql('deleteIngestion').run(id);
      if (kept.length === 0) this.#sql('deleteConversation').run(id);
      else {
        this.#recount(id, kept.length);
        this.#index.renew(moved, newest);
      }
    }
    this.#sql('deleteUnused').run();
    return counted;
  }

  /** `moved`: those kept that came right behind one that goes. */
  #conversations({ userId, customerId = null }: { userId: string; customerId?: string | null | undefined }) {
    return this.#sql('conversations')
      .all(userId)
      .map(({ conversation }) => {
        const id = conversation as number;
        const gone: number[] = [];
        const kept: number[] = [];
        const moved: number[] = [];
        let isBehind = false;
        for (const row of this.#sql('messages').iterate(userId, customerId, customerId, id)) {
          const seq = row.seq as number;
          if (row.gone === 1) gone.push(seq);
          else kept.push(seq);
          if (row.gone !== 1 && isBehind) moved.push(seq);
          isBehind = row.gone === 1;
        }
        return { id, gone, kept, moved };
      })
      .filter(({ gone }) => gone.length > 0);
  }

  #recount(id: number, messages: number): void {
    const first = this.#sql('first').get(id) as { id: number; userId: string; customerId: string; recordedAt: string };
    const last = this.#sql('lastRecordedAt').get(id)?.at as string;
    this.#sql('save').run(first.userId, first.customerId, messages, first.recordedAt, last, id);
    retally(this.#statements, this.#facets, first);
  }

  #sql(name: keyof typeof SQL) {
    return this.#statements.of(SQL[name]);
  }
}
