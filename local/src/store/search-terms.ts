// Longer ones, and more of them, find nothing that these don't.
const MAX_TERMS = 8;
const MAX_TERM_LENGTH = 100;

/** What is searched for: terms that must all occur, in any case, also within a word. */
export interface SearchTerms {
  /** In lower case. */
  readonly terms: readonly string[];
  /** The query for the index; undefined when all terms are too short for it. */
  readonly trigrams: string | undefined;
}

/**
 * Reads what a person typed: words, and `"several words"` in quotes that stand together. Undefined when that is nothing.
 */
export function parseSearch(text: string): SearchTerms | undefined {
  const typed = text.replaceAll('\0', ' ').matchAll(/"([^"]+)"?|([^\s"]+)/g);
  const terms = [...typed]
    .map(([, quoted, word]) => (quoted ?? word ?? '').trim().slice(0, MAX_TERM_LENGTH).toWellFormed().toLowerCase())
    .filter(term => term !== '')
    .slice(0, MAX_TERMS);
  if (terms.length === 0) return undefined;
  const trigrams = new Set(terms.flatMap(trigramsOf));
  return { terms, trigrams: trigrams.size === 0 ? undefined : [...trigrams].map(quote).join(' ') };
}

/** @returns whether each term occurs in one of the texts */
export function matches({ terms }: SearchTerms, texts: readonly string[]): boolean {
  const lower = texts.map(text => text.toLowerCase());
  return terms.every(term => lower.some(text => text.includes(term)));
}

function trigramsOf(term: string): string[] {
  const characters = [...term];
  return characters.slice(2).map((_, index) => characters.slice(index, index + 3).join(''));
}

/** As a string of FTS5's query language. */
function quote(trigram: string): string {
  return `"${trigram.replaceAll('"', '""')}"`;
}
