import type { Callback, SdkCallOptions } from './options.js';
import type { StreamRun } from './stream-run.js';

/**
 * Which callbacks a call of `streamText` is given, to hint at its end.
 *
 * - `steps`: those that tell of steps and of the end. What a chunk says is not asked for: each would take a turn longer.
 * - `chunks`: those, but chunks in the place of steps, for ai 7 where a step does not say all that its readers got: the user
 *   may speak into the answer (steering), or a first attempt may have broken (`streamRetries`).
 * - `chunks only`: any other would make `experimental_streamTextLowMemory` of ai 7 keep the answer.
 */
export type HintSource = 'steps' | 'chunks' | 'chunks only';

export function hintSource({ experimental_steering, streamRetries }: SdkCallOptions): HintSource {
  return experimental_steering === undefined && streamRetries === undefined ? 'steps' : 'chunks';
}

/**
 * The callbacks of a call, with ours before the app's; each answers what the app's answers, because ai 7 acts on it.
 *
 * | | ai 5, 6 | ai 7 |
 * |---|---|---|
 * | whole, length, … | onStepFinish, onFinish | onStepEnd or onStepFinish, onEnd or onFinish |
 * | the call was refused | onError | an `error` chunk, and onError |
 * | an error part in the stream | onError, onStepFinish, onFinish | an `error` chunk, onError, then as above |
 * | aborted | onAbort, in a later step then onFinish | onAbort |
 * | the source broke, the reader left | none | none |
 */
export function hintCallbacks(run: StreamRun, options: SdkCallOptions, from: HintSource): Partial<SdkCallOptions> {
  const { hints } = run;
  const callbacks = errorCallback(error => hints.failed(error), options);
  if (from !== 'steps') callbacks.onChunk = before(hints.chunk, options.onChunk);
  if (from === 'chunks only') return callbacks;
  if (from === 'steps') Object.assign(callbacks, stepCallback(run, options));
  const aborted = (event: unknown) => {
    hints.aborted(event);
    run.leave();
  };
  callbacks.onAbort = before(aborted, options.onAbort);
  return Object.assign(callbacks, endCallback(run, options));
}

/** `onStepFinish`, by the name that the app uses: ai 7 runs only the newer one of the two. */
function stepCallback({ hints }: StreamRun, { onStepEnd, onStepFinish }: SdkCallOptions): Partial<SdkCallOptions> {
  return onStepEnd ? { onStepEnd: before(hints.step, onStepEnd) } : { onStepFinish: before(hints.step, onStepFinish) };
}

/** `onFinish`, by the name that the app uses: ai 7 runs only the newer one of the two. */
function endCallback(run: StreamRun, options: SdkCallOptions): Partial<SdkCallOptions> {
  const { onEnd, onFinish } = options;
  if (onEnd) return { onEnd: before(run.loopEnded, onEnd) };
  // With an output, ai 7 reads the whole answer a second time for whoever has such a callback.
  const hasOutput = (options.output ?? options.experimental_output) !== undefined;
  return onFinish || !hasOutput ? { onFinish: before(run.loopEnded, onFinish) } : {};
}

/** `onError`, with ours before the app's. Without one the SDK writes errors to the console, and so do we then. */
export function errorCallback(
  failed: (error: unknown) => void,
  { onError, streamRetries }: SdkCallOptions,
): Partial<SdkCallOptions> {
  // With streamRetries, ai 7 treats a call that has an onError differently.
  if (!onError && streamRetries !== undefined) return {};
  const app = onError === undefined ? ({ error }: { error: unknown }) => console.error(error) : onError;
  return { onError: before(({ error }: { error: unknown }) => failed(error), app) };
}

/** Our callback before the app's. What the app's answers or throws is what the SDK gets; what ours throws is not. */
export function before<E>(ours: (event: E) => unknown, app: Callback | null | undefined): Callback {
  return event => {
    // As in safely(), without a function for every chunk.
    try {
      ours(event as E);
    } catch {}
    return app?.(event);
  };
}
