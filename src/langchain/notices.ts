import { BoundedSet } from '../internal/bounded-set.js';
import { type Logger, safeLogger } from '../internal/logger.js';

// An app that makes a handler for every request still wants to read a notice once, so they go by the recorder.
const said = new WeakMap<object, BoundedSet>();
const MAX_TOPICS = 200;

/** Says each thing once: what an app's developer should know of how its chains are recorded. */
export class Notices {
  readonly #said: BoundedSet;
  readonly #logger: Logger;

  constructor(recorder: object, logger: Logger | false | undefined) {
    this.#said = said.get(recorder) ?? new BoundedSet(MAX_TOPICS);
    said.set(recorder, this.#said);
    this.#logger = safeLogger(logger);
  }

  once(topic: string, message: string): void {
    if (this.#said.has(topic)) return;
    this.#said.add(topic);
    this.#logger.warn(message);
  }
}
