// What a wrapped model can tell without a wrapped function around it: whose call it is, how long it took, how it ended.

import { setTimeout as sleep } from 'node:timers/promises';
import { APICallError } from 'ai';
import { describe, expect, it } from 'vitest';
import * as z from 'zod/v4';
import { wrapModel } from '../../src/ai-sdk/index.js';
import { recorderOn } from '../support/recorder.js';
import { line, MAJORS, mockModel, recording, type Script } from './majors.js';

const inputSchema = z.object({});
const client = { ask: { inputSchema } };
const bookIt = { role: 'user', content: 'Book it' };
const asked = [['I need to ask. ', { tool: 'ask' }], ['Thanks.']] as Script;

/** The prompt of the request that brings what the client has answered. */
const answered = (toolCallId = 'call-1') => [
  bookIt,
  {
    role: 'assistant',
    content: [
      { type: 'text', text: 'I need to ask. ' },
      { type: 'tool-call', toolCallId, toolName: 'ask', input: {} },
    ],
  },
  {
    role: 'tool',
    content: [{ type: 'tool-result', toolCallId, toolName: 'ask', output: { type: 'text', value: 'yes' } }],
  },
];

const busy = (ms: number) =>
  new APICallError({
    message: 'busy',
    url: 'x',
    requestBodyValues: {},
    statusCode: 503,
    responseHeaders: { 'retry-after-ms': `${ms}` },
    isRetryable: true,
  });

