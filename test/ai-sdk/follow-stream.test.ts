// A stream that is followed in place: what its reader gets, what is heard of that, and what stays as it was.

import { describe, expect, it } from 'vitest';
import { followStream, type StreamListener } from '../../src/ai-sdk/follow-stream.js';
import { turns } from '../support/turns.js';

function listening() {
  const heard: unknown[] = [];
  const listener = (name = ''): StreamListener => ({
    reading: () => void heard.push(`${name}reading`),
    part: part => void heard.push([`${name}part`, part]),
    done: () => void heard.push(`${name}done`),
    failed: error => void heard.push([`${name}failed`, (error as Error).message]),
    released: () => void heard.push(`${name}released`),
    left: () => void heard.push(`${name}left`),
    collected: () => void heard.push(`${name}collected`),
    fork: () => listener(`${name}fork `),
  });
  return { heard, listener: listener() };
}

/** A stream of parts, which says how often it was pulled and why it was cancelled. */
function source(parts: unknown[], end: 'closes' | 'breaks' | 'hangs' = 'closes') {
  const seen = { pulled: 0, cancelled: [] as unknown[] };
  const rest = [...parts];
  const stream = new ReadableStream(
    {
      pull(controller) {
        seen.pulled++;
        if (rest.length > 0) return controller.enqueue(rest.shift());
        if (end === 'closes') return controller.close();
        if (end === 'breaks') throw new Error('gone');
        return new Promise(() => {});
      },
      cancel: reason => void seen.cancelled.push(reason),
    },
    { highWaterMark: 0 },
  );
  return { stream, seen };
}

describe('a reader', () => {
  it('gets the very promise that the stream gives, after we were told', async () => {
    const { stream } = source(['a']);
    const { heard, listener } = listening();
    let own: Promise<unknown> | undefined;
    const { getReader } = stream;
    stream.getReader = ((...args: []) => {
      const reader = getReader.apply(stream, args);
      const read = reader.read as (this: unknown) => Promise<unknown>;
      reader.read = () => {
        const next = read.call(reader);
        own = next;
        return next as never;
      };
      return reader;
    }) as never;
    const reader = followStream(stream, listener).getReader();
    const next = reader.read();
    expect(next).toBe(own);
    const order = next.then(() => heard.length);
    expect(await next).toEqual({ done: false, value: 'a' });
    expect(await order).toBe(2);
    expect(heard).toEqual(['reading', ['part', 'a']]);
  });

  it('is heard to its end, once', async () => {
    const { heard, listener } = listening();
    const reader = followStream(source(['a', 'b']).stream, listener).getReader();
    while (!(await reader.read()).done);
    await reader.read();
    await reader.cancel();
    expect(heard).toEqual(['reading', ['part', 'a'], 'reading', ['part', 'b'], 'reading', 'done']);
  });

  it('is heard when its stream breaks, and gets the error', async () => {
    const { heard, listener } = listening();
    const reader = followStream(source([], 'breaks').stream, listener).getReader();
    await expect(reader.read()).rejects.toThrow('gone');
    expect(heard).toEqual(['reading', ['failed', 'gone']]);
  });

  it('is heard when it leaves, and its reason gets to the source', async () => {
    const { heard, listener } = listening();
    const { stream, seen } = source(['a'], 'hangs');
    const reader = followStream(stream, listener).getReader();
    await reader.read();
    const late = reader.read();
    await reader.cancel('enough');
    expect((await late).done).toBe(true);
    expect(seen.cancelled).toEqual(['enough']);
    expect(heard).toEqual(['reading', ['part', 'a'], 'reading', 'left']);
  });

  it('may give its lock back, and another one reads on', async () => {
    const { heard, listener } = listening();
    const stream = followStream(source(['a', 'b']).stream, listener);
    const first = stream.getReader();
    await first.read();
    first.releaseLock();
    const second = stream.getReader();
    while (!(await second.read()).done);
    expect(heard).toEqual(['reading', ['part', 'a'], 'reading', ['part', 'b'], 'reading', 'done']);
  });

  it('that gives its lock back while it waits has not failed', async () => {
    const { heard, listener } = listening();
    const reader = followStream(source([], 'hangs').stream, listener).getReader();
    const late = reader.read();
    reader.releaseLock();
    await expect(late).rejects.toThrow(TypeError);
    expect(heard).toEqual(['reading', 'released']);
    await reader.cancel().catch(() => {});
    expect(heard).toEqual(['reading', 'released']);
  });

  it('is asked for no more than it asks for', async () => {
    const { stream, seen } = source(['a', 'b', 'c']);
    const reader = followStream(stream, listening().listener).getReader();
    await reader.read();
    await turns(20);
    expect(seen.pulled).toBe(1);
  });

  it('of bytes by request is the stream’s own', () => {
    const stream = new ReadableStream({ type: 'bytes' });
    const { heard, listener } = listening();
    const reader = followStream(stream, listener).getReader({ mode: 'byob' });
    expect(Object.hasOwn(reader, 'read')).toBe(false);
    expect(heard).toEqual([]);
  });
});

