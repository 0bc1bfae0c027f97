// An answer at work is not idle, however long it pauses.

import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import * as z from 'zod/v4';
import { type Case, quiet, readText, runCases } from './run-cases.js';

// Much longer than the recorder would wait for an answer that nobody works on.
const idleMs = 30;
const PAUSE_MS = 300;
const options = { idleMs };
const prompt = 'Weather?';

const tools = {
  weather: {
    inputSchema: z.object({}),
    execute: async () => {
      await sleep(PAUSE_MS);
      return 'sunny';
    },
  },
};
const loop = [['Let me check.', { tool: 'weather' }], ['It is sunny.']];
const wholeLoop = ['user: Weather?', 'assistant: Let me check.\n\nIt is sunny.'];
const because = 'somebody worked on it all the time';
// What a model alone does while a tool runs is the business of its own cases.
const modelAlone = false;

const cases: Case[] = [
  {
    name: 'a tool that takes long, in a streamed answer',
    script: loop,
    app: async ({ sdk, model, major }) =>
      readText(sdk.streamText({ model, prompt, tools, stopWhen: major.steps(5) } as never).textStream),
    transcript: wholeLoop,
    because,
    options,
    modelAlone,
  },
  {
    name: 'a tool that takes long, in a generated answer',
    script: loop,
    app: async ({ sdk, model, major }) =>
      (await sdk.generateText({ model, prompt, tools, stopWhen: major.steps(5) } as never)).text,
    transcript: wholeLoop,
    because,
    options,
    modelAlone,
  },
  {
    name: 'a prepareStep that takes long',
    script: [['Let me check.', { tool: 'quick' }], ['It is sunny.']],
    app: async ({ sdk, model, major }) =>
      readText(
        sdk.streamText({
          model,
          prompt,
          tools: { quick: { inputSchema: z.object({}), execute: async () => 'sunny' } },
          stopWhen: major.steps(5),
          prepareStep: async () => {
            await sleep(PAUSE_MS);
            return {};
          },
        } as never).textStream,
      ),
    transcript: wholeLoop,
    because,
    options,
    modelAlone,
  },
  {
    name: 'a model that takes long between two words',
    script: () => ['One ', { waitsFor: sleep(PAUSE_MS) }, 'two'],
    app: async ({ sdk, model }) => readText(sdk.streamText({ model, prompt }).textStream),
    sees: 'One two',
    transcript: ['user: Weather?', 'assistant: One two'],
    because,
    options,
  },
  {
    name: 'a reader that takes long for each word',
    script: [['One ', 'two ', 'three']],
    app: async ({ sdk, model }) => {
      let text = '';
      for await (const piece of sdk.streamText({ model, prompt }).textStream) {
        text += piece;
        await sleep(PAUSE_MS);
      }
      return text;
    },
    sees: 'One two three',
    transcript: ['user: Weather?', 'assistant: One two three'],
    because,
    options,
    modelAlone,
  },
  {
    name: 'an agent whose tool takes long',
    script: loop,
    app: async ({ sdk, model, major }) => {
      const { ToolLoopAgent, Experimental_Agent } = sdk as unknown as Record<
        string,
        new (
          settings: object,
        ) => { generate(options: object): Promise<{ text: string }> }
      >;
      const Agent = (ToolLoopAgent ?? Experimental_Agent) as NonNullable<typeof ToolLoopAgent>;
      return (await new Agent({ model, tools, stopWhen: major.steps(5) }).generate({ prompt })).text;
    },
    transcript: wholeLoop,
    because,
    options,
    modelAlone,
  },
  {
    name: 'an answer that was the oldest of too many that are open, and then goes on',
    script: [['One ', 'two ', 'three']],
    app: async ({ sdk, model, recorder }) => {
      const reader = sdk.streamText({ model, prompt, ...quiet }).textStream.getReader();
      let text = (await reader.read()).value ?? '';
      // 10,000 may be open.
      if (recorder) for (let n = 0; n < 10_001; n++) recorder.turn({ conversationId: 'other' });
      for (let next = await reader.read(); !next.done; next = await reader.read()) text += next.value;
      return text;
    },
    sees: 'One two three',
    transcript: ['user: Weather?', 'assistant (abandoned): One ', 'assistant: two three'],
    because: 'what comes after an abandonment is a further message, and nothing is lost',
    modelAlone,
  },
  {
    name: 'an answer that pauses for so long that it is given up, and then goes on',
    script: [['One ', 'two ', 'three']],
    app: async ({ sdk, model, recorder }) => {
      const reader = sdk.streamText({ model, prompt, ...quiet }).textStream.getReader();
      let text = (await reader.read()).value ?? '';
      // Until it is recorded as abandoned: a reader that asks for nothing is given 20 idle times.
      if (recorder) await expect.poll(() => recorder.stats().accepted).toBe(2);
      for (let next = await reader.read(); !next.done; next = await reader.read()) text += next.value;
      return text;
    },
    sees: 'One two three',
    transcript: ['user: Weather?', 'assistant (abandoned): One ', 'assistant: two three'],
    because: 'what comes after an abandonment is a further message, and nothing is lost',
    options: { idleMs: 20 },
    modelAlone,
  },
];

runCases('answers at work', cases);
