// Streamed answers of every kind, each read in one way or another: what the readers got, beside what is recorded of it.

import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import * as fc from 'fast-check';
import type { WrapAISDKOptions } from '../../src/ai-sdk/index.js';
import { wrapAISDK } from '../../src/ai-sdk/index.js';
import { createRecorder, type Recorder, type RecordMessageInput } from '../../src/index.js';
import type { Major, SDK } from './majors.js';

/** One answer: how its model gives it, what the app does with it, and how it comes to its end. */
export interface Answer {
  words: string[];
  gap: 'none' | 'microtask' | 'immediate' | '1 ms' | '5 ms';
  /** Whether the source gives its parts by itself, as a socket does, or when it is asked. */
  pushes: boolean;
  transform: 'none' | 'smooth' | 'sentences' | 'throws' | 'stops';
  reader: keyof typeof READERS;
  end: 'complete' | 'breaks' | 'error part' | 'refused' | 'abort' | 'abort of a deaf source' | 'leaves';
  /** After how many words it comes to that end. */
  after: number;
  /** How many ms the reader takes for a piece. */
  slowMs: 0 | 1 | 3;
}

export const answers = (): fc.Arbitrary<Answer> =>
  fc
    .record({
      words: fc.array(fc.string({ minLength: 1, maxLength: 12 }), { minLength: 1, maxLength: 12 }),
      gap: fc.constantFrom<Answer['gap']>('none', 'none', 'microtask', 'immediate', '1 ms', '5 ms'),
      pushes: fc.boolean(),
      transform: fc.constantFrom<Answer['transform']>('none', 'none', 'smooth', 'sentences', 'throws', 'stops'),
      reader: fc.constantFrom(...(Object.keys(READERS) as Answer['reader'][])),
      end: fc.constantFrom<Answer['end']>(
        'complete',
        'breaks',
        'error part',
        'refused',
        'abort',
        'abort of a deaf source',
        'leaves',
      ),
      after: fc.nat({ max: 12 }),
      slowMs: fc.constantFrom<Answer['slowMs']>(0, 0, 0, 1, 3),
    })
    .map(answer => ({
      ...answer,
      words: answer.words.map(word => (word.trim() === '' ? 'x. ' : `${word}. `)),
      after: 1 + (answer.after % answer.words.length),
    }));

const GAPS: Record<Answer['gap'], (() => Promise<unknown>) | undefined> = {
  none: undefined,
  microtask: () => Promise.resolve(),
  immediate: () => setImmediate(),
  '1 ms': () => sleep(1),
  '5 ms': () => sleep(5),
};

function modelOf({ Mock, nested }: Major, { words, gap, pushes, end, after }: Answer): never {
  const wait = GAPS[gap];
  const finishReason = nested ? { unified: 'stop', raw: 'stop' } : 'stop';
  const usage = nested
    ? { inputTokens: { total: 1 }, outputTokens: { total: 1 } }
    : { inputTokens: 1, outputTokens: 1, totalTokens: 2 };
  function* parts(): Generator<object> {
    yield { type: 'stream-start', warnings: [] };
    yield { type: 'text-start', id: '0' };
    for (const [index, delta] of words.entries()) {
      if (index === after && end === 'breaks') throw new Error('boom');
      if (index === after && end === 'error part') return yield { type: 'error', error: new Error('boom') };
      yield { type: 'text-delta', id: '0', delta };
    }
    yield { type: 'text-end', id: '0' };
    yield { type: 'finish', finishReason, usage };
  }
  return new Mock({
    provider: 'mock',
    modelId: 'asked-model',
    doStream: async ({ abortSignal }: { abortSignal?: AbortSignal }) => {
      if (end === 'refused') throw new Error('refused');
      const all = parts();
      let controller: ReadableStreamDefaultController;
      const safely = (act: () => void): boolean => {
        try {
          act();
          return true;
        } catch {
          return false;
        }
      };
      if (end !== 'abort of a deaf source')
        abortSignal?.addEventListener('abort', () => safely(() => controller.error(abortSignal.reason)));
      const step = async (): Promise<boolean> => {
        if (wait) await wait();
        try {
          const { done, value } = all.next();
          if (!done) return safely(() => controller.enqueue(value));
          safely(() => controller.close());
        } catch (error) {
          safely(() => controller.error(error));
        }
        return false;
      };
      const stream = pushes
        ? new ReadableStream({
            start(own) {
              controller = own;
              void (async () => {
                while (await step());
              })();
            },
          })
        : new ReadableStream(
            {
              start(own) {
                controller = own;
              },
              pull: async () => void (await step()),
            },
            { highWaterMark: 0 },
          );
      return { stream };
    },
  }) as never;
}

