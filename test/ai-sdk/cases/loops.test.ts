// What belongs to one answer where only the model is wrapped: it decides by the tools that wait, not by the reason that a
// provider gives, and across models and requests.

import { APICallError } from 'ai';
import * as z from 'zod/v4';
import { wrapModel } from '../../../src/ai-sdk/index.js';
import { type Case, quiet, readText, runCases, type Situation } from './run-cases.js';

const tools = { weather: { inputSchema: z.object({}), execute: async () => 'sunny' } };
const client = { ask: { inputSchema: z.object({}) } };
const loop = [['Let me check. ', { tool: 'weather' }], ['It is sunny.']];
const asked = [['I need to ask. ', { tool: 'ask' }], ['Thanks.']];

const bookIt = { role: 'user', content: 'Book it' };
const answeredByClient = [
  bookIt,
  {
    role: 'assistant',
    content: [
      { type: 'text', text: 'I need to ask. ' },
      { type: 'tool-call', toolCallId: 'call-1', toolName: 'ask', input: {} },
    ],
  },
  {
    role: 'tool',
    content: [{ type: 'tool-result', toolCallId: 'call-1', toolName: 'ask', output: { type: 'text', value: 'yes' } }],
  },
];

/** A model as an app has it that wraps one for each request. */
const ofRequest = ({ model, recorder, way }: Situation): never =>
  way === 'wrapModel' && recorder ? (wrapModel(model as object, recorder) as never) : model;

// An SDK knows the errors of another major by a mark that they have in common.
const busy = new APICallError({
  message: 'busy',
  url: 'x',
  requestBodyValues: {},
  statusCode: 503,
  responseHeaders: { 'retry-after-ms': '1' },
  isRetryable: true,
});

const stitched = {
  transcript: ['user: Book it', /^assistant: I need to ask\.\s+Thanks\.$/],
  because: 'the model alone sees both requests in one process, and waits for the tool',
};

const cases: Case[] = [
  {
    name: 'the tool of a client is answered in a request of its own, with a model wrapped for that request',
    script: asked as never,
    app: async situation => {
      const { sdk } = situation;
      for (const messages of [[bookIt], answeredByClient])
        await sdk.generateText({ model: ofRequest(situation), messages, tools: client } as never);
    },
    transcript: ['user: Book it', 'assistant: I need to ask. ', 'assistant: Thanks.'],
    because: 'the answer waits for the client, whichever object the app has wrapped',
    modelAlone: stitched,
  },
  {
    name: 'a loop whose steps use two models',
    script: loop as never,
    app: async situation => {
      const { sdk, model, major } = situation;
      const result = sdk.streamText({
        model,
        prompt: 'Weather?',
        tools,
        stopWhen: major.steps(5),
        prepareStep: () => ({ model: ofRequest(situation) }),
      } as never);
      await readText(result.textStream);
    },
    transcript: ['user: Weather?', /^assistant: Let me check\.\s+It is sunny\.$/],
    because: 'one answer to one question',
  },
  {
    name: 'a model that says "stop" although it calls a tool',
    script: [['Let me check. ', { tool: 'weather' }, { finish: 'stop' }], ['It is sunny.']],
    app: async ({ sdk, model, major }) =>
      void (await sdk.generateText({ model, prompt: 'Weather?', tools, stopWhen: major.steps(5) } as never)),
    transcript: ['user: Weather?', /^assistant: Let me check\.\s+It is sunny\.$/],
    metadata: [undefined, { status: 'complete', tool_calls: ['weather'], steps: 2 }],
    because: 'the SDK runs the tool and goes on, whatever the reason',
  },
  {
    name: 'a model that says "tool-calls" without a call',
    script: [['Done.', { finish: 'tool-calls' }]],
    app: async ({ sdk, model, recorder }) => {
      await sdk.generateText({ model, prompt: 'Go', tools } as never);
      await recorder?.flush();
      return recorder?.stats().accepted ?? 2;
    },
    sees: 2,
    transcript: ['user: Go', 'assistant: Done.'],
    metadata: [undefined, { status: 'complete' }],
    because: 'nothing can follow: the answer is whole at once',
  },
  {
    name: 'a model that says "tool-calls" with nothing but a tool of the provider',
    script: [['Found it.', { tool: 'search', providerExecuted: true }, { finish: 'tool-calls' }]],
    app: async ({ sdk, model, recorder }) => {
      await readText(sdk.streamText({ model, prompt: 'Find', tools: { search: client.ask } } as never).textStream);
      await recorder?.flush();
      return recorder?.stats().accepted ?? 2;
    },
    sees: 2,
    transcript: ['user: Find', 'assistant: Found it.'],
    metadata: [undefined, { status: 'complete', tool_calls: ['search'] }],
    because: 'the provider has run it: nobody is waited for',
  },
  {
    name: 'a stream that breaks after a tool of the provider',
    script: [['Let me see. ', { tool: 'search', providerExecuted: true }, 'I found', { breaks: new Error('gone') }]],
    app: async ({ sdk, model }) => {
      const result = sdk.streamText({ model, prompt: 'Find', tools: { search: client.ask }, ...quiet } as never);
      try {
        for await (const _ of result.fullStream);
      } catch {}
    },
    transcript: ['user: Find', 'assistant (error): Let me see. \n\nI found'],
    metadata: [undefined, { tool_calls: ['search'] }],
    because: 'it has run, though its step never came to an end',
  },
  {
    name: 'the second step is refused until no attempt is left, and the user says more',
    script: ((_: never, call: number) => {
      if (call === 0) return ['Let me check. ', { tool: 'weather' }];
      if (call === 3) return ['Sorry.'];
      return { refuses: busy };
    }) as never,
    app: async situation => {
      const { sdk, model, major } = situation;
      const options = { model, tools, stopWhen: major.steps(5), maxRetries: 1, ...quiet };
      const refusing = { ...options, prompt: 'Weather?' };
      await readText(sdk.streamText(refusing as never).textStream).catch(() => {});
      await readText(sdk.streamText({ ...options, prompt: 'Hello?' } as never).textStream).catch(() => {});
    },
    transcript: ['user: Weather?', 'assistant (error): Let me check. ', 'user: Hello?', 'assistant: Sorry.'],
    because: 'the answer broke in its second step',
  },
];

runCases('loops of a model', cases);
