// Options that are frozen, inherited, getters or proxies reach the SDK unchanged.

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as z from 'zod/v4';
import { wrapAISDK, wrapModel } from '../../src/ai-sdk/index.js';
import { recorderOn } from '../support/recorder.js';
import { runs } from '../support/runs.js';
import { line, MAJORS, type Major, mockModel, type SDK } from './majors.js';

/** Where a property of an app's options may live. */
const PLACES = ['own', 'own getter', 'not enumerable', 'inherited', 'inherited getter'] as const;
type Place = (typeof PLACES)[number];

/** Options as an app may build them: some inherit, some compute, some are frozen or have no prototype. */
interface Shape {
  places: Place[];
  frozen: boolean;
  nullPrototype: boolean;
  privateFields: boolean;
}

const shapes: fc.Arbitrary<Shape> = fc.record({
  places: fc.array(fc.constantFrom(...PLACES), { minLength: 20, maxLength: 20 }),
  frozen: fc.boolean(),
  nullPrototype: fc.boolean(),
  privateFields: fc.boolean(),
});

/** Builds an object of a shape, and counts how often each of its getters is asked. */
function build(fields: Record<string, unknown>, { places, frozen, nullPrototype, privateFields }: Shape) {
  const reads: Record<string, number> = {};
  class Private {
    static readonly #known = new WeakSet<object>();
    #brand = true;
    static check(object: unknown) {
      // As a method of a class with private fields does, by its nature.
      if (privateFields && !((object as object) instanceof Private && #brand in (object as object)))
        throw new TypeError('Cannot read private member from an object whose class did not declare it');
      return Private.#known;
    }
  }
  const names = Object.keys(fields);
  const placeOf = (name: string) => places[names.indexOf(name) % places.length] as Place;
  const getter = (name: string) => ({
    enumerable: true,
    configurable: true,
    get(this: unknown) {
      Private.check(this);
      reads[name] = (reads[name] ?? 0) + 1;
      return fields[name];
    },
  });
  const prototype: object = privateFields
    ? Object.create(Private.prototype)
    : Object.create(nullPrototype ? null : Object.prototype);
  const object: object = privateFields ? new Private() : {};
  Object.setPrototypeOf(object, prototype);
  for (const name of names) {
    const place = placeOf(name);
    if (place === 'own getter') Object.defineProperty(object, name, getter(name));
    else if (place === 'inherited getter') Object.defineProperty(prototype, name, getter(name));
    else if (place === 'inherited') Object.assign(prototype, { [name]: fields[name] });
    else
      Object.defineProperty(object, name, {
        value: fields[name],
        enumerable: place === 'own',
        configurable: true,
        writable: true,
      });
  }
  return { object: frozen ? Object.freeze(object) : object, reads };
}

const tools = { weather: { inputSchema: z.object({}), execute: async () => 'sunny' } };

/** What an app can see of one call: the calls of its model, the result, and what the app's callbacks got. */
async function seen(sdk: SDK, major: Major, kind: 'generateText' | 'streamText', shape: Shape) {
  const first = mockModel(major, [['Let me check. ', { tool: 'weather' }], ['Sunny.']]);
  const other = mockModel(major, [['Clear.']]);
  const heard: string[] = [];
  const hear = (name: string) => () => void heard.push(name);
  const { object, reads } = build(
    {
      model: first.model,
      system: 'Be brief.',
      prompt: 'Weather?',
      temperature: 0.25,
      maxOutputTokens: 77,
      seed: 7,
      maxRetries: 0,
      headers: { 'x-app': 'yes' },
      providerOptions: { mock: { answer: 42 } },
      tools,
      stopWhen: major.steps(3),
      prepareStep: ({ model, stepNumber }: { model: unknown; stepNumber: number }) => {
        heard.push(`prepareStep ${stepNumber} ${model === first.model}`);
        return stepNumber === 1 && model === first.model ? { model: other.model } : undefined;
      },
      onStepFinish: hear('onStepFinish'),
      onFinish: hear('onFinish'),
      onChunk: hear('onChunk'),
      onError: hear('onError'),
    },
    shape,
  );
  let answer: unknown;
  try {
    if (kind === 'generateText') answer = (await sdk.generateText(object as never)).steps.map(step => step.text);
    else {
      const result = sdk.streamText(object as never);
      let text = '';
      for await (const part of result.fullStream) if (part.type === 'text-delta') text += part.text;
      answer = text;
    }
  } catch (error) {
    answer = String(error);
  }
  const asked = [...first.seen.params, ...other.seen.params].map(
    ({ prompt, temperature, maxOutputTokens, seed, headers, providerOptions }) =>
      JSON.parse(JSON.stringify({ prompt, temperature, maxOutputTokens, seed, headers, providerOptions })),
  );
  return { answer, asked, heard, reads };
}

describe.each(MAJORS)('on $name, options of any make', { timeout: 120_000 }, major => {
  it.each(['generateText', 'streamText'] as const)(
    'lead %s to the same answer, model calls and callbacks, and each getter runs once',
    async kind => {
      await using on = await recorderOn(undefined, { userId: 'ada' });
      const wrapped = wrapAISDK(major.sdk, on.recorder);
      await fc.assert(
        fc.asyncProperty(shapes, async shape => {
          const plain = await seen(major.sdk, major, kind, shape);
          const recorded = await seen(wrapped, major, kind, shape);
          for (const [name, count] of Object.entries(recorded.reads))
            expect(count, name).toBeLessThanOrEqual(Math.max(1, plain.reads[name] ?? 0));
          expect({ ...recorded, reads: undefined }).toEqual({ ...plain, reads: undefined });
        }),
        { numRuns: runs(40, 2000) },
      );
    },
  );

  it('and a system prompt that is inherited arrives', async () => {
    await using on = await recorderOn(undefined, { userId: 'ada' });
    const { model, seen } = mockModel(major, [['Hello']]);
    const options = Object.create({ system: 'Be brief.', model }, { prompt: { value: 'Hi', enumerable: true } });
    await wrapAISDK(major.sdk, on.recorder).generateText(options);
    expect(seen.params[0]?.prompt).toMatchObject([{ role: 'system', content: 'Be brief.' }, { role: 'user' }]);
    await on.recorder.flush();
    expect(on.synap.stored.map(line)).toEqual(['user: Hi', 'assistant: Hello']);
  });

  it('and prepareStep gets the app’s own model, also one that was wrapped by itself', async () => {
    await using on = await recorderOn(undefined, { userId: 'ada' });
    const { model } = mockModel(major, [['Hello']]);
    const identity = { userId: 'ada', conversationId: '00000000-0000-0000-0000-000000000001' };
    const sdk = wrapAISDK(major.sdk, on.recorder);
    for (const own of [model, wrapModel(model, on.recorder, identity)]) {
      const received: unknown[] = [];
      const prepareStep = ({ model }: { model: unknown }) => void received.push(model);
      await sdk.generateText({ model: own, prompt: 'Hi', prepareStep } as never);
      await sdk.streamText({ model: own, prompt: 'Hi', prepareStep } as never).consumeStream();
      expect(received).toEqual([own, own]);
      expect(received[0]).toBe(own);
      expect(received[1]).toBe(own);
    }
  });

  it('and a result of the model keeps its getters', async () => {
    await using on = await recorderOn(undefined, { userId: 'ada' });
    const { model } = mockModel(major, [['Hello']]);
    const { doStream } = model as { doStream(params: object): Promise<{ stream: ReadableStream }> };
    class Result {
      readonly #headers = { 'x-provider': 'yes' };
      readonly stream: ReadableStream;
      constructor(stream: ReadableStream) {
        this.stream = stream;
      }
      get response() {
        return { headers: this.#headers };
      }
      get request() {
        return { body: `sent with ${this.#headers['x-provider']}` };
      }
    }
    Object.assign(model as object, { doStream: async (params: object) => new Result((await doStream(params)).stream) });
    const results = [];
    for (const sdk of [major.sdk, wrapAISDK(major.sdk, on.recorder)]) {
      const result = sdk.streamText({ model, prompt: 'Hi' });
      for await (const _ of result.textStream);
      results.push([(await result.response).headers, (await result.request).body]);
    }
    expect(results[1]).toEqual(results[0]);
    // ai 7 copies what the model answers by itself.
    if (major.name !== 'ai 7') expect(results[1]?.[0]).toEqual({ 'x-provider': 'yes' });
  });
});
