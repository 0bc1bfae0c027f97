// Answers that are more, or less, than a text.

import type { BaseChatModel } from '@langchain/core/language_models/chat_models';
import { HumanMessage } from '@langchain/core/messages';
import { tool } from '@langchain/core/tools';
import { ChatGoogle } from '@langchain/google';
import { ChatGoogleGenerativeAI } from '@langchain/google-genai';
import { ChatGroq } from '@langchain/groq';
import { ChatOpenAI } from '@langchain/openai';
import { createAgent } from 'langchain';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { drain, handlerOn, type On } from '../../langchain/support.js';
import { completions, responses } from './openai-wire.js';
import { type Answer, events, provider, type Wire } from './wire.js';

const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ';

const openAI = (url: string, useResponsesApi = false) =>
  new ChatOpenAI({ model: 'gpt-5', apiKey: 'k', maxRetries: 0, useResponsesApi, configuration: { baseURL: url } });

const weather = tool(async () => 'sunny', {
  name: 'weather',
  description: 'w',
  schema: z.object({ city: z.string() }),
});

const WAYS: [string, (model: BaseChatModel, on: On) => Promise<unknown>][] = [
  ['invoked', (model, { config }) => model.invoke('Hi', config)],
  ['streamed', (model, { config }) => drain(model.stream('Hi', config))],
  [
    'in an agent, streamed as messages',
    (model, { config }) =>
      drain<unknown>(
        createAgent({ model, tools: [weather] }).stream(
          { messages: [new HumanMessage('Hi')] },
          { ...config, streamMode: 'messages' },
        ),
      ),
  ],
];

async function answerOf(
  wire: Wire,
  answer: Answer,
  make: (url: string) => BaseChatModel,
  run: (model: BaseChatModel, on: On) => Promise<unknown>,
) {
  await using server = await provider(wire, [answer]);
  await using on = await handlerOn();
  await run(make(server.url), on);
  await on.recorder.flush();
  expect(on.synap.stored.map(({ role }) => role)).toEqual(['user', 'assistant']);
  expect(JSON.stringify(on.synap.stored)).not.toContain(PNG);
  const [, { content, metadata } = { content: '' }] = on.synap.stored;
  return { content, metadata };
}

describe.each(WAYS)('%s', (_, run) => {
  it('a refusal is the answer', async () => {
    const wire = responses('gpt-5-2026');
    const { content, metadata } = await answerOf(wire, { refusal: 'I can’t.' }, url => openAI(url, true), run);
    expect(content).toBe('I can’t.');
    expect(metadata).toMatchObject({ status: 'complete', finish_reason: 'completed', response_model: 'gpt-5-2026' });
  });

  it('what a model speaks is the answer', async () => {
    const { content, metadata } = await answerOf(spoken, {}, openAI, run);
    expect(content).toBe('Hello Ada');
    expect(metadata).toMatchObject({ attachments: [{ media_type: 'audio' }], finish_reason: 'stop' });
  });

  it('an image of Responses is a placeholder', async () => {
    const { content, metadata } = await answerOf(drawn, {}, url => openAI(url, true), run);
    expect(content).toBe('[image: image/png]');
    expect(metadata).toMatchObject({ attachments: [{ media_type: 'image/png' }], status: 'complete' });
  });

  it.each([
    ['ChatGoogle', (url: string) => new ChatGoogle({ model: 'g', apiKey: 'k', maxRetries: 0, endpoint: url })],
    [
      'ChatGoogleGenerativeAI',
      (url: string) => new ChatGoogleGenerativeAI({ model: 'g', apiKey: 'k', maxRetries: 0, baseUrl: url }),
    ],
  ])('a text and an image of %s are a text and a placeholder', async (_, make) => {
    const { content, metadata } = await answerOf(painted, {}, make, run);
    expect(content).toBe('Look:\n[image: image/png]');
    expect(metadata).toMatchObject({ attachments: [{ media_type: 'image/png' }], finish_reason: 'STOP' });
  });

  it('a call of a tool that can’t be read does not hide the text', async () => {
    const answer = { text: ['Let me ', 'see.'], tool: { name: 'weather', args: 'Paris' as never, id: 'call_1' } };
    const { content, metadata } = await answerOf(malformed, answer, openAI, run);
    expect(content).toBe('Let me see.');
    expect(metadata).toMatchObject({ status: 'complete', finish_reason: 'tool_calls' });
    expect(metadata).not.toHaveProperty('tool_calls');
  });

  it('thinking that Groq leaves in the text is left out', async () => {
    const groq = (url: string) => new ChatGroq({ model: 'qwen', apiKey: 'k', maxRetries: 0, baseUrl: url });
    const answer = { text: ['<think>\nHm, ', 'well.\n</think>\n\n', 'Hello ', 'Ada'] };
    const { content } = await answerOf(completions('qwen', { xGroq: true }), answer, groq, run);
    expect(content).toBe('Hello Ada');
  });
});

