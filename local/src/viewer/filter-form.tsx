import { Icon } from './icon.js';
import { type ListQuery, listPath } from './list-query.js';

const STATUSES = [
  ['complete', 'Complete'],
  ['error', 'Failed'],
  ['aborted', 'Aborted'],
  ['abandoned', 'Abandoned'],
] as const;

/** Search and filters: a plain form, which works without a script, too. */
export function FilterForm({ query, models }: { query: ListQuery; models: readonly string[] }) {
  const { q, filter } = query;
  const filtered = q !== '' || Object.values(filter).some(value => value !== undefined);
  return (
    <search>
      <form class="filters" id="filters" action="/" method="get">
        <div class="search">
          <Icon name="search" />
          <label class="unseen" for="q">
            Search messages and ids
          </label>
          <input
            id="q"
            name="q"
            type="search"
            value={q}
            maxlength={1000}
            placeholder="Search messages and ids"
            autocomplete="off"
            spellcheck={false}
          />
          <kbd title="Press / to search">/</kbd>
        </div>
        <Known name="user" label="User" value={filter.user} />
        <Known name="customer" label="Customer" value={filter.customer} />
        <label>
          <span>Model</span>
          <select name="model">
            <option value="">Any</option>
            {[...new Set([...models, ...(filter.model === undefined ? [] : [filter.model])])].map(model => (
              <option value={model} selected={model === filter.model}>
                {model}
              </option>
            ))}
          </select>
        </label>
        <label>
          <span>Status</span>
          <select name="status">
            <option value="">Any</option>
            {STATUSES.map(([status, label]) => (
              <option value={status} selected={status === filter.status}>
                {label}
              </option>
            ))}
          </select>
        </label>
        <div class="actions">
          <button type="submit">Search</button>
          {filtered && (
            <a class="button quiet" href={listPath({ q: '', filter: {}, before: undefined })}>
              Clear
            </a>
          )}
        </div>
      </form>
    </search>
  );
}

/** A field that suggests known values. */
function Known({ name, label, value }: { name: 'user' | 'customer'; label: string; value: string | undefined }) {
  return (
    <label>
      <span>{label}</span>
      <input
        name={name}
        value={value ?? ''}
        maxlength={1000}
        placeholder="Any"
        list={`known-${name}`}
        data-known={name}
        autocomplete="off"
        spellcheck={false}
      />
      <datalist id={`known-${name}`}></datalist>
    </label>
  );
}
