import { plainLine } from '../internal/plain-line.js';
import { cutBeforeMasking, maskSecrets } from './mask-secrets.js';
import { replaceSpans, type Span, sharedRuns } from './shared-runs.js';

/** What no error may repeat of a request: it ends in a log. */
export interface RequestSecrets {
  readonly apiKey: string | undefined;
  /** The key before that one, where it was changed. */
  readonly formerKey?: string | undefined;
  /** The texts of the messages in it. */
  readonly contents: readonly string[];
}

// Far more than an error shows of a server's words.
const MAX_SERVER_TEXT = 2000;
// Of all reasons that a batch was given.
const MAX_SERVER_TEXTS = 200_000;
const MIN_OF_EACH = 100;

// A server that quotes a message quotes at least this much of it; shorter runs are shared by any two texts.
const MIN_QUOTE = 12;
// Servers show the beginning or the end of a key that they refuse.
const MIN_KEY_RUN = 8;
// A number that a person was asked for, such as a code: it says much in few characters.
const MIN_CODE = 4;

const REDACTED = '[redacted: message text]';

/** A server's words as an error may show them: on one line, without keys, and without what they quote of a message. */
export function maskServerText(text: string, secrets: RequestSecrets): string {
  return maskServerTexts([text], secrets)[0] ?? '';
}

/** As {@link maskServerText}, of many texts about one request: its messages are read once for all of them. */
export function maskServerTexts(texts: readonly string[], secrets: RequestSecrets): string[] {
  const most = Math.max(
    MIN_OF_EACH,
    Math.min(MAX_SERVER_TEXT, Math.floor(MAX_SERVER_TEXTS / Math.max(1, texts.length))),
  );
  const lines = texts.map(text => readable(cutBeforeMasking(text, most)));
  return maskRequest(lines, secrets).map(line => maskSecrets(line).replace(/ {2,}/g, ' ').trim());
}

/** As {@link maskServerText}, of a link for the account's owner: a code in its query belongs to it. Undefined if it is no link. */
export function maskServerUrl(url: string, secrets: RequestSecrets): string | undefined {
  if (url.length > MAX_SERVER_TEXT || !/^https?:\/\/\S+$/i.test(url) || plainLine(url) !== url) return undefined;
  return maskRequest([url], secrets)[0];
}

function maskRequest(texts: readonly string[], { apiKey, formerKey, contents }: RequestSecrets): string[] {
  const keyless = maskKey(maskKey(texts, apiKey), formerKey);
  const messages = contents.map(content => readable(content).trim());
  const runs = sharedRuns(keyless.map(folded), messages.map(folded), MIN_QUOTE);
  const short = new Set(messages.filter(message => message !== '' && message.length < MIN_QUOTE));
  return keyless.map((text, index) =>
    replaceSpans(text, [...(runs[index] ?? []), ...shortQuotes(text, short)], REDACTED),
  );
}

function maskKey(texts: readonly string[], apiKey = ''): readonly string[] {
  if (apiKey === '') return texts;
  if (apiKey.length < MIN_KEY_RUN) return texts.map(text => text.replaceAll(apiKey, '***'));
  const runs = sharedRuns(texts.map(folded), [folded(apiKey)], MIN_KEY_RUN);
  return texts.map((text, index) => replaceSpans(text, runs[index] ?? [], '***'));
}

/** In lower case, as firewalls and proxies may quote, and exactly as long as before. */
function folded(text: string): string {
  const lower = text.toLowerCase();
  return lower.length === text.length ? lower : text.replace(/[A-Z]/g, letter => letter.toLowerCase());
}

/** One form for what was sent and for how servers quote it: escaped as in JSON, or as it is. */
function readable(text: string): string {
  return plainLine(text).replace(/\\([nrt"'\\])/g, (_, escaped: string) => (/[nrt]/.test(escaped) ? ' ' : escaped));
}

/**
 * Where a short message stands for itself: as the whole text, between quotes, or as a code between other words. A short
 * message that is a part of a word, or a word among others, is no quote.
 */
function shortQuotes(text: string, messages: ReadonlySet<string>): Span[] {
  if (messages.size === 0) return [];
  if (messages.has(text.trim())) return [{ from: 0, to: text.length }];
  const spans: Span[] = [];
  for (let from = 0; from < text.length; from++) {
    if (isWord(text[from - 1])) continue;
    const quoted = isQuote(text[from - 1]);
    for (let to = from + 1; to <= text.length && to - from < MIN_QUOTE; to++) {
      if (isWord(text[to])) continue;
      const part = text.slice(from, to);
      const isCode = part.length >= MIN_CODE && /\d/.test(part);
      if (((quoted && isQuote(text[to])) || isCode) && messages.has(part.trim())) spans.push({ from, to });
    }
  }
  return spans;
}

function isQuote(character: string | undefined): boolean {
  return character !== undefined && /["'`\u00ab\u00bb\u2018-\u201f]/.test(character);
}

function isWord(character: string | undefined): boolean {
  return character !== undefined && /[\p{L}\p{N}_]/u.test(character);
}
