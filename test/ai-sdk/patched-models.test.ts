// Models that other tools patch as well.

import { describe, expect, it } from 'vitest';
import * as z from 'zod/v4';
import { wrapAISDK, wrapModel } from '../../src/ai-sdk/index.js';
import { recorderOn } from '../support/recorder.js';
import { line, MAJORS, type Major, mockModel, type SDK, type Step } from './majors.js';

type Call = (this: unknown, ...args: unknown[]) => unknown;
type Model = Record<'doGenerate' | 'doStream', Call> & Record<PropertyKey, unknown>;

/** How a neighbour in the process, such as an APM, puts its own function in the place of one of a model's. */
const WAYS: Record<string, (model: Model, name: 'doGenerate' | 'doStream', by: Call) => void> = {
  'by assignment': (model, name, by) => {
    model[name] = by;
  },
  'by defineProperty, configurable': (model, name, by) => {
    Object.defineProperty(model, name, { value: by, configurable: true, enumerable: true, writable: true });
  },
  'by defineProperty with a value alone': (model, name, by) => {
    Object.defineProperty(model, name, { value: by });
  },
  'by a getter': (model, name, by) => {
    Object.defineProperty(model, name, { get: () => by, configurable: true });
  },
  'for good': (model, name, by) => {
    Object.defineProperty(model, name, { value: by, configurable: false, writable: false });
  },
  'and marks the model': (model, name, by) => {
    const mark = Symbol.for(`neighbour.${name}`);
    if (model[mark]) return;
    model[mark] = true;
    model[name] = by;
  },
};

/** The SDK beside a neighbour that patches each model that the SDK is given, `layers` times. */
function beside(major: Major, way: string, layers: number, spans: string[]): SDK {
  const patch = (options: object) => {
    const { model } = options as { model: Model };
    for (const name of ['doGenerate', 'doStream'] as const)
      for (let layer = 0; layer < layers; layer++) {
        const original = model[name];
        WAYS[way]?.(model, name, function (this: unknown, ...args) {
          spans.push(`${name} ${layer}`);
          return original.apply(this, args);
        });
      }
    return options as never;
  };
  return {
    ...major.sdk,
    generateText: ((options: object) => major.sdk.generateText(patch(options))) as never,
    streamText: ((options: object) => major.sdk.streamText(patch(options))) as never,
  };
}

const script: Step[] = [['Let me check. ', { tool: 'weather' }], ['Sunny.']];
const tools = { weather: { inputSchema: z.object({}), execute: async () => 'sunny' } };

async function converse(sdk: SDK, major: Major, models: { generate: never; stream: never }) {
  const options = { prompt: 'Weather?', tools, stopWhen: major.steps(3) };
  const { text } = await sdk.generateText({ ...options, model: models.generate } as never);
  let streamed = '';
  for await (const piece of sdk.streamText({ ...options, model: models.stream } as never).textStream) streamed += piece;
  return { text, streamed };
}

describe.each(MAJORS)('on $name, beside a neighbour that replaces the calls of a model', major => {
  const cases = Object.keys(WAYS).flatMap(way => (way === 'for good' ? [1] : [1, 3]).map(layers => ({ way, layers })));

  it.each(cases)(
    '$way, $layers times, app, neighbour and record see what they would see alone',
    async ({ way, layers }) => {
      const fresh = () => mockModel(major, script).model as Model;
      const plainSpans: string[] = [];
      const plainSdk = beside(major, way, layers, plainSpans);
      const plain = await converse(plainSdk, major, { generate: fresh() as never, stream: fresh() as never });

      for (const wrapping of ['wrapAISDK', 'wrapModel', 'both'] as const) {
        await using on = await recorderOn();
        const spans: string[] = [];
        const identity = { userId: 'ada', conversationId: '00000000-0000-0000-0000-000000000001' };
        const own = { generate: fresh(), stream: fresh() };
        const functions = { generate: own.generate.doGenerate, stream: own.stream.doStream };
        const sdk = beside(major, way, layers, spans);
        const wrapped = wrapping === 'wrapModel' ? sdk : wrapAISDK(sdk, on.recorder, identity);
        const model = (model: Model) => (wrapping === 'wrapAISDK' ? model : wrapModel(model, on.recorder, identity));
        const seen = await converse(wrapped, major, {
          generate: model(own.generate) as never,
          stream: model(own.stream) as never,
        });
        await on.recorder.flush();
        expect(seen, wrapping).toEqual(plain);
        expect(spans, wrapping).toEqual(plainSpans);
        expect(on.synap.stored.map(line), wrapping).toEqual([
          'user: Weather?',
          'assistant: Let me check. \n\nSunny.',
          'user: Weather?',
          'assistant: Let me check. \n\nSunny.',
        ]);
        expect(own.generate.doGenerate, wrapping).toBe(functions.generate);
        expect(own.stream.doStream, wrapping).toBe(functions.stream);
      }
    },
  );

  it('that takes its patch back after each call, nothing piles up', async () => {
    await using on = await recorderOn();
    const { model } = mockModel(major, [['Hello']]);
    const wrapped = wrapModel(model as Model, on.recorder);
    let depth = 0;
    for (let call = 0; call < 50; call++) {
      const original = wrapped.doGenerate;
      wrapped.doGenerate = function (this: unknown, ...args: unknown[]) {
        depth++;
        return original.apply(this, args);
      };
      await major.sdk.generateText({ model: wrapped as never, prompt: `${call}` });
      wrapped.doGenerate = original;
    }
    expect(depth).toBe(50);
    await on.recorder.flush();
    expect(on.synap.stored).toHaveLength(100);
  });

  it('and changes what the model answers, what came of it is recorded', async () => {
    await using on = await recorderOn();
    const { model } = mockModel(major, [['secret']]);
    const wrapped = wrapModel(model as Model, on.recorder);
    const original = wrapped.doGenerate;
    wrapped.doGenerate = async function (this: unknown, ...args: unknown[]) {
      const result = (await original.apply(this, args)) as object;
      return { ...result, content: [{ type: 'text', text: '******' }] };
    };
    const { text } = await major.sdk.generateText({ model: wrapped as never, prompt: 'Hi' });
    await on.recorder.flush();
    expect(text).toBe('******');
    expect(on.synap.stored.map(line)).toEqual(['user: Hi', 'assistant: ******']);
  });
});
