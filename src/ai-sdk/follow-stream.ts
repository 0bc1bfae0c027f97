/** Hears what one stream gives to those who read it, in the order in which they get it. */
export interface StreamListener {
  /** Somebody asks for the next part. */
  reading(): void;
  part(value: unknown): void;
  done(): void;
  failed(error: unknown): void;
  /** What was asked for will not come, and the stream goes on: its reader has given the lock back. */
  released(): void;
  /** Somebody wants no more of it: a break, a cancel, a closed socket. */
  left(): void;
  /** Its readers go on with two copies of the stream; @returns who listens to one of them. */
  fork(): StreamListener;
  /** The stream was garbage-collected: nobody will ever read it on. */
  collected(): void;
}

// Workers have none before the compatibility date 2025-05-05.
const registry =
  typeof FinalizationRegistry === 'undefined'
    ? undefined
    : new FinalizationRegistry<StreamListener>(listener => listener.collected());

/**
 * Follows what is read of a stream, on the stream itself: nothing stands between it and its reader, and nothing is read
 * that nobody asked for.
 *
 * Who reads by `getReader()` or `for await` gets the stream's own reader and the very promises of its `read()`, to which
 * the listener is attached first. Of the branches of a `tee()` each is followed by itself. What native code reads (`pipeTo`,
 * `pipeThrough`, an iterator of the language's own) can't be seen: it is given a stream in between that holds nothing, and
 * that stands for the stream from then on.
 *
 * A read that fails is thereby handled, also where the app drops the promise: no event tells of that one any more.
 *
 * @param listener must not hold the stream, or it would never be collected
 */
export function followStream<S extends ReadableStream>(stream: S, listener: StreamListener): S {
  const { getReader, cancel, tee } = stream;
  const isOwnIterator = Object.hasOwn(stream, Symbol.asyncIterator);
  const heard = new Heard(listener);
  // Once native code has been given it, it stands for the stream: that code may fail, or leave without a cancel.
  let between: ReadableStream | undefined;
  const open = () => Reflect.apply(getReader, stream, []) as Reader;
  const define = (name: PropertyKey, value: unknown) =>
    Object.defineProperty(stream, name, { value, configurable: true, writable: true });
  // One that is locked refuses each in its own way.
  const forNative = () => {
    if (!between && !stream.locked) {
      between = streamBetween(open(), heard);
      Object.defineProperty(stream, 'locked', { get: () => between?.locked, configurable: true });
    }
    return between ?? stream;
  };

  define('getReader', (...args: [{ mode?: unknown }?]) => {
    if (between) return Reflect.apply(between.getReader, between, args as never);
    const reader = Reflect.apply(getReader, stream, args as never) as Reader;
    return args[0]?.mode === undefined ? followReader(reader, heard) : reader;
  });
  define('cancel', (...args: unknown[]) => {
    if (between) return Reflect.apply(between.cancel, between, args as never);
    // A locked stream refuses, and whoever has the lock reads on.
    if (!stream.locked) heard.left();
    return Reflect.apply(cancel, stream, args as never);
  });
  for (const name of ['pipeTo', 'pipeThrough', 'values'] as const) {
    const own: unknown = stream[name];
    if (typeof own !== 'function') continue;
    define(name, (...args: unknown[]) => {
      const to = forNative();
      return Reflect.apply(to === stream ? own : to[name], to, args as never);
    });
  }
  define('tee', (...args: unknown[]) => {
    const to = between ?? stream;
    const branches: [ReadableStream, ReadableStream] = Reflect.apply(to === stream ? tee : to.tee, to, args as never);
    if (!heard.over()) for (const branch of branches) followStream(branch, listener.fork());
    return branches;
  });
  // The iterator of the SDK's streams asks for a reader as everybody does.
  if (!isOwnIterator && Symbol.asyncIterator in stream)
    define(Symbol.asyncIterator, (...args: unknown[]) =>
      Reflect.apply(ReadableStream.prototype[Symbol.asyncIterator], forNative(), args as never),
    );
  registry?.register(stream, listener, listener);
  return stream;
}

type Reader = ReadableStreamDefaultReader<unknown>;
type Read = Awaited<ReturnType<Reader['read']>>;

/** What is heard of a stream, until it is over for its reader. */
class Heard {
  readonly listener: StreamListener;
  isOver = false;

  constructor(listener: StreamListener) {
    this.listener = listener;
  }

  /** Nothing more is heard. @returns whether that was so already */
  over(): boolean {
    if (this.isOver) return true;
    this.isOver = true;
    registry?.unregister(this.listener);
    return false;
  }

  done(): void {
    if (!this.over()) this.listener.done();
  }

  failed(error: unknown): void {
    if (!this.over()) this.listener.failed(error);
  }

  left(): void {
    if (!this.over()) this.listener.left();
  }
}

function followReader(reader: Reader, heard: Heard): Reader {
  const { read, cancel, releaseLock } = reader;
  const { listener } = heard;
  let isReleased = false;
  // Made once, not for every part.
  const came = ({ done, value }: Read) => {
    if (heard.isOver) return;
    if (done) heard.done();
    else listener.part(value);
  };
  const broke = (error: unknown) => {
    if (!isReleased) heard.failed(error);
    else if (!heard.isOver) listener.released();
  };
  const define = (name: string, value: unknown) =>
    Object.defineProperty(reader, name, { value, configurable: true, writable: true });
  // Of the default reader, which takes no argument.
  define('read', () => {
    const next = read.call(reader);
    if (!heard.isOver) listener.reading();
    void next.then(came, broke);
    return next;
  });
  define('cancel', (...args: unknown[]) => {
    if (!isReleased) heard.left();
    return Reflect.apply(cancel, reader, args as never);
  });
  define('releaseLock', () => {
    isReleased = true;
    return Reflect.apply(releaseLock, reader, []);
  });
  return reader;
}

/** A stream that gives what a reader gives. It holds nothing: it reads when it is read. */
function streamBetween(reader: Reader, heard: Heard): ReadableStream {
  const { listener } = heard;
  let controller: ReadableStreamDefaultController;
  let isLeft = false;
  const came = ({ done, value }: Read) => {
    if (isLeft) return;
    if (done) {
      heard.done();
      reader.releaseLock();
      controller.close();
      return;
    }
    if (!heard.isOver) listener.part(value);
    controller.enqueue(value);
  };
  const broke = (error: unknown) => {
    if (isLeft) return;
    heard.failed(error);
    controller.error(error);
  };
  return new ReadableStream(
    {
      start(own) {
        controller = own;
      },
      pull() {
        if (!heard.isOver) listener.reading();
        return reader.read().then(came, broke);
      },
      cancel(reason) {
        isLeft = true;
        heard.left();
        return reader.cancel(reason);
      },
    },
    { highWaterMark: 0 },
  );
}
