import type { ConversationFilter, ConversationListing } from '../store/records.js';
import type { SearchResult } from '../store/search.js';
import { ConversationRow } from './conversation-row.js';
import { FilterForm } from './filter-form.js';
import { forgetPath } from './forget-page.js';
import { counted, short } from './format.js';
import { Icon } from './icon.js';
import { Layout, type Theme } from './layout.js';
import { type ListQuery, listPath } from './list-query.js';
import { eventsPath, type PagePosition } from './page-position.js';

export interface ListPageProps {
  theme: Theme;
  query: ListQuery;
  /** What there is to choose from. */
  models: readonly string[];
  /** Of the store when the page was made: the page's events begin behind it. */
  position: PagePosition;
  found: { items: ConversationListing[]; next: number | undefined } | SearchResult;
  /** How many messages a search doesn't see yet. */
  lag: number;
}

export function ListPage({ theme, query, models, position, found, lag }: ListPageProps) {
  const hits = 'hits' in found ? found.hits : undefined;
  const items = 'hits' in found ? found.hits.map(hit => hit.conversation) : found.items;
  const filtered = query.q !== '' || isFiltered(query.filter);
  const live = query.q === '' && query.before === undefined;
  return (
    <Layout
      title={query.q === '' ? 'Conversations · Synap' : `${query.q} · Synap`}
      theme={theme}
      script="list"
      kind="list"
    >
      <div class="title">
        <h1>Conversations</h1>
        <a
          class="button"
          href={listPath({ ...query, before: undefined }, '/export.jsonl')}
          download
          hidden={query.q !== ''}
        >
          <Icon name="download" /> JSONL
        </a>
      </div>
      <FilterForm query={query} models={models} />
      {query.filter.user !== undefined && (
        <p class="hint">
          <a href={forgetPath({ userId: query.filter.user, customerId: query.filter.customer })}>
            Forget {short(query.filter.user)} …
          </a>
        </p>
      )}
      {query.q !== '' && lag > 0 && (
        <p class="hint" role="status">
          {counted(lag, 'message')} more {lag === 1 ? 'is' : 'are'} being made searchable. Search again in a moment.
        </p>
      )}
      <div class="fresh" hidden>
        <button type="button" class="primary" id="fresh">
          <Icon name="up" /> <span></span>
        </button>
      </div>
      <ol
        class="rows"
        id="rows"
        aria-label="Conversations, the newest first"
        data-events={live ? eventsPath(listPath({ ...query, before: undefined }, '/events'), position) : undefined}
        data-seq={position.seq}
      >
        {items.map((conversation, index) =>
          hits?.[index] ? (
            <ConversationRow
              conversation={conversation}
              hit={hits[index]}
              terms={'terms' in found ? found.terms : []}
            />
          ) : (
            <ConversationRow conversation={conversation} />
          ),
        )}
      </ol>
      <div id="nothing" hidden={items.length > 0}>
        <Nothing filtered={filtered} more={found.next !== undefined} older={query.before !== undefined} />
      </div>
      <nav class="pages" aria-label="Pages">
        {query.before !== undefined && (
          <a class="button" href={listPath({ ...query, before: undefined })}>
            <Icon name="up" /> Newest
          </a>
        )}
        {found.next !== undefined && (
          <a class="button" rel="next" href={listPath({ ...query, before: found.next })}>
            {hits && hits.length === 0 ? 'Search further back' : 'Older'} <Icon name="down" />
          </a>
        )}
      </nav>
    </Layout>
  );
}

function Nothing({ filtered, more, older }: { filtered: boolean; more: boolean; older: boolean }) {
  if (more) return <p class="nothing">Nothing in the newest messages. There are older ones.</p>;
  if (older) return <p class="nothing">Nothing further back.</p>;
  if (filtered)
    return (
      <p class="nothing">
        No conversation matches. <a href="/">Show all</a>
      </p>
    );
  return (
    <p class="nothing">
      No conversations yet. Point an app here with <code>SYNAP_BASE_URL</code> and <code>SYNAP_API_KEY</code>, and they
      appear by themselves.
    </p>
  );
}

function isFiltered(filter: ConversationFilter): boolean {
  return Object.values(filter).some(value => value !== undefined);
}
