import { isUuid } from 'synap-recorder/wire';
import type { ConversationList } from './conversation-list.js';
import type { ConversationFilter, ConversationListing } from './records.js';
import { matches, parseSearch, type SearchTerms } from './search-terms.js';
import { type Statements, textOf } from './statements.js';

interface Found {
  seq: number;
  content: string;
  /** The ids by which the message is found, too. */
  ids: string[];
}

/** A conversation in which something was found, and the newest of its messages that hold it. */
export interface SearchHit extends Found {
  conversation: ConversationListing;
}

export interface SearchResult {
  terms: readonly string[];
  /** The one with the newest find first, each conversation once over all pages. */
  hits: SearchHit[];
  /** The `before` of what comes next; undefined when everything was looked through. */
  next: number | undefined;
}

export interface SearchOptions {
  filter: ConversationFilter;
  limit: number;
  /** Only messages whose `seq` is below. */
  before?: number | undefined;
  /** How long to look, in milliseconds. What was found by then is the result, and `next` is set. */
  budgetMs: number;
}

interface Candidate {
  seq: number;
  conversation: number;
  lastSeq: number;
  passes: number;
}

const IDS = `conversation_id AS conversationId, messages.user_id AS userId, messages.customer_id AS customerId,
  messages.session_id AS sessionId, json_extract(metadata, '$.external_conversation_id') AS externalId`;

const SQL = {
  message: `SELECT CAST(content AS BLOB) AS content, ${IDS} FROM messages
    JOIN conversations ON conversations.id = messages.conversation WHERE seq = ?`,
  byMessageId: 'SELECT seq, conversation FROM messages WHERE message_id = ?',
} as const;

/**
 * Looks for terms in what was said, and in the ids of conversations, users, customers and sessions. The index gives the
 * candidates; only the message itself shows whether it contains the terms.
 */
export class Search {
  readonly #statements: Statements;
  readonly #list: ConversationList;

  constructor(statements: Statements, list: ConversationList) {
    this.#statements = statements;
    this.#list = list;
  }

  find(text: string, options: SearchOptions): SearchResult {
    const terms = parseSearch(text);
    const facets = this.#list.facetsOf(options.filter);
    const result: SearchResult = { terms: terms?.terms ?? [], hits: [], next: undefined };
    if (terms === undefined || facets === undefined) return result;
    const byId = this.#byMessageId(text, options);
    if (byId) return { ...result, hits: [byId] };

    const { limit, before = Number.MAX_SAFE_INTEGER, budgetMs } = options;
    const deadline = performance.now() + budgetMs;
    const seen = new Set<number>();
    for (const { seq, conversation, lastSeq, passes } of this.#candidates(terms, before, facets)) {
      const found = passes === 1 && !seen.has(conversation) ? this.#find(terms, seq) : undefined;
      if (found) {
        seen.add(conversation);
        const listing = this.#list.listingOf(conversation);
        if (listing && !(lastSeq >= before && this.#wasFound(terms, conversation, before))) {
          if (result.hits.length === limit) return { ...result, next: result.hits.at(-1)?.seq };
          result.hits.push({ conversation: listing, ...found });
        }
      }
      if (performance.now() > deadline) return { ...result, next: seq };
    }
    return result;
  }

  // Whether a row passes the filter is a column, not a condition, or SQLite would walk on past the deadline in search of a row.
  #candidates({ trigrams }: SearchTerms, before: number, facets: readonly number[]): Iterable<Candidate> {
    const passes = facets.map(
      () => 'EXISTS (SELECT 1 FROM conversation_facets AS f WHERE f.facet = ? AND f.conversation = conversations.id)',
    );
    const columns = `seq, conversation, last_seq AS lastSeq, ${['1', ...passes].join(' AND ')} AS passes`;
    const sql = trigrams
      ? `SELECT ${columns} FROM search_index CROSS JOIN messages ON seq = search_index.rowid
          CROSS JOIN conversations ON conversations.id = conversation
          WHERE search_index MATCH ? AND search_index.rowid < ? ORDER BY search_index.rowid DESC`
      : `SELECT ${columns} FROM messages CROSS JOIN conversations ON conversations.id = conversation
          WHERE seq < ? ORDER BY seq DESC`;
    const values = [...facets, ...(trigrams ? [trigrams] : []), before];
    return this.#statements.of(sql).iterate(...values) as unknown as Iterable<Candidate>;
  }

  /** A message, if it contains the terms. */
  #find(terms: SearchTerms, seq: number): Found | undefined {
    const found = this.#read(seq);
    return found && matches(terms, [found.content, ...found.ids]) ? found : undefined;
  }

  #read(seq: number): Found | undefined {
    const row = this.#statements.of(SQL.message).get(seq);
    if (row === undefined) return undefined;
    const { content, ...ids } = row;
    return { seq, content: textOf(content), ids: Object.values(ids).filter(id => typeof id === 'string') };
  }

  /** Whether a conversation was on an earlier page already, for a newer message. */
  #wasFound(terms: SearchTerms, conversation: number, before: number): boolean {
    const newer = 'SELECT seq FROM messages WHERE conversation = ? AND seq >= ?';
    const rows = terms.trigrams
      ? this.#statements
          .of(`SELECT rowid AS seq FROM search_index WHERE search_index MATCH ? AND rowid IN (${newer})`)
          .all(terms.trigrams, conversation, before)
      : this.#statements.of(newer).all(conversation, before);
    return rows.some(({ seq }) => this.#find(terms, seq as number) !== undefined);
  }

  #byMessageId(text: string, { filter, before }: SearchOptions): SearchHit | undefined {
    const id = text.trim().toLowerCase();
    if (before !== undefined || Object.values(filter).some(value => value !== undefined) || !isUuid(id))
      return undefined;
    const row = this.#statements.of(SQL.byMessageId).get(id);
    const listing = row && this.#list.listingOf(row.conversation as number);
    const found = row && this.#read(row.seq as number);
    return listing && found && { conversation: listing, ...found, ids: [...found.ids, id] };
  }
}
