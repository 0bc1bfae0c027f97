import type { ConversationFilter } from '../store/records.js';

/** The filters and the page of a list, as they stand in its address. */
export interface ListQuery {
  /** What is searched for; empty for nothing. */
  q: string;
  filter: ConversationFilter;
  /** Where an older page begins: a `seq`. */
  before: number | undefined;
}

// Longer than anything a person types. An id that is longer can't be filtered by.
export const MAX_VALUE_LENGTH = 1000;

const FILTERS = ['user', 'customer', 'model', 'status'] as const;

/** Reads an address. What makes no sense in it is passed over. */
export function parseListQuery(query: Record<string, string>): ListQuery {
  const filter: ConversationFilter = {};
  for (const name of FILTERS) {
    const value = query[name]?.toWellFormed() ?? '';
    if (value !== '' && value.length <= MAX_VALUE_LENGTH && !value.includes('\0')) filter[name] = value;
  }
  return {
    q: (query.q ?? '').slice(0, MAX_VALUE_LENGTH).toWellFormed().trim(),
    filter,
    before: parseSeq(query.before),
  };
}

/** A `seq` of an address, or undefined. */
export function parseSeq(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

/** The address of a list. */
export function listPath({ q, filter, before }: ListQuery, path = '/'): string {
  const query = new URLSearchParams();
  if (q !== '') query.set('q', q);
  for (const name of FILTERS) {
    const value = filter[name];
    if (value !== undefined) query.set(name, value);
  }
  if (before !== undefined) query.set('before', String(before));
  return query.size === 0 ? path : `${path}?${query}`;
}
