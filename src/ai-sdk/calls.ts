import type { Recorder } from '../recorder/recorder.js';
import { hasIdentity, readCallOptions } from './call-options.js';
import { errorCallback, streamCallbacks } from './callbacks.js';
import { promptEnd, promptMessages } from './content.js';
import { type AnyLanguageModel, isLanguageModel } from './model.js';
import type { CallOptions } from './options.js';
import { type CallEnd, isAbort, openRun, type Run, scopes, type WrapOptions } from './run.js';
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
    const run = startRun(options, context, 'model');
    const call = () => fn(tapped(options, run, context), ...rest) as Promise<unknown>;
    return endWith(
      scopes.run({ run, inModel: false }, call),
      () => run,
      () => options.abortSignal,
    );
  };
}

/** `streamText`: what the user saw comes from its callbacks. */
export function wrapStreamText(fn: Fn, context: Context): Fn {
  return (options, ...rest) => {
    const run = startRun(options, context, 'callbacks');
    return scopes.run({ run, inModel: false }, () => {
      if (!run) return fn(tapped(options, run, context), ...rest);
      run.watch(options.abortSignal);
      const result = started(run, () =>
        fn({ ...tapped(options, run, context), ...streamCallbacks(run, options) }, ...rest),
      );
      finishUnread(result, context);
      return result;
    });
  };
}

/** `streamObject`: it has no chunks to hear of, but its cancel and its end reach the model's tap. */
export function wrapStreamObject(fn: Fn, context: Context): Fn {
  return (options, ...rest) => {
    const run = startRun(options, context, 'model');
    return scopes.run({ run, inModel: false }, () => {
      if (!run) return fn(tapped(options, run, context), ...rest);
      run.watch(options.abortSignal);
      const failed = (error: unknown) => {
        if (run.lastCallRejected) endWithError(run, error, options.abortSignal);
      };
      const ended = (end: CallEnd) => endWithStream(run, end, options.abortSignal);
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
  { recorder, options: wrap }: Context,
  textFrom: 'model' | 'callbacks',
  { asked = options, nested = scopes.getStore() !== undefined }: { asked?: CallOptions; nested?: boolean } = {},
): Run | undefined {
  return safely(() => {
    const call = readCallOptions(options.providerOptions);
    if (!recorder.enabled || call.record === false) return undefined;
    if (nested && !hasIdentity(call)) return undefined;
    // A model that was wrapped by itself brings the identity it was wrapped with.
    const nearest = { ...wrap, ...known(wrapOptionsOf(options.model)) };
    return openRun(recorder, { prompt: promptEnd(promptMessages(asked)), call, options: nearest, textFrom });
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

/** Ends the run as its promise does; the promise answered is the app's. */
export function endWith<T>(
  promise: Promise<T>,
  run: () => Run | undefined,
  signal: () => AbortSignal | undefined,
): Promise<T> {
  return promise.then(
    result => {
      safely(() => run()?.complete());
      return result;
    },
    (error: unknown) => {
      safely(() => endWithError(run(), error, signal()));
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

function endWithError(run: Run | undefined, error: unknown, signal: AbortSignal | undefined): void {
  if (isAbort(error, signal)) run?.abort(signal?.reason);
  else run?.fail(error);
}

/** A stream that broke is the end of its run, which no callback tells of. */
function breakOff(run: Run | undefined, end: CallEnd, signal: AbortSignal | undefined): void {
  if (end.type === 'failed') endWithError(run, end.error, signal);
}

function endWithStream(run: Run, end: CallEnd, signal: AbortSignal | undefined): void {
  switch (end.type) {
    case 'done':
      if (end.error !== undefined) run.fail(end.error);
      else run.complete();
      break;
    case 'cancelled':
      run.abort(end.reason);
      break;
    case 'failed':
      endWithError(run, end.error, signal);
      break;
  }
}

function tapFor(model: unknown, run: Run | undefined, { ai }: Context, ended: (end: CallEnd) => void): unknown {
  const resolved = untapped(typeof model === 'string' ? resolve(model, ai) : model);
  if (!isLanguageModel(resolved)) return model;
  return tapModel<AnyLanguageModel>(resolved, model => (run?.ended === false ? run.listen(model, ended) : undefined));
}

/** A model's name, resolved as the SDK does: by the app's default provider, else by the gateway. */
function resolve(name: string, ai: Record<string, unknown>): unknown {
  const provider = (globalThis as { AI_SDK_DEFAULT_PROVIDER?: unknown }).AI_SDK_DEFAULT_PROVIDER ?? ai.gateway;
  return (provider as { languageModel(name: string): unknown }).languageModel(name);
}

function known(options: WrapOptions | undefined): WrapOptions {
  return Object.fromEntries(Object.entries(options ?? {}).filter(([, value]) => value !== undefined));
}
