// The app gets the same with and without the recorder: parts, callbacks, errors, backpressure, listeners.

import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import * as z from 'zod/v4';
import { wrapAISDK, wrapModel } from '../../src/ai-sdk/index.js';
import { recorderOn } from '../support/recorder.js';
import { turns } from '../support/turns.js';
import { GAPS, type Gap, MAJORS, type Major, mockModel, recording, type SDK, type Step } from './majors.js';

const tools = { weather: { inputSchema: z.object({}), execute: async () => 'sunny' } };

// What differs from one call to the next whatever one does.
const VOLATILE = /^(id|timestamp|callId|.*Ms|outputTokensPerSecond|.*TokensPerSecond|messageId|startTime)$/;
const plain = (value: unknown) =>
  JSON.parse(
    JSON.stringify(value, (key, value) => {
      if (VOLATILE.test(key)) return undefined;
      return value instanceof Error ? { name: value.name, message: value.message } : value;
    }) ?? 'null',
  );

/** Waits until a source, which takes no time to give a part, is read no further. */
async function readAhead(seen: { pulled: number }): Promise<void> {
  for (let last = -1; seen.pulled !== last; ) {
    last = seen.pulled;
    await turns();
  }
}

async function collect(stream: AsyncIterable<unknown>): Promise<unknown[]> {
  const all: unknown[] = [];
  try {
    for await (const part of stream) all.push(part);
  } catch (error) {
    all.push({ thrown: error });
  }
  return all;
}

const scripts: Record<string, Step[]> = {
  'a plain answer': [['Hello ', 'Ada']],
  'a tool loop': [
    ['Let me check. ', { tool: 'weather' }],
    [{ reasoning: 'hm' }, 'Sunny.'],
  ],
  'an error part': [['One ', { errorPart: new Error('overloaded') }, { finish: 'error' }]],
  'a stream that breaks': [['One ', { breaks: new Error('gone') }]],
  'a refusal': [{ refuses: new Error('no') }],
};

