import type { Recorder } from '../recorder/recorder.js';
import { type AgentClass, wrapAgent } from './agent.js';
import { type Context, type WrapAISDKOptions, wrapGenerate, wrapStreamObject, wrapStreamText } from './calls.js';
import { checkWrapOptions } from './run.js';

/** What is wrapped for a recorder already is not wrapped for it again. */
const wrappedBy = new WeakMap<object, Recorder>();

/**
 * The AI SDK, recording: the namespace `ai` of version 5, 6 or 7 with its functions and agents wrapped. Results, types,
 * streams, errors and callbacks are those of the SDK.
 *
 * Identity comes from the nearest of: the call's `providerOptions.synap`, `recorder.withIdentity`, the options here, the
 * recorder's defaults. A call inside a tool of another call is internal, unless it has an identity of its own.
 *
 * @example
 * ```ts
 * import * as ai from 'ai';
 * const { streamText, ToolLoopAgent } = wrapAISDK(ai, recorder);
 * const result = streamText({
 *   model,
 *   messages,
 *   providerOptions: { synap: { userId: 'ada', conversationId: 'chat-42' } },
 * });
 * ```
 */
export function wrapAISDK<T extends object>(ai: T, recorder: Recorder, options: WrapAISDKOptions = {}): T {
  checkWrapOptions(options);
  const wrapped = { ...ai } as Record<string, unknown>;
  const context: Context = { ai: ai as Record<string, unknown>, recorder, options };
  const done = new Map<unknown, unknown>();
  const wrap = <F extends object>(names: readonly string[], around: (of: F, context: Context) => F) => {
    for (const name of names) {
      const own = wrapped[name] as F;
      if (typeof own !== 'function' || wrappedBy.get(own) === recorder) continue;
      // The SDK exports one class under two names.
      const recording = (done.get(own) as F | undefined) ?? around(own, context);
      done.set(own, recording);
      wrappedBy.set(recording, recorder);
      wrapped[name] = recording;
    }
  };
  wrap(['generateText', 'generateObject'], wrapGenerate);
  wrap(['streamText'], wrapStreamText);
  wrap(['streamObject'], wrapStreamObject);
  wrap<AgentClass>(['ToolLoopAgent', 'Experimental_Agent'], wrapAgent);
  return wrapped as T;
}
