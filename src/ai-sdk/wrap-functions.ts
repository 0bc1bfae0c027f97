import { safely } from '../internal/guards.js';
import { isPromise } from '../internal/promises.js';
import type { Recorder } from '../recorder/recorder.js';
import { runIn, type Scope, scopeFor, scopeOf } from '../recorder/scope.js';
import { isInternal, readCallOptions, withSettings } from './call-options.js';
import { before, errorCallback, type HintSource, hintCallbacks, hintSource } from './callbacks.js';
import { followResult } from './follow-result.js';
import { completeWith, generateCallbacks, withSteering } from './generate-callbacks.js';
import { ModelTaps, type StepHook } from './model-taps.js';
import { type CallEnd, standIn } from './observe-model.js';
import type { SdkCallOptions } from './options.js';
import { readOnce, withChanges } from './overlay.js';
import { promptEnd, promptMessages } from './prompt.js';
import { rebuildResponses } from './response-helpers.js';
import { readResult } from './result.js';
import { type OpenRunOptions, Run } from './run.js';
import { StreamRun } from './stream-run.js';
import { withoutSynap } from './without-synap.js';
import { wrapperOf } from './wrap-model.js';
import type { WrapOptions } from './wrap-options.js';
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
  /** The SDK, or the part of it, that is wrapped. */
  readonly ai: object;
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
    const run = startRun(options, context);
    const scope = scopeFor(context.recorder, run);
    const taps = modelTaps(options, run, context);
    const changes = {
      ...tapped(withSteering(options, run), taps, hooks),
      ...(run && generateCallbacks(run, options, taps)),
    };
    const result = runIn(scope, () => started(run, () => call.with(changes)));
    return endWith(result, scope, { signal: options.abortSignal, taps });
  });
}

export const wrapGenerateText = (fn: Fn, context: Context): Fn => wrapGenerate(fn, context, GENERATE_STEP_HOOKS);
export const wrapGenerateObject = (fn: Fn, context: Context): Fn => wrapGenerate(fn, context, []);

/** `streamText`: what is recorded is what the readers of its result get. */
export const wrapStreamText = (fn: Fn, context: Context): Fn =>
  wrapFunction(fn, context, call => streamText(call, context, hintSource(call.options)));

/** `experimental_streamTextLowMemory` (ai 7): as `streamText`, but nothing may make the SDK keep the answer. */
export const wrapStreamTextLowMemory = (fn: Fn, context: Context): Fn =>
  wrapFunction(fn, context, call => streamText(call, context, 'chunks only'));

function streamText(call: FunctionCall, context: Context, from: HintSource): unknown {
  const { options } = call;
  const run = startStreamRun(options, context);
  return runIn(scopeFor(context.recorder, run), () => {
    const changes = streamOptions(options, run, context);
    if (!run) return call.with(changes);
    const result = started(run, () => call.with({ ...changes, ...hintCallbacks(run, options, from) }));
    if (from === 'chunks only') safely(() => rebuildResponses(result, context.ai, run.followChunks));
    return followRun(result, run, context);
  });
}

/** The options that differ from the app's, so that it is known which model answers, and none gets `providerOptions.synap`. */
export function streamOptions(
  options: SdkCallOptions,
  run: StreamRun | undefined,
  { recorder }: Context,
): SdkCallOptions {
  const taps = new ModelTaps({ recorder, run: undefined, called: model => run?.hints.modelIs(model) });
  return tapped(options, taps, options.prepareStep === undefined ? [] : STEP_HOOKS);
}

/** Follows the readers of a result, or of a promise of one, for the run that it belongs to. What is answered is the app's. */
export function followRun<T>(result: T, run: StreamRun, context: Context): T {
  if (!isNativePromise(result)) {
    safely(() => followResult(result, run));
    readToEnd(result, context);
    return result;
  }
  return result.then(
    (result: unknown) => followRun(result, run, context),
    (error: unknown) => {
      safely(() => run.fail(error));
      throw error;
    },
  ) as T;
}

