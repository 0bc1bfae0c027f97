// `providerOptions.synap` is for the recorder: no function of the SDK hands it to a provider, whatever it asks it for.

import { describe, expect, it } from 'vitest';
import * as z from 'zod/v4';
import { wrapAISDK, wrapModel } from '../../src/ai-sdk/index.js';
import { recorderOn } from '../support/recorder.js';
import { turns } from '../support/turns.js';
import { line, MAJORS, type Major, mockModel } from './majors.js';

const synap = { conversationId: 'secret-chat', userId: 'ada' };
const providerOptions = { synap, other: { x: 1 } };

type Fn = (options: object) => unknown;

/** Stands for models and providers of every kind: it notes what it is asked with, and refuses. */
function spy({ nested, name }: Major) {
  const asked: unknown[] = [];
  const provider: object = new Proxy(
    {
      specificationVersion: name === 'ai 7' ? 'v4' : nested ? 'v3' : 'v2',
      provider: 'spy',
      modelId: 'spy',
      supportedUrls: {},
      maxImagesPerCall: 1,
      maxVideosPerCall: 1,
      maxEmbeddingsPerCall: 10,
      supportsParallelCalls: true,
    },
    {
      get(target, property) {
        if (Object.hasOwn(target, property)) return Reflect.get(target, property);
        if (typeof property !== 'string' || property === 'then') return undefined;
        if (!/^(?:do|upload|cancel|get|list|start)/.test(property)) return property === 'toJSON' ? undefined : provider;
        return async (options: unknown) => {
          asked.push(options);
          throw new Error('asked');
        };
      },
    },
  );
  return { provider, asked };
}

const text = (content: string) => [{ type: 'text', text: content, providerOptions }];

/** Options that every function finds what it needs in. */
const optionsFor = (provider: object) => ({
  model: provider,
  provider,
  api: provider,
  files: provider,
  skills: provider,
  value: 'Hi',
  values: ['Hi'],
  text: 'Hi',
  audio: new Uint8Array([1, 2, 3]),
  data: new Uint8Array([1, 2, 3]),
  mediaType: 'text/plain',
  inputAudioFormat: { type: 'audio/pcm', rate: 16_000 },
  outputAudioFormat: { type: 'audio/pcm', rate: 16_000 },
  targetLanguage: 'de',
  documents: ['a', 'b'],
  query: 'a',
  batch: { id: 'b', provider: 'spy' },
  maxRetries: 0,
  providerOptions,
  onError() {},
});

const asksInMessages = {
  messages: [{ role: 'user', content: text('Hi'), providerOptions }],
  tools: { act: { inputSchema: z.object({}), providerOptions } },
};

async function use(result: unknown): Promise<void> {
  const streams = (await result) as Record<string, unknown> | undefined;
  for (const name of ['fullStream', 'stream', 'textStream', 'partialObjectStream', 'audioStream'])
    for await (const _ of (streams?.[name] ?? []) as AsyncIterable<unknown>);
}

/** Calls a function in the ways it may take, and says whether a provider was asked. */
async function call(fn: Fn, provider: object, asked: unknown[], name = ''): Promise<boolean> {
  const audio = new ReadableStream({ start: controller => controller.close() });
  const more = /streamTrans/.test(name) ? { audio } : {};
  const schema = z.object({ a: z.string() });
  const ways = [{ prompt: 'Hi' }, asksInMessages, { prompt: 'Hi', schema }, {}];
  for (const way of ways) {
    const used = use((async () => fn({ ...optionsFor(provider), ...way, ...more }))()).catch(() => {});
    // A stream of a provider that has refused may never end.
    await Promise.race([used, turns(50)]);
  }
  return asked.length > 0;
}

// What asks a provider for something and takes options for it, by the names of all three majors.
const ASKS = [
  'embed',
  'embedMany',
  'experimental_cancelBatch',
  'experimental_generateImage',
  'experimental_generateSpeech',
  'experimental_generateVideo',
  'experimental_getBatchResults',
  'experimental_getBatchStatus',
  'experimental_listBatches',
  'experimental_startVideo',
  'experimental_streamLanguageModelCall',
  'experimental_streamSpeech',
  'experimental_streamTextLowMemory',
  'experimental_streamTranscribe',
  'experimental_streamTranslate',
  'experimental_transcribe',
  'generateImage',
  'generateObject',
  'generateSpeech',
  'generateText',
  'rerank',
  'streamObject',
  'streamText',
  'transcribe',
];

