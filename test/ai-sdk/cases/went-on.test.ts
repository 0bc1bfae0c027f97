// Answers that came, or went on, in spite of something.

import * as z from 'zod/v4';
import { type Case, quiet, readText, runCases } from './run-cases.js';

const ask = { prompt: 'Count', maxRetries: 0, ...quiet };

const cases: Case[] = [
  {
    name: 'a generated answer that comes in spite of an abort',
    script: [['One two']],
    app: async ({ sdk, model }) => {
      const stop = new AbortController();
      stop.abort();
      return (await sdk.generateText({ model, prompt: 'Count', abortSignal: stop.signal })).text;
    },
    sees: 'One two',
    transcript: ['user: Count', 'assistant: One two'],
    because: 'the app has the whole answer',
  },
  {
    name: 'a generated answer that is aborted while a tool runs',
    script: [['First', { tool: 'look' }], ['Second']],
    app: async ({ sdk, model, major }) => {
      const stop = new AbortController();
      const look = async () => {
        stop.abort();
        stop.signal.throwIfAborted();
      };
      const tools = { look: { inputSchema: z.object({}), execute: look } };
      const options = { tools, stopWhen: major.steps(3), abortSignal: stop.signal };
      const error: unknown = await sdk.generateText({ model, prompt: 'Count', ...options } as never).catch(e => e);
      return (error as Error).name;
    },
    sees: 'AbortError',
    transcript: ['user: Count', 'assistant (aborted): First'],
    because: 'the app stopped it between two steps',
  },
  {
    name: 'an error part, after which the answer goes on to an end of its own',
    script: [['One ', { errorPart: new Error('a hiccup') }, 'two', { finish: 'stop' }]],
    app: async ({ sdk, model }) => readText(sdk.streamText({ model, ...ask }).textStream),
    sees: 'One two',
    transcript: ['user: Count', 'assistant: One two'],
    because: 'the model has said that it had finished',
  },
  {
    name: 'an error part in the first step, after which the loop goes on',
    script: [['One ', { errorPart: new Error('a hiccup') }, { tool: 'look' }], ['two']],
    app: async ({ sdk, model, major }) => {
      const tools = { look: { inputSchema: z.object({}), execute: async () => 'seen' } };
      return readText(sdk.streamText({ model, ...ask, tools, stopWhen: major.steps(3) } as never).textStream);
    },
    sees: 'One two',
    transcript: ['user: Count', 'assistant: One \n\ntwo'],
    because: 'both steps answer one question',
  },
];

runCases('answers that went on', cases);
