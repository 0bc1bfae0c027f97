// What an app may do with a stream beside reading it to its end: all of it works as without a recorder.

import { type Case, quiet, readText, runCases } from './run-cases.js';

const count = (options: object = {}) => ({ prompt: 'Count', maxRetries: 0, ...quiet, ...options });
const words = Array.from({ length: 12 }, (_, n) => `w${n} `);
const whole = words.join('');

const cases: Case[] = [
  {
    name: 'a loop that is left without a cancel, and another reader that goes on',
    script: [words],
    app: async ({ sdk, model }) => {
      const { textStream } = sdk.streamText({ model, ...count() });
      let text = '';
      for await (const piece of textStream.values({ preventCancel: true })) {
        text += piece;
        if (text.length > 8) break;
      }
      const isLocked = textStream.locked;
      return [isLocked, text + (await readText(textStream))];
    },
    sees: [false, whole],
    transcript: ['user: Count', `assistant: ${whole}`],
    because: 'the two have read all of it together',
  },
  {
    name: 'a pipe that is stopped without a cancel, and a reader that goes on',
    script: [words],
    app: async ({ sdk, model }) => {
      const stop = new AbortController();
      const { textStream } = sdk.streamText({ model, ...count() });
      let text = '';
      const piece = (piece: string) => {
        text += piece;
        if (text.length > 8) stop.abort();
      };
      const to = new WritableStream({ write: piece });
      await textStream.pipeTo(to, { preventCancel: true, signal: stop.signal }).catch(() => {});
      return text + (await readText(textStream));
    },
    sees: whole,
    transcript: ['user: Count', `assistant: ${whole}`],
    because: 'the two have read all of it together',
  },
  {
    name: 'a pipe to something that breaks',
    script: [[...words, { hangs: true }]],
    app: async ({ sdk, model }) => {
      const { textStream } = sdk.streamText({ model, ...count() });
      const write = () => {
        throw new Error('full');
      };
      const broken: unknown = await textStream.pipeTo(new WritableStream({ write })).catch((error: Error) => error);
      return [(broken as Error).message, textStream.locked];
    },
    sees: ['full', false],
    transcript: ['user: Count', /^assistant \(abandoned\): w0 /],
    because: 'what it was piped to wanted no more of it',
    modelAlone: false,
  },
  {
    name: 'calls that a stream refuses, and then a reader',
    script: [words],
    app: async ({ sdk, model }) => {
      const { textStream } = sdk.streamText({ model, ...count() });
      const names: string[] = [];
      const refused = (error: Error) => void names.push(error.name);
      await textStream.pipeTo(undefined as never).catch(refused);
      try {
        textStream.pipeThrough({} as never);
      } catch (error) {
        refused(error as Error);
      }
      return [...names, textStream.locked, await readText(textStream)];
    },
    sees: ['TypeError', 'TypeError', false, whole],
    transcript: ['user: Count', `assistant: ${whole}`],
    because: 'what was refused has read nothing',
  },
];

runCases('what is done with a stream', cases);
