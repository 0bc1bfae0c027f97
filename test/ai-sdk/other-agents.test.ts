import { describe, expect, it } from 'vitest';
import { wrapAISDK } from '../../src/ai-sdk/index.js';
import { recorderOn } from '../support/recorder.js';
import { line, MAJORS, mockModel, recording } from './majors.js';

describe('agents that wrapAISDK does not record', () => {
  it.each(['HarnessAgent', 'WorkflowAgent'])('%s is handed through, and one line says what records it', async name => {
    await using on = await recorderOn();
    const Agent = class {};
    for (let n = 0; n < 2; n++) expect(wrapAISDK({ [name]: Agent }, on.recorder)).toEqual({ [name]: Agent });
    expect(on.log).toEqual([expect.stringContaining(`wrapAISDK does not record ${name}. What records it`)]);
  });

  it('none of them is spoken of where none is', async () => {
    await using on = await recorderOn();
    wrapAISDK(MAJORS[2]?.sdk as object, on.recorder);
    expect(on.log).toEqual([]);
  });
});

describe.each(MAJORS.map(major => ({ major, name: major.name })))('a default provider on $name', ({ major }) => {
  it.each(['generateText', 'streamText', 'generateObject', 'streamObject', 'an agent'] as const)(
    'is asked once for the model of %s',
    async fn => {
      const asked = { plain: 0, recorded: 0 };
      for (const way of ['plain', 'recorded'] as const) {
        await using t = await recording(major, 'wrapAISDK', [['{"a":"b"}']]);
        const { model } = mockModel(major, [['{"a":"b"}']]);
        const sdk = way === 'plain' ? major.sdk : t.sdk;
        const global = globalThis as { AI_SDK_DEFAULT_PROVIDER?: unknown };
        global.AI_SDK_DEFAULT_PROVIDER = {
          languageModel(name: string) {
            expect(name).toBe('some/model');
            asked[way]++;
            return model;
          },
        };
        try {
          const options = { model: 'some/model', prompt: 'Hi', output: 'no-schema' } as never;
          if (fn === 'generateText') await sdk.generateText({ model: 'some/model', prompt: 'Hi' });
          else if (fn === 'streamText') await sdk.streamText({ model: 'some/model', prompt: 'Hi' }).consumeStream();
          else if (fn === 'generateObject') await sdk.generateObject(options);
          else if (fn === 'streamObject') for await (const _ of sdk.streamObject(options).partialObjectStream);
          else {
            const { ToolLoopAgent, Experimental_Agent } = sdk as unknown as Record<
              string,
              new (
                settings: object,
              ) => { generate(options: object): Promise<unknown> }
            >;
            const Agent = ToolLoopAgent ?? Experimental_Agent;
            if (Agent) await new Agent({ model: 'some/model' }).generate({ prompt: 'Hi' });
          }
        } finally {
          delete global.AI_SDK_DEFAULT_PROVIDER;
        }
        if (way === 'plain') continue;
        await t.recorder.flush();
        expect(t.synap.stored.map(line)).toEqual(['user: Hi', 'assistant: {"a":"b"}']);
      }
      expect(asked.recorded).toBe(1);
      expect(asked.recorded).toBeLessThanOrEqual(asked.plain);
    },
  );

  it('that has no such model is asked as often as without the recorder, and its error is the app’s', async () => {
    const asked = { plain: 0, recorded: 0 };
    await using t = await recording(major, 'wrapAISDK', [['never']]);
    const global = globalThis as { AI_SDK_DEFAULT_PROVIDER?: unknown };
    for (const way of ['plain', 'recorded'] as const) {
      global.AI_SDK_DEFAULT_PROVIDER = {
        languageModel() {
          asked[way]++;
          throw new Error('no such model');
        },
      };
      const sdk = way === 'plain' ? major.sdk : t.sdk;
      await expect(async () => sdk.generateText({ model: 'some/model', prompt: 'Hi' })).rejects.toThrow(
        'no such model',
      );
      expect(() => sdk.streamText({ model: 'some/model', prompt: 'Hi', onError() {} })).toThrow('no such model');
      delete global.AI_SDK_DEFAULT_PROVIDER;
    }
    expect(asked.recorded).toBe(asked.plain);
  });
});
