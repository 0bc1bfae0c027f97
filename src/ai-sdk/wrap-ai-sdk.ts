import { safely } from '../internal/guards.js';
import type { Recorder } from '../recorder/recorder.js';
import { InvalidInputError } from '../synap/errors.js';
import { overlay } from './overlay.js';
import { type AgentClass, wrapAgent } from './wrap-agent.js';
import {
  type Context,
  type WrapAISDKOptions,
  wrapGenerateObject,
  wrapGenerateText,
  wrapStreamObject,
  wrapStreamText,
  wrapStreamTextLowMemory,
} from './wrap-functions.js';
import { checkWrapOptions } from './wrap-options.js';
import { wrapOther } from './wrap-others.js';

type Wrap = (own: never, context: Context) => unknown;

const WRAPS: Readonly<Record<string, Wrap>> = {
  generateText: wrapGenerateText,
  generateObject: wrapGenerateObject,
  streamText: wrapStreamText,
  experimental_streamTextLowMemory: wrapStreamTextLowMemory,
  streamObject: wrapStreamObject,
  ToolLoopAgent: wrapAgent<AgentClass>,
  Experimental_Agent: wrapAgent<AgentClass>,
};

/** What is wrapped for a recorder already is not wrapped for it again. */
const wrappedBy = new WeakMap<object, Recorder>();

/**
 * The AI SDK, recording: the namespace `ai` of version 5, 6 or 7, or any part of it, with its functions and agents
 * wrapped. Results, types, streams, errors and callbacks are those of the SDK.
 *
 * Identity comes from the nearest of: the call's `providerOptions.synap`, `recorder.withIdentity`, the options here, the
 * recorder's defaults. A call inside a tool of another call is internal, unless it has an identity of its own.
 *
 * @throws {@link InvalidInputError} `ai` is no object, or `idleMs` is no time to wait
 * @example
 * ```ts
 * import * as ai from 'ai';
 * const { streamText } = wrapAISDK({ streamText: ai.streamText }, recorder);
 * const result = streamText({
 *   model,
 *   messages,
 *   providerOptions: { synap: { userId: 'ada', conversationId: 'chat-42' } },
 * });
 * ```
 */
export function wrapAISDK<T extends object>(ai: T, recorder: Recorder, options: WrapAISDKOptions = {}): T {
  if ((typeof ai !== 'object' && typeof ai !== 'function') || ai === null)
    throw new InvalidInputError('wrapAISDK takes the AI SDK or a part of it, such as { streamText }', { field: 'ai' });
  checkWrapOptions(options);
  // Called as a method of the wrapped namespace, a function is called as a method of the app's.
  const context: Context = { recorder, options, ai, receiver: receiver => (receiver === wrapped ? ai : receiver) };
  const known = new WeakMap<object, unknown>();
  safely(() => warnOfOtherAgents(ai, recorder));

  const callOther = (fn: (...args: unknown[]) => unknown, receiver: unknown, args: unknown[]) =>
    Reflect.apply(fn, context.receiver(receiver), args);
  const other = (name: string): Wrap => {
    return own => wrapOther(name, own, callOther);
  };
  const wrap = (own: object, around: Wrap): unknown => {
    if (wrappedBy.get(own) === recorder) return own;
    // The SDK exports one class under two names.
    const recording = known.get(own) ?? safely(() => around(own as never, context));
    if (typeof recording !== 'function') return own;
    known.set(own, recording);
    wrappedBy.set(recording, recorder);
    return recording;
  };
  const wrapped: T = overlay(ai, undefined, {
    get(property, value, patched) {
      if (typeof property !== 'string' || patched || typeof value !== 'function') return value;
      return wrap(value, (Object.hasOwn(WRAPS, property) && WRAPS[property]) || other(property));
    },
  });
  return wrapped;
}

// Agents that run their loop where no function and no model of the SDK's is seen: in a sandbox, or in the steps of a workflow.
const OTHER_AGENTS: Readonly<Record<string, string>> = {
  HarnessAgent: 'registerTelemetry(synapTelemetry(recorder)), with telemetry: {} in the settings of the agent',
  WorkflowAgent: 'registerTelemetry(synapTelemetry(recorder))',
};

function warnOfOtherAgents(ai: object, recorder: Recorder): void {
  for (const [name, line] of Object.entries(OTHER_AGENTS))
    if (name in ai) recorder.warnOnce(name, `wrapAISDK does not record ${name}. What records it, on AI SDK 7: ${line}`);
}
