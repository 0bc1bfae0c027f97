import { abandonWith } from './abandoned.js';
import { readFinishReason } from './model.js';
import type { Callback, CallOptions } from './options.js';
import { type Run, UNTOLD_ERROR } from './run.js';

interface StreamPart {
  type?: string;
  text?: unknown;
  error?: unknown;
}

/**
 * The callbacks of a `streamText` call, with ours before the app's; each answers what the app's answers, because ai 7
 * acts on it. They tell what the user saw: after the app's transforms, and no further than the consumer read.
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
export function streamCallbacks(run: Run, options: CallOptions, isAi7: boolean): Partial<CallOptions> {
  // Lives as long as the SDK's pipeline, which alone holds these callbacks.
  const witness = {};
  abandonWith(witness, run.turn);

  let error: unknown;
  const failed = (caught: unknown) => {
    error = caught;
    // A call that gave no stream will bring no end either. After an error part in a stream, its end does come.
    if (run.lastCallRejected) run.fail(caught);
  };
  const chunk = ({ chunk }: { chunk?: StreamPart }) => {
    if (chunk?.type === 'text-delta') run.turn.append(chunk.text as string);
    else if (chunk?.type === 'error') failed(chunk.error);
    else run.turn.touch();
    return witness;
  };
  const ended = ({ finishReason }: { finishReason?: unknown }) => {
    if (readFinishReason(finishReason) === 'error') run.fail(error ?? UNTOLD_ERROR);
    else run.complete();
  };
  return {
    onChunk: before(chunk, options.onChunk),
    onAbort: before(
      ({ reason }: { reason?: unknown }) => run.abort(reason ?? options.abortSignal?.reason),
      options.onAbort,
    ),
    ...errorCallback(failed, options),
    // ai 7 runs only one of the two when it is given both.
    ...(isAi7 && options.onEnd
      ? { onEnd: before(ended, options.onEnd) }
      : { onFinish: before(ended, options.onFinish) }),
  };
}

/** `onError`, with ours before the app's. Without one the SDK writes errors to the console, and so do we then. */
export function errorCallback(
  failed: (error: unknown) => void,
  { onError, streamRetries }: CallOptions,
): Partial<CallOptions> {
  // With streamRetries, ai 7 treats a call that has an onError differently; there an `error` chunk tells as much.
  if (!onError && streamRetries !== undefined) return {};
  const app = onError ?? (({ error }: { error: unknown }) => console.error(error));
  return { onError: before(({ error }: { error: unknown }) => failed(error), app) };
}

/** Our callback before the app's. What the app's answers or throws is what the SDK gets; what ours throws is not. */
export function before<E>(ours: (event: E) => unknown, app: Callback | undefined): Callback {
  return event => {
    // As in safely(), without a function for every chunk.
    try {
      ours(event as E);
    } catch {}
    return app?.(event);
  };
}
