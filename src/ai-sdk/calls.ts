import type { Recorder } from '../recorder/recorder.js';
import { hasIdentity, readCallOptions } from './call-options.js';
import { errorCallback, streamCallbacks } from './callbacks.js';
import { promptEnd, promptMessages } from './content.js';
import { type AnyLanguageModel, isLanguageModel } from './model.js';
import type { CallOptions } from './options.js';
import { type CallEnd, openRun, type Run, runIn, type Scope, scopeFor, scopeOf, type WrapOptions } from './run.js';
import { safely, tapModel, untapped } from './tap.js';
import { wrapOptionsOf } from './wrap-model.js';

/** What {@link wrapAISDK} takes beside the SDK and the recorder. */
export interface WrapAISDKOptions extends WrapOptions {
  /**
   * Reads every streamed answer to its end, even when its consumer goes away, so that the whole of it is recorded and
   * the app's `onFinish` runs. Off by default: it costs the tokens of answers that nobody waits for.
   */
  finishUnread?: boolean | undefined;
}

/** What every wrapped function and agent knows. */
export interface Context {
  readonly ai: Record<string, unknown>;
  readonly recorder: Recorder;
  readonly options: WrapAISDKOptions;
}

type Fn = (options: CallOptions, ...rest: unknown[]) => unknown;

/** `generateText`, `generateObject`: one promise, which is the end. */
export function wrapGenerate(fn: Fn, context: Context): Fn {
  return (options, ...rest) => {
    if (!isObject(options)) return fn(options, ...rest);
    const scope = scopeFor(context.recorder, startRun(options, context, 'model'));
    const call = () => fn(tapped(options, scope.run, context), ...rest) as Promise<unknown>;
    return endWith(runIn(scope, call), scope, options.abortSignal);
  };
}

/** `streamText`: what the user saw comes from its callbacks. */
export function wrapStreamText(fn: Fn, context: Context): Fn {
  return (options, ...rest) => {
    if (!isObject(options)) return fn(options, ...rest);
    const run = startRun(options, context, 'callbacks');
    return runIn(scopeFor(context.recorder, run), () => {
      if (!run) return fn(tapped(options, run, context), ...rest);
      run.watch(options.abortSignal);
      const callbacks = streamCallbacks(run, options, isAi7(context));
      const result = started(run, () => fn({ ...tapped(options, run, context), ...callbacks }, ...rest));
      finishUnread(result, context);
      return result;
    });
  };
}

/** `streamObject`: it has no chunks to hear of, but its cancel and its end reach the model's tap. */
export function wrapStreamObject(fn: Fn, context: Context): Fn {
  return (options, ...rest) => {
    if (!isObject(options)) return fn(options, ...rest);
    const run = startRun(options, context, 'model');
    return runIn(scopeFor(context.recorder, run), () => {
      if (!run) return fn(tapped(options, run, context), ...rest);
      run.watch(options.abortSignal);
      const failed = (error: unknown) => {
        if (run.lastCallRejected) run.end({ type: 'rejected', error }, options.abortSignal);
      };
      const ended = (end: CallEnd) => {
        if (end.type !== 'rejected') run.end(end, options.abortSignal);
      };
      return started(run, () =>
        fn({ ...tapped(options, run, context, ended), ...errorCallback(failed, options) }, ...rest),
      );
    });
  };
}

/**
 * The run of a call; undefined when it is not recorded, or internal to another call. `asked` holds the user's words, where
 * an agent has made something else of them.
 */
export function startRun(
  options: CallOptions,
  context: Context,
  textFrom: 'model' | 'callbacks',
  { asked = options, nested = scopeOf(context.recorder) !== undefined }: { asked?: CallOptions; nested?: boolean } = {},
): Run | undefined {
  return safely(() => {
    const { recorder } = context;
    const call = readCallOptions(options.providerOptions);
    if (!recorder.enabled || call.record === false) return undefined;
    if (nested && !hasIdentity(call)) return undefined;
    // A model that was wrapped by itself brings the identity it was wrapped with.
    const wrappers = [wrapOptionsOf(safely(() => resolve(options.model, context))), context.options];
    return openRun(recorder, { prompt: promptEnd(promptMessages(asked)), call, wrappers, textFrom });
  });
}

/** The options with a tap on every model that the call will use. `ended` hears how each of its streams ends. */
export function tapped(
  options: CallOptions,
  run: Run | undefined,
  context: Context,
  ended: (end: CallEnd) => void = end => breakOff(run, end, options.abortSignal),
): CallOptions {
  const tap = (model: unknown) => safely(() => tapFor(model, run, context, ended)) ?? model;
  const { prepareStep } = options;
  return {
    ...options,
    model: tap(options.model),
    ...(prepareStep && {
      prepareStep: async (...args: unknown[]) => {
        const step = (await prepareStep(...args)) as { model?: unknown } | undefined;
        return step?.model === undefined ? step : { ...step, model: tap(step.model) };
      },
    }),
  };
}

/** Ends the scope's run as its promise does; the promise answered is the app's. */
export function endWith<T>(promise: Promise<T>, scope: Scope, signal: AbortSignal | undefined): Promise<T> {
  return promise.then(
    result => {
      safely(() => scope.run?.complete());
      return result;
    },
    (error: unknown) => {
      safely(() => scope.run?.end({ type: 'rejected', error }, signal));
      throw error;
    },
  );
}

/** With `finishUnread`, reads the answer whoever else does. The SDK's own errors reach whoever reads it for the app. */
export function finishUnread(result: unknown, { options }: Context): void {
  if (!options.finishUnread) return;
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

/** A stream that broke is the end of its run, which no callback tells of. */
function breakOff(run: Run | undefined, end: CallEnd, signal: AbortSignal | undefined): void {
  if (end.type === 'failed') run?.end(end, signal);
}

function tapFor(model: unknown, run: Run | undefined, context: Context, ended: (end: CallEnd) => void): unknown {
  const resolved = untapped(resolve(model, context), context.recorder);
  if (!isLanguageModel(resolved)) return model;
  return tapModel<AnyLanguageModel>(resolved, context.recorder, model =>
    run?.ended === false ? run.listen(model, ended) : undefined,
  );
}

/** A model by its name, resolved as the SDK does: by the app's default provider, else by the gateway. */
function resolve(model: unknown, { ai }: Context): unknown {
  if (typeof model !== 'string') return model;
  const provider = (globalThis as { AI_SDK_DEFAULT_PROVIDER?: unknown }).AI_SDK_DEFAULT_PROVIDER ?? ai.gateway;
  return (provider as { languageModel(name: string): unknown }).languageModel(model);
}

/** ai 7 knows `onEnd`, and stops a loop with `isStepCount`. */
export function isAi7({ ai }: Context): boolean {
  return 'isStepCount' in ai;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
