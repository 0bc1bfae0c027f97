// wrapAISDK takes the SDK in whatever shape the app has it: parts, mocks, proxies, classes.

import * as vm from 'node:vm';
import { afterEach, describe, expect, it, vi } from 'vitest';
import * as z from 'zod/v4';
import { wrapAISDK } from '../../src/ai-sdk/index.js';
import { recorderOn } from '../support/recorder.js';
import { gateway } from './gateway.js';
import { line, MAJORS, mockModel, type SDK } from './majors.js';

const ada = { userId: 'ada', conversationId: '00000000-0000-0000-0000-000000000001' };

/** Namespaces as apps and test runners make them, each with at least `streamText` and `generateText`. */
const NAMESPACES: Record<string, (sdk: SDK) => object> = {
  'two functions alone': ({ generateText, streamText }) => ({ generateText, streamText }),
  'a frozen one': sdk => Object.freeze({ ...sdk }),
  'one without a prototype': sdk => Object.assign(Object.create(null), sdk),
  'one that inherits': sdk => Object.create(sdk),
  'one of getters': sdk =>
    Object.defineProperties(
      {},
      Object.fromEntries(
        Object.keys(sdk).map(name => [name, { enumerable: true, get: () => sdk[name as keyof SDK] as unknown }]),
      ),
    ),
  'one that throws for what it lacks': ({ generateText, streamText }) =>
    new Proxy({ generateText, streamText } as Record<PropertyKey, unknown>, {
      get(target, name) {
        if (name in target || typeof name === 'symbol') return target[name];
        throw new Error(`No "${name}" export is defined on the mock`);
      },
    }),
  'an object of a class with private fields': sdk => {
    class Facade {
      readonly #sdk = sdk;
      generateText(options: never) {
        return this.#sdk.generateText(options);
      }
      streamText(options: never) {
        return this.#sdk.streamText(options);
      }
    }
    return new Facade();
  },
};

async function read(stream: AsyncIterable<string>): Promise<string> {
  let text = '';
  for await (const piece of stream) text += piece;
  return text;
}

// What is recorded, and what takes options for a provider.
const WRAPPED =
  /^(experimental_)?((generate(?!Id)|stream|embed|rerank|transcribe|upload)\w*|decide|evaluate|extract|(cancel|get|list|start)(Batch|Video)\w*)$|Agent$|SettingsMiddleware$|^wrapLanguageModel$/;

