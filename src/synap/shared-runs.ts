/** A part of a text: from one index to another, which is not in it. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

const BASE = 0x01000193;
const TABLE_BITS = 18;

/**
 * Finds, in each of `texts`, every run of at least `length` characters that stands in one of `sources`, too.
 *
 * The work is linear in all lengths: each source is walked through once, with a rolling hash of its last `length` characters.
 */
export function sharedRuns(texts: readonly string[], sources: Iterable<string>, length: number): Span[][] {
  const wanted = new Map<string, number>();
  const counts = new Uint32Array(1 << TABLE_BITS);
  for (const text of texts)
    for (let at = 0; at + length <= text.length; at++) {
      const run = text.slice(at, at + length);
      if (wanted.has(run)) continue;
      const slot = slotOf(hashOf(run));
      wanted.set(run, slot);
      counts[slot] = (counts[slot] ?? 0) + 1;
    }
  const found = new Set<string>();
  for (const source of sources) {
    if (wanted.size === 0) break;
    scan(
      source,
      length,
      hash => (counts[slotOf(hash)] ?? 0) > 0,
      run => {
        const slot = wanted.get(run);
        if (slot === undefined) return;
        // A run that repeats without end is looked up once.
        wanted.delete(run);
        counts[slot] = (counts[slot] ?? 1) - 1;
        found.add(run);
      },
    );
  }
  return texts.map(text => spansOf(text, found, length));
}

function scan(source: string, length: number, mayBe: (hash: number) => boolean, take: (run: string) => void): void {
  let oldest = 1;
  for (let power = 0; power < length; power++) oldest = Math.imul(oldest, BASE);
  let hash = 0;
  for (let at = 0; at < source.length; at++) {
    hash = (Math.imul(hash, BASE) + source.charCodeAt(at)) | 0;
    if (at >= length) hash = (hash - Math.imul(source.charCodeAt(at - length), oldest)) | 0;
    if (at >= length - 1 && mayBe(hash)) take(source.slice(at - length + 1, at + 1));
  }
}

function hashOf(run: string): number {
  let hash = 0;
  for (let at = 0; at < run.length; at++) hash = (Math.imul(hash, BASE) + run.charCodeAt(at)) | 0;
  return hash;
}

function slotOf(hash: number): number {
  return hash >>> (32 - TABLE_BITS);
}

function spansOf(text: string, found: ReadonlySet<string>, length: number): Span[] {
  if (found.size === 0) return [];
  const spans: Span[] = [];
  for (let at = 0; at + length <= text.length; at++)
    if (found.has(text.slice(at, at + length))) spans.push({ from: at, to: at + length });
  return spans;
}

/** A text with something else in the place of some parts. Parts that touch or overlap are one; blanks at their ends stay. */
export function replaceSpans(text: string, spans: readonly Span[], replacement: string): string {
  let result = '';
  let done = 0;
  const sorted = [...spans].sort((a, b) => a.from - b.from);
  for (let next = 0; next < sorted.length; ) {
    let { from, to } = sorted[next++] as Span;
    for (let other = sorted[next]; other && other.from <= to; other = sorted[++next]) to = Math.max(to, other.to);
    while (from < to && text[from] === ' ') from++;
    while (to > from && text[to - 1] === ' ') to--;
    result += text.slice(done, from) + replacement;
    done = to;
  }
  return result + text.slice(done);
}
