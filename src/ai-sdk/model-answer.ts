import { text } from '../internal/guards.js';
import { placeholder } from '../recorder/attachments.js';
import type { Attachment, Source } from '../recorder/metadata.js';
import type { Turn } from '../recorder/turn.js';
import type { StreamPart } from './model-spec.js';
import { readFile } from './prompt.js';

// More than is recorded.
const MAX_LIST = 200;

/** Hands what a model says on to its turn: texts of different steps apart, files as placeholders, and what it cites. */
export class ModelAnswer {
  readonly #attachments: Attachment[] = [];
  readonly #sources: Source[] = [];
  #hasText = false;
  // What stands between the text so far and the next.
  #separator = '';

  /** What is said next is another step's, or comes after a tool. */
  apart(): void {
    this.#separator = '\n\n';
  }

  said(turn: Turn, piece: unknown, options?: { streamed: boolean }): void {
    if (typeof piece !== 'string' || piece === '') return;
    // It goes on after nobody had it in hand for so long that it was given up: that is a further message.
    if (turn.state === 'abandoned') turn.resume();
    turn.append(this.#hasText ? `${this.#separator}${piece}` : piece, options);
    this.#hasText = true;
    this.#separator = '';
  }

  file(turn: Turn, part: StreamPart): void {
    const file = readFile(part);
    if (this.#separator === '') this.#separator = '\n';
    this.said(turn, placeholder(file), { streamed: false });
    this.#separator = '\n';
    if (this.#attachments.length < MAX_LIST) this.#attachments.push(file);
    turn.describe({ attachments: this.#attachments });
  }

  source(turn: Turn, { url, title }: StreamPart): void {
    if (this.#sources.length < MAX_LIST) this.#sources.push({ url: text(url), title: text(title) });
    turn.describe({ sources: this.#sources });
  }
}
