import type { DatabaseSync } from 'node:sqlite';
import type { Tenancy } from 'synap-recorder';
import { closeDatabase, inTransaction } from 'synap-recorder/node-sqlite';
import { isBusy, openDatabase } from './database.js';
import { LocalSynapError } from './errors.js';
import { MessageLog } from './message-log.js';
import { type BegunRange, ConversationList, type ListRange } from './store/conversation-list.js';
import { eraseDeleted } from './store/erase.js';
import { type FacetKind, Facets } from './store/facets.js';
import { Forget, type Person, type PersonCount } from './store/forget.js';
import { Ingestions, type IngestOutcome, type NewTranscript } from './store/ingestions.js';
import { MessageWriter } from './store/message-writer.js';
import type {
  ConversationFilter,
  ConversationListing,
  ConversationSummary,
  NewMessage,
  Outcome,
  Page,
  StoredMessage,
} from './store/records.js';
import { Search, type SearchOptions, type SearchResult } from './store/search.js';
import { SearchIndex } from './store/search-index.js';
import { Statements } from './store/statements.js';
import { type AnswerMetadata, Transcripts } from './store/transcripts.js';

const SQL = {
  getMeta: 'SELECT value FROM meta WHERE key = ?',
  setMeta: 'INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value',
  deleteMeta: 'DELETE FROM meta WHERE key = ?',
  anyConversation: 'SELECT 1 FROM conversations LIMIT 1',
} as const;

/** Keys of facts: that deleted texts may still be in the file, and how often somebody was forgotten. */
const ERASE = 'erase';
const FORGETTINGS = 'forgettings';

export interface StoreOptions {
  /** A file, or `:memory:`. */
  path: string;
  /** Must be that of the file, if it has conversations. Default: that of the file, or `b2c` for a new one. */
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
  /** The messages of all conversations, to be read a piece at a time. */
  readonly log: MessageLog;
  /** Called after each transaction of this store, once it is on disk. It must not throw, nor take long. */
  onCommit: () => void = () => {};
  readonly #db: DatabaseSync;
  readonly #statements: Statements;
  readonly #facets: Facets;
  readonly #list: ConversationList;
  readonly #transcripts: Transcripts;
  readonly #index: SearchIndex;
  readonly #search: Search;
  readonly #writer: MessageWriter;
  readonly #ingestions: Ingestions;
  readonly #forget: Forget;

