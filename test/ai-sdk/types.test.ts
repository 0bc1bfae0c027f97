// The types of what is wrapped.

import * as ai7 from 'ai';
import * as ai5 from 'ai5';
import * as ai6 from 'ai6';
import { describe, expectTypeOf, it } from 'vitest';
import * as z from 'zod/v4';
import { type SynapCallOptions, wrapAISDK, wrapModel } from '../../src/ai-sdk/index.js';
import { createRecorder } from '../../src/index.js';

const recorder = createRecorder({ enabled: false });

// Checked by the compiler (npm run types); at run time it only has to load.
describe('types', () => {
  it('of the namespace are the SDK’s, on all three majors', () => {
    expectTypeOf(wrapAISDK(ai5, recorder)).toEqualTypeOf<typeof ai5>();
    expectTypeOf(wrapAISDK(ai6, recorder)).toEqualTypeOf<typeof ai6>();
    expectTypeOf(wrapAISDK(ai7, recorder)).toEqualTypeOf<typeof ai7>();
  });

  it('of tools and outputs go through', () => {
    const { generateText, streamText, ToolLoopAgent } = wrapAISDK(ai7, recorder);
    const weather = ai7.tool({ inputSchema: z.object({ city: z.string() }), execute: async ({ city }) => city.length });
    const call = () => generateText({ model: 'x', prompt: 'Hi', tools: { weather } });
    type Result = Awaited<ReturnType<typeof call>>;
    type StaticCall = Extract<Result['toolCalls'][number], { toolName: 'weather'; dynamic?: false | undefined }>;
    expectTypeOf<StaticCall['input']>().toEqualTypeOf<{ city: string }>();

    const output = ai7.Output.object({ schema: z.object({ name: z.string() }) });
    const stream = () => streamText({ model: 'x', prompt: 'Hi', output });
    expectTypeOf<Awaited<ReturnType<typeof stream>['output']>>().toEqualTypeOf<{ name: string }>();

    const agent = () => new ToolLoopAgent({ model: 'x', tools: { weather } });
    expectTypeOf<ReturnType<typeof agent>['tools']>().toEqualTypeOf<{ weather: typeof weather }>();
  });

  it('of a model are its own', () => {
    class Model {
      readonly only = 'mine';
      doStream() {}
    }
    expectTypeOf(wrapModel(new Model(), recorder)).toEqualTypeOf<Model>();
    // @ts-expect-error a name is no model
    expectTypeOf(wrapModel).toBeCallableWith('openai/gpt-5', recorder);
  });

  it('of call options are what providerOptions.synap takes, on all three majors, also in a variable', () => {
    const message: { id: string } | undefined = undefined as { id: string } | undefined;
    const synap: SynapCallOptions = {
      userId: 'ada',
      conversationId: message?.id,
      messageId: message?.id,
      sessionId: undefined,
      record: true,
      metadata: { plan: 'pro', nested: { list: [1, null, true] } },
    };
    const five = () => ai5.generateText({ model: 'x', prompt: 'Hi', providerOptions: { synap } });
    const six = () => ai6.generateText({ model: 'x', prompt: 'Hi', providerOptions: { synap } });
    const seven = () => ai7.generateText({ model: 'x', prompt: 'Hi', providerOptions: { synap } });
    const { streamText } = wrapAISDK(ai5, recorder);
    const wrapped = () => streamText({ model: 'x', prompt: 'Hi', providerOptions: { synap, other: { a: 1 } } });
    expectTypeOf([five, six, seven, wrapped]).toBeArray();
    // @ts-expect-error a tag is JSON
    const wrong: SynapCallOptions = { metadata: { at: new Date() } };
    expectTypeOf(wrong).toBeObject();
  });

  it('of ids that may be missing compile where an identity is taken', () => {
    const user: { id: string } | undefined = undefined as { id: string } | undefined;
    const identity = { userId: user?.id, conversationId: user?.id, messageId: user?.id };
    expectTypeOf(recorder.withIdentity(identity, () => 1)).toEqualTypeOf<number>();
    expectTypeOf(wrapModel(new (class {})(), recorder, identity)).toBeObject();
    const inline = () => [
      ai6.generateText({ model: 'x', prompt: 'Hi', providerOptions: { synap: { messageId: user?.id } } }),
      ai7.generateText({ model: 'x', prompt: 'Hi', providerOptions: { synap: { messageId: user?.id } } }),
    ];
    expectTypeOf(inline).toBeFunction();
  });
});
