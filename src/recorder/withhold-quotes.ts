import { maskSecrets } from '../synap/mask-secrets.js';
import { replaceSpans, type Span, sharedRuns } from '../synap/shared-runs.js';

const REDACTED = '[redacted: contains message text]';

// A text that quotes another shares at least this much with it; shorter runs are shared by any two texts.
const MIN_RUN = 12;
// What is quoted, or has a digit or an @, says much in few characters: a code, a part of a card number, a name.
const MIN_PART = 4;
const MAX_PART = 64;
// A whole message that is shorter may be a word of the error's own, such as "no".
const MIN_WHOLE = 6;
// How often a text may be escaped: JSON in a JSON body in an error's message.
const MAX_ESCAPES = 3;
// Of all texts of a turn that an error is compared with, in characters.
const MAX_SOURCES = 512 * 1024;
const MAX_PARTS = 50;

const decoder = new TextDecoder();

const NAMED: Readonly<Record<string, string>> = { quot: '"', apos: "'", amp: '&', lt: '<', gt: '>', nbsp: ' ' };
// What JSON and the logs of several languages escape by a letter; any other character stands for itself.
const WHITE_SPACE = new Set(['n', 'r', 't', 'b', 'f', 'v']);

/**
 * The line of an error without what it quotes of the turn's own texts: as they are, as JSON, in a URL or as HTML, whole or
 * in parts. An error goes past `redact`, so it must not repeat what `redact` may have taken out.
 *
 * @param sources what was said in the turn. Of more than 512 Ki characters, the head and the end of each count
 */
export function withholdQuotes(line: string, sources: Iterable<string>): string {
  const texts = bounded(sources).map(text => folded(plain(text)));
  if (texts.length === 0 || line === '') return line;
  const encoded = quotesInBytes(line, texts);
  const open = encoded.length === 0 ? line : replaceSpans(line, encoded, REDACTED);
  const readable = plain(open);
  const spans = quotesIn(readable, texts);
  if (spans.length === 0) return open;
  return replaceSpans(readable, spans, REDACTED);
}

/** Bytes in base64 or as hexadecimal digits, which hold a quote. */
function quotesInBytes(line: string, texts: readonly string[]): Span[] {
  const runs = [...line.matchAll(/[A-Za-z0-9+/_-]{16,}/g)].map(({ index, 0: run }) => ({
    from: index,
    to: index + run.length,
    texts: [...(/^(?:[0-9a-f]{2})+$/i.test(run) ? [fromHex(run)] : []), ...fromBase64(run)],
  }));
  const found = sharedRuns(
    runs.map(run => run.texts.map(text => folded(plain(text))).join('\n')),
    texts,
    MIN_RUN,
  );
  return runs.filter((_, index) => (found[index] ?? []).length > 0);
}

function fromHex(digits: string): string {
  return decoder.decode(Uint8Array.from(digits.match(/../g) ?? [], hex => Number.parseInt(hex, 16)));
}

/** The beginning may be cut off, too: then the text stands at another place of the first four characters. */
function fromBase64(run: string): string[] {
  const standard = run.replaceAll('-', '+').replaceAll('_', '/');
  return [0, 1, 2, 3].map(cut => {
    const whole = standard.slice(cut);
    const bytes = atob(whole.slice(0, whole.length - (whole.length % 4)));
    return decoder.decode(Uint8Array.from(bytes, byte => byte.charCodeAt(0)));
  });
}

function quotesIn(readable: string, texts: readonly string[]): Span[] {
  const line = folded(readable);
  const [runs = []] = sharedRuns([line], texts, MIN_RUN);
  const whole = new Set(texts.map(text => text.trim()).filter(text => text !== ''));
  const spans = [...runs];
  const known = new Map<string, boolean>();
  for (const { from, to } of partsOf(line)) {
    const part = line.slice(from, to).trim();
    if (!known.has(part) && known.size < MAX_PARTS)
      known.set(part, whole.has(part) || texts.some(text => holds(text, part)));
    if (known.get(part)) spans.push({ from, to });
  }
  return [...spans, ...wholeTexts(line, whole)];
}

/** Where a text that is too short for a run stands as a whole: at the end, or, where it is hardly there by chance, anywhere. */
function wholeTexts(line: string, texts: ReadonlySet<string>): Span[] {
  const short = [...texts].filter(text => text.length < MIN_RUN).slice(0, MAX_PARTS);
  return short.flatMap(text => {
    const spans: Span[] = [];
    for (let from = line.indexOf(text); from >= 0; from = line.indexOf(text, from + 1)) {
      const to = from + text.length;
      if (isLetter(line[from - 1]) || isLetter(line[to])) continue;
      const isEnd = to === line.length && (from === 0 || line.slice(0, from).endsWith(': '));
      if (isEnd || text.length >= MIN_WHOLE) spans.push({ from, to });
    }
    return spans;
  });
}