describe.each(MAJORS)('on $name', major => {
  describe.each(Object.entries(NAMESPACES))('%s', (_, make) => {
    it.each([{}, { onFinish: true }, { onEnd: true }, { onFinish: true, onEnd: true }])(
      'records whole answers, whichever end the app listens to: %o',
      async listened => {
        await using on = await recorderOn();
        const sdk = wrapAISDK(make(major.sdk), on.recorder, ada) as SDK;
        const { model, seen } = mockModel(major, [['Hello ', 'Ada']]);
        const providerOptions = { synap: { messageId: 'm' }, mock: { a: 1 } };
        const callbacks = (sdk: SDK, model: never) => async () => {
          const calls: string[] = [];
          const callbacks = Object.fromEntries(Object.keys(listened).map(name => [name, () => void calls.push(name)]));
          const result = sdk.streamText({ model, prompt: 'Hi', providerOptions, ...callbacks } as never);
          expect(await read(result.textStream)).toBe('Hello Ada');
          return calls;
        };
        const plain = await callbacks(major.sdk, mockModel(major, [['Hello ', 'Ada']]).model)();
        expect(await callbacks(sdk, model)()).toEqual(plain);
        const { text } = await sdk.generateText({ model, prompt: 'Again' });
        expect(text).toBe('Hello Ada');
        await on.recorder.flush();
        expect(on.synap.stored.map(line)).toEqual([
          'user: Hi',
          'assistant: Hello Ada',
          'user: Again',
          'assistant: Hello Ada',
        ]);
        expect(seen.params[0]?.providerOptions).toEqual({ mock: { a: 1 } });
      },
    );
  });

  it.each<[string, (sdk: SDK) => (options: never) => unknown]>([
    ['a promise of the result', sdk => async options => sdk.streamText(options)],
    ['the streams alone', sdk => options => ({ textStream: sdk.streamText(options).textStream })],
  ])('a function of the app’s own that gives %s is recorded', async (_, own) => {
    await using on = await recorderOn();
    const sdk = wrapAISDK({ ...major.sdk, streamText: own(major.sdk) }, on.recorder, ada) as unknown as SDK;
    const { model } = mockModel(major, [['Hello ', 'Ada']]);
    const result = await sdk.streamText({ model, prompt: 'Hi' });
    expect(await read(result.textStream)).toBe('Hello Ada');
    await on.recorder.flush();
    expect(on.synap.stored.map(line)).toEqual(['user: Hi', 'assistant: Hello Ada']);
  });

  it('a function of the app’s own that refuses is recorded as a failed call, and rejects as it did', async () => {
    await using on = await recorderOn(undefined, { emptyAnswers: 'placeholder' });
    const refused = new Error('too many');
    const streamText = () => Promise.reject(refused);
    const sdk = wrapAISDK({ ...major.sdk, streamText: streamText as never }, on.recorder, ada) as typeof major.sdk;
    const { model } = mockModel(major, [['Hello']]);
    await expect(sdk.streamText({ model, prompt: 'Hi' } as never)).rejects.toBe(refused);
    await on.recorder.flush();
    expect(on.synap.stored.map(line)).toEqual(['user: Hi', 'assistant (error): [no answer]']);
  });

  it('the wrapped namespace has the same keys, and what is not wrapped is the very same', async () => {
    await using on = await recorderOn();
    for (const [name, make] of Object.entries(NAMESPACES)) {
      const own = make(major.sdk) as Record<string, unknown>;
      const wrapped = wrapAISDK(own, on.recorder);
      expect(Object.keys(wrapped), name).toEqual(Object.keys(own));
      for (const key of Object.keys(own)) if (!WRAPPED.test(key)) expect(wrapped[key], key).toBe(own[key]);
    }
  });

  it('wrapped functions and agents keep name, length and own properties', async () => {
    await using on = await recorderOn();
    const marked = Object.assign((...args: Parameters<SDK['streamText']>) => major.sdk.streamText(...args), {
      version: 7,
    });
    const wrapped = wrapAISDK({ ...major.sdk, streamText: marked } as SDK, on.recorder) as SDK & Record<string, never>;
    expect((wrapped.streamText as unknown as typeof marked).version).toBe(7);
    for (const name of ['generateText', 'streamObject', 'ToolLoopAgent', 'Experimental_Agent'] as const) {
      const own = (major.sdk as unknown as Record<string, { name: string; length: number } | undefined>)[name];
      if (!own) continue;
      const { name: named, length } = wrapped[name] as unknown as { name: string; length: number };
      expect([named, length]).toEqual([own.name, own.length]);
    }
  });

  it('a mocked function keeps its mock, and what it answers passes: a value, nothing, promises of any realm', async () => {
    await using on = await recorderOn();
    // biome-ignore lint/suspicious/noThenProperty: an app's own kind of promise is the subject.
    const thenable = { then: (resolve: (value: string) => void) => void resolve('thenable') };
    const answers = [undefined, null, 0, 'text', { text: 'mocked' }, Object.freeze([1])];
    for (const name of ['generateText', 'streamText', 'generateObject', 'streamObject'] as const) {
      const mock = vi.fn();
      const wrapped = wrapAISDK({ [name]: mock }, on.recorder, ada) as unknown as Record<string, typeof mock>;
      const call = wrapped[name] as typeof mock;
      for (const answer of answers) {
        call.mockReturnValueOnce(answer);
        expect(call({ model: 'x', prompt: 'Hi' })).toBe(answer);
      }
      for (const promise of [Promise.resolve('own'), vm.runInNewContext("Promise.resolve('foreign')"), thenable]) {
        mock.mockReturnValueOnce(promise);
        expect(await call({ model: 'x', prompt: 'Hi' })).toMatch(/own|foreign|thenable/);
      }
      call.mockReturnValueOnce(thenable);
      expect(call({ model: 'x', prompt: 'Hi' })).toBe(thenable);
      mock.mockImplementationOnce(() => {
        throw new Error('mocked');
      });
      expect(() => call({ model: 'x', prompt: 'Hi' })).toThrow('mocked');
      expect(vi.isMockFunction(call)).toBe(true);
      expect(call.mock.calls).toHaveLength(answers.length + 5);
      for (const odd of [undefined, null, 'text', 1]) expect(() => call(odd)).not.toThrow();
    }
  });

  it('a namespace that is patched later is called as it is then', async () => {
    await using on = await recorderOn();
    const own = { ...major.sdk };
    const wrapped = wrapAISDK(own, on.recorder, ada);
    const spy = vi.spyOn(own, 'generateText').mockResolvedValue({ text: 'spied' } as never);
    expect(await wrapped.generateText({ model: 'x' as never, prompt: 'Hi' })).toEqual({ text: 'spied' });
    expect(spy).toHaveBeenCalledOnce();
    const fake = vi.fn(async () => 'fake');
    (wrapped as Record<string, unknown>).generateText = fake;
    expect(wrapped.generateText).toBe(fake);
    expect(own.generateText).not.toBe(fake);
  });

  it('no namespace at all is refused by name', async () => {
    await using on = await recorderOn();
    for (const odd of [undefined, null, 'ai', 5])
      expect(() => wrapAISDK(odd as never, on.recorder)).toThrow(/wrapAISDK takes the AI SDK or a part of it/);
  });
});

