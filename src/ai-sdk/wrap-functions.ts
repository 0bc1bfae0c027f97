import { safely } from '../internal/guards.js';
import { isPromise } from '../internal/promises.js';
import type { Recorder } from '../recorder/recorder.js';
import { runIn, type Scope, scopeFor, scopeOf } from '../recorder/scope.js';
import { isInternal, readCallOptions, withSettings } from './call-options.js';
import { before, errorCallback, streamCallbacks, streamListeners } from './callbacks.js';
import { ModelTaps, type StepHook } from './model-taps.js';
import { standIn } from './observe-model.js';
import type { SdkCallOptions } from './options.js';
import { readOnce, withChanges } from './overlay.js';
import { promptEnd, promptMessages } from './prompt.js';
import { ranToolCalls, readResult } from './result.js';
import { type CallEnd, openRun, type Run, type WrapOptions } from './run.js';
import { withoutSynap } from './without-synap.js';
import { wrapperOf } from './wrap-model.js';
import { modelSettings } from './wrap-others.js';

/** What {@link wrapAISDK} takes beside the SDK and the recorder. */
export interface WrapAISDKOptions extends WrapOptions {
  /**
   * Reads every streamed answer to its end, even when its consumer goes away, so that the whole of it is recorded and
   * the app's `onFinish` runs. Off by default: it costs the tokens of answers that nobody waits for.
   */
  consumeStream?: boolean | undefined;
}

/** What every wrapped function and agent knows. */
export interface Context {
  readonly recorder: Recorder;
  readonly options: WrapAISDKOptions;
  /** What a wrapped function is called on, as the app knows it. */
  receiver(receiver: unknown): unknown;
}

type Fn = (options: SdkCallOptions, ...rest: unknown[]) => unknown;

/** One call of a wrapped function: its options, and the function with further ones. */
interface FunctionCall {
  readonly options: SdkCallOptions;
  /** Calls the SDK's function with these in the place of, or beside, the app's. */
  with(changes: SdkCallOptions): unknown;
}

/** The function with `record` in the place of each call that has options. */
function wrapFunction(fn: Fn, context: Context, record: (call: FunctionCall) => unknown): Fn {
  return standIn(fn, (receiver, [given, ...rest]) => {
    const call = (options: unknown) =>
      Reflect.apply(fn, context.receiver(receiver), [options, ...rest] as Parameters<Fn>);
    if (typeof given !== 'object' || given === null) return call(given);
    const options = safely(() => readOnce<SdkCallOptions>(given)) ?? (given as SdkCallOptions);
    return record({ options, with: changes => call(withChanges(options, changes)) });
  });
}

export const STEP_HOOKS: readonly StepHook[] = ['prepareStep'];
// ai 5 and 6 know this name, too, in `generateText`.
const GENERATE_STEP_HOOKS: readonly StepHook[] = ['prepareStep', 'experimental_prepareStep'];

/** `generateText`, `generateObject`: one promise, which is the end. */
function wrapGenerate(fn: Fn, context: Context, hooks: readonly StepHook[]): Fn {
  return wrapFunction(fn, context, call => {
    const { options } = call;
    const scope = scopeFor(context.recorder, startRun(options, context, 'model'));
    const taps = modelTaps(options, scope.run, context);
    const result = runIn(scope, () => call.with(tapped(options, taps, hooks)));
    return endWith(result, scope, { signal: options.abortSignal, taps });
  });
}

export const wrapGenerateText = (fn: Fn, context: Context): Fn => wrapGenerate(fn, context, GENERATE_STEP_HOOKS);
export const wrapGenerateObject = (fn: Fn, context: Context): Fn => wrapGenerate(fn, context, []);

/** `streamText`: what the user saw comes from its callbacks. */
export function wrapStreamText(fn: Fn, context: Context): Fn {
  return wrapFunction(fn, context, call => {
    const { options } = call;
    const run = startRun(options, context, 'callbacks');
    const taps = modelTaps(options, run, context);
    return runIn(scopeFor(context.recorder, run), () => {
      if (!run) return call.with(tapped(options, taps, STEP_HOOKS));
      run.watch(options.abortSignal);
      const callbacks = streamCallbacks(streamListeners(run, taps, options.abortSignal), options);
      const result = started(run, () => call.with({ ...tapped(options, taps, STEP_HOOKS), ...callbacks }));
      readToEnd(result, context);
      return result;
    });
  });
}