type Part = { type: string; id?: string; text?: string };
type Transform = (options: { stopStream(): void }) => TransformStream<Part, Part>;

const TRANSFORMS: Record<Answer['transform'], (sdk: SDK) => unknown> = {
  none: () => undefined,
  smooth: sdk => sdk.smoothStream({ delayInMs: null }),
  // Holds each text back until the next one comes, as a moderation by sentences does.
  sentences: (): Transform => () => {
    let held: Part | undefined;
    return new TransformStream({
      transform(part, controller) {
        if (held) controller.enqueue(held);
        held = undefined;
        if (part.type === 'text-delta') held = part;
        else controller.enqueue(part);
      },
    });
  },
  throws: (): Transform => () => {
    let count = 0;
    return new TransformStream({
      transform(part, controller) {
        if (part.type === 'text-delta' && ++count === 4) throw new Error('moderation');
        controller.enqueue(part);
      },
    });
  },
  stops:
    (): Transform =>
    ({ stopStream }) => {
      let count = 0;
      return new TransformStream({
        transform(part, controller) {
          if (part.type !== 'text-delta' || ++count < 4) controller.enqueue(part);
          else stopStream();
        },
      });
    },
};

/** What a reader does after how many pieces. */
interface Reading {
  slowMs: number;
  abortAfter: number | undefined;
  leaveAfter: number | undefined;
  abort(): void;
}

export interface Read {
  /** What it got. */
  text: string;
  how: 'done' | 'left' | `failed: ${string}` | 'stalled';
  parts: unknown[];
}

/** How a reader tells its pieces of text among what it gets. */
type Pick_ = (part: never) => string | undefined;
const ofText: Pick_ = (part: string) => part;
const ofPart: Pick_ = (part: Part) => (part.type === 'text-delta' ? part.text : undefined);
const ofChunk: Pick_ = (part: { type: string; delta?: string }) =>
  part.type === 'text-delta' ? part.delta : undefined;
const ofBytes: Pick_ = (part: Uint8Array) => new TextDecoder().decode(part);

async function byReader(stream: ReadableStream, pick: Pick_, reading: Reading): Promise<Read> {
  const reader = stream.getReader();
  const read: Read = { text: '', how: 'done', parts: [] };
  for (let count = 0; ; ) {
    let next: { done: boolean; value?: unknown };
    try {
      next = await reader.read();
    } catch (error) {
      return { ...read, how: `failed: ${(error as Error)?.message}` };
    }
    if (next.done) return read;
    const text = pick(next.value as never);
    read.parts.push(typeof next.value === 'string' ? next.value : ((next.value as Part).type ?? 'bytes'));
    if (text !== undefined) {
      read.text += text;
      count++;
      if (count === reading.abortAfter) reading.abort();
      if (count === reading.leaveAfter) {
        await reader.cancel('enough').catch(() => {});
        return { ...read, how: 'left' };
      }
    }
    if (reading.slowMs) await sleep(reading.slowMs);
  }
}

async function byIterator(stream: AsyncIterable<unknown>, pick: Pick_, reading: Reading): Promise<Read> {
  const read: Read = { text: '', how: 'done', parts: [] };
  let count = 0;
  try {
    for await (const part of stream) {
      const text = pick(part as never);
      if (text !== undefined) {
        read.text += text;
        count++;
        if (count === reading.abortAfter) reading.abort();
        if (count === reading.leaveAfter) {
          read.how = 'left';
          break;
        }
      }
      if (reading.slowMs) await sleep(reading.slowMs);
    }
  } catch (error) {
    return { ...read, how: `failed: ${(error as Error)?.message}` };
  }
  return read;
}

type Result = ReturnType<SDK['streamText']>;

