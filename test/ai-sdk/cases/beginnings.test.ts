// What is thrown before a run begins, or before its first word.

import { expect } from 'vitest';
import * as z from 'zod/v4';
import { type Case, quiet, readText, runCases, type Situation } from './run-cases.js';

const prompt = 'Hi';
const because = 'the user said it, whatever became of the call';
const modelAlone = false;
const alone = ['user: Hi'];

type Agent = Record<'generate' | 'stream', (options: object) => Promise<{ textStream: AsyncIterable<string> }>>;

const agent = ({ sdk, model }: Situation, settings: object): Agent => {
  const { ToolLoopAgent, Experimental_Agent } = sdk as unknown as Record<string, new (settings: object) => Agent>;
  const Agent = (ToolLoopAgent ?? Experimental_Agent) as new (settings: object) => Agent;
  return new Agent({ model, ...settings });
};

const throws = () => {
  throw new Error('no such user');
};

const cases: Case[] = [
  ...(['generate', 'stream'] as const).flatMap((way): Case[] => [
    {
      name: `an agent whose prepareCall throws, asked to ${way}`,
      script: [['never']],
      app: async situation => agent(situation, { prepareCall: throws })[way]({ prompt }),
      sees: { thrown: 'no such user' },
      transcript: alone,
      because,
      modelAlone,
      majors: ['ai 6', 'ai 7'],
    },
    {
      name: `an agent whose options do not fit their schema, asked to ${way}`,
      script: [['never']],
      app: async situation => {
        const own = agent(situation, {
          callOptionsSchema: z.object({ id: z.string() }),
          prepareCall: (call: object) => call,
        });
        await own[way]({ prompt, options: { id: 7 } }).catch(() => {});
      },
      transcript: alone,
      because,
      modelAlone,
      majors: ['ai 6', 'ai 7'],
    },
  ]),
  {
    name: 'a streamed answer whose prepareStep throws',
    script: [['never']],
    app: async ({ sdk, model }) =>
      readText(sdk.streamText({ model, prompt, prepareStep: throws, ...quiet }).textStream).catch(() => ''),
    transcript: alone,
    because,
    modelAlone,
    check: recorder => expect(recorder.stats().emptyAnswers).toBe(1),
  },
  {
    name: 'a generated answer whose prepareStep throws',
    script: [['never']],
    app: async ({ sdk, model }) => sdk.generateText({ model, prompt, prepareStep: throws }),
    sees: { thrown: 'no such user' },
    transcript: alone,
    because,
    modelAlone,
    check: recorder => expect(recorder.stats().emptyAnswers).toBe(1),
  },
  {
    name: 'a model that can only generate, and not stream',
    script: [['Hello']],
    app: async ({ sdk, model }) => {
      const { specificationVersion, provider, modelId } = model as Record<string, unknown>;
      const doGenerate = (params: unknown) => (model as { doGenerate(params: unknown): unknown }).doGenerate(params);
      const own = { specificationVersion, provider, modelId, supportedUrls: {}, doGenerate };
      return (await sdk.generateText({ model: own as never, prompt })).text;
    },
    sees: 'Hello',
    transcript: ['user: Hi', 'assistant: Hello'],
    because: 'a model need not be able to do everything',
    modelAlone,
  },
  {
    name: 'a call that is refused, where the app wants to see that in the transcript',
    script: [{ refuses: new Error('no credit') }],
    app: async ({ sdk, model }) =>
      readText(sdk.streamText({ model, prompt, maxRetries: 0, ...quiet }).textStream).catch(() => ''),
    transcript: ['user: Hi', 'assistant (error): [no answer]'],
    metadata: [undefined, { error: 'Error: no credit' }],
    because: 'a placeholder says that the question was not answered, and why',
    recorderOptions: { emptyAnswers: 'placeholder' },
    check: recorder => expect(recorder.stats().emptyAnswers).toBe(1),
  },
  {
    name: 'an answer that is aborted before its first word, where the app wants to see that',
    script: [[{ hangs: true }]],
    app: async ({ sdk, model }) => {
      const stop = new AbortController();
      const result = sdk.streamText({ model, prompt, abortSignal: stop.signal, ...quiet });
      const reader = result.textStream.getReader();
      void reader.read().catch(() => {});
      stop.abort();
    },
    transcript: ['user: Hi', 'assistant (aborted): [no answer]'],
    because: 'a placeholder says that the question was not answered',
    recorderOptions: { emptyAnswers: 'placeholder' },
  },
];

runCases('beginnings that fail', cases);