describe.each(MAJORS.map(major => ({ major, name: major.name })))('on $name the app does not notice', ({ major }) => {
  const ways = async function* (script: Step[], gap: Gap) {
    const { model } = mockModel(major, script, gap);
    yield { way: 'plain', sdk: major.sdk, model, recorder: {} };
    for (const way of ['wrapAISDK', 'wrapModel'] as const) {
      await using t = await recording(major, way, script, {}, { gap });
      yield { way, sdk: t.sdk, model: t.model, recorder: t.recorder };
    }
  };

  const each = Object.keys(scripts).flatMap(script => GAPS.map(gap => ({ script, gap })));
  it.each(each)(
    'in the parts, results, callbacks and errors of $script, with $gap between parts',
    async ({ script, gap }) => {
      const seen: Record<string, unknown> = {};
      for await (const { way, sdk, model } of ways(scripts[script] ?? [], gap)) {
        const calls: unknown[] = [];
        const log = (name: string) => (event: unknown) => void calls.push([name, plain(event)]);
        const callbacks = {
          onChunk: log('chunk'),
          onStepFinish: log('step'),
          onFinish: log('finish'),
          onError: log('error'),
          onAbort: log('abort'),
        };
        const options = { model, prompt: 'Go', tools, stopWhen: major.steps(5), maxRetries: 0 };
        const streamed = sdk.streamText({ ...options, ...callbacks } as never);
        const parts = await collect(streamed.fullStream);
        // ai 5 leaves them pending for ever when the stream breaks.
        const late = turns().then(() => 'pending');
        const promises = [streamed.text, streamed.usage, streamed.finishReason, streamed.steps];
        const settled = await Promise.allSettled(promises.map(promise => Promise.race([promise, late])));
        const generated = await sdk.generateText(options as never).then(
          result => ({
            text: result.text,
            usage: result.usage,
            steps: result.steps,
            messages: result.response.messages,
          }),
          (error: unknown) => ({ thrown: error }),
        );
        seen[way] = plain({ parts, calls, settled, generated });
      }
      expect(seen.wrapAISDK).toEqual(seen.plain);
      // Between a wrapped model and the SDK there is a stream: on ai 7, where no turn of the event loop lies between a model's
      // parts, an error part comes to the app's onChunk one turn earlier or later then.
      const isRace = major.name === 'ai 7' && script === 'an error part' && /^(no gap|a microtask)$/.test(gap);
      if (!isRace) expect(seen.wrapModel).toEqual(seen.plain);
    },
  );

  it('in how far the source is read, and in its cancel', async () => {
    const pulls: Record<string, unknown> = {};
    // Those read on by the clock, so there it can't be compared.
    const isEager = major.name !== 'ai 7';
    const long = [Array.from({ length: 300 }, (_, n) => `${n} `)];
    for (const way of ['plain', 'wrapAISDK', 'wrapModel'] as const) {
      const t = way === 'plain' ? undefined : await recording(major, way, long, { idleMs: 50 });
      const own = mockModel(major, long);
      const { sdk, model, seen } = t ?? { sdk: major.sdk, ...own };
      const reader = sdk.streamText({ model, prompt: 'Count' }).textStream.getReader();
      await reader.read();
      if (!isEager) await readAhead(seen);
      const before = seen.pulled;
      await reader.cancel('enough');
      pulls[way] = { before, cancelled: seen.cancelled };
      await t?.[Symbol.asyncDispose]();
    }
    if (!isEager) {
      expect(pulls.wrapAISDK).toEqual(pulls.plain);
      expect(pulls.wrapModel).toEqual(pulls.plain);
    }
  });

  it('in a model that is cancelled by itself: one part is read for one read, and the reason arrives', async () => {
    await using on = await recorderOn();
    const { model, seen } = mockModel(major, [['One ', 'two ', 'three']]);
    const wrapped = wrapModel(model as { doStream(options: object): Promise<{ stream: ReadableStream }> }, on.recorder);
    const { stream } = await wrapped.doStream({
      prompt: [{ role: 'user', content: [{ type: 'text', text: 'Count' }] }],
    });
    const reader = stream.getReader();
    await reader.read();
    await turns();
    expect(seen.pulled).toBe(1);
    const late = reader.read();
    await reader.cancel('enough');
    expect(await late).toMatchObject({ done: true });
    expect(seen.cancelled).toEqual(['enough']);
  });

  it('in when its model is called: not one turn of the microtask queue later', async () => {
    const ticks: Record<string, number> = {};
    const count = async (way: string, sdk: SDK, model: never, inner: object) => {
      let called = false;
      const { doStream } = inner as { doStream: (...args: unknown[]) => unknown };
      Object.assign(inner, {
        doStream(this: unknown, ...args: unknown[]) {
          called = true;
          return doStream.apply(this, args);
        },
      });
      sdk.streamText({ model, prompt: 'Go' });
      let count = 0;
      while (!called && count < 10_000) {
        await null;
        count++;
      }
      ticks[way] = count;
    };
    const { model } = mockModel(major, [['Hello']]);
    await count('plain', major.sdk, model, model);
    for (const way of ['wrapAISDK', 'wrapModel'] as const) {
      await using t = await recording(major, way, [['Hello']]);
      await count(way, t.sdk, t.model, t.inner);
    }
    expect(ticks.plain).toBeLessThan(10_000);
    expect(ticks).toEqual({ plain: ticks.plain, wrapAISDK: ticks.plain, wrapModel: ticks.plain });
  });

  it('in the namespace: everything else is the very same', async () => {
    await using on = await recorderOn();
    const wrapped = wrapAISDK(major.sdk, on.recorder) as unknown as Record<string, unknown>;
    const same = Object.entries(major.sdk).filter(([name, value]) => wrapped[name] === value);
    const changed = Object.keys(major.sdk).filter(name => !same.some(([other]) => other === name));
    expect(Object.keys(wrapped).sort()).toEqual(Object.keys(major.sdk).sort());
    const isAsked =
      /^(experimental_)?((generate(?!Id)|stream|embed|rerank|transcribe|upload)\w*|decide|evaluate|extract|(cancel|get|list|start)(Batch|Video)\w*)$/;
    const others = changed.filter(
      name => !isAsked.test(name) && !/Agent$|SettingsMiddleware$|^wrapLanguageModel$/.test(name),
    );
    expect(others).toEqual([]);
  });

  it('in its abort signal: however a call ends, no listener is left behind', async () => {
    for (const way of ['wrapAISDK', 'wrapModel'] as const) {
      await using t = await recording(major, way, [['One ', 'two ', 'three']], { idleMs: 50 });
      const { signal } = new AbortController();
      const added: unknown[] = [];
      const { addEventListener } = signal;
      // The SDK's own are told apart by where they come from.
      signal.addEventListener = (...args: Parameters<AbortSignal['addEventListener']>) => {
        if (/[\\/]src[\\/]ai-sdk[\\/]/.test(new Error().stack?.split('\n')[2] ?? '')) added.push(args[1]);
        return addEventListener.apply(signal, args);
      };
      await t.sdk.generateText({ model: t.model, prompt: 'Go', abortSignal: signal });
      await collect(t.sdk.streamText({ model: t.model, prompt: 'Go', abortSignal: signal }).textStream);
      for await (const _ of t.sdk.streamText({ model: t.model, prompt: 'Go', abortSignal: signal }).textStream) break;
      expect(added.length).toBeGreaterThanOrEqual(2);
      const ours = () => getEventListeners(signal, 'abort').filter(listener => added.includes(listener));
      await expect.poll(ours).toEqual([]);
    }
  });

  it('when nobody awaits a result that fails: no rejection of ours is left unhandled', async () => {
    const unhandled: unknown[] = [];
    const note = (reason: unknown) => void unhandled.push(reason);
    process.on('unhandledRejection', note);
    try {
      for (const script of [[['One ', { breaks: new Error('gone') }]], [{ refuses: new Error('no') }]] as Step[][])
        for (const way of ['wrapAISDK', 'wrapModel'] as const) {
          await using t = await recording(major, way, script, { idleMs: 50, consumeStream: true });
          const result = t.sdk.streamText({ model: t.model, prompt: 'Go', maxRetries: 0, onError() {} });
          await collect(result.textStream);
          await turns();
        }
    } finally {
      process.off('unhandledRejection', note);
    }
    expect(unhandled).toEqual([]);
  });
});