/** The ways to read a result. */
const READERS = {
  textStream: (result: Result, reading: Reading) => byReader(result.textStream, ofText, reading),
  fullStream: (result: Result, reading: Reading) => byReader(result.fullStream, ofPart, reading),
  'for await of textStream': (result: Result, reading: Reading) => byIterator(result.textStream, ofText, reading),
  'for await of fullStream': (result: Result, reading: Reading) => byIterator(result.fullStream, ofPart, reading),
  toUIMessageStream: (result: Result, reading: Reading) =>
    byReader(result.toUIMessageStream() as ReadableStream, ofChunk, reading),
  // What native code reads is read a little ahead, so those are compared where they come to an end by themselves.
  pipeThrough: (result: Result, reading: Reading) =>
    byReader(result.textStream.pipeThrough(new TransformStream({}, {}, { highWaterMark: 0 })), ofText, reading),
  tee: async (result: Result, reading: Reading) => {
    const [one, other] = result.textStream.tee();
    const both = await Promise.all([
      byReader(one, ofText, reading),
      byReader(other, ofText, { ...reading, abortAfter: undefined }),
    ]);
    return both[0].text.length >= both[1].text.length ? both[0] : both[1];
  },
  pipeTo: async (result: Result, reading: Reading): Promise<Read> => {
    const read: Read = { text: '', how: 'done', parts: [] };
    let count = 0;
    const into = new WritableStream<string>({
      write(text) {
        read.text += text;
        if (++count === reading.abortAfter) reading.abort();
      },
    });
    await result.textStream.pipeTo(into).catch((error: Error) => {
      read.how = `failed: ${error?.message}`;
    });
    return read;
  },
  'the text of a Response': (result: Result, reading: Reading) =>
    byReader(result.toTextStreamResponse().body as ReadableStream, ofBytes, reading),
  consumeStream: async (result: Result): Promise<Read> => {
    await result.consumeStream();
    return { text: '', how: 'done', parts: [] };
  },
  'two readers': async (result: Result, reading: Reading) => {
    const [first, second] = [result.textStream, result.fullStream];
    const both = await Promise.all([
      byReader(first, ofText, reading),
      byReader(second, ofPart, { ...reading, abortAfter: undefined, leaveAfter: 1 }),
    ]);
    return both[0].text.length >= both[1].text.length ? both[0] : both[1];
  },
} satisfies Record<string, (result: Result, reading: Reading) => Promise<Read>>;

/** Readers of which native code reads ahead of what the app has: they are followed to where that code is. */
export const NATIVE = new Set<Answer['reader']>(['pipeThrough', 'pipeTo', 'the text of a Response']);

export interface Outcome {
  read: Read;
  /** The app's callbacks, in order. */
  callbacks: string[];
  /** What no handler took. */
  unhandled: string[];
}

/** Runs an app that streams the answer. */
export async function run(sdk: SDK, major: Major, answer: Answer, providerOptions?: object): Promise<Outcome> {
  const stop = new AbortController();
  const callbacks: string[] = [];
  const note = (name: string) => () => void callbacks.push(name);
  const unhandled: string[] = [];
  const onUnhandled = (reason: unknown) => void unhandled.push(String(reason));
  process.on('unhandledRejection', onUnhandled);
  const isAbort = answer.end.startsWith('abort');
  const reading: Reading = {
    slowMs: answer.slowMs,
    abort: () => stop.abort(),
    abortAfter: isAbort ? answer.after : undefined,
    leaveAfter: answer.end === 'leaves' ? answer.after : undefined,
  };
  try {
    const result = sdk.streamText({
      model: modelOf(major, answer),
      prompt: 'Go',
      maxRetries: 0,
      abortSignal: stop.signal,
      experimental_transform: TRANSFORMS[answer.transform](sdk),
      onError: note('onError'),
      onAbort: note('onAbort'),
      onFinish: note('onFinish'),
      onStepFinish: note('onStepFinish'),
      ...(providerOptions && { providerOptions }),
    } as never) as Result;
    const stalled = new AbortController();
    const read = await Promise.race([
      READERS[answer.reader](result, reading),
      sleep(1000, undefined, { signal: stalled.signal, ref: false }).then(
        (): Read => ({ text: '', how: 'stalled', parts: [] }),
      ),
    ]);
    stalled.abort();
    await setImmediate();
    await setImmediate();
    return { read, callbacks, unhandled };
  } finally {
    process.off('unhandledRejection', onUnhandled);
  }
}

/** A recorder whose messages are seen as they are accepted, and the SDK wrapped for it. */
export function witness(major: Major, options: WrapAISDKOptions = {}) {
  const accepted = new Map<string, RecordMessageInput[]>();
  const recorder: Recorder = createRecorder({
    apiKey: 'test-key',
    baseUrl: 'http://127.0.0.1:9',
    userId: 'ada',
    logger: false,
    redact: message => {
      const id = message.sessionId ?? '';
      accepted.set(id, [...(accepted.get(id) ?? []), message]);
      return message;
    },
  });
  const sdk = wrapAISDK(major.sdk, recorder, options);
  let runs = 0;
  return {
    recorder,
    sdk,
    /** Runs the app, and says what was recorded of it by then. */
    async run(answer: Answer) {
      const sessionId = `run-${++runs}`;
      const outcome = await run(sdk, major, answer, { synap: { sessionId } });
      const recorded = () => accepted.get(sessionId)?.filter(({ role }) => role === 'assistant') ?? [];
      return { ...outcome, recorded };
    },
  };
}