/** Chat Completions with arguments of a tool that are no JSON. */
const malformed: Wire = (answer, request) => {
  const said = completions('gpt-5')(answer, request);
  const unquoted = (text: string) => text.replaceAll(JSON.stringify(JSON.stringify('Paris')), '"{city: Paris"');
  if ('json' in said) return { json: JSON.parse(unquoted(JSON.stringify(said.json))) };
  return { ...said, rest: said.rest.map(frame => unquoted(String(frame))) };
};

/** Chat Completions with a voice. */
const spoken: Wire = (_, { body }) => {
  const head = { id: 'chatcmpl-1', created: 1, model: 'gpt-audio' };
  if (body.stream !== true) {
    const audio = { id: 'audio_1', data: PNG, expires_at: 1, transcript: 'Hello Ada' };
    const message = { role: 'assistant', content: null, audio };
    return { json: { ...head, choices: [{ index: 0, message, finish_reason: 'stop' }] } };
  }
  const chunk = (delta: object, finish_reason: string | null = null) => ({
    ...head,
    choices: [{ index: 0, delta, finish_reason }],
  });
  const opening = [
    chunk({ role: 'assistant', audio: { id: 'audio_1', transcript: 'Hello' } }),
    chunk({ audio: { data: PNG } }),
    chunk({ audio: { transcript: ' Ada' } }),
  ];
  return { type: 'text/event-stream', frames: events(opening), rest: events([chunk({}, 'stop'), '[DONE]']) };
};

/** Responses with an image. */
const drawn: Wire = (_, { body }) => {
  const image = { type: 'image_generation_call', id: 'ig_1', status: 'completed', result: PNG };
  const base = { id: 'resp_1', object: 'response', created_at: 1, model: 'gpt-5', metadata: {} };
  const whole = { ...base, status: 'completed', output: [image], incomplete_details: null };
  if (body.stream !== true) return { json: whole };
  const frames = [
    { type: 'response.created', response: { ...base, status: 'in_progress', output: [] } },
    { type: 'response.output_item.done', output_index: 0, item: image },
    { type: 'response.completed', response: whole },
  ];
  return { type: 'text/event-stream', frames: events(frames, { named: true }), rest: [] };
};

/** Gemini with a text and an image. */
const painted: Wire = (_, { url }) => {
  const parts = [{ text: 'Look:' }, { inlineData: { mimeType: 'image/png', data: PNG } }];
  const content = (some: object[]) => ({ content: { role: 'model', parts: some }, index: 0 });
  if (!url.includes('stream')) return { json: { candidates: [{ ...content(parts), finishReason: 'STOP' }] } };
  const chunks = parts.map((part, index) => ({
    candidates: [{ ...content([part]), ...(index === 1 && { finishReason: 'STOP' }) }],
  }));
  return { type: 'text/event-stream', frames: events(chunks), rest: [] };
};
