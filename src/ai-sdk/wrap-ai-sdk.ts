import type { Recorder } from '../recorder/recorder.js';
import { hasIdentity, readCallOptions, type SynapCallOptions } from './call-options.js';
import { promptEnd, promptMessages } from './content.js';
import { type AnyLanguageModel, isLanguageModel, readFinishReason } from './model.js';
import { isAbort, openRun, type Run, scopes, type WrapOptions } from './run.js';
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

/** The options of a call of the SDK, as far as a recorder reads them. */
interface CallOptions {
  model?: unknown;
  prompt?: unknown;
  messages?: unknown;
  abortSignal?: AbortSignal | undefined;
  providerOptions?: unknown;
  prepareStep?: ((...args: unknown[]) => unknown) | undefined;
  streamRetries?: number | undefined;
  onChunk?: Callback | undefined;
  onError?: Callback | undefined;
  onAbort?: Callback | undefined;
  onEnd?: Callback | undefined;
  onFinish?: Callback | undefined;
}

type Callback = (event: never) => unknown;
type Fn = (options: CallOptions, ...rest: unknown[]) => unknown;

/**
 * The AI SDK, recording: the namespace `ai` of version 5, 6 or 7 with its functions wrapped. Results, types, streams,
 * errors and callbacks are those of the SDK.
 *
 * Identity comes from the nearest of: the call's `providerOptions.synap`, `recorder.withIdentity`, the options here, the
 * recorder's defaults. A call inside a tool of another call is internal, unless it has an identity of its own.
 *
 * @example
 * ```ts
 * import * as ai from 'ai';
 * const { streamText } = wrapAISDK(ai, recorder);
 * const result = streamText({
 *   model,
 *   messages,
 *   providerOptions: { synap: { userId: 'ada', conversationId: 'chat-42' } },
 * });
 * ```
 */
export function wrapAISDK<T extends object>(ai: T, recorder: Recorder, options: WrapAISDKOptions = {}): T {
  const wrapped = { ...ai } as Record<string, unknown>;
  const context = { ai: ai as Record<string, unknown>, recorder, options };
  const wrap = (name: string, around: (fn: Fn, context: Context) => Fn) => {
    const fn = wrapped[name];
    if (typeof fn === 'function') wrapped[name] = around(fn as Fn, context);
  };
  wrap('generateText', wrapGenerate);
  wrap('streamText', wrapStream);
  return wrapped as T;
}

interface Context {
  readonly ai: Record<string, unknown>;
  readonly recorder: Recorder;
  readonly options: WrapAISDKOptions;
}

function wrapGenerate(fn: Fn, context: Context): Fn {
  return (options, ...rest) => {
    const run = safely(() => startRun(options, context, 'model'));
    const call = () => fn(tapped(options, run, context), ...rest) as Promise<unknown>;
    if (!run) return scopes.run({ run: undefined, inModel: false }, call);
    return scopes.run({ run, inModel: false }, call).then(
      result => {
        safely(() => run.complete());
        return result;
      },
      (error: unknown) => {
        safely(() => (isAbort(error, options.abortSignal) ? run.abort(options.abortSignal?.reason) : run.fail(error)));
        throw error;
      },
    );
  };
}

function wrapStream(fn: Fn, context: Context): Fn {
  return (options, ...rest) => {
    const run = safely(() => startRun(options, context, 'callbacks'));
    const call = (options: CallOptions) => fn(tapped(options, run, context), ...rest);
    if (!run) return scopes.run({ run: undefined, inModel: false }, () => call(options));
    run.watch(options.abortSignal);
    return scopes.run({ run, inModel: false }, () => {
      try {
        return call({ ...options, ...callbacks(run, options) });
      } catch (error) {
        run.fail(error);
        throw error;
      }
    });
  };
}

/** The run of a call; undefined when it is not recorded, or part of another run. */
function startRun(
  options: CallOptions,
  { recorder, options: wrap }: Context,
  textFrom: 'model' | 'callbacks',
): Run | undefined {
  const call: SynapCallOptions = readCallOptions(options.providerOptions);
  if (!recorder.enabled || call.record === false) return undefined;
  if (scopes.getStore() && !hasIdentity(call)) return undefined;
  // A model that was wrapped by itself brings the identity it was wrapped with; it is as near as ours.
  return openRun(recorder, {
    prompt: promptEnd(promptMessages(options)),
    call,
    options: { ...wrap, ...known(wrapOptionsOf(options.model)) },
    textFrom,
  });
}

/** The options with a tap on every model that the call will use. */
function tapped(options: CallOptions, run: Run | undefined, context: Context): CallOptions {
  const tap = (model: unknown) => safely(() => tapFor(model, run, context)) ?? model;
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

function tapFor(model: unknown, run: Run | undefined, { ai }: Context): unknown {
  const resolved = untapped(typeof model === 'string' ? resolve(model, ai) : model);
  if (!isLanguageModel(resolved)) return model;
  return tapModel<AnyLanguageModel>(resolved, model => run?.listen(model));
}

/** A model's name, resolved as the SDK does: by the app's default provider, else by the gateway. */
function resolve(name: string, ai: Record<string, unknown>): unknown {
  const provider = (globalThis as { AI_SDK_DEFAULT_PROVIDER?: unknown }).AI_SDK_DEFAULT_PROVIDER ?? ai.gateway;
  return (provider as { languageModel(name: string): unknown }).languageModel(name);
}

/** The call's callbacks, with ours before the app's; each answers what the app's answers. */
function callbacks(run: Run, options: CallOptions): Partial<CallOptions> {
  const before =
    <E>(ours: (event: E) => void, app: Callback | undefined): Callback =>
    event => {
      safely(() => ours(event));
      return app?.(event);
    };
  let error: unknown;
  const onError = (caught: unknown) => {
    error = caught;
    // Without a stream nothing more will come; after an error part in a stream its end does.
    if (run.lastCallRejected) run.fail(caught);
  };
  const onEnd = ({ finishReason }: { finishReason?: unknown }) => {
    if (readFinishReason(finishReason) === 'error') run.fail(error ?? 'the provider reported an error');
    else run.complete();
  };
  return {
    onChunk: before(({ chunk }: { chunk?: { type?: string; text?: unknown; error?: unknown } }) => {
      if (chunk?.type === 'text-delta') run.turn.append(chunk.text as string);
      else if (chunk?.type === 'error') onError(chunk.error);
    }, options.onChunk),
    onAbort: before(() => run.abort(options.abortSignal?.reason), options.onAbort),
    // ai 7 runs only one of the two when it is given both.
    ...(options.onEnd ? { onEnd: before(onEnd, options.onEnd) } : { onFinish: before(onEnd, options.onFinish) }),
  };
}

function known(options: WrapOptions | undefined): WrapOptions {
  return Object.fromEntries(Object.entries(options ?? {}).filter(([, value]) => value !== undefined));
}
