import { property } from '../internal/guards.js';
import type { LlmCall } from './llm-call.js';

/** The calls of models whose signal is aborted, be it the run's or one of their own, such as a limit for one call. */
export class StoppedCalls {
  readonly #calls: readonly LlmCall[];
  readonly #stopped: readonly LlmCall[];

  constructor(calls: readonly LlmCall[]) {
    this.#calls = calls;
    this.#stopped = calls.filter(isStopped);
  }

  /** Whether LangChain has told of each that it failed: then the app may have caught that. */
  get areReported(): boolean {
    return this.#stopped.length > 0 && this.#stopped.every(({ state }) => state === 'failed');
  }

  /** Whether the app has caught it: it has called a model since, whose signal is not aborted. */
  get areCaught(): boolean {
    return (
      this.areReported &&
      this.#calls.some(later => !isStopped(later) && this.#stopped.every(call => later.startedAfter(call)))
    );
  }
}

function isStopped({ signal }: LlmCall): boolean {
  return property(signal?.signal, 'aborted') === true;
}
