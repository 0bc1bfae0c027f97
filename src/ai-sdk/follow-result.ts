import { safely } from '../internal/guards.js';
import type { AnswerReader, ReaderOwner } from './answer-reader.js';
import { followStream } from './follow-stream.js';
import { ChunkReader, ElementReader, PartialOutputReader, PartReader, TextReader } from './stream-readers.js';

type ReaderClass = new (owner: ReaderOwner) => AnswerReader;

// Workers have none before the compatibility date 2025-05-05.
const results =
  typeof FinalizationRegistry === 'undefined'
    ? undefined
    : new FinalizationRegistry<ReaderOwner>(owner => owner.collected());

/** The streams of a result, of any major, by the names that its readers know. */
const STREAMS: Readonly<Record<string, ReaderClass>> = {
  textStream: TextReader,
  fullStream: PartReader,
  stream: PartReader,
  partialOutputStream: PartialOutputReader,
  experimental_partialOutputStream: PartialOutputReader,
  elementStream: ElementReader,
};

/**
 * Follows every reader that the app opens on a result of `streamText`, on the result itself: its streams are followed as
 * they are taken, and the promises of its text, its `*Response` helpers, `consumeStream` and `pipe*` read them, too.
 * What the SDK reads for itself inside one of those is no reader of the app's.
 */
export function followResult(result: unknown, owner: ReaderOwner): void {
  if (typeof result !== 'object' || result === null) return;
  results?.register(result, owner);
  let depth = 0;
  const inside = <T>(fn: () => T): T => {
    depth++;
    try {
      return fn();
    } finally {
      depth--;
    }
  };
  const followed = (stream: unknown, Reader: ReaderClass): unknown =>
    depth === 0 && isStream(stream) ? (safely(() => followStream(stream, new Reader(owner))) ?? stream) : stream;

  for (const [name, Reader] of Object.entries(STREAMS)) {
    const own = descriptorOf(result, name);
    const get = own?.get;
    if (!get) {
      // The app's own function has read it of a result, and hands it on.
      followed(own?.value, Reader);
      continue;
    }
    safely(() =>
      Object.defineProperty(result, name, {
        get(this: unknown) {
          return followed(
            inside(() => Reflect.apply(get, this, [])),
            Reader,
          );
        },
        set: own.set,
        enumerable: Object.hasOwn(result, name) && own.enumerable === true,
        configurable: true,
      }),
    );
  }
  const own: unknown = descriptorOf(result, 'toUIMessageStream')?.value;
  if (typeof own !== 'function') return;
  safely(() =>
    Object.defineProperty(result, 'toUIMessageStream', {
      value(this: unknown, ...args: unknown[]) {
        return followed(
          inside(() => Reflect.apply(own, this, args)),
          ChunkReader,
        );
      },
      writable: true,
      enumerable: Object.hasOwn(result, 'toUIMessageStream'),
      configurable: true,
    }),
  );
}

function descriptorOf(object: object, name: string): PropertyDescriptor | undefined {
  for (let holder: object | null = object; holder; holder = Object.getPrototypeOf(holder)) {
    const own = Object.getOwnPropertyDescriptor(holder, name);
    if (own) return own;
  }
  return undefined;
}

function isStream(value: unknown): value is ReadableStream {
  return typeof (value as ReadableStream | null | undefined)?.getReader === 'function';
}
