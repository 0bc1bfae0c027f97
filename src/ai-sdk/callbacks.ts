import { abandonOnCollect } from './abandon-on-collect.js';
import { readFinishReason } from './model-spec.js';
import type { ModelTaps } from './model-taps.js';
import type { Callback, SdkCallOptions } from './options.js';
import { ranToolCalls, readResult } from './result.js';
import { type Run, UNKNOWN_PROVIDER_ERROR } from './run.js';

interface CallbackChunk {
  type?: string;
  text?: unknown;
  error?: unknown;
}

/** The events of a `streamText` call that a run needs. */
export interface StreamListeners {
  chunk(event: { chunk?: CallbackChunk }): unknown;
  failed(error: unknown): void;
  aborted(event: { reason?: unknown }): void;
  ended(event: { finishReason?: unknown }): void;
}

/**
 * The listeners of a run. They see what the user saw: after the app's transforms, and no further than the consumer read.
 *
 * Which end comes:
 *
 * | | ai 5, 6 | ai 7 |
 * |---|---|---|
 * | whole, length, … | onFinish | onEnd, or onFinish without it |
 * | the call was refused | onError | an `error` chunk, and onError |
 * | an error part in the stream | onError, then onFinish | an `error` chunk, onError, then onEnd |
 * | aborted | onAbort, in a later step then onFinish | onAbort |
 * | the source broke, the consumer left | none | none |
 */
export function streamListeners(run: Run, taps: ModelTaps, signal: AbortSignal | undefined): StreamListeners {
  // Lives as long as the SDK's pipeline, which alone holds these callbacks.
  const token = {};
  abandonOnCollect(token, run.turn);

  let error: unknown;
  const failed = (caught: unknown) => {
    error = caught;
    // A call that gave no stream will bring no end either. After an error part in a stream, its end does come.
    if (run.lastCallRejected || taps.untapped) run.fail(caught);
  };
  return {
    chunk: ({ chunk }) => {
      if (chunk?.type === 'text-delta') run.turn.append(chunk.text as string);
      else if (chunk?.type === 'error') failed(chunk.error);
      else run.turn.touch();
      return token;
    },
    failed,
    aborted: ({ reason }) => run.abort(reason ?? signal?.reason),
    ended: event => {
      if (readFinishReason(event.finishReason) === 'error') return run.fail(error ?? UNKNOWN_PROVIDER_ERROR);
      run.toolsRan(ranToolCalls(event));
      // What the user saw is known; of a model that was not observed, the rest is read here.
      const { content: _, ...details } = taps.untapped ? readResult(event, taps.untapped) : {};
      run.complete(details);
    },
  };
}

/**
 * The callbacks of a `streamText` call, with ours before the app's; each answers what the app's answers, because ai 7
 * acts on it.
 */
export function streamCallbacks(listeners: StreamListeners, options: SdkCallOptions): Partial<SdkCallOptions> {
  return {
    onChunk: before(listeners.chunk, options.onChunk),
    onAbort: before(listeners.aborted, options.onAbort),
    ...errorCallback(listeners.failed, options),
    onFinish: before(listeners.ended, options.onFinish),
    // ai 7 runs only this one of the two when it is given both; ai 5 and 6 do not know it.
    ...(options.onEnd && { onEnd: before(listeners.ended, options.onEnd) }),
  };
}

/** `onError`, with ours before the app's. Without one the SDK writes errors to the console, and so do we then. */
export function errorCallback(
  failed: (error: unknown) => void,
  { onError, streamRetries }: SdkCallOptions,
): Partial<SdkCallOptions> {
  // With streamRetries, ai 7 treats a call that has an onError differently; there an `error` chunk tells as much.
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
