// The types of what is wrapped.

import * as ai7 from 'ai';
import * as ai5 from 'ai5';
import * as ai6 from 'ai6';
import { describe, expectTypeOf, it } from 'vitest';
import * as z from 'zod/v4';
import { wrapAISDK, wrapModel } from '../../src/ai-sdk/index.js';
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
});