describe.each(MAJORS.map(major => ({ major, name: major.name })))('a wrapped model on $name', ({ major }) => {
  it.each(['generateText', 'streamText'] as const)(
    'keeps concurrent loops of %s apart, with equal words and ids and no conversation',
    async fn => {
      await using on = await recorderOn();
      // What a tool answers is all that differs; the last step repeats it.
      const { model } = mockModel(major, ((prompt: { role: string; content: { output?: { value?: string } }[] }[]) => {
        const last = prompt.at(-1);
        return last?.role === 'tool'
          ? [`It is ${last.content[0]?.output?.value}.`]
          : [{ tool: 'weather', id: 'call_0' }];
      }) as never);
      const wrapped = wrapModel(model as object, on.recorder) as never;
      // The later a call began, the sooner its tool answers.
      const order = [3, 2, 1, 0].map(() => Promise.withResolvers<void>());
      const ask = async (n: number) => {
        const weather = {
          inputSchema,
          execute: async () => {
            if (n < 3) await order[n + 1]?.promise;
            return `weather ${n}`;
          },
        };
        const options = {
          model: wrapped,
          prompt: 'Weather?',
          tools: { weather },
          stopWhen: major.steps(3),
          providerOptions: { synap: { metadata: { n } } },
        } as never;
        if (fn === 'generateText') await major.sdk.generateText(options);
        else await major.sdk.streamText(options).consumeStream();
        order[n]?.resolve();
      };
      await Promise.all([0, 1, 2, 3].map(ask));
      await on.recorder.flush();
      const answers = on.synap.stored.filter(({ role }) => role === 'assistant');
      expect(answers).toHaveLength(4);
      for (const { content, metadata } of answers) expect(content).toBe(`It is weather ${metadata?.n}.`);
      for (const { metadata } of answers) expect(metadata).toMatchObject({ status: 'complete', steps: 2 });
    },
  );

  it('says that an answer is complete, and what it waits for, when the recorder is closed meanwhile', async () => {
    await using t = await recording(major, 'wrapModel', asked);
    await t.sdk.generateText({ model: t.model, messages: [bookIt], tools: client } as never);
    await t.recorder.close();
    expect(t.synap.stored.map(line)).toEqual(['user: Book it', 'assistant: I need to ask. ']);
    expect(t.synap.stored[1]?.metadata).toMatchObject({ status: 'complete', pending_tool_calls: ['call-1'] });
    expect(t.synap.stored[1]?.metadata).not.toHaveProperty('tool_calls');
  });

  it('says so after the idle time, too', async () => {
    await using t = await recording(major, 'wrapModel', asked, { idleMs: 20 });
    await t.sdk.generateText({ model: t.model, messages: [bookIt], tools: client } as never);
    await expect.poll(t.transcript).toEqual(['user: Book it', 'assistant: I need to ask. ']);
    expect(t.synap.stored[1]?.metadata).toMatchObject({ status: 'complete', pending_tool_calls: ['call-1'] });
  });

  it('goes on in another process with the second half of the answer, in order', async () => {
    await using t = await recording(major, 'wrapModel', asked);
    await t.sdk.generateText({ model: t.model, messages: [bookIt], tools: client } as never);
    await t.recorder.close();
    await using other = await recorderOn();
    const { model } = mockModel(major, [['Thanks.']]);
    const wrapped = wrapModel(model as object, other.recorder, { conversationId: 'chat' }) as never;
    await t.sdk.generateText({ model: wrapped, messages: answered(), tools: client } as never);
    await other.recorder.flush();
    expect(other.synap.stored.map(line)).toEqual(['assistant: Thanks.']);
    expect(other.synap.stored[0]?.metadata).toMatchObject({
      status: 'complete',
      continues_tool_calls: ['call-1'],
      tool_calls: ['ask'],
    });
  });

  it.each(['generateText', 'streamText'] as const)(
    'counts no time that a person took between two calls of %s',
    async fn => {
      await using t = await recording(major, 'wrapModel', asked);
      const ask = async (messages: object[]) => {
        const options = { model: t.model, messages, tools: client } as never;
        if (fn === 'generateText') await t.sdk.generateText(options);
        else await t.sdk.streamText(options).consumeStream();
      };
      await ask([bookIt]);
      await sleep(1500);
      await ask(answered());
      expect(await t.transcript()).toHaveLength(2);
      expect(t.synap.stored[1]?.metadata?.latency_ms).toBeLessThan(1200);
    },
  );

  it.each(['generateText', 'streamText'] as const)('counts the time of a tool of %s', async fn => {
    const tool = { inputSchema, execute: () => sleep(300, 'yes') };
    await using t = await recording(major, 'wrapModel', asked);
    const { signal: abortSignal } = new AbortController();
    const options = {
      model: t.model,
      messages: [bookIt],
      tools: { ask: tool },
      stopWhen: major.steps(3),
      abortSignal,
    } as never;
    if (fn === 'generateText') await t.sdk.generateText(options);
    else await t.sdk.streamText(options).consumeStream();
    expect(await t.transcript()).toHaveLength(2);
    expect(t.synap.stored[1]?.metadata?.latency_ms).toBeGreaterThanOrEqual(290);
  });

  it('names no tool that somebody has denied', async () => {
    await using t = await recording(major, 'wrapModel', asked);
    const tools = { ask: { inputSchema, execute: async () => 'yes' } };
    await t.sdk.generateText({ model: t.model, messages: [bookIt], tools } as never);
    const [, call, { content: [denied] = [] } = {}] = answered() as { content: object[] }[];
    const messages = [bookIt, call, { role: 'tool', content: [{ ...denied, output: { type: 'execution-denied' } }] }];
    const prompt = messages.map((message, index) =>
      index === 0 ? { role: 'user', content: [{ type: 'text', text: 'Book it' }] } : message,
    );
    const { doGenerate } = t.model as { doGenerate(params: object): Promise<unknown> };
    await doGenerate.call(t.model, { prompt });
    expect(await t.transcript()).toEqual(['user: Book it', 'assistant: I need to ask. \n\nThanks.']);
    expect(t.synap.stored[1]?.metadata).not.toHaveProperty('tool_calls');
  });

  it.each([0, 1])('counts no time of an attempt that failed in step %i', async failing => {
    const steps = [[{ tool: 'ask' }], ['Thanks.']];
    let step = 0;
    let isRefused = false;
    await using t = await recording(major, 'wrapModel', (() => {
      if (step === failing && !isRefused) {
        isRefused = true;
        return { refuses: busy(1500) };
      }
      return steps[step++];
    }) as never);
    const tools = { ask: { inputSchema, execute: async () => 'yes' } };
    await t.sdk.generateText({ model: t.model, messages: [bookIt], tools, stopWhen: major.steps(3) } as never);
    expect(await t.transcript()).toEqual(['user: Book it', 'assistant: Thanks.']);
    const { latency_ms, started_at, ended_at } = (t.synap.stored[1]?.metadata ?? {}) as Record<string, string>;
    expect(latency_ms).toBeLessThan(1200);
    expect(Date.parse(ended_at ?? '') - Date.parse(started_at ?? '')).toBeGreaterThan(1400);
  });

  it('says that an answer has failed when no attempt is left and the recorder is closed', async () => {
    await using t = await recording(major, 'wrapModel', ((_: never, call: number) =>
      call === 0 ? ['Let me ask. ', { tool: 'ask' }] : { refuses: busy(1) }) as never);
    const tools = { ask: { inputSchema, execute: async () => 'yes' } };
    const options = { model: t.model, messages: [bookIt], tools, stopWhen: major.steps(3), maxRetries: 1 } as never;
    await t.sdk.generateText(options).catch(() => {});
    await t.recorder.close();
    expect(t.synap.stored.map(line)).toEqual(['user: Book it', 'assistant (error): Let me ask. ']);
    expect(t.synap.stored[1]?.metadata).toMatchObject({ error: expect.stringContaining('busy') });
  });
});
