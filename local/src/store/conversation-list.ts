import type { FacetKind, Facets } from './facets.js';
import {
  type ConversationFilter,
  type ConversationListing,
  type ConversationSummary,
  type Page,
  page,
} from './records.js';
import { type Statements, textOf } from './statements.js';

const SUMMARY = `conversations.id, conversation_id AS conversationId, user_id AS userId, customer_id AS customerId,
  message_count AS messageCount, turn_count AS turnCount, first_recorded_at AS firstRecordedAt,
  last_recorded_at AS lastRecordedAt, last_seq AS lastSeq`;
const NEWEST_FIRST = 'last_seq < ? AND last_seq > ? ORDER BY last_seq DESC LIMIT ?';
const OLDEST_FIRST = 'conversations.id > ? AND conversations.id <= ? ORDER BY conversations.id LIMIT ?';
const HAS_FACET =
  'EXISTS (SELECT 1 FROM conversation_facets AS other WHERE other.facet = ? AND other.conversation = conversations.id)';

const SQL = {
  one: `SELECT ${SUMMARY} FROM conversations WHERE conversation_id = ?`,
  byId: `SELECT ${SUMMARY} FROM conversations WHERE id = ?`,
  lastId: 'SELECT coalesce(max(id), 0) AS id FROM conversations',
  opening:
    'SELECT substr(CAST(content AS BLOB), 1, ?) AS bytes FROM messages WHERE conversation = ? ORDER BY seq LIMIT 1',
} as const;

// Of a value in so few conversations, all of them are looked at and sorted; of one in more, the newest conversations
// are walked through until enough of them have it. bench/viewer.ts has the figures.
const FEW = 2000;

const OPENING_BYTES = 600;

type Row = ConversationSummary & { id: number };

export interface ListRange {
  limit: number;
  /** Only conversations whose `lastSeq` is below. */
  before?: number | undefined;
  /** Only conversations whose `lastSeq` is above. */
  after?: number | undefined;
}

/** By the rows' own numbers, which grow in the order in which the conversations began. */
export interface BegunRange {
  limit: number;
  after: number;
  /** The last one there may be. */
  end: number;
}

/** Reads the conversations, the one with the latest message first. */
export class ConversationList {
  readonly #statements: Statements;
  readonly #facets: Facets;

  constructor(statements: Statements, facets: Facets) {
    this.#statements = statements;
    this.#facets = facets;
  }

  one(conversationId: string): ConversationSummary | undefined {
    return this.#statements.of(SQL.one).get(conversationId) as ConversationSummary | undefined;
  }

  listing(conversationId: string): ConversationListing | undefined {
    const row = this.#statements.of(SQL.one).get(conversationId) as Row | undefined;
    return row && this.#listed(row);
  }

  /** As {@link listing}, by the row's own number. */
  listingOf(conversation: number): ConversationListing | undefined {
    const row = this.#statements.of(SQL.byId).get(conversation) as Row | undefined;
    return row && this.#listed(row);
  }

  summaries(range: ListRange): Page<ConversationSummary> {
    return this.#page(range, []);
  }

  listings(range: ListRange, filter: ConversationFilter): Page<ConversationListing> {
    const facets = this.facetsOf(filter);
    if (facets === undefined) return { items: [], next: undefined };
    const { items, next } = this.#page(range, facets);
    return { items: items.map(row => this.#listed(row)), next };
  }

  /** The row number of the conversation that began last, 0 if there is none. */
  lastId(): number {
    return this.#statements.of(SQL.lastId).get()?.id as number;
  }

  /** The conversations that pass a filter, in an order that stays as it is when something is said in one of them. */
  begun({ limit, after, end }: BegunRange, filter: ConversationFilter): Page<ConversationSummary> {
    const facets = this.facetsOf(filter);
    if (facets === undefined) return { items: [], next: undefined };
    return page(this.#rows(facets, OLDEST_FIRST, [after, end, limit + 1]), limit, row => row.id);
  }

  /** The facets a filter asks for; undefined when one of them occurs nowhere. */
  facetsOf(filter: ConversationFilter): number[] | undefined {
    const facets: number[] = [];
    for (const [kind, value] of Object.entries(filter) as [FacetKind, string | undefined][]) {
      if (value === undefined) continue;
      const facet = this.#facets.find(kind, value);
      if (facet === undefined) return undefined;
      facets.push(facet);
    }
    return facets;
  }

  #page({ limit, before = Number.MAX_SAFE_INTEGER, after = 0 }: ListRange, facets: readonly number[]): Page<Row> {
    return page(this.#rows(facets, NEWEST_FIRST, [before, after, limit + 1]), limit, row => row.lastSeq);
  }

  #rows(facets: readonly number[], range: string, bounds: readonly number[]): Row[] {
    const rare = facets.find(facet => this.#facets.count(facet, FEW + 1) <= FEW);
    // CROSS JOIN keeps SQLite from turning the two around.
    const from = rare
      ? 'conversation_facets CROSS JOIN conversations ON conversations.id = conversation WHERE facet = ? AND '
      : 'conversations WHERE ';
    const others = facets.filter(facet => facet !== rare);
    const sql = `SELECT ${SUMMARY} FROM ${from}${others.map(() => `${HAS_FACET} AND `).join('')}${range}`;
    const values = [...(rare ? [rare] : []), ...others, ...bounds];
    return this.#statements.of(sql).all(...values) as unknown as Row[];
  }

  #listed({ id, ...summary }: Row): ConversationListing {
    const facets = this.#facets.of(id);
    const values = (kind: FacetKind) => facets.filter(facet => facet.kind === kind).map(facet => facet.value);
    const opening = textOf(this.#statements.of(SQL.opening).get(OPENING_BYTES, id)?.bytes);
    return {
      ...summary,
      // What was cut in the middle of a character ends in a replacement for it.
      opening: opening.replace(/\ufffd$/, ''),
      users: values('user'),
      models: values('model'),
      statuses: values('status'),
    };
  }
}
