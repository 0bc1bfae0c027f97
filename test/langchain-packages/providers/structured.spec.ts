// Answers in a form, by each package and method: the JSON is the answer, with what its call says about itself.

import { ChatAnthropic } from '@langchain/anthropic';
import type { BaseChatModel } from '@langchain/core/language_models/chat_models';
import { ChatPromptTemplate } from '@langchain/core/prompts';
import { ChatGoogle } from '@langchain/google';
import { ChatGoogleGenerativeAI } from '@langchain/google-genai';
import { ChatOpenAI } from '@langchain/openai';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { handlerOn } from '../../langchain/support.js';
import { messages } from './anthropic-wire.js';
import { gemini } from './google-wire.js';
import { completions, responses } from './openai-wire.js';
import { provider, type Wire } from './wire.js';

interface Package {
  readonly wire: Wire;
  make(url: string): BaseChatModel;
  readonly methods: readonly ('functionCalling' | 'jsonSchema' | 'jsonMode')[];
  readonly details: object;
  readonly finish: { readonly whole: string; readonly tools: string };
}

const openAI = (url: string, useResponsesApi: boolean) =>
  new ChatOpenAI({ model: 'gpt-5', apiKey: 'k', maxRetries: 0, useResponsesApi, configuration: { baseURL: url } });

const PACKAGES: Record<string, Package> = {
  'Chat Completions': {
    wire: completions('gpt-5-2026'),
    make: url => openAI(url, false),
    methods: ['functionCalling', 'jsonSchema', 'jsonMode'],
    details: { model: 'gpt-5', provider: 'openai', input_tokens: 11, output_tokens: 7 },
    finish: { whole: 'stop', tools: 'tool_calls' },
  },
  Responses: {
    wire: responses('gpt-5-2026'),
    make: url => openAI(url, true),
    methods: ['functionCalling', 'jsonSchema', 'jsonMode'],
    details: { model: 'gpt-5', provider: 'openai', input_tokens: 11, output_tokens: 7 },
    finish: { whole: 'completed', tools: 'completed' },
  },
  Anthropic: {
    wire: messages('claude-4-2026'),
    make: url => new ChatAnthropic({ model: 'claude-4', apiKey: 'k', maxRetries: 0, anthropicApiUrl: url }),
    methods: ['functionCalling', 'jsonSchema'],
    details: { model: 'claude-4', provider: 'anthropic', input_tokens: 11 },
    finish: { whole: 'end_turn', tools: 'tool_use' },
  },
  Google: {
    wire: gemini('gemini-2.5-pro-001'),
    make: url => new ChatGoogle({ model: 'gemini-2.5-pro', apiKey: 'k', maxRetries: 0, endpoint: url }),
    methods: ['functionCalling', 'jsonSchema'],
    details: { model: 'gemini-2.5-pro', provider: 'google_genai', input_tokens: 11 },
    finish: { whole: 'STOP', tools: 'STOP' },
  },
  'Google, by its older package': {
    wire: gemini('gemini-2.5-pro-001'),
    make: url => new ChatGoogleGenerativeAI({ model: 'gemini-2.5-pro', apiKey: 'k', maxRetries: 0, baseUrl: url }),
    methods: ['functionCalling', 'jsonSchema'],
    details: { model: 'gemini-2.5-pro', provider: 'google_genai', input_tokens: 11 },
    finish: { whole: 'STOP', tools: 'STOP' },
  },
};

const City = z.object({ city: z.string(), sunny: z.boolean() });
const rome = { city: 'Rome', sunny: true };
const question = { question: 'Weather?' };
const prompt = ChatPromptTemplate.fromTemplate('Say it shortly: {question}');

describe.each(Object.entries(PACKAGES))('%s', (_, { wire, make, methods, details, finish }) => {
  const situations = methods.flatMap(method =>
    ['invoked', 'streamed'].flatMap(way => [false, true].map(includeRaw => [method, way, includeRaw] as const)),
  );

  it.each(situations)('with %s, %s, includeRaw: %s, is recorded as its JSON', async (method, way, includeRaw) => {
    const isTool = method === 'functionCalling';
    const answer = isTool
      ? { tool: { name: 'City', args: rome, id: 'call_1' } }
      : { text: ['{"city":"Rome",', '"sunny":true}'] };
    await using server = await provider(wire, [answer]);
    await using on = await handlerOn();
    const model = make(server.url).withStructuredOutput(City, { name: 'City', method, includeRaw });
    const chain = prompt.pipe(model as never);
    const run = async (config: object) => {
      if (way === 'invoked') return await chain.invoke(question, config);
      let got: unknown;
      for await (const piece of await chain.stream(question, config)) got = merged(got, piece);
      return got;
    };
    const plain = await run({}).catch((error: unknown) => error);
    const seen = await run(on.config).catch((error: unknown) => error);
    // Not every package can read its own stream.
    if (plain instanceof Error) return expect((seen as Error).message).toBe(plain.message);
    const parsed = (got: unknown) => (includeRaw ? (got as { parsed: unknown }).parsed : got);
    expect([parsed(plain), parsed(seen)]).toEqual([rome, rome]);
    expect(await on.transcript()).toEqual(['user: Weather?', `assistant: ${JSON.stringify(rome)}`]);
    expect(on.synap.stored.at(-1)?.metadata).toMatchObject({
      ...details,
      finish_reason: isTool ? finish.tools : finish.whole,
      status: 'complete',
    });
  });
});

/** A stream of `includeRaw` gives one field after the other; all else gives the value as far as it has come. */
function merged(before: unknown, piece: unknown): unknown {
  const isPart = typeof piece === 'object' && piece !== null && ('raw' in piece || 'parsed' in piece);
  return isPart ? { ...(before as object), ...piece } : piece;
}