describe.each(MAJORS)('on $name, a model named by a string that the gateway resolves', major => {
  afterEach(() => void vi.unstubAllGlobals());

  const parts: Record<string, (sdk: SDK) => object> = {
    'with the whole namespace': sdk => sdk,
    'with one function of it': ({ streamText, generateText, generateObject, streamObject }) => ({
      streamText,
      generateText,
      generateObject,
      streamObject,
    }),
    'with a mocked gateway in it': sdk => ({ ...sdk, gateway: vi.fn() }),
  };

  it.each(Object.entries(parts))(
    '%s: each function is recorded, and the provider never sees synap',
    async (_, part) => {
      await using server = await gateway(major, ['Hello ', 'Ada']);
      await using on = await recorderOn();
      const sdk = wrapAISDK(part(major.sdk), on.recorder, ada) as SDK;
      const call = { model: 'openai/gpt-5', providerOptions: { synap: { metadata: { tag: 1 } } } } as const;
      expect((await sdk.generateText({ ...call, prompt: '1' })).text).toBe('Hello Ada');
      expect(await read(sdk.streamText({ ...call, prompt: '2' }).textStream)).toBe('Hello Ada');
      await on.recorder.flush();
      expect(on.synap.stored.map(line)).toEqual(['user: 1', 'assistant: Hello Ada', 'user: 2', 'assistant: Hello Ada']);
      for (const message of on.synap.stored.filter(({ role }) => role === 'assistant'))
        expect(message.metadata).toMatchObject({ model: 'openai/gpt-5', finish_reason: 'stop', output_tokens: 5 });
      expect(server.bodies).toHaveLength(2);
      expect(JSON.stringify(server.bodies)).not.toContain('synap');
    },
  );

  it.each(Object.entries(parts))('%s: objects are recorded as their JSON', async (_, part) => {
    await using server = await gateway(major, ['{"name":', '"Ada"}']);
    await using on = await recorderOn();
    const sdk = wrapAISDK(part(major.sdk), on.recorder, ada) as SDK;
    const call = {
      model: 'openai/gpt-5',
      schema: z.object({ name: z.string() }),
      providerOptions: { synap: { metadata: { tag: 1 } } },
    } as const;
    expect((await sdk.generateObject({ ...call, prompt: '1' })).object).toEqual({ name: 'Ada' });
    const streamed = sdk.streamObject({ ...call, prompt: '2' });
    for await (const _ of streamed.partialObjectStream);
    expect(await streamed.object).toEqual({ name: 'Ada' });
    await on.recorder.flush();
    expect(on.synap.stored.map(line)).toEqual([
      'user: 1',
      'assistant: {"name":"Ada"}',
      'user: 2',
      'assistant: {"name":"Ada"}',
    ]);
    expect(on.synap.stored[3]?.metadata).toMatchObject({ model: 'openai/gpt-5', output_tokens: 5 });
    expect(JSON.stringify(server.bodies)).not.toContain('synap');
  });

  it('that prepareStep switches to, in a loop of tools, is recorded, too', async () => {
    await using server = await gateway(major, ['From the gateway.']);
    await using on = await recorderOn();
    const sdk = wrapAISDK({ generateText: major.sdk.generateText, streamText: major.sdk.streamText }, on.recorder, ada);
    const tools = { weather: { inputSchema: z.object({}), execute: async () => 'sunny' } };
    const options = () =>
      ({
        model: mockModel(major, [['Let me check. ', { tool: 'weather' }]]).model,
        prompt: 'Go',
        tools,
        stopWhen: major.steps(3),
        prepareStep: ({ stepNumber }: { stepNumber: number }) =>
          stepNumber === 1 ? { model: 'openai/gpt-5' } : undefined,
      }) as never;
    await sdk.generateText(options());
    await read(sdk.streamText(options()).textStream);
    await on.recorder.flush();
    expect(on.synap.stored.map(line)).toEqual([
      'user: Go',
      'assistant: Let me check. \n\nFrom the gateway.',
      'user: Go',
      'assistant: Let me check. \n\nFrom the gateway.',
    ]);
    expect(server.bodies).toHaveLength(2);
  });
});

