// A followed stream, beside the same stream that nobody follows.

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it, vi } from 'vitest';
import { followStream } from '../../src/ai-sdk/follow-stream.js';
import { StreamLog } from './stream-log.js';

/** A stream that gives these when it is asked, and then ends, or breaks. */
function streamOf(values: readonly string[], { breaks }: { breaks?: Error } = {}) {
  const rest = [...values];
  const cancelled: unknown[] = [];
  let pulled = 0;
  const stream = new ReadableStream<string>(
    {
      pull(controller) {
        pulled++;
        const value = rest.shift();
        if (value !== undefined) controller.enqueue(value);
        else if (breaks) controller.error(breaks);
        else controller.close();
      },
      cancel: reason => void cancelled.push(reason),
    },
    { highWaterMark: 0 },
  );
  return { stream, cancelled, pulled: () => pulled };
}

function followed(values: readonly string[], options?: Parameters<typeof streamOf>[1]) {
  const source = streamOf(values, options);
  const log = new StreamLog();
  return { ...source, log, events: log.events, stream: followStream(source.stream, log) };
}

/** A stream whose iterator is its own, and asks for a reader, as the SDK's do. */
function withOwnIterator(stream: ReadableStream<string>) {
  return Object.assign(stream, {
    [Symbol.asyncIterator]() {
      const reader = stream.getReader();
      return { next: () => reader.read() };
    },
  });
}

async function all(stream: AsyncIterable<string>): Promise<string[]> {
  const got: string[] = [];
  for await (const value of stream) got.push(value);
  return got;
}

const WHOLE = ['reading', 'part a', 'reading', 'part b', 'reading', 'done'];

