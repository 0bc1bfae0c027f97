import { safely } from '../internal/guards.js';
import type { Attachment, Source } from '../recorder/metadata.js';
import { AnswerText, type AnswerTo, Marks } from './answer-text.js';
import type { StreamListener } from './follow-stream.js';
import type { StreamPart } from './model-spec.js';
import { readContent } from './prompt.js';
import type { StreamHints } from './stream-hints.js';
import { ToolCalls } from './tool-calls.js';

/** How one reader's stream came to its end. */
export type ReaderEnd = 'done' | 'failed' | 'left';

/** Is told of the readers of an answer. */
export interface ReaderOwner {
  /** It asks for its first part. */
  opened(reader: AnswerReader): void;
  /** It has got a part. */
  heard(reader: AnswerReader): void;
  readerEnded(reader: AnswerReader, end: ReaderEnd, error?: unknown): void;
  /** The result was garbage-collected: whoever does not read one of its streams by now never will. */
  collected(): void;
}

// More than is recorded.
const MAX_NAMES = 200;

/** What one reader of an answer got so far. A kind of stream each has a class of its own, which reads its parts. */
export abstract class AnswerReader implements StreamListener {
  protected answer = new AnswerText();
  protected marks = new Marks();
  tools = new ToolCalls();
  readonly sources: Source[] = [];
  /** Whether it was told that the answer is whole. */
  hasFinish = false;
  hasAbort = false;
  error: unknown;
  /** When it got its last part, on the clock of `performance.now()`. */
  lastPartAt: number | undefined;
  #pending = 0;
  #isStarted = false;
  #isOver = false;
  readonly #owner: ReaderOwner;

  constructor(owner: ReaderOwner) {
    this.#owner = owner;
  }

  /** How much it got, to tell which of several readers is the furthest. */
  get length(): number {
    return this.answer.length;
  }

  /** Whether somebody reads it: a stream that was only looked at has no reader. */
  get isReading(): boolean {
    return this.#isStarted && !this.#isOver;
  }

  /** Whether it waits for a part. */
  get isWaiting(): boolean {
    return this.#pending > 0 && !this.#isOver;
  }

  /**
   * What it saw of the answer to a message of the user.
   *
   * @param index how often the user had spoken into the answer before
   * @param _hints for a reader whose parts say nothing of what stands in the text
   */
  answerTo(index: number, _hints: StreamHints): AnswerTo {
    return this.answer.answer(this.marks, index);
  }

  /** What the user has said while the answer was under way, and after how much of it. */
  steerings(_hints: StreamHints): Marks['steerings'] {
    return this.marks.steerings;
  }

  /** Whether it has the whole answer, though it may not have read on to the end of its stream. */
  hasWhole(_hints: StreamHints): boolean {
    return this.hasFinish;
  }

  reading(): void {
    this.#pending++;
    if (this.#isStarted) return;
    this.#isStarted = true;
    safely(() => this.#owner.opened(this));
  }

  released(): void {
    this.#pending--;
  }

  part(value: unknown): void {
    this.#pending--;
    // As in safely(), without a function for every part.
    try {
      this.hear(value);
      this.#owner.heard(this);
    } catch {}
  }

  done(): void {
    this.#end('done');
  }

  failed(error: unknown): void {
    this.#end('failed', error);
  }

  left(): void {
    this.#end('left');
  }

  /** Two go on with what one has read: this one is no reader any more, and has not left. */
  fork(): AnswerReader {
    this.#isOver = true;
    const Reader = this.constructor as new (owner: ReaderOwner) => AnswerReader;
    const fork = new Reader(this.#owner);
    fork.continues(this);
    return fork;
  }

  collected(): void {
    if (this.#isStarted) this.#end('left');
  }

  /** Takes over what another one has read. */
  protected continues(before: AnswerReader): void {
    this.answer = before.answer.copy();
    this.marks = before.marks.copy();
    this.tools = new ToolCalls(before.tools.names());
    this.sources.push(...before.sources);
    this.lastPartAt = before.lastPartAt;
  }

  /** Reads one part. */
  protected abstract hear(value: unknown): void;

  protected said(piece: unknown): void {
    if (typeof piece !== 'string' || piece === '') return;
    this.lastPartAt = performance.now();
    this.answer.append(piece);
  }

  protected called(call: StreamPart): void {
    this.marks.step(this.length);
    this.tools.add(call);
  }

  protected ran({ toolCallId }: StreamPart): void {
    this.tools.ran(new Set([String(toolCallId)]));
  }

  protected cited(source: Source): void {
    if (this.sources.length < MAX_NAMES) this.sources.push(source);
  }

  protected gotFile(file: Attachment): void {
    this.lastPartAt = performance.now();
    this.marks.file(this.length, file);
  }

  protected gotSteering(content: unknown): void {
    this.marks.steered(this.length, readContent(content));
  }

  #end(end: ReaderEnd, error?: unknown): void {
    this.#isOver = true;
    safely(() => this.#owner.readerEnded(this, end, error));
  }
}