/** What stands between quotes, and words with a digit or an @. */
function partsOf(line: string): Span[] {
  const spans: Span[] = [];
  for (const { index, 0: match } of line.matchAll(/[\p{L}\p{N}_@.+-]{4,64}/gu)) {
    const word = match.replace(/[.+-]+$/, '');
    if (word.length >= MIN_PART && /[\p{N}@]/u.test(word)) spans.push({ from: index, to: index + word.length });
  }
  for (const { index } of line.matchAll(/["'`\u00ab\u2018\u201c\u2039]/g)) {
    const from = index + 1;
    const quoted = /^([^"'`\u00ab\u00bb\u2018-\u201f\u2039\u203a]{1,64})["'`\u00bb\u2019\u201d\u203a]/.exec(
      line.slice(from, from + MAX_PART + 1),
    )?.[1];
    if (quoted !== undefined && quoted.trim() !== '') spans.push({ from, to: from + quoted.length });
  }
  return spans;
}

/** Whether a text holds a part, as a word or several: "art" is not quoted from "start", and two letters from nothing. */
function holds(text: string, word: string): boolean {
  if (word.length < MIN_PART) return false;
  for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + 1))
    if (!isLetter(text[at - 1]) && !isLetter(text[at + word.length])) return true;
  return false;
}

function isLetter(character: string | undefined): boolean {
  return character !== undefined && /[\p{L}\p{N}_]/u.test(character);
}

/** A text without its escapes: those of JSON, of URLs and of HTML; with one blank for any white space. */
function plain(text: string): string {
  let readable = text;
  for (let escaped = 0; escaped < MAX_ESCAPES; escaped++) {
    const before = readable;
    readable = before
      .replace(/(?:%[0-9a-f]{2})+/gi, decoded)
      .replace(/\\u\{?([0-9a-f]{4,6})\}?/gi, (all, hex: string) => fromCode(Number.parseInt(hex, 16), all))
      .replace(/(?:\\x[0-9a-f]{2})+/gi, bytesOfLog)
      .replace(/\\([^ux])/g, (_, letter: string) => (WHITE_SPACE.has(letter) ? ' ' : letter))
      .replace(/&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|([a-z]{2,4}));/gi, entity);
    if (readable === before) break;
  }
  return readable
    .replace(/[\s\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ')
    .replace(/\p{Cf}/gu, '')
    .normalize()
    .toWellFormed();
}

/** What bytes in a URL stand for, also where their end was cut off. */
function decoded(sequence: string): string {
  const bytes = sequence.slice(1).split('%');
  return decoder.decode(Uint8Array.from(bytes, hex => Number.parseInt(hex, 16)));
}

/** `\xc3\xab`: of Python's bytes, UTF-8; of JavaScript, a character each. */
function bytesOfLog(sequence: string): string {
  const codes = sequence
    .slice(2)
    .split(/\\x/i)
    .map(hex => Number.parseInt(hex, 16));
  const text = decoder.decode(Uint8Array.from(codes));
  return text.includes('\ufffd') ? String.fromCharCode(...codes) : text;
}

function entity(all: string, decimal?: string, hex?: string, name?: string): string {
  if (name !== undefined) return NAMED[name.toLowerCase()] ?? all;
  return fromCode(Number.parseInt(decimal ?? hex ?? '', decimal === undefined ? 16 : 10), all);
}

function fromCode(code: number, otherwise: string): string {
  return code <= 0x10ffff ? (code > 0xffff ? String.fromCodePoint(code) : String.fromCharCode(code)) : otherwise;
}

/** As services quote, and exactly as long as before: in lower case, and a + for a blank, as in forms. */
function folded(text: string): string {
  const lower = text.toLowerCase();
  return (lower.length === text.length ? lower : text.replace(/[A-Z]/g, letter => letter.toLowerCase())).replaceAll(
    '+',
    ' ',
  );
}

function bounded(sources: Iterable<string>): string[] {
  const texts = [...new Set(sources)].filter(text => text !== '');
  const characters = texts.reduce((sum, { length }) => sum + length, 0);
  if (characters <= MAX_SOURCES) return withMasked(texts);
  const most = Math.floor(MAX_SOURCES / texts.length / 2);
  if (most < MIN_RUN) return withMasked(texts.slice(0, 1000).map(text => text.slice(0, MAX_SOURCES / 1000)));
  const ends = (text: string) => (text.length <= 2 * most ? [text] : [text.slice(0, most), text.slice(-most)]);
  return withMasked(texts.flatMap(ends));
}

/** The line was masked already: what it quotes of a text with a key in it is like that text, masked. */
function withMasked(texts: readonly string[]): string[] {
  return texts.flatMap(text => [...new Set([text, maskSecrets(text)])]);
}
