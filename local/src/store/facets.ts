import type { JsonObject } from 'synap-recorder';
import type { ConversationFilter } from './records.js';
import type { Statements } from './statements.js';

export type FacetKind = keyof ConversationFilter;

export interface Facet {
  kind: FacetKind;
  value: string;
}

const ANSWER_STATUSES = new Set(['complete', 'error', 'aborted', 'abandoned']);

// A longer one is no name of a model; nobody could pick it from a list.
const MAX_MODEL_LENGTH = 200;

const SQL = {
  define: 'INSERT INTO facets (kind, value) VALUES (?, ?) ON CONFLICT DO NOTHING',
  add: `INSERT INTO conversation_facets (facet, conversation) SELECT id, ? FROM facets WHERE kind = ? AND value = ?
    ON CONFLICT DO NOTHING`,
  find: 'SELECT id FROM facets WHERE kind = ? AND value = ?',
  ofConversation: `SELECT kind, value FROM conversation_facets JOIN facets ON facets.id = facet
    WHERE conversation = ? ORDER BY facets.id LIMIT 100`,
  startingWith:
    'SELECT value FROM facets WHERE kind = ? AND value >= ? AND value < ? AND length(value) <= 200 ORDER BY value LIMIT ?',
  atMost: 'SELECT count(*) AS n FROM (SELECT 1 FROM conversation_facets WHERE facet = ? LIMIT ?)',
} as const;

/** What conversations can be filtered by: the users, customers, models and statuses that occur in them. */
export class Facets {
  readonly #statements: Statements;

  constructor(statements: Statements) {
    this.#statements = statements;
  }

  /** Notes that `value` occurs in a conversation. Again is nothing. */
  add(conversation: number, { kind, value }: Facet): void {
    // Nearly always it is known by now, and a look-up is cheaper than an insert that comes to nothing.
    if (this.find(kind, value) === undefined) this.#statements.of(SQL.define).run(kind, value);
    this.#statements.of(SQL.add).run(conversation, kind, value);
  }

  find(kind: FacetKind, value: string): number | undefined {
    return this.#statements.of(SQL.find).get(kind, value)?.id as number | undefined;
  }

  /** The first hundred of a conversation, the longest known ones first: a chat of thousands has that many users. */
  of(conversation: number): Facet[] {
    return this.#statements.of(SQL.ofConversation).all(conversation) as unknown as Facet[];
  }

  /** Known values that begin with `text`, in order, but for those that are too long to choose from. */
  startingWith(kind: FacetKind, text: string, limit: number): string[] {
    const rows = this.#statements.of(SQL.startingWith).all(kind, text, `${text}\u{10ffff}`, limit);
    return rows.map(row => row.value as string);
  }

  /** In how many conversations a facet occurs, counted up to `most`. */
  count(facet: number, most: number): number {
    return this.#statements.of(SQL.atMost).get(facet, most)?.n as number;
  }
}

/** The model and the status of an answer, as far as its metadata says them. */
export function answerFacets(metadata: JsonObject | undefined): Facet[] {
  const facets: Facet[] = [];
  const model = metadata?.model ?? metadata?.response_model;
  if (typeof model === 'string' && model !== '' && model.length <= MAX_MODEL_LENGTH && !model.includes('\0'))
    facets.push({ kind: 'model', value: model });
  const status = metadata?.status;
  if (typeof status === 'string' && ANSWER_STATUSES.has(status)) facets.push({ kind: 'status', value: status });
  return facets;
}
