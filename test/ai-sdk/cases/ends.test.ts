// How answers end: their text and their end are what the reader got.

import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod/v4';
import { turns } from '../../support/turns.js';
import { type Case, quiet, readText, runCases, type Situation } from './run-cases.js';

const count = (options: object = {}) => ({ prompt: 'Count', maxRetries: 0, ...quiet, ...options });
const words = Array.from({ length: 12 }, (_, n) => `w${n} `);
const heads = (length: number) => words.slice(0, length).join('');

/** Reads pieces of text, and does something after some of them. */
async function readUntil(
  stream: ReadableStream<string>,
  after: number,
  act: (reader: { cancel(): Promise<void> }) => void,
) {
  const reader = stream.getReader();
  let text = '';
  for (let pieces = 1; ; pieces++) {
    const next = await reader.read().catch(() => undefined);
    if (!next || next.done) return text;
    text += next.value;
    if (pieces === after) act(reader);
  }
}

/** Holds every text back until the next one comes, as a moderation that looks at whole sentences does. */
const holdsBack = () => () => {
  let held: object | undefined;
  return new TransformStream({
    transform(part, controller) {
      if (held) controller.enqueue(held);
      held = undefined;
      if (part.type === 'text-delta') held = part;
      else controller.enqueue(part);
    },
  });
};

const broken = (error: unknown) => [['Half ', 'an answer ', { breaks: error as Error }]];

