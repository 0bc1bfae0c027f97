import { property, text } from '../internal/guards.js';
import { AnswerReader } from './answer-reader.js';
import { AnswerText, type AnswerTo, type Marks } from './answer-text.js';
import type { StreamHints } from './stream-hints.js';

// One class for each kind of stream that a result has.

/** Reads `textStream`: pieces of text, which say nothing of steps. */
export class TextReader extends AnswerReader {
  override answerTo(index: number, hints: StreamHints): AnswerTo {
    // A text that is longer than that of the steps is none of theirs.
    const isOther = hints.isWhole && this.length > hints.length;
    return this.answer.answer(isOther ? [] : hints.marks, index);
  }

  override steerings(hints: StreamHints): Marks['steerings'] {
    return hints.marks.steerings;
  }

  override hasWhole(hints: StreamHints): boolean {
    return hints.isWhole && this.length > 0 && this.length === hints.length;
  }

  protected hear(value: unknown): void {
    this.said(value);
  }
}

/** Reads `fullStream`, or `stream`: the parts of the SDK. */
export class PartReader extends AnswerReader {
  protected hear(value: unknown): void {
    const part = value as Record<string, unknown>;
    switch (part.type) {
      case 'text-delta':
        return this.said(part.text);
      case 'start-step':
        return this.marks.step(this.length);
      case 'tool-call':
        return this.called(part.toolName);
      case 'file':
        return this.gotFile({ mediaType: text(property(part.file, 'mediaType')) });
      case 'source':
        return this.cited({ url: text(part.url), title: text(part.title) });
      case 'steering-message':
        return this.gotSteering(property(part.message, 'content'));
      case 'finish':
        this.hasFinish = true;
        return;
      case 'abort':
        this.hasAbort = true;
        return;
      case 'error':
        this.error = part.error;
    }
  }
}

/** Reads what `toUIMessageStream` makes for a browser. */
export class ChunkReader extends AnswerReader {
  protected hear(value: unknown): void {
    const chunk = value as Record<string, unknown>;
    switch (chunk.type) {
      case 'text-delta':
        return this.said(chunk.delta);
      case 'start-step':
        return this.marks.step(this.length);
      case 'tool-input-available':
        return this.called(chunk.toolName);
      case 'file':
        return this.gotFile({ mediaType: text(chunk.mediaType), url: httpUrl(chunk.url) });
      case 'source-url':
      case 'source-document':
        return this.cited({ url: text(chunk.url), title: text(chunk.title) });
      case 'steering-message':
        return this.gotSteering(fromUIParts(chunk.parts));
      case 'finish':
        this.hasFinish = true;
        return;
      case 'abort':
        this.hasAbort = true;
        return;
      case 'error':
        this.error = chunk.errorText;
    }
  }
}

/** A data URL holds the file itself. */
function httpUrl(url: unknown): string | undefined {
  return typeof url === 'string' && /^https?:/i.test(url) ? url : undefined;
}

/** Files of UI messages say in `url` what those of a prompt say in `data`. */
function fromUIParts(parts: unknown): unknown {
  if (!Array.isArray(parts)) return parts;
  return parts.map(part => (property(part, 'type') === 'file' ? { ...part, data: property(part, 'url') } : part));
}

/** Reads values instead of a text: what the SDK has parsed. What it got last stands for all of it. */
abstract class ValueReader extends AnswerReader {
  protected latest: unknown;
  #written: string | undefined;
  // What it got last before each message of the user.
  #values: unknown[] = [];
  #isNew = false;

  override get length(): number {
    return this.#text().length;
  }

  override answerTo(index: number): AnswerTo {
    return wholeText(written(this.#values[index]));
  }

  /** A value says nothing of steps: it answers what the user had said by the time it was read. */
  override steerings(hints: StreamHints): Marks['steerings'] {
    const { steerings } = hints.marks;
    if (this.#isNew) this.#values[steerings.length] = this.latest;
    this.#isNew = false;
    return steerings.map(steering => ({ ...steering, at: 0 }));
  }

  protected override continues(before: ValueReader): void {
    super.continues(before);
    this.take(before.latest);
    this.#values = [...before.#values];
  }

  protected override hear(value: unknown): void {
    this.lastPartAt = performance.now();
    this.#written = undefined;
    this.#isNew = true;
    this.take(value);
  }

  protected abstract take(value: unknown): void;

  #text(): string {
    this.#written ??= written(this.latest);
    return this.#written;
  }
}

/** Reads `partialOutputStream`: each value is the whole so far. */
export class PartialOutputReader extends ValueReader {
  protected take(value: unknown): void {
    this.latest = value;
  }
}

/** Reads `elementStream`: the elements of a list, one after the other. */
export class ElementReader extends ValueReader {
  protected take(value: unknown): void {
    const before = Array.isArray(this.latest) ? this.latest : [];
    before.push(value);
    this.latest = before;
  }

  protected override continues(before: ElementReader): void {
    super.continues(before);
    this.latest = Array.isArray(before.latest) ? [...before.latest] : undefined;
  }
}

function written(value: unknown): string {
  if (typeof value === 'string') return value;
  try {
    return value === undefined ? '' : (JSON.stringify(value) ?? '');
  } catch {
    return '';
  }
}

function wholeText(content: string): AnswerTo {
  const answer = new AnswerText();
  answer.append(content);
  return answer.answer([], 0);
}
