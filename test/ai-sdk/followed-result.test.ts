// What the app opens on a result is followed, on results that are made as the SDK's are.

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it, vi } from 'vitest';
import type { AnswerReader, ReaderEnd, ReaderOwner } from '../../src/ai-sdk/answer-reader.js';
import { followResult } from '../../src/ai-sdk/follow-result.js';
import { StreamHints } from '../../src/ai-sdk/stream-hints.js';
import {
  ChunkReader,
  ElementReader,
  PartialOutputReader,
  PartReader,
  TextReader,
} from '../../src/ai-sdk/stream-readers.js';

/** Who owns the readers, and what it was told. */
class Owner implements ReaderOwner {
  readonly readers: AnswerReader[] = [];
  readonly ends: ReaderEnd[] = [];
  isCollected = false;

  opened(reader: AnswerReader): void {
    this.readers.push(reader);
  }

  heard(reader: AnswerReader): void {
    reader.steerings(new StreamHints());
  }

  readerEnded(_: AnswerReader, end: ReaderEnd): void {
    this.ends.push(end);
  }

  collected(): void {
    this.isCollected = true;
  }

  /** What its readers have read, by their classes. */
  read(): [unknown, string][] {
    return this.readers.map(reader => [reader.constructor, reader.answerTo(0, new StreamHints()).content]);
  }
}

const streamOf = (...values: unknown[]) => ReadableStream.from(values) as ReadableStream;
const text = (delta: string) => ({ type: 'text-delta', text: delta });

/** A result whose streams are getters of its class, of which some are made of others. */
class Result {
  readonly #words: string;
  opened = 0;

  constructor(words = 'Hi') {
    this.#words = words;
  }