const cases: Case[] = [
  {
    name: 'a stream that breaks right after its text',
    script: broken(new Error('socket hang up')),
    app: async ({ sdk, model }) => {
      let text = '';
      try {
        for await (const piece of sdk.streamText({ model, ...count() }).textStream) text += piece;
      } catch {}
      return text;
    },
    sees: 'Half an answer ',
    transcript: ['user: Count', 'assistant (error): Half an answer '],
    metadata: [undefined, { error: 'Error: socket hang up' }],
    because: 'both words were read before the break was',
  },
  {
    name: 'a reader that leaves after three words',
    script: [words],
    app: async ({ sdk, model }) => {
      let text = '';
      for await (const piece of sdk.streamText({ model, ...count() }).textStream) {
        text += piece;
        if (text === heads(3)) break;
      }
      return text;
    },
    sees: heads(3),
    transcript: ['user: Count', `assistant (abandoned): ${heads(3)}`],
    because: 'three words were read, and nobody aborted',
    modelAlone: {
      transcript: ['user: Count', /^assistant( \(abandoned\))?: w0 w1 w2 /],
      because: 'a model is read ahead',
    },
    options: { idleMs: 300 },
  },
  {
    name: 'an abort after four words, and a reader that reads on',
    script: [[...words, { hangs: true }]],
    app: async ({ sdk, model }) => {
      const stop = new AbortController();
      const { textStream } = sdk.streamText({ model, ...count({ abortSignal: stop.signal }) });
      // What was on its way to the reader when it aborted, it may still get.
      return (
        await readUntil(textStream, 4, reader => {
          stop.abort();
          void turns(400).then(() => reader.cancel());
        })
      ).startsWith(heads(4));
    },
    sees: true,
    transcript: ['user: Count', /^assistant \(aborted\): w0 w1 w2 w3 /],
    because: 'the app stopped the answer after four words',
  },
  {
    name: 'an abort after which nobody reads on, nor leaves',
    script: [[...words, { hangs: true }]],
    app: async ({ sdk, model }) => {
      const stop = new AbortController();
      const reader = sdk.streamText({ model, ...count({ abortSignal: stop.signal }) }).textStream.getReader();
      const first = await reader.read();
      stop.abort();
      return first.value;
    },
    sees: 'w0 ',
    transcript: ['user: Count', 'assistant (aborted): w0 '],
    because: 'one word was read, and then the app stopped it',
    modelAlone: { transcript: ['user: Count', /^assistant \(aborted\): w0 /], because: 'a model is read ahead' },
  },
  {
    name: 'an abort while a transform holds text back',
    script: [['One. ', 'Two. ', { hangs: true }]],
    app: async ({ sdk, model }) => {
      const stop = new AbortController();
      const options = count({ abortSignal: stop.signal, experimental_transform: holdsBack() });
      const reader = sdk.streamText({ model, ...options } as never).textStream.getReader();
      const first = await reader.read();
      stop.abort();
      void reader.cancel();
      return first.value;
    },
    sees: 'One. ',
    transcript: ['user: Count', 'assistant (aborted): One. '],
    because: 'the second sentence never came out of the transform',
    modelAlone: {
      transcript: ['user: Count', /^assistant \(aborted\): One\. /],
      because: 'a model alone knows no transform',
    },
  },
  {
    name: 'an abort after the whole answer was read',
    script: [words],
    app: async ({ sdk, model }) => {
      const stop = new AbortController();
      const text = await readText(sdk.streamText({ model, ...count({ abortSignal: stop.signal }) }).textStream);
      stop.abort();
      return text;
    },
    sees: heads(12),
    transcript: ['user: Count', `assistant: ${heads(12)}`],
    because: 'a finish that was read beats a later abort',
  },
  {
    name: 'an abort after the finish part was read, by a reader that reads no further',
    script: [words],
    app: async ({ sdk, model }) => {
      const stop = new AbortController();
      let text = '';
      for await (const part of sdk.streamText({ model, ...count({ abortSignal: stop.signal }) }).fullStream) {
        if (part.type === 'text-delta') text += part.text;
        if (part.type !== 'finish') continue;
        stop.abort();
        break;
      }
      return text;
    },
    sees: heads(12),
    transcript: ['user: Count', `assistant: ${heads(12)}`],
    because: 'a finish that was read beats a later abort',
  },
  {
    name: 'two readers, of whom one leaves at once',
    script: [words],
    app: async ({ sdk, model }) => {
      const result = sdk.streamText({ model, ...count() });
      const [text] = await Promise.all([
        readText(result.textStream),
        (async () => {
          for await (const _ of result.fullStream) break;
        })(),
      ]);
      return text;
    },
    sees: heads(12),
    transcript: ['user: Count', `assistant: ${heads(12)}`],
    because: 'of several readers the furthest counts',
  },
  {
    name: 'a reader that leaves beside consumeStream',
    script: [words],
    app: async ({ sdk, model }) => {
      const result = sdk.streamText({ model, ...count() });
      const whole = result.consumeStream();
      for await (const _ of result.textStream) break;
      await whole;
    },
    transcript: ['user: Count', `assistant: ${heads(12)}`],
    because: 'the app had the whole answer read, and its onFinish has it',
  },
  {
    name: 'a reader that leaves, and an app that then asks for the text',
    script: [words],
    app: async ({ sdk, model }) => {
      const result = sdk.streamText({ model, ...count() });
      for await (const _ of result.textStream) break;
      return result.text;
    },
    sees: heads(12),
    transcript: ['user: Count', 'assistant (abandoned): w0 ', `assistant: ${words.slice(1).join('')}`],
    because: 'what comes after an answer was left is a further message of it',
    modelAlone: { transcript: ['user: Count', `assistant: ${heads(12)}`], because: 'a model is read once, to its end' },
  },
  {
    name: 'a break in the second step',
    script: [
      ['First.', { tool: 'look' }],
      ['Second', { breaks: new Error('gone') }],
    ],
    app: async ({ sdk, model, major }) => {
      const tools = { look: { inputSchema: z.object({}), execute: async () => 'seen' } };
      let text = '';
      try {
        const options = count({ tools, stopWhen: major.steps(5) });
        for await (const piece of sdk.streamText({ model, ...options } as never).textStream) text += piece;
      } catch {}
      return text;
    },
    sees: 'First.Second',
    transcript: ['user: Count', 'assistant (error): First.\n\nSecond'],
    metadata: [undefined, { error: 'Error: gone' }],
    because: 'both texts were read, and they are two steps',
  },
  {
    name: 'an output that is read as it grows',
    script: [['{"city":"Paris"}']],
    app: async ({ sdk, model, major }) => {
      const output = sdk.Output.object({ schema: z.object({ city: z.string() }) });
      const result = sdk.streamText({ model, ...count({ output, experimental_output: output }) } as never);
      const name = major.name === 'ai 5' ? 'experimental_partialOutputStream' : 'partialOutputStream';
      let last: unknown;
      for await (const partial of (result as unknown as Record<string, AsyncIterable<unknown>>)[name] ?? [])
        last = partial;
      return last;
    },
    sees: { city: 'Paris' },
    transcript: ['user: Count', 'assistant: {"city":"Paris"}'],
    because: 'what the reader got is the object',
  },
  {
    name: 'a list of which two elements are read',
    script: [['{"elements":["one","two","three"]}']],
    app: async ({ sdk, model }) => {
      const output = (sdk.Output as unknown as { array(options: object): unknown }).array({ element: z.string() });
      const result = sdk.streamText({ model, ...count({ output }) } as never) as unknown as {
        elementStream: AsyncIterable<string>;
      };
      const seen: string[] = [];
      for await (const element of result.elementStream) if (seen.push(element) === 2) break;
      return seen;
    },
    sees: ['one', 'two'],
    transcript: ['user: Count', 'assistant (abandoned): ["one","two"]'],
    because: 'two elements were read',
    modelAlone: false,
    majors: ['ai 6', 'ai 7'],
  },
];

