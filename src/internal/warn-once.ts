import { isPromise } from '../internal/promises.js';
import type { Logger } from './logger.js';

// Topics may have names of an app's making (its tags): a bound keeps a bad one from filling memory.
const MAX_TOPICS = 1000;

/** Says each thing once: what an app's developer should know of how it is recorded. */
export class Notices {
  readonly #said = new Set<string>();
  readonly #logger: Logger;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  once(topic: string, message: string): void {
    if (this.#said.has(topic) || this.#said.size >= MAX_TOPICS) return;
    this.#said.add(topic);
    this.#logger.warn(message);
  }

  /** Calls a function of the app's; what it throws ends here, at once or later. */
  guard(name: string, call: () => unknown): void {
    const failed = (error: unknown) => this.once(name, `${name} threw: ${nameOf(error)}`);
    try {
      const answer = call();
      if (isPromise(answer)) answer.then(undefined, failed);
    } catch (error) {
      failed(error);
    }
  }
}

/** What an app's error is called; its message may hold anything. */
function nameOf(error: unknown): string {
  try {
    return error instanceof Error ? String(error.name) : 'unknown error';
  } catch {
    // A revoked proxy can not even be asked what it is.
    return 'unknown error';
  }
}
