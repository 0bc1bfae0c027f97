const BEFORE = 60;
const AFTER = 160;

/** A piece of a text, and whether it is what was searched for. */
export interface Piece {
  text: string;
  found: boolean;
}

/** The surroundings of the first of the terms that occurs in a text; undefined when none does. */
export function excerpt(text: string, terms: readonly string[]): Piece[] | undefined {
  // Lower case may be longer than the original, as with "İ": then positions in the two would differ.
  const lower = text.toLowerCase().length === text.length ? text.toLowerCase() : text;
  const places = terms.map(term => lower.indexOf(term)).filter(place => place >= 0);
  if (places.length === 0) return undefined;
  const first = Math.min(...places);
  const begin = Math.max(0, first - BEFORE);
  const end = Math.min(text.length, first + AFTER);
  const pieces: Piece[] = begin > 0 ? [{ text: '…', found: false }] : [];
  for (let at = begin; at < end; ) {
    const next = nearest(lower, terms, at, end);
    if (next.place > at) pieces.push({ text: text.slice(at, next.place), found: false });
    if (next.place < end) pieces.push({ text: text.slice(next.place, next.place + next.length), found: true });
    at = next.place + next.length;
  }
  if (end < text.length) pieces.push({ text: '…', found: false });
  return pieces.map(piece => ({ ...piece, text: piece.text.toWellFormed() }));
}

/** The nearest term from `at` on, the longest of those that begin there; at `end` when there is none. */
function nearest(lower: string, terms: readonly string[], at: number, end: number): { place: number; length: number } {
  let best = { place: end, length: 1 };
  for (const term of terms) {
    const place = lower.indexOf(term, at);
    if (place < 0 || place > best.place || place >= end) continue;
    if (place < best.place || term.length > best.length) best = { place, length: term.length };
  }
  return best;
}