/** `streamObject`: it has no callback for chunks, but its cancel and its end reach the model's tap. */
export function wrapStreamObject(fn: Fn, context: Context): Fn {
  return wrapFunction(fn, context, call => {
    const { options } = call;
    const { abortSignal } = options;
    const run = startRun(options, context);
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

/** Where a call stands, if that is not what its options and the code around it say. */
interface CallPlace {
  /** They hold the user's words, where an agent has made something else of them. */
  readonly originalOptions?: SdkCallOptions;
  /** The scope that the call was made in, `null` for none. */
  readonly around?: Scope | null | undefined;
}

/** The run of a call whose models are observed; undefined when it is not recorded, or internal to another call. */
export function startRun(options: SdkCallOptions, context: Context, place: CallPlace = {}): Run | undefined {
  return safely(() => {
    const run = identifyCall(options, context, place);
    return run && new Run(context.recorder, run);
  });
}

/** The run of a call whose result's readers are followed; undefined as in {@link startRun}. */
export function startStreamRun(
  options: SdkCallOptions,
  context: Context,
  place: CallPlace & { readonly signal?: AbortSignal | undefined } = {},
): StreamRun | undefined {
  return safely(() => {
    const { signal = options.abortSignal } = place;
    const run = identifyCall(options, context, place);
    const opened = run && new StreamRun(context.recorder, { ...run, signal });
    opened?.hints.modelIs(options.model);
    return opened;
  });
}

function identifyCall(
  options: SdkCallOptions,
  { recorder, options: wrapper }: Context,
  { originalOptions = options, around = scopeOf(recorder) }: CallPlace,
): OpenRunOptions | undefined {
  const settings = modelSettings(options.model);
  const call = withSettings(readCallOptions(options.providerOptions), settings);
  if (!recorder.isRecording || call.record === false) return undefined;
  if (around && isInternal(call, around)) return undefined;
  // A model that was wrapped by itself brings the identity it was wrapped with.
  const wrappers = [settings, wrapperOf(options.model)?.options, wrapper];
  return { prompt: promptEnd(promptMessages(originalOptions)), call, wrappers };
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

interface EndOptions {
  readonly signal: AbortSignal | undefined;
  readonly taps?: Pick<ModelTaps, 'untapped'> | undefined;
  /** Makes the run of a call that failed before it had one. */
  readonly failed?: (() => Run | undefined) | undefined;
}

/** Ends the scope's run as its promise does; what is answered is the app's. */
export function endWith<T>(result: T, scope: Scope<Run>, { signal, taps, failed }: EndOptions): T {
  const whole = (result: unknown) => scope.run && completeWith(scope.run, result, taps);
  if (!isPromise(result)) {
    whole(result);
    return result;
  }
  // Somebody else's kind of promise passes as it is: it may do something anew each time it is asked.
  if (!isNativePromise(result)) return result;
  // As long as the promise is, a tool or the app's own step may be at work.
  scope.run?.working();
  return result.then(
    (result: unknown) => {
      whole(result);
      return result;
    },
    (error: unknown) => {
      safely(() => (scope.run ?? failed?.())?.end({ type: 'rejected', error }, signal));
      throw error;
    },
  ) as T;
}

/** Whether it is a promise of the language, of this realm or another. */
export function isNativePromise(value: unknown): value is Promise<unknown> {
  return Object.prototype.toString.call(value) === '[object Promise]';
}

/** With `consumeStream`, reads the answer whoever else does. The SDK's own errors reach whoever reads it for the app. */
function readToEnd(result: unknown, { options }: Context): void {
  if (!options.consumeStream) return;
  safely(() => {
    const { consumeStream } = result as { consumeStream(options: object): PromiseLike<void> };
    void Promise.resolve(consumeStream.call(result, { onError() {} })).catch(() => {});
  });
}

function started<T>(run: { fail(error: unknown): void } | undefined, call: () => T): T {
  try {
    return call();
  } catch (error) {
    safely(() => run?.fail(error));
    throw error;
  }
}