describe('a followed stream', () => {
  it('is the very stream', () => {
    const { stream } = streamOf([]);
    expect(followStream(stream, new StreamLog())).toBe(stream);
  });

  it('asks for nothing by itself', async () => {
    const { pulled, events } = followed(['a']);
    await new Promise(resolve => setImmediate(resolve));
    expect([pulled(), events]).toEqual([0, []]);
  });

  it('is heard by its reader, part by part', async () => {
    const { stream, events } = followed(['a', 'b']);
    const reader = stream.getReader();
    expect([await reader.read(), await reader.read(), await reader.read()]).toEqual([
      { done: false, value: 'a' },
      { done: false, value: 'b' },
      { done: true, value: undefined },
    ]);
    expect(events).toEqual(WHOLE);
  });

  it('is heard before its reader is, and the reader gets the stream’s own promises', async () => {
    const { stream, events } = followed(['a']);
    const read = vi.spyOn(ReadableStreamDefaultReader.prototype, 'read');
    const promise = stream.getReader().read();
    expect(read.mock.results[0]?.value).toBe(promise);
    read.mockRestore();
    await promise.then(() => events.push('reader'));
    expect(events).toEqual(['reading', 'part a', 'reader']);
  });

  it('gives a reader of the stream’s own kind', () => {
    const { stream } = followed(['a']);
    expect(stream.getReader()).toBeInstanceOf(ReadableStreamDefaultReader);
    expect(stream.locked).toBe(true);
  });

  it('hears once that it is done, however often its reader asks', async () => {
    const { stream, events } = followed([]);
    const reader = stream.getReader();
    await reader.read();
    await reader.read();
    expect(events).toEqual(['reading', 'done']);
  });

  it('hears nothing of a cancel after its end', async () => {
    const { stream, events } = followed([]);
    const reader = stream.getReader();
    await reader.read();
    await reader.cancel();
    reader.releaseLock();
    await stream.cancel();
    expect(events).toEqual(['reading', 'done']);
  });

  it('is heard to break, once', async () => {
    const { stream, events } = followed(['a'], { breaks: new Error('boom') });
    const reader = stream.getReader();
    await reader.read();
    await expect(reader.read()).rejects.toThrow('boom');
    await expect(reader.read()).rejects.toThrow('boom');
    expect(events).toEqual(['reading', 'part a', 'reading', 'failed boom']);
  });

  it('is left by a reader that cancels, and its source is told why', async () => {
    const { stream, events, cancelled } = followed(['a', 'b']);
    const reader = stream.getReader();
    await reader.read();
    await reader.cancel('enough');
    expect(events).toEqual(['reading', 'part a', 'left']);
    expect(cancelled).toEqual(['enough']);
  });

  it('is left by a cancel of its own, and its source is told why', async () => {
    const { stream, events, cancelled } = followed(['a']);
    await stream.cancel('enough');
    expect([events, cancelled]).toEqual([['left'], ['enough']]);
  });

  it('is not left by a cancel that is refused, because somebody reads it', async () => {
    const { stream, events, cancelled } = followed(['a']);
    const reader = stream.getReader();
    await expect(stream.cancel()).rejects.toThrow(TypeError);
    await reader.read();
    expect([events, cancelled]).toEqual([['reading', 'part a'], []]);
  });

  it('is not left by the cancel of a reader that has given its lock back', async () => {
    const { stream, events } = followed(['a']);
    const reader = stream.getReader();
    reader.releaseLock();
    await expect(reader.cancel()).rejects.toThrow(TypeError);
    expect(events).toEqual([]);
  });

  it('goes on with another reader, where one has given its lock back', async () => {
    const { stream, events } = followed(['a', 'b']);
    const first = stream.getReader();
    await first.read();
    first.releaseLock();
    expect(stream.locked).toBe(false);
    const second = stream.getReader();
    await second.read();
    await second.read();
    expect(events).toEqual(WHOLE);
  });

  it('has not broken where a reader gives its lock back while it waits', async () => {
    const log = new StreamLog();
    const stream = followStream(new ReadableStream<string>({ pull: () => new Promise(() => {}) }), log);
    const reader = stream.getReader();
    const read = reader.read();
    reader.releaseLock();
    await expect(read).rejects.toThrow(TypeError);
    expect(log.events).toEqual(['reading', 'released']);
    await stream.cancel();
    expect(log.events).toEqual(['reading', 'released', 'left']);
  });

  it('says nothing of a read that is taken back after somebody has left', async () => {
    const log = new StreamLog();
    const stream = followStream(new ReadableStream<string>({ pull: () => new Promise(() => {}) }), log);
    const reader = stream.getReader();
    const read = reader.read();
    reader.releaseLock();
    void stream.cancel();
    await expect(read).rejects.toThrow(TypeError);
    expect(log.events).toEqual(['reading', 'left']);
  });

  it('says nothing of a part that comes after somebody has left', async () => {
    const { stream, events } = followed(['a', 'b']);
    const reader = stream.getReader();
    const read = reader.read();
    const cancelled = reader.cancel();
    await Promise.allSettled([read, cancelled, reader.read()]);
    expect(events).toEqual(['reading', 'left']);
  });

  it('says nothing of a part that was on its way when somebody left', async () => {
    const log = new StreamLog();
    const source = new ReadableStream<string>({ start: controller => controller.enqueue('a') });
    const stream = followStream(source, log);
    const reader = stream.getReader();
    const read = reader.read();
    void reader.cancel();
    expect(await read).toEqual({ done: false, value: 'a' });
    expect(log.events).toEqual(['reading', 'left']);
  });

  it('is read by for await', async () => {
    const { stream, events, pulled } = followed(['a', 'b']);
    expect(await all(stream)).toEqual(['a', 'b']);
    expect(events).toEqual(WHOLE);
    expect(pulled()).toBe(3);
  });

  it('is free again once it has been read to its end, and says nothing more', async () => {
    const { stream, events } = followed(['a', 'b']);
    await all(stream);
    expect(stream.locked).toBe(false);
    expect(await all(stream)).toEqual([]);
    expect(events).toEqual(WHOLE);
  });

  it('is left by a break', async () => {
    const { stream, events, cancelled } = followed(['a', 'b']);
    for await (const _ of stream) break;
    expect(events).toEqual(['reading', 'part a', 'left']);
    expect(cancelled).toEqual([undefined]);
  });

  it('breaks for its iterator as it breaks for a reader', async () => {
    const { stream, events } = followed(['a'], { breaks: new Error('boom') });
    await expect(all(stream)).rejects.toThrow('boom');
    expect(events).toEqual(['reading', 'part a', 'reading', 'failed boom']);
  });

  it('keeps an iterator of its own', async () => {
    const source = withOwnIterator(streamOf(['a', 'b']).stream);
    const iterator = source[Symbol.asyncIterator];
    const log = new StreamLog();
    const stream = followStream(source, log);
    expect(stream[Symbol.asyncIterator]).toBe(iterator);
    const { next } = stream[Symbol.asyncIterator]();
    await next();
    expect(log.events).toEqual(['reading', 'part a']);
  });

  it.each(['values', Symbol.asyncIterator] as const)('refuses %s while it is locked, as any stream does', name => {
    const { stream, events } = followed(['a']);
    stream.getReader();
    expect(() => stream[name]()).toThrow(TypeError);
    expect(events).toEqual([]);
  });

  it('hands the options of values() on', async () => {
    const { stream, events, cancelled } = followed(['a', 'b']);
    for await (const _ of stream.values({ preventCancel: true })) break;
    expect(events).toEqual(['reading', 'part a']);
    expect(cancelled).toEqual([]);
  });

  it('is piped, part by part', async () => {
    const { stream, events } = followed(['a', 'b']);
    const written: string[] = [];
    await stream.pipeTo(new WritableStream({ write: chunk => void written.push(chunk) }));
    expect(written).toEqual(['a', 'b']);
    expect(events.filter(event => event !== 'reading')).toEqual(['part a', 'part b', 'done']);
  });

  it('is piped with the options of the app', async () => {
    const { stream } = followed(['a']);
    const closed = vi.fn();
    await stream.pipeTo(new WritableStream({ close: closed }), { preventClose: true });
    expect(closed).not.toHaveBeenCalled();
  });

  it('is piped through, and read as far ahead as without anybody who follows', async () => {
    const plain = streamOf(['a', 'b', 'c']);
    const { stream, events, pulled } = followed(['a', 'b', 'c']);
    plain.stream.pipeThrough(new TransformStream());
    const through = stream.pipeThrough(new TransformStream());
    await new Promise(resolve => setImmediate(resolve));
    expect(pulled()).toBe(plain.pulled());
    expect(await all(through as never)).toEqual(['a', 'b', 'c']);
    expect(events.filter(event => event !== 'reading')).toEqual(['part a', 'part b', 'part c', 'done']);
  });

  it('is left by a pipe whose other end is cancelled', async () => {
    const { stream, events, cancelled } = followed(['a', 'b']);
    const reader = stream.pipeThrough(new TransformStream()).getReader();
    await reader.read();
    await reader.cancel('enough');
    await vi.waitFor(() => expect(cancelled).toEqual(['enough']));
    expect(events.at(-1)).toBe('left');
    expect(events.filter(event => event === 'left')).toHaveLength(1);
  });

  it('is left by a pipe while a part is on its way, of which nothing is said any more', async () => {
    const log = new StreamLog();
    const cancelled: unknown[] = [];
    const source = new ReadableStream<string>(
      { pull: () => new Promise(() => {}), cancel: reason => void cancelled.push(reason) },
      { highWaterMark: 0 },
    );
    const reader = followStream(source, log).pipeThrough(new TransformStream()).getReader();
    const read = reader.read();
    await vi.waitFor(() => expect(log.events).toEqual(['reading']));
    await reader.cancel('enough');
    expect(await read).toEqual({ done: true, value: undefined });
    await vi.waitFor(() => expect(cancelled).toEqual(['enough']));
    expect(log.events).toEqual(['reading', 'left']);
  });

  it('breaks what it is piped to', async () => {
    const { stream, events } = followed(['a'], { breaks: new Error('boom') });
    const aborted = vi.fn();
    await expect(stream.pipeTo(new WritableStream({ abort: aborted }))).rejects.toThrow('boom');
    expect(aborted).toHaveBeenCalledWith(expect.objectContaining({ message: 'boom' }));
    expect(events.filter(event => event.startsWith('failed'))).toEqual(['failed boom']);
  });

  it('refuses a pipe while it is locked, each in its own way', async () => {
    const { stream, events } = followed(['a']);
    stream.getReader();
    await expect(stream.pipeTo(new WritableStream())).rejects.toThrow(TypeError);
    expect(() => stream.pipeThrough(new TransformStream())).toThrow(TypeError);
    expect(events).toEqual([]);
  });

  it('is locked while it is piped', async () => {
    const { stream } = followed(['a']);
    const piped = stream.pipeTo(new WritableStream());
    expect(stream.locked).toBe(true);
    await piped;
  });

  it('forks into the branches of a tee, and each is heard by itself', async () => {
    const { stream, log } = followed(['a', 'b']);
    const [left, right] = stream.tee();
    expect(log.events).toEqual(['fork', 'fork']);
    await all(left as never);
    await right.getReader().read();
    expect(log.forks.map(({ events }) => events)).toEqual([WHOLE, ['reading', 'part a']]);
    expect(log.events).toEqual(['fork', 'fork']);
  });

  it('gives the branches of a tee unfollowed where it has come to its end', async () => {
    const { stream, log } = followed([]);
    const reader = stream.getReader();
    await reader.read();
    reader.releaseLock();
    const [branch] = stream.tee();
    expect(await all(branch as never)).toEqual([]);
    expect(log.events).toEqual(['reading', 'done']);
  });

  it('refuses a tee while it is locked', () => {
    const { stream, events } = followed(['a']);
    stream.getReader();
    expect(() => stream.tee()).toThrow(TypeError);
    expect(events).toEqual([]);
  });

  it('leaves a reader with a mode of its own alone', () => {
    const bytes = new ReadableStream({ type: 'bytes' });
    const log = new StreamLog();
    const reader = followStream(bytes, log).getReader({ mode: 'byob' });
    expect(reader).toBeInstanceOf(ReadableStreamBYOBReader);
    expect(Object.hasOwn(reader, 'read')).toBe(false);
  });

  it('lets others put their own functions in the place of ours', () => {
    const { stream } = followed(['a']);
    const names = ['getReader', 'cancel', 'tee', 'pipeTo', 'pipeThrough', 'values', Symbol.asyncIterator] as const;
    for (const name of names)
      expect(Object.getOwnPropertyDescriptor(stream, name)).toMatchObject({ configurable: true, writable: true });
    const reader = stream.getReader();
    for (const name of ['read', 'cancel', 'releaseLock'])
      expect(Object.getOwnPropertyDescriptor(reader, name)).toMatchObject({ configurable: true, writable: true });
  });

  it('follows a stream that lacks what older platforms lack', async () => {
    const { stream } = streamOf(['a']);
    for (const name of ['pipeTo', 'values']) Object.defineProperty(stream, name, { value: undefined });
    const log = new StreamLog();
    expect(await all(followStream(stream, log))).toEqual(['a']);
    expect(stream.values).toBeUndefined();
    expect(log.events).toEqual(['reading', 'part a', 'reading', 'done']);
  });
});

describe('a stream that nobody holds any more', () => {
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc') as () => void;

  it('is collected, and its listener is told', async () => {
    const log = new StreamLog();
    (() => void followStream(new ReadableStream(), log))();
    await vi.waitFor(() => {
      gc();
      expect(log.events).toEqual(['collected']);
    });
  });

  it('is collected without a word after its end', async () => {
    const log = new StreamLog();
    const witness = new StreamLog();
    await (async () => {
      await followStream(streamOf([]).stream, log).getReader().read();
    })();
    (() => void followStream(new ReadableStream(), witness))();
    await vi.waitFor(() => {
      gc();
      expect(witness.events).toEqual(['collected']);
    });
    expect(log.events).toEqual(['reading', 'done']);
  });
});
