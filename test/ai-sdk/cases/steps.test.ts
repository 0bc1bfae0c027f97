// Texts of different steps stand apart by a blank line; parts of one step stand together.

import * as z from 'zod/v4';
import { type Case, readText, runCases, type Situation } from './run-cases.js';

const search = { search: { inputSchema: z.object({}) } };
const tools = { weather: { inputSchema: z.object({}), execute: async () => 'sunny' } };

const streamed =
  (options: object = {}) =>
  async ({ sdk, model, major }: Situation) =>
    readText(
      sdk.streamText({ model, prompt: 'Weather?', tools, stopWhen: major.steps(5), ...options } as never).textStream,
    );

const generated = async ({ sdk, model, major }: Situation) => {
  const { steps } = await sdk.generateText({ model, prompt: 'Weather?', tools, stopWhen: major.steps(5) } as never);
  return steps.map(({ text }) => text).join('');
};

const loop = [
  ['Let me check.', { tool: 'weather' }],
  ['It is ', 'sunny.'],
];
const searched = [['Searching.', { tool: 'search', providerExecuted: true }, 'Found it.']];
const apart =
  'stored without a blank line between steps, history like this makes models repeat themselves (laravel/ai#789)';

const cases: Case[] = [
  {
    name: 'a streamed answer with a tool between two texts',
    script: loop,
    app: streamed(),
    sees: 'Let me check.It is sunny.',
    transcript: ['user: Weather?', 'assistant: Let me check.\n\nIt is sunny.'],
    metadata: [undefined, { steps: 2, tool_calls: ['weather'] }],
    because: apart,
  },
  {
    name: 'a streamed answer with a tool between two texts, smoothed',
    script: loop,
    app: situation => streamed({ experimental_transform: situation.sdk.smoothStream({ delayInMs: null }) })(situation),
    sees: 'Let me check.It is sunny.',
    transcript: ['user: Weather?', 'assistant: Let me check.\n\nIt is sunny.'],
    because: apart,
  },
  {
    name: 'a generated answer with a tool between two texts',
    script: loop,
    app: generated,
    sees: 'Let me check.It is sunny.',
    transcript: ['user: Weather?', 'assistant: Let me check.\n\nIt is sunny.'],
    because: apart,
  },
  {
    name: 'a tool that the provider executes between two texts of one step',
    script: searched,
    app: async ({ sdk, model }) =>
      readText(sdk.streamText({ model, prompt: 'Weather?', tools: search } as never).textStream),
    transcript: ['user: Weather?', 'assistant: Searching.\n\nFound it.'],
    metadata: [undefined, { steps: 1, tool_calls: ['search'] }],
    because: 'what was said before a search and after it are two things, whoever ran it',
  },
  {
    name: 'a tool that the provider executes between two texts of one generated step',
    script: searched,
    app: async ({ sdk, model }) => (await sdk.generateText({ model, prompt: 'Weather?', tools: search } as never)).text,
    transcript: ['user: Weather?', 'assistant: Searching.\n\nFound it.'],
    because: 'what was said before a search and after it are two things, whoever ran it',
  },
  {
    name: 'several text parts of one step',
    script: [['The capital ', 'of France ', 'is Paris.']],
    app: streamed(),
    sees: 'The capital of France is Paris.',
    transcript: ['user: Weather?', 'assistant: The capital of France is Paris.'],
    because: 'citations split one sentence into parts (vercel/ai#7485): they are one text',
  },
  {
    name: 'a step without a text between two with one',
    script: [['First.', { tool: 'weather' }], [{ tool: 'weather', id: 'call-2' }], ['Last.']],
    app: streamed(),
    sees: 'First.Last.',
    transcript: ['user: Weather?', 'assistant: First.\n\nLast.'],
    because: 'one blank line parts two texts, however many tools ran between them',
  },
];

runCases('texts of steps', cases);
