import { isNumber, property } from '../internal/guards.js';
import { head } from './cut-text.js';
import { MAX_MESSAGE_BYTES, SPARE } from './truncate.js';
import type { BoundedText } from './turn-message.js';
import type { CompleteDetails } from './turn-options.js';

// No character takes less than a byte, so that no message holds more of them.
const MAX_KEPT = MAX_MESSAGE_BYTES + SPARE;
// V8 keeps appended pieces apart, and lays the text out when somebody looks into it. After 2,000 pieces that takes 0.3 ms, at the
// very end of the answer; done now and then, while the pieces are still in the processor's cache, 0.1 ms in all (bench/, `triples`).
const MIN_IN_PIECES = 512;
const ANYTHING = /^/;

/**
 * The text of an answer while it grows. Of one that no message could hold, the head is kept and the rest is counted: an
 * answer without end costs no more memory than a message, and never meets the longest text that V8 can make.
 */
export class AnswerSoFar implements BoundedText {
  #content = '';
  #missing = 0;
  // How much was appended since the text was laid out.
  #inPieces = 0;

  get content(): string {
    return this.#content;
  }

  /** How many characters came after {@link content}. */
  get missing(): number {
    return this.#missing;
  }

  append(text: string): void {
    // Nearly every piece is short and fits.
    if (this.#missing === 0 && this.#content.length + text.length <= MAX_KEPT) {
      this.#content += text;
      this.#inPieces += text.length;
      if (this.#inPieces > MIN_IN_PIECES && this.#inPieces * 4 > this.#content.length) {
        ANYTHING.test(this.#content);
        this.#inPieces = 0;
      }
      return;
    }
    const kept = this.#missing > 0 ? '' : head(text, MAX_KEPT - this.#content.length);
    this.#content += kept;
    this.#missing += text.length - kept.length;
  }

  /**
   * What the details of the answer's end say, or else what was appended; that stands, too, where what they say is no text.
   *
   * @throws what can't be read, or a TypeError, where nothing was appended
   */
  or(details: unknown): BoundedText {
    let problem: unknown;
    try {
      const content: unknown = (details as CompleteDetails | null | undefined)?.content;
      if (typeof content === 'string') return { content, missing: missingOf(details) };
      if (isAbsent(content) && (isAbsent(details) || typeof details === 'object')) return this;
    } catch (error) {
      problem = error;
    }
    // An error keeps its stack, which takes longer than all of the rest: it is made only for whoever needs it.
    if (this.#content === '') throw problem ?? new TypeError('a message must be a string');
    return this;
  }

  clear(): void {
    this.#content = '';
    this.#missing = 0;
    this.#inPieces = 0;
  }
}

function missingOf(details: unknown): number {
  const missing = property(details, 'missing');
  return isNumber(missing) ? missing : 0;
}

function isAbsent(value: unknown): boolean {
  return value === undefined || value === null;
}

/** What a text has beyond the beginning of it that is recorded. */
export function textAfter(text: BoundedText, recorded: BoundedText): BoundedText {
  if (recorded.content === '' || !text.content.startsWith(recorded.content)) return text;
  // A blank line parts two texts of one message.
  const content = text.content.slice(recorded.content.length).replace(/^\n\n/, '');
  return { content, missing: Math.max(0, text.missing - recorded.missing) };
}