const isShorterThan = (ms: number) => ({
  asymmetricMatch: (latency: unknown) => typeof latency === 'number' && latency < ms,
});
const takesLong = () => sleep(1500);

for (const way of ['streamText', 'generateText'] as const)
  cases.push({
    name: `a ${way} whose onFinish takes long`,
    script: [words],
    app: async ({ sdk, model }) => {
      const options = count({ onFinish: takesLong }) as never;
      const stream = (options: object) => readText(sdk.streamText(options as never).textStream);
      await (way === 'streamText'
        ? stream({ ...(options as object), model })
        : sdk.generateText({ ...(options as object), model } as never));
    },
    transcript: ['user: Count', `assistant: ${heads(12)}`],
    metadata: [undefined, { latency_ms: isShorterThan(1400) }],
    because: 'the user had the last word long before the app was done with it',
  });

/** Each way to read the whole of an answer. */
const ways: Record<string, (result: ReturnType<Situation['sdk']['streamText']>) => Promise<unknown>> = {
  textStream: result => readText(result.textStream),
  'a reader': result => readUntil(result.textStream, -1, () => {}),
  'a Response of text': result => result.toTextStreamResponse().text(),
  'a Response of chunks': result => result.toUIMessageStreamResponse().text(),
  'the promise of its text': async result => result.text,
  'the promise of its usage': async result => void (await result.usage),
  consumeStream: async result => result.consumeStream(),
  pipeTo: result => result.textStream.pipeTo(new WritableStream()),
  tee: async result => {
    const [one, other] = result.textStream.tee();
    return Promise.all([readUntil(one, -1, () => {}), readUntil(other, -1, () => {})]);
  },
};

const whole = Object.entries(ways).map(
  ([name, read]): Case => ({
    name: `a whole answer, read by ${name}`,
    script: [words],
    app: async ({ sdk, model }) => void (await read(sdk.streamText({ model, ...count() }))),
    transcript: ['user: Count', `assistant: ${heads(12)}`],
    metadata: [
      undefined,
      { status: 'complete', finish_reason: 'stop', model: 'asked-model', response_model: 'answering-model' },
    ],
    because: 'it was read whole',
  }),
);

runCases('the ends of answers', [...cases, ...whole]);
