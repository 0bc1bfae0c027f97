// The user speaks into an answer that is under way (ai 7).

import { expect } from 'vitest';
import * as z from 'zod/v4';
import type { Step } from '../majors.js';
import { type Case, quiet, readText, runCases, type Situation } from './run-cases.js';

interface Steering {
  steer(message: unknown): Promise<unknown>;
}

/** A run with a tool during which the user says more. */
const steered =
  (read: (situation: Situation, options: object) => Promise<unknown>, words: readonly unknown[] = ['and Rome?']) =>
  async (situation: Situation) => {
    const { experimental_createSteering } = situation.sdk as unknown as { experimental_createSteering(): Steering };
    const steering = experimental_createSteering();
    const weather = {
      inputSchema: z.object({}),
      execute: async () => {
        for (const said of words) void steering.steer(said);
        return 'rain';
      },
    };
    return read(situation, { tools: { weather }, stopWhen: situation.major.steps(5), experimental_steering: steering });
  };

const prompt = 'Weather in Paris?';
const streams =
  (read: (result: ReturnType<Situation['sdk']['streamText']>) => Promise<unknown>) =>
  async ({ sdk, model }: Situation, options: object) =>
    read(sdk.streamText({ model, prompt, ...options } as never));

const generates = async ({ sdk, model }: Situation, options: object) =>
  (await sdk.generateText({ model, prompt, ...options } as never)).text;

const agent =
  (way: 'generate' | 'stream') =>
  async ({ sdk, model }: Situation, { experimental_steering, ...settings }: { experimental_steering?: unknown }) => {
    const { ToolLoopAgent } = sdk as unknown as {
      ToolLoopAgent: new (
        settings: object,
      ) => Record<
        typeof way,
        (options: object) => Promise<{ text: PromiseLike<string>; textStream: AsyncIterable<string> }>
      >;
    };
    const result = await new ToolLoopAgent({ model, ...settings })[way]({ prompt, experimental_steering });
    return way === 'stream' ? readText(result.textStream) : result.text;
  };

const script = [['Paris: rain.', { tool: 'weather' }], ['Rome: sun.']];
const transcript = [`user: ${prompt}`, 'assistant: Paris: rain.', 'user: and Rome?', 'assistant: Rome: sun.'];
const CHAT = '5b1f1c34-6f3b-4a55-9f36-3a0f4a6d1c11';
const because = 'two questions were asked, and each has its answer after it';
const tokens = { input_tokens: expect.any(Number), output_tokens: expect.any(Number) };
const metadata = [
  undefined,
  { steps: 1, tool_calls: ['weather'], finish_reason: 'tool-calls', ...tokens },
  undefined,
  { steps: 1, finish_reason: 'stop', ...tokens },
];
const modelAlone = false;
const majors = ['ai 7'] as const;

const ways: [string, ReturnType<typeof steered>][] = [
  ['a streamed answer, by its text', steered(streams(({ textStream }) => readText(textStream)))],
  [
    'a streamed answer, by its parts',
    steered(
      streams(async ({ fullStream }) => {
        for await (const _ of fullStream);
      }),
    ),
  ],
  [
    'a streamed answer, by the chunks for a browser',
    steered(streams(async result => void (await result.toUIMessageStreamResponse().text()))),
  ],
  ['a generated answer', steered(generates)],
  ['an agent’s streamed answer', steered(agent('stream') as never)],
  ['an agent’s generated answer', steered(agent('generate') as never)],
];

const cases: Case[] = [
  ...ways.map(([name, app]): Case => ({ name, script, app, transcript, metadata, because, modelAlone, majors })),
  {
    name: 'a streamed answer into which the user speaks twice at once',
    script,
    app: steered(
      streams(({ textStream }) => readText(textStream)),
      ['and Rome?', 'quickly!'],
    ),
    sees: 'Paris: rain.Rome: sun.',
    transcript: [...transcript.slice(0, 3), 'user: quickly!', transcript[3] as string],
    because: 'both were said before the answer to them',
    modelAlone,
    majors,
  },
  {
    name: 'a streamed answer into which the user speaks before its first word',
    script: [[{ tool: 'weather' }], ['Rome: sun.']],
    app: steered(streams(({ textStream }) => readText(textStream))),
    transcript: [`user: ${prompt}`, 'user: and Rome?', 'assistant: Rome: sun.'],
    because: 'nothing was answered in between',
    modelAlone,
    majors,
  },
  ...[
    { name: 'fails', step: { refuses: new Error('busy') }, last: ['assistant (error): [no answer]'] },
    { name: 'is empty', step: [], last: [] },
    { name: 'waits for a client', step: [{ tool: 'client' }], last: [] },
  ].map(
    ({ name, step, last }): Case => ({
      name: `a streamed answer by its text, into which the user speaks before a step that ${name}`,
      script: [script[0] as Step, step],
      app: steered(async ({ sdk, model }, { tools, ...options }: { tools?: object }) => {
        const all = { ...tools, client: { inputSchema: z.object({}) } };
        const result = sdk.streamText({ model, prompt, ...options, ...quiet, maxRetries: 0, tools: all } as never);
        return readText(result.textStream);
      }),
      sees: 'Paris: rain.',
      transcript: [...transcript.slice(0, 3), ...last],
      because: 'the user has said both, also where no word follows',
      recorderOptions: { emptyAnswers: 'placeholder' },
      modelAlone,
      majors,
    }),
  ),
  {
    name: 'an output that is read as it grows, into which the user speaks',
    script: [['{"rain":true}', { tool: 'weather' }], ['{"rain":false}']],
    app: steered(async ({ sdk, model }, options) => {
      const output = sdk.Output.object({ schema: z.object({ rain: z.boolean() }) });
      const { partialOutputStream } = sdk.streamText({ model, prompt, ...options, output } as never);
      const seen: unknown[] = [];
      for await (const partial of partialOutputStream) seen.push(partial);
      return seen;
    }),
    sees: [{ rain: true }, { rain: false }],
    transcript: [
      transcript[0] as string,
      'assistant: {"rain":true}',
      transcript[2] as string,
      'assistant: {"rain":false}',
    ],
    because,
    modelAlone,
    majors,
  },
  ...[true, false].map(
    (isReadInside): Case => ({
      name: `a streamed answer under an ambient identity, read ${isReadInside ? 'inside' : 'outside'} of it`,
      script,
      app: async situation => {
        const { recorder } = situation;
        const ask = steered(async ({ sdk, model }, options) => sdk.streamText({ model, prompt, ...options } as never));
        const around = <T>(fn: () => T): T =>
          recorder ? recorder.withIdentity({ userId: 'grace', conversationId: CHAT, messageId: 'm-1' }, fn) : fn();
        const { textStream } = (await around(() => ask(situation))) as ReturnType<typeof situation.sdk.streamText>;
        return isReadInside ? around(() => readText(textStream)) : readText(textStream);
      },
      transcript,
      metadata: [
        { message_key: expect.stringContaining(':user:m-1:') },
        {},
        { message_key: expect.not.stringContaining(':m-1:') },
        {},
      ],
      of: { user_id: 'grace', conversation_id: CHAT },
      because: 'the same person says something else in the same chat; the id is that of the first message',
      modelAlone,
      majors,
    }),
  ),
];

runCases('steering', cases);