describe.each(MAJORS.map(major => ({ major, name: major.name })))('on $name', ({ major }) => {
  const exported = Object.entries(major.sdk).filter(
    ([name, value]) =>
      typeof value === 'function' && !/^class/.test(Function.prototype.toString.call(value)) && name !== 'gateway',
  ) as [string, Fn][];

  it('no exported function hands the options for the recorder to a provider', async () => {
    await using on = await recorderOn();
    const sdk = wrapAISDK(major.sdk, on.recorder) as unknown as Record<string, Fn>;
    const reached: string[] = [];
    for (const [name] of exported) {
      const { provider, asked } = spy(major);
      if (await call(sdk[name] as Fn, provider, asked, name)) reached.push(name);
      expect(JSON.stringify(asked), name).not.toMatch(/synap|secret-chat/);
    }
    expect(reached).toEqual(expect.arrayContaining(ASKS.filter(name => name in major.sdk)));
  });

  it('which they do without it: the test can fail', async () => {
    const { provider, asked } = spy(major);
    await call(major.sdk.embed as never, provider, asked);
    expect(JSON.stringify(asked)).toContain('secret-chat');
  });

  it('other options for the provider are those of the app', async () => {
    await using on = await recorderOn();
    const sdk = wrapAISDK(major.sdk, on.recorder);
    const { provider, asked } = spy(major);
    await sdk.embed({ ...optionsFor(provider), value: 'Hi' } as never).catch(() => {});
    expect(asked).toMatchObject([{ providerOptions: { other: { x: 1 } } }]);
  });

  it('defaults of a middleware are as if each call said them, and go no further', async () => {
    await using on = await recorderOn();
    const sdk = wrapAISDK(major.sdk, on.recorder);
    const { model, seen } = mockModel(major, [['Hello']]);
    const settings = {
      providerOptions: { synap: { userId: 'bob', conversationId: 'b', metadata: { tag: 1 } }, other: { x: 1 } },
    };
    const middleware = sdk.defaultSettingsMiddleware({ settings } as never);
    const inner = sdk.wrapLanguageModel({ model, middleware });
    const outer = sdk.wrapLanguageModel({ model: inner, middleware: [] });
    await sdk.generateText({ model: outer, prompt: 'Hi' });
    await sdk.streamText({ model: outer, prompt: 'Ho' }).consumeStream();
    await on.recorder.flush();
    expect(seen.params.map(({ providerOptions }) => providerOptions)).toEqual([
      { other: { x: 1 } },
      { other: { x: 1 } },
    ]);
    expect(on.synap.stored.map(line)).toEqual(['user: Hi', 'assistant: Hello', 'user: Ho', 'assistant: Hello']);
    for (const { user_id, metadata } of on.synap.stored) expect([user_id, metadata?.tag]).toEqual(['bob', 1]);
  });

  it('what a middleware adds by itself goes no further', async () => {
    await using on = await recorderOn();
    const sdk = wrapAISDK(major.sdk, on.recorder);
    const { model, seen } = mockModel(major, [['Hello']]);
    const transformParams = async ({ params }: { params: object }) => ({ ...params, providerOptions });
    const wrapped = sdk.wrapLanguageModel({ model, middleware: { transformParams } as never });
    await sdk.generateText({ model: wrapped, prompt: 'Hi' });
    expect(seen.params[0]?.providerOptions).toEqual({ other: { x: 1 } });
  });

  it('a wrapped model below a middleware reads what that adds', async () => {
    await using on = await recorderOn();
    const { model, seen } = mockModel(major, [['Hello']]);
    const settings = { providerOptions: { synap: { userId: 'bob', conversationId: 'b' } } };
    const inner = wrapModel(model as object, on.recorder) as never;
    for (const sdk of [major.sdk, wrapAISDK(major.sdk, on.recorder)]) {
      const middleware = sdk.defaultSettingsMiddleware({ settings } as never);
      await sdk.generateText({ model: sdk.wrapLanguageModel({ model: inner, middleware }), prompt: 'Hi' });
    }
    await on.recorder.flush();
    expect(seen.params.map(({ providerOptions }) => providerOptions)).toEqual([undefined, undefined]);
    expect(on.synap.stored.map(({ user_id }) => user_id)).toEqual(['bob', 'bob', 'bob', 'bob']);
  });

  it('a model that only generates is recorded, and gets none of them', async () => {
    await using on = await recorderOn();
    const { model, seen } = mockModel(major, [['Hello']]);
    const { specificationVersion, provider, modelId } = model as Record<string, unknown>;
    const doGenerate = (model as { doGenerate: Fn }).doGenerate.bind(model);
    const only = { specificationVersion, provider, modelId, supportedUrls: {}, doGenerate } as never;
    const sdk = wrapAISDK(major.sdk, on.recorder);
    await sdk.generateText({ model: only, prompt: 'Hi', providerOptions } as never);
    const wrapped = wrapModel(only as object, on.recorder) as never;
    await major.sdk.generateText({ model: wrapped, prompt: 'Ho', providerOptions } as never);
    await on.recorder.flush();
    expect(JSON.stringify(seen.params)).not.toContain('synap');
    expect(on.synap.stored.map(line)).toEqual(['user: Hi', 'assistant: Hello', 'user: Ho', 'assistant: Hello']);
  });
});