  get fullStream() {
    this.opened++;
    return streamOf(text(this.#words));
  }

  get textStream() {
    return this.fullStream.pipeThrough(
      new TransformStream({ transform: (part, controller) => controller.enqueue(part.text) }),
    );
  }

  get text() {
    return (async () => {
      for await (const part of this.fullStream) return part.text;
    })();
  }

  toUIMessageStream(options?: { prefix?: string }) {
    void this.fullStream;
    return streamOf({ type: 'text-delta', delta: `${options?.prefix ?? ''}${this.#words}` });
  }
}

function followed<T extends object>(result: T) {
  const owner = new Owner();
  followResult(result, owner);
  return { owner, result };
}

async function drain(stream: unknown): Promise<unknown[]> {
  const values: unknown[] = [];
  for await (const value of stream as AsyncIterable<unknown>) values.push(value);
  return values;
}

describe('a followed result', () => {
  it.each([
    ['textStream', TextReader, 'Hi', 'Hi'],
    ['fullStream', PartReader, text('Hi'), 'Hi'],
    ['stream', PartReader, text('Hi'), 'Hi'],
    ['partialOutputStream', PartialOutputReader, { a: 1 }, '{"a":1}'],
    ['experimental_partialOutputStream', PartialOutputReader, { a: 1 }, '{"a":1}'],
    ['elementStream', ElementReader, 1, '[1]'],
  ])('is read by its %s', async (name, Reader, value, content) => {
    const proto = Object.defineProperty({}, name, { get: () => streamOf(value), configurable: true });
    const { owner, result } = followed<Record<string, unknown>>(Object.create(proto));
    expect(await drain(result[name])).toEqual([value]);
    expect(owner.read()).toEqual([[Reader, content]]);
    expect(owner.ends).toEqual(['done']);
  });

  it('has a reader only once somebody reads', () => {
    const { owner, result } = followed(new Result());
    void result.fullStream;
    expect(owner.readers).toEqual([]);
  });

  it('is read by what it makes for a browser, with the options of the app', async () => {
    const { owner, result } = followed(new Result());
    await drain(result.toUIMessageStream({ prefix: 'Oh, ' }));
    expect(owner.read()).toEqual([[ChunkReader, 'Oh, Hi']]);
  });

  it('opens each stream on itself, once', () => {
    const { result } = followed(new Result());
    void result.fullStream;
    expect(result.opened).toBe(1);
  });

  it('is not read by the streams that the SDK opens inside of another', async () => {
    const { owner, result } = followed(new Result());
    await drain(result.textStream);
    await drain(result.toUIMessageStream());
    expect(owner.read().map(([Reader]) => Reader)).toEqual([TextReader, ChunkReader]);
  });

  it('is read by what a promise of it reads', async () => {
    const { owner, result } = followed(new Result());
    expect(await result.text).toBe('Hi');
    expect(owner.read()).toEqual([[PartReader, 'Hi']]);
  });

  it('is followed again after a stream that can’t be opened', async () => {
    let isOpen = false;
    const { owner, result } = followed(
      new (class {
        get fullStream() {
          if (!isOpen) throw new Error('not yet');
          return streamOf(text('Hi'));
        }
      })(),
    );
    expect(() => result.fullStream).toThrow('not yet');
    isOpen = true;
    await drain(result.fullStream);
    expect(owner.read()).toEqual([[PartReader, 'Hi']]);
  });

  it('gives what is no stream as it is', () => {
    const { result } = followed({
      get textStream() {
        return 'no stream';
      },
      get fullStream() {
        return null;
      },
      get stream() {
        return undefined;
      },
      toUIMessageStream: () => ({ getReader: true }),
    });
    expect([result.textStream, result.fullStream, result.stream]).toEqual(['no stream', null, undefined]);
    expect(result.toUIMessageStream()).toEqual({ getReader: true });
  });

  it('gives a stream that can’t be followed as it is', () => {
    const stream = Object.freeze(streamOf('Hi'));
    const { owner, result } = followed(
      Object.create({
        get textStream() {
          return stream;
        },
      }),
    );
    expect(result.textStream).toBe(stream);
    expect(owner.readers).toEqual([]);
  });

  it('has its properties where they were: of its class, none of its own', () => {
    const { result } = followed(new Result());
    expect(Object.keys(result)).toEqual(Object.keys(new Result()));
  });

  it('lists what was its own, and what was hidden stays so', () => {
    const own = {
      get textStream() {
        return streamOf();
      },
      toUIMessageStream: () => streamOf(),
    };
    const hidden = Object.defineProperty({}, 'textStream', { get: () => streamOf(), configurable: true });
    expect(Object.keys(followed(own).result)).toEqual(['textStream', 'toUIMessageStream']);
    expect(Object.keys(followed(hidden).result)).toEqual([]);
  });

  it('lets others put their own in the place of its streams', () => {
    const { result } = followed<Record<string, unknown>>(new Result() as never);
    expect(Object.getOwnPropertyDescriptor(result, 'textStream')?.configurable).toBe(true);
    const descriptor = Object.getOwnPropertyDescriptor(result, 'toUIMessageStream');
    expect(descriptor).toMatchObject({ configurable: true, writable: true });
  });

  it('is written to as before', () => {
    let written: unknown;
    const { result } = followed({
      get textStream() {
        return written;
      },
      set textStream(value: unknown) {
        written = value;
      },
    });
    result.textStream = 'mine';
    expect(written).toBe('mine');
    expect(result.textStream).toBe('mine');
  });

  it('leaves plain values and missing functions alone', () => {
    const { result } = followed<Record<string, unknown>>({ textStream: 'plain', toUIMessageStream: 'none' });
    expect(result).toEqual({ textStream: 'plain', toUIMessageStream: 'none' });
    expect(Object.getOwnPropertyNames(followed({}).result)).toEqual([]);
  });

  it('is followed as far as it lets itself be', async () => {
    class Locked extends Result {}
    const locked = new Locked();
    Object.defineProperty(locked, 'textStream', { get: () => streamOf('Hi'), configurable: false });
    Object.defineProperty(locked, 'toUIMessageStream', { value: () => streamOf(), configurable: false });
    const { owner, result } = followed(locked);
    await drain(result.textStream);
    await drain(result.fullStream);
    expect(owner.read().map(([Reader]) => Reader)).toEqual([PartReader]);
  });

  it.each([null, undefined, 'text', 1])('may be %s', value => {
    expect(() => followResult(value, new Owner())).not.toThrow();
  });

  it('tells its owner when it is collected', async () => {
    setFlagsFromString('--expose-gc');
    const gc = runInNewContext('gc') as () => void;
    const owner = new Owner();
    (() => followResult(new Result(), owner))();
    await vi.waitFor(() => {
      gc();
      expect(owner.isCollected).toBe(true);
    });
  });
});