describe('native code', () => {
  const read = async (stream: ReadableStream) => {
    const all: unknown[] = [];
    for await (const part of stream) all.push(part);
    return all;
  };

  it.each<[string, (stream: ReadableStream) => Promise<unknown>]>([
    ['for await', read],
    ['values()', async stream => read(ReadableStream.from(stream.values()))],
    ['pipeThrough()', stream => read(stream.pipeThrough(new TransformStream()))],
    [
      'pipeTo()',
      async stream => {
        const all: unknown[] = [];
        await stream.pipeTo(new WritableStream({ write: part => void all.push(part) }));
        return all;
      },
    ],
  ])('that reads by %s gets everything, and is heard', async (_, act) => {
    const { heard, listener } = listening();
    expect(await act(followStream(source(['a', 'b']).stream, listener))).toEqual(['a', 'b']);
    expect(heard.filter(what => what !== 'reading')).toEqual([['part', 'a'], ['part', 'b'], 'done']);
  });

  it('that leaves a loop is heard, and its source is cancelled', async () => {
    const { heard, listener } = listening();
    const { stream, seen } = source(['a', 'b']);
    for await (const _ of followStream(stream, listener)) break;
    expect(heard.at(-1)).toBe('left');
    expect(seen.cancelled).toHaveLength(1);
  });

  it('that pipes what breaks gets the error', async () => {
    const { heard, listener } = listening();
    await expect(followStream(source(['a'], 'breaks').stream, listener).pipeTo(new WritableStream())).rejects.toThrow(
      'gone',
    );
    expect(heard.at(-1)).toEqual(['failed', 'gone']);
  });

  it('reads no further than it is read', async () => {
    const { stream, seen } = source(['a', 'b', 'c', 'd', 'e']);
    const piped = followStream(stream, listening().listener).pipeThrough(
      new TransformStream({}, {}, { highWaterMark: 0 }),
    );
    const plain = source(['a', 'b', 'c', 'd', 'e']);
    const alone = plain.stream.pipeThrough(new TransformStream({}, {}, { highWaterMark: 0 }));
    for (const one of [piped, alone]) await one.getReader().read();
    await turns(20);
    expect(seen.pulled).toBe(plain.seen.pulled);
  });

  it('is refused as ever where somebody else reads', async () => {
    const { heard, listener } = listening();
    const stream = followStream(source(['a']).stream, listener);
    stream.getReader();
    await expect(stream.pipeTo(new WritableStream())).rejects.toThrow(TypeError);
    await expect(stream.cancel()).rejects.toThrow(TypeError);
    expect(() => stream.pipeThrough(new TransformStream())).toThrow(TypeError);
    expect(() => stream.tee()).toThrow(TypeError);
    expect(() => stream.getReader()).toThrow(TypeError);
    expect(heard).toEqual([]);
  });
});

describe('the branches of a tee', () => {
  it('are followed each by itself', async () => {
    const { heard, listener } = listening();
    const [one, other] = followStream(source(['a', 'b']).stream, listener).tee();
    const reader = one.getReader();
    while (!(await reader.read()).done);
    void other.cancel();
    expect(heard.filter(what => what !== 'fork reading')).toEqual([
      ['fork part', 'a'],
      ['fork part', 'b'],
      'fork done',
      'fork left',
    ]);
  });
});

it('a stream that is cancelled before anybody reads it is left', async () => {
  const { heard, listener } = listening();
  const { stream, seen } = source(['a']);
  await followStream(stream, listener).cancel('enough');
  expect(heard).toEqual(['left']);
  expect(seen.cancelled).toEqual(['enough']);
});