describe('a tapped model', () => {
  class Provider {
    readonly specificationVersion = 'v3';
    readonly provider = 'private';
    readonly #secret = 'shh';
    temperature = 1;
    get modelId() {
      return `model-${this.#secret}`;
    }
    whisper() {
      return this.#secret;
    }
    static of = 'Provider';
    async doGenerate() {
      return { content: [{ type: 'text', text: this.#secret }], finishReason: 'stop', usage: {}, warnings: [] };
    }
    async doStream(): Promise<never> {
      throw new Error('not here');
    }
  }

  it('keeps its class, private fields, getters, unknown properties, keys and statics', async () => {
    await using on = await recorderOn();
    const model = new Provider();
    const wrapped = wrapModel(model, on.recorder);
    expect(wrapped).toBeInstanceOf(Provider);
    expect(wrapped.constructor).toBe(Provider);
    expect(wrapped.modelId).toBe('model-shh');
    expect(wrapped.whisper()).toBe('shh');
    expect(wrapped.whisper).toBe(wrapped.whisper);
    expect(Object.keys(wrapped)).toEqual(Object.keys(model));
    expect(JSON.stringify(wrapped)).toBe(JSON.stringify(model));
    wrapped.temperature = 2;
    expect(model.temperature).toBe(2);
    expect(await wrapped.doGenerate()).toMatchObject({ content: [{ text: 'shh' }] });
  });

  it('may be frozen', async () => {
    await using on = await recorderOn();
    const { model } = mockModel(MAJORS[2] as Major, [['Hello']]);
    const frozen = Object.freeze({ ...(model as object) });
    const wrapped = wrapModel(frozen, on.recorder) as never;
    const result = await (MAJORS[2] as Major).sdk.generateText({ model: wrapped, prompt: 'Hi' });
    expect(result.text).toBe('Hello');
    await on.recorder.flush();
    expect(on.synap.stored).toHaveLength(2);
  });

  it('can not be a name, which only the SDK can resolve', async () => {
    await using on = await recorderOn();
    expect(() => wrapModel('openai/gpt-5' as never, on.recorder)).toThrow(/gateway\("openai\/gpt-5"\)/);
  });
});