describe.each(MAJORS)('on $name, an agent', major => {
  const Agent = (sdk: SDK) =>
    ((sdk as unknown as Record<string, unknown>).ToolLoopAgent ??
      (sdk as unknown as Record<string, unknown>).Experimental_Agent) as SDK['ToolLoopAgent'];

  it('of a subclass keeps its private fields, in each method, getter and callback', async () => {
    await using on = await recorderOn();
    const make = (sdk: SDK, model: unknown) => {
      class Branded extends (Agent(sdk) as unknown as new (
        settings: object,
      ) => {
        generate(options: object): Promise<{ text: string }>;
        stream(options: object): Promise<{ textStream: AsyncIterable<string> }>;
      }) {
        #calls = 0;
        readonly #tools = { weather: { inputSchema: z.object({}), execute: async () => `sunny ${this.#calls}` } };
        get tools() {
          return this.#tools;
        }
        get id() {
          return `agent ${this.#calls}`;
        }
        get calls() {
          return this.#calls;
        }
        override generate(options: object) {
          this.#calls++;
          return super.generate(options);
        }
        override async stream(options: object) {
          this.#calls++;
          return super.stream(options);
        }
      }
      return new Branded({ model });
    };
    const script = [['Hello']] as string[][];
    const agent = make(wrapAISDK(major.sdk, on.recorder, ada), mockModel(major, script).model);
    expect((await agent.generate({ prompt: 'One' })).text).toBe('Hello');
    expect(await read((await agent.stream({ prompt: 'Two' })).textStream)).toBe('Hello');
    expect(agent.calls).toBe(2);
    expect(agent).toBeInstanceOf(Agent(major.sdk));
    await on.recorder.flush();
    expect(on.synap.stored.map(line)).toEqual(['user: One', 'assistant: Hello', 'user: Two', 'assistant: Hello']);
  });

  it('gives prepareStep and prepareCall the models that the app gave', async () => {
    await using on = await recorderOn();
    const { model } = mockModel(major, [['Hello']]);
    const models: unknown[] = [];
    const agent = new (Agent(wrapAISDK(major.sdk, on.recorder, ada)))({
      model,
      prepareStep: ({ model }: { model: unknown }) => void models.push(model),
      prepareCall: (call: { model: unknown }) => {
        models.push(call.model);
        return call;
      },
    } as never);
    await agent.generate({ prompt: 'One' });
    for await (const _ of (await agent.stream({ prompt: 'Two' })).textStream);
    expect(models.length).toBeGreaterThanOrEqual(2);
    for (const one of models) expect(one).toBe(model);
  });

  it('refuses a call without options as the SDK does', async () => {
    await using on = await recorderOn();
    const answers = [];
    for (const sdk of [major.sdk, wrapAISDK(major.sdk, on.recorder, ada)]) {
      const agent = new (Agent(sdk))({ model: mockModel(major, [['Hello']]).model } as never);
      const call = async () => agent.generate(undefined as never);
      answers.push(await call().then(String, (error: Error) => error.name));
    }
    expect(answers[1]).toBe(answers[0]);
  });

  it('is one agent for calls side by side, each with its own callbacks', async () => {
    await using on = await recorderOn();
    const callbacks: string[] = [];
    const { model } = mockModel(major, (prompt: { content: { text: string }[] }[]) => [
      `to ${prompt.at(-1)?.content[0]?.text}`,
    ]);
    const agent = new (Agent(wrapAISDK(major.sdk, on.recorder, { userId: 'ada' })))({
      model,
      onFinish: () => void callbacks.push('finish'),
    } as never);
    await Promise.all(
      Array.from({ length: 20 }, async (_, n) => {
        const providerOptions = { synap: { conversationId: `chat ${n}` } };
        if (n % 2) return agent.generate({ prompt: `${n}`, providerOptions } as never);
        for await (const _ of (await agent.stream({ prompt: `${n}`, providerOptions } as never)).textStream);
      }),
    );
    await on.recorder.flush();
    expect(on.synap.stored).toHaveLength(40);
    const byConversation = Map.groupBy(on.synap.stored, message => message.conversation_id);
    for (const [user, assistant] of byConversation.values()) expect(assistant?.content).toBe(`to ${user?.content}`);
    expect(callbacks.length).toBeGreaterThanOrEqual(10);
  });
});