  /** @throws LocalSynapError the file can't be used, or has conversations of the other tenancy */
  constructor({ path, tenancy }: StoreOptions) {
    this.path = path;
    this.#db = openDatabase(path);
    this.#statements = new Statements(this.#db);
    this.#facets = new Facets(this.#statements);
    this.#list = new ConversationList(this.#statements, this.#facets);
    this.#transcripts = new Transcripts(this.#statements);
    this.#index = new SearchIndex(this.#statements);
    this.#search = new Search(this.#statements, this.#list);
    this.log = new MessageLog(this.#db);
    try {
      this.tenancy = this.transaction(() => this.#settleTenancy(tenancy));
    } catch (error) {
      this.#db.close();
      throw error;
    }
    this.#writer = new MessageWriter(this.#statements, this.#facets, this.tenancy);
    this.#ingestions = new Ingestions(this.#statements, this.#writer);
    this.#forget = new Forget(this.#statements, this.#facets, this.#index);
    // A process that ended in the middle, or a reader in the way, left it to the next one.
    if (this.#meta(ERASE) !== undefined) this.#erase();
  }

  /** Stores a message, at the end of its conversation. */
  record(message: NewMessage): Outcome {
    return this.transaction(() => this.#writer.write(message));
  }

  /** Stores a whole transcript, once. */
  ingest(transcript: NewTranscript): IngestOutcome {
    return this.transaction(() => this.#ingestions.ingest(transcript));
  }

  /** What is stored of a person. */
  countOf(person: Person): PersonCount {
    return this.#forget.count(person);
  }

  /**
   * Deletes a person's messages: from the file, not only from what can be read of it. That takes as long as copying the
   * file. `erased` is false while another program reads or writes it, or the disk is full: then it is done when the file
   * is next opened, or somebody is forgotten again.
   */
  forget(person: Person): PersonCount & { erased: boolean } {
    const { secure_delete: usual } = this.#db.prepare('PRAGMA secure_delete').get() as { secure_delete: number };
    this.#db.exec('PRAGMA secure_delete = ON');
    try {
      const forgotten = this.transaction(() => {
        const counted = this.#forget.forget(person);
        this.#index.compact();
        this.#statements.of(SQL.setMeta).run(ERASE, 'pending');
        if (counted.messages > 0) this.#statements.of(SQL.setMeta).run(FORGETTINGS, String(this.forgettings() + 1));
        return counted;
      });
      return { ...forgotten, erased: this.#erase() };
    } finally {
      this.#db.exec(`PRAGMA secure_delete = ${usual}`);
    }
  }

  /** How often somebody was forgotten: what was read before it last changed may show what is gone. */
  forgettings(): number {
    return Number(this.#meta(FORGETTINGS) ?? 0);
  }

  /** One conversation, or undefined if there is none with this id. */
  conversation(conversationId: string): ConversationSummary | undefined {
    return this.#list.one(conversationId);
  }

  /** As {@link conversation}, with what a list shows of it. */
  listing(conversationId: string): ConversationListing | undefined {
    return this.#list.listing(conversationId);
  }

  /** Conversations, the one with the latest message first. `next` is the `before` of the next page. */
  conversations(range: ListRange): Page<ConversationSummary> {
    return this.#list.summaries(range);
  }

  /** As {@link conversations}, those that pass the filter, with what a list shows of them. */
  listings(range: ListRange, filter: ConversationFilter = {}): Page<ConversationListing> {
    return this.#list.listings(range, filter);
  }

  /** The `end` for {@link begun} that covers the conversations that are there now. */
  lastBegun(): number {
    return this.#list.lastId();
  }

  /** Conversations that pass the filter, in the order in which they began. `next` is the `after` of the next page. */
  begun(range: BegunRange, filter: ConversationFilter = {}): Page<ConversationSummary> {
    return this.#list.begun(range, filter);
  }

  /** Known users, customers, models or statuses that begin with `text`, in order. */
  known(kind: FacetKind, text: string, limit: number): string[] {
    return this.#facets.startingWith(kind, text, limit);
  }

  /** A conversation's messages, the oldest first, or undefined if there is none with this id. */
  messages(
    conversationId: string,
    { limit, after = 0 }: { limit: number; after?: number | undefined },
  ): Page<StoredMessage> | undefined {
    return this.#transcripts.after(conversationId, limit, after);
  }

  /** The messages right before one, the oldest first. `next` is the `before` of those that came before them. */
  messagesBefore(conversationId: string, limit: number, before: number): Page<StoredMessage> | undefined {
    return this.#transcripts.before(conversationId, limit, before);
  }

  message(conversationId: string, seq: number): StoredMessage | undefined {
    return this.#transcripts.message(conversationId, seq);
  }

  /** How many messages of a conversation come before `seq`. */
  place(conversationId: string, seq: number): number | undefined {
    return this.#transcripts.place(conversationId, seq);
  }

  /** The metadata of a conversation's latest answers, the oldest of them first. */
  answers(conversationId: string, limit: number): AnswerMetadata[] | undefined {
    return this.#transcripts.answers(conversationId, limit);
  }

  /** Searches the indexed messages; {@link searchLag} is how many are not indexed yet. */
  search(text: string, options: SearchOptions): SearchResult {
    return this.#search.find(text, options);
  }

  /** How many messages a search doesn't see yet. */
  searchLag(): number {
    return this.#index.lag();
  }

  /**
   * Indexes for about `budgetMs`. Waits neither for another writer nor for the disk: what a power failure takes from the
   * index is indexed again.
   *
   * @returns whether a search now sees everything
   */
  advanceSearch(budgetMs: number): boolean {
    const deadline = performance.now() + budgetMs;
    const { timeout } = this.#db.prepare('PRAGMA busy_timeout').get() as { timeout: number };
    const { synchronous } = this.#db.prepare('PRAGMA synchronous').get() as { synchronous: number };
    this.#db.exec('PRAGMA busy_timeout = 0; PRAGMA synchronous = NORMAL');
    try {
      while (performance.now() < deadline) if (inTransaction(this.#db, () => this.#index.advance())) return true;
      return false;
    } catch (error) {
      if (isBusy(error)) return false;
      throw error;
    } finally {
      this.#db.exec(`PRAGMA busy_timeout = ${timeout}; PRAGMA synchronous = ${synchronous}`);
    }
  }

  /** The `seq` of the latest message of all, whether it is still there or not; 0 if there never was one. */
  lastSeq(): number {
    return this.log.end();
  }

  /** The value kept under `key`; `make()` is kept and returned when there is none yet. */
  remember(key: string, make: () => string): string {
    return this.transaction(() => {
      const known = this.#meta(key);
      if (known !== undefined) return known;
      const value = make();
      this.#statements.of(SQL.setMeta).run(key, value);
      return value;
    });
  }

  /** All that `work` stores is kept, or, when it throws, nothing of it. A nested one joins the outer one. */
  transaction<T>(work: () => T): T {
    if (this.#db.isTransaction) return work();
    const result = inTransaction(this.#db, work);
    this.onCommit();
    return result;
  }

  /** Moves the write-ahead log into the file and closes it. Does nothing the second time. */
  close(): void {
    closeDatabase(this.#db);
  }

  #erase(): boolean {
    const erased = eraseDeleted(this.#db);
    if (erased) this.transaction(() => this.#statements.of(SQL.deleteMeta).run(ERASE));
    return erased;
  }

  #settleTenancy(wanted: Tenancy | undefined): Tenancy {
    const known = this.#meta('tenancy') as Tenancy | undefined;
    if (known !== undefined && (wanted === undefined || wanted === known)) return known;
    if (known !== undefined && this.#statements.of(SQL.anyConversation).get() !== undefined)
      throw new LocalSynapError(
        `${this.path} contains ${known} conversations: start with tenancy ${known}, or choose another file`,
      );
    const tenancy = wanted ?? 'b2c';
    this.#statements.of(SQL.setMeta).run('tenancy', tenancy);
    return tenancy;
  }

  #meta(key: string): string | undefined {
    return this.#statements.of(SQL.getMeta).get(key)?.value as string | undefined;
  }
}
