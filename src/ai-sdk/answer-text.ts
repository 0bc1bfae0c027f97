import { AnswerSoFar } from '../recorder/answer-so-far.js';
import { type AnswerPart, joinAnswer, type MessageContent } from '../recorder/attachments.js';
import type { Attachment } from '../recorder/metadata.js';

/** What stands between two characters of an answer. */
type Mark = { readonly at: number } & (
  | { readonly type: 'step' }
  | { readonly type: 'file'; readonly file: Attachment }
  | { readonly type: 'steering'; readonly said: MessageContent }
);

// More steps and files than that stand in no answer that anybody reads.
const MAX_MARKS = 10_000;

/** What stands in an answer beside its text, by how many characters come before it. */
export class Marks implements Iterable<Mark> {
  readonly #marks: Mark[] = [];
  /** What the user has said while the answer was under way. */
  readonly steerings: Extract<Mark, { type: 'steering' }>[] = [];

  /** Another step begins, or a tool has run. */
  step(at: number): void {
    if (this.#marks.at(-1)?.type !== 'step' || this.#marks.at(-1)?.at !== at) this.#add({ type: 'step', at });
  }

  file(at: number, file: Attachment): void {
    this.#add({ type: 'file', file, at });
  }

  steered(at: number, said: MessageContent): void {
    const mark: Mark = { type: 'steering', said, at };
    this.#marks.push(mark);
    this.steerings.push(mark);
  }

  copy(): Marks {
    const copy = new Marks();
    copy.#marks.push(...this.#marks);
    copy.steerings.push(...this.steerings);
    return copy;
  }

  [Symbol.iterator](): Iterator<Mark> {
    return this.#marks[Symbol.iterator]();
  }

  #add(mark: Mark): void {
    if (this.#marks.length < MAX_MARKS) this.#marks.push(mark);
  }
}

/** What a reader saw of the answer to one message of the user. */
export interface AnswerTo extends MessageContent {
  /** How many characters followed that were not kept, because no message is as long. */
  readonly missing: number;
}

/** The text of an answer as it grows. */
export class AnswerText {
  readonly #text = new AnswerSoFar();

  /** How many characters there were so far. */
  get length(): number {
    return this.#text.content.length + this.#text.missing;
  }

  append(text: string): void {
    this.#text.append(text);
  }

  copy(): AnswerText {
    const copy = new AnswerText();
    copy.append(this.#text.content);
    return copy;
  }

  /**
   * @param marks what stands in it
   * @param index of the message of the user that is answered: how many steerings there were before
   */
  answer(marks: Iterable<Mark>, index: number): AnswerTo {
    const parts: AnswerPart[] = [];
    let passed = 0;
    let from = 0;
    const until = (at: number) => {
      if (passed === index) parts.push({ text: this.#text.content.slice(from, at) });
      from = at;
    };
    for (const mark of marks) {
      if (mark.at > this.length) break;
      until(mark.at);
      if (mark.type === 'steering') passed++;
      else if (passed === index) parts.push(mark.type === 'step' ? 'step' : { attachment: mark.file });
    }
    until(this.length);
    return { ...joinAnswer(parts), missing: passed === index ? this.#text.missing : 0 };
  }
}
