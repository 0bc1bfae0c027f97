import { errorForLog } from '../delivery/deliver.js';
import type { Logger } from '../delivery/logger.js';
import { isPromise } from '../internal/promises.js';

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
    const failed = (error: unknown) => this.once(name, `${name} threw: ${errorForLog(error)}`);
    try {
      const answer = call();
      if (isPromise(answer)) answer.then(undefined, failed);
    } catch (error) {
      failed(error);
    }
  }
}
