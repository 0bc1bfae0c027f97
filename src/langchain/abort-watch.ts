import { outsideRequests } from '../internal/async-context.js';
import { isObject, property, safely, text } from '../internal/guards.js';
import { isAborted } from '../recorder/abort.js';

/** The signal that a model was called with. */
export interface CallSignal {
  /** Undefined where the model was called without one. */
  readonly signal: AbortSignal | undefined;
  /** Whether LangGraph has made it, of the app's and of its own. */
  readonly derived: boolean;
}

/** How a run ended that did not come to its end. */
export type BrokenEnd = 'error' | 'aborted' | 'abandoned';

// So long LangChain has time to say itself what became of a run whose signal is aborted.
const GRACE_MS = 250;
// An agent may make thousands of calls, each with a signal of its own.
const MAX_SIGNALS = 100;

/**
 * Watches the signals that the models of a run were called with.
 *
 * LangChain does not always tell that a run was aborted: a reader that is slower than the model gets the abort from the stream
 * itself, and no callback is called. Then the signal is all that tells. It is a hint only: LangGraph and timeouts make signals
 * of their own, which they abort for other reasons, too. So whatever LangChain reports within {@link GRACE_MS} counts instead.
 *
 * ```
 *   watching ──signal──► waiting ──250 ms──► onSilence()
 *      │                    │
 *      └────── close() ─────┴─► closed
 * ```
 */
export class AbortWatch {
  readonly #signals: CallSignal[] = [];
  readonly #onSilence: () => void;
  #withoutSignal = false;
  #failure: { error: unknown } | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  /** @param onSilence called when a signal is aborted and the run has not ended soon after */
  constructor(onSilence: () => void) {
    this.#onSilence = onSilence;
  }

  /** A model is called. Undefined where it isn't known whether there is a signal. */
  add(call: CallSignal | undefined): void {
    if (!call) {
      this.#withoutSignal = true;
      return;
    }
    if (this.#signals.some(({ signal }) => signal === call.signal) || this.#signals.length >= MAX_SIGNALS) return;
    this.#signals.push(call);
    if (property(call.signal, 'aborted') === true) this.#aborted();
    else safely(() => call.signal?.addEventListener('abort', this.#aborted, { once: true }));
  }

  /**
   * A step of the run has failed. What the run was aborted for after that is no abort of the app's.
   *
   * @param signal what a model was called with: where that is not aborted, a connection that "was aborted" has failed
   */
  stepFailed(error: unknown, signal?: CallSignal): void {
    if (this.#hasAborted()) return;
    const reportsAbort = isAborted(error, { byError: true });
    if (!reportsAbort || signal?.signal) this.#failure ??= { error };
  }

  /** The run goes on: what has failed before was caught. */
  stepStarted(): void {
    this.#failure = undefined;
  }

  /** The error of a step that nobody is known to have caught. */
  get failure(): unknown {
    return this.#failure?.error;
  }

  /**
   * How the run ended.
   *
   * @param error what LangChain reported; undefined where it did not report anything
   * @param isModelRunning whether a model was at work; the signals of LangGraph's earlier steps know nothing of a later abort
   */
  endOf(error: unknown, isModelRunning = true): BrokenEnd {
    const isLeft = this.#signals.some(({ signal }) => wasCancelled(signal));
    const own = this.#of(false).filter(signal => !wasCancelled(signal));
    const derived = this.#of(true);
    if (this.#failure && (error === undefined || !isOwnAbort(error, own))) return 'error';
    const reported = error ?? this.#signals.map(({ signal }) => property(signal, 'reason')).find(Boolean);
    const byError = this.#signals.length === 0 || this.#withoutSignal || (own.length === 0 && !isModelRunning);
    if (!own.some(isSet) && isLeft && isAborted(reported, { byError: true })) return 'abandoned';
    if (!isAborted(reported, { own, derived, byError })) return error === undefined ? 'abandoned' : 'error';
    return 'aborted';
  }

  /** Why it was aborted, where LangChain has not said it. */
  get reason(): unknown {
    return this.#signals.map(({ signal }) => signal).find(isSet)?.reason;
  }

  /** Whether an own signal of the app's is aborted: then nothing more comes. */
  get isFinal(): boolean {
    return this.#of(false).some(isSet);
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    for (const { signal } of this.#signals) safely(() => signal?.removeEventListener('abort', this.#aborted));
  }

  readonly #aborted = (): void => {
    if (this.#timer || this.#isClosed) return;
    this.#timer = outsideRequests(() =>
      setTimeout(() => {
        // Where the app has caught this abort, another one may follow.
        this.#timer = undefined;
        this.#onSilence();
      }, GRACE_MS),
    );
    this.#timer.unref?.();
  };

  /** Whether somebody has aborted a signal, and LangChain may not have told it yet. */
  #hasAborted(): boolean {
    return this.#signals.some(({ signal }) => isSet(signal));
  }

  #of(derived: boolean): (AbortSignal | undefined)[] {
    return this.#signals.filter(signal => signal.derived === derived).map(({ signal }) => signal);
  }
}

function isSet(signal: AbortSignal | undefined): boolean {
  return property(signal, 'aborted') === true;
}

/** Whether an error is nothing but the abort of the app's own signal. */
function isOwnAbort(error: unknown, own: readonly (AbortSignal | undefined)[]): boolean {
  return own.some(isSet) && isAborted(error, { byError: true });
}

// LangGraph's stream cancels its run when its own cancel() is called; the streams of events end theirs when they are returned from.
const CANCELLERS = [
  /\bcancel\b.*[\\/]pregel[\\/]stream\.c?js/,
  /\bIterableReadableStreamWithAbortSignal\b/,
  /\b_streamEventsV\d\b/,
];

/**
 * Whether LangChain has aborted a signal because a reader has left its stream, by `break` or `cancel()`. It gives no reason for
 * that; but the platform's own says who has called abort().
 */
function wasCancelled(signal: AbortSignal | undefined): boolean {
  if (!isSet(signal)) return false;
  const reason = property(signal, 'reason');
  const stack = isObject(reason) && reason.name === 'AbortError' ? text(property(reason, 'stack')) : undefined;
  const caller = stack
    ?.split('\n')
    .find((line, index) => index > 0 && !/\bnode:|DOMException|AbortController/.test(line));
  return caller !== undefined && CANCELLERS.some(canceller => canceller.test(caller));
}