/** `streamObject`: it has no callback for chunks, but its cancel and its end reach the model's tap. */
export function wrapStreamObject(fn: Fn, context: Context): Fn {
  return wrapFunction(fn, context, call => {
    const { options } = call;
    const { abortSignal } = options;
    const run = startRun(options, context, 'model');
    const taps = modelTaps(options, run, context, end => {
      if (end.type !== 'rejected') run?.end(end, abortSignal);
    });
    return runIn(scopeFor(context.recorder, run), () => {
      if (!run) return call.with(tapped(options, taps, []));
      run.watch(abortSignal);
      const failed = (error: unknown) => {
        if (run.lastCallRejected || taps.untapped) run.end({ type: 'rejected', error }, abortSignal);
      };
      const ended = (event: unknown) => taps.untapped && run.complete(readResult(event, taps.untapped));
      const callbacks = { ...errorCallback(failed, options), onFinish: before(ended, options.onFinish) };
      return started(run, () => call.with({ ...tapped(options, taps, []), ...callbacks }));
    });
  });
}

/**
 * The run of a call; undefined when it is not recorded, or internal to another call. `originalOptions` hold the user's
 * words, where an agent has made something else of them; `around` is the scope that the call was made in, `null` for none.
 */
export function startRun(
  options: SdkCallOptions,
  context: Context,
  textFrom: 'model' | 'callbacks',
  {
    originalOptions = options,
    around = scopeOf(context.recorder),
  }: { originalOptions?: SdkCallOptions; around?: Scope | null | undefined } = {},
): Run | undefined {
  return safely(() => {
    const { recorder } = context;
    const settings = modelSettings(options.model);
    const call = withSettings(readCallOptions(options.providerOptions), settings);
    if (!recorder.isRecording || call.record === false) return undefined;
    if (around && isInternal(call, around)) return undefined;
    // A model that was wrapped by itself brings the identity it was wrapped with.
    const wrappers = [settings, wrapperOf(options.model)?.options, context.options];
    return openRun(recorder, { prompt: promptEnd(promptMessages(originalOptions)), call, wrappers, textFrom });
  });
}

/** The taps of a call. `ended` is called with the end of each of its streams. */
export function modelTaps(
  { abortSignal }: SdkCallOptions,
  run: Run | undefined,
  { recorder }: Context,
  ended: (end: CallEnd) => void = end => {
    // A stream that broke is the end of its run, which no callback tells of.
    if (end.type === 'failed') run?.end(end, abortSignal);
  },
): ModelTaps {
  return new ModelTaps({ recorder, run, ended });
}

// Where options for the provider may stand.
const PROVIDER_OPTIONS = ['providerOptions', 'prompt', 'messages', 'tools', 'system', 'instructions'] as const;

/** The options that differ from the app's, so that every model of the call is observed. */
export function tapped(options: SdkCallOptions, taps: ModelTaps, hooks: readonly StepHook[]): SdkCallOptions {
  const changes = taps.tapOptions(options, hooks);
  // Without a tap, nothing on the way to the provider takes it out.
  if (!taps.untapped) return changes;
  const cleaned = withoutSynap(options);
  for (const name of PROVIDER_OPTIONS) if (cleaned[name] !== options[name]) changes[name] = cleaned[name] as never;
  return changes;
}

/** Ends the scope's run as its promise does; what is answered is the app's. */
export function endWith<T>(
  result: T,
  scope: Scope<Run>,
  { signal, taps }: { signal: AbortSignal | undefined; taps?: Pick<ModelTaps, 'untapped'> | undefined },
): T {
  const whole = (result: unknown) => {
    safely(() => scope.run?.toolsRan(ranToolCalls(result)));
    safely(() => scope.run?.complete(taps?.untapped ? readResult(result, taps.untapped) : undefined));
  };
  if (!isPromise(result)) {
    whole(result);
    return result;
  }
  // Somebody else's kind of promise passes as it is: it may do something anew each time it is asked.
  if (!isNativePromise(result)) return result;
  return result.then(
    (result: unknown) => {
      whole(result);
      return result;
    },
    (error: unknown) => {
      safely(() => scope.run?.end({ type: 'rejected', error }, signal));
      throw error;
    },
  ) as T;
}

/** Whether it is a promise of the language, of this realm or another. */
export function isNativePromise(value: unknown): value is Promise<unknown> {
  return Object.prototype.toString.call(value) === '[object Promise]';
}

/** With `consumeStream`, reads the answer whoever else does. The SDK's own errors reach whoever reads it for the app. */
export function readToEnd(result: unknown, { options }: Context): void {
  if (!options.consumeStream) return;
  safely(() => {
    const { consumeStream } = result as { consumeStream(options: object): PromiseLike<void> };
    void Promise.resolve(consumeStream.call(result, { onError() {} })).catch(() => {});
  });
}

function started<T>(run: Run, call: () => T): T {
  try {
    return call();
  } catch (error) {
    run.fail(error);
    throw error;
  }
}
