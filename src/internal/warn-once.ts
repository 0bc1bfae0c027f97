import type { Logger } from './logger.js';
import { onePer } from './one-per.js';
import { isPromise } from './promises.js';

// Topics may have names of an app's making (its tags): a bound keeps a bad one from filling memory.
const MAX_TOPICS = 1000;

const topicsOf = onePer(() => new Set<string>());

/** Warns an app's developer of each thing once. */
export class WarnOnce {
  readonly #warned: Set<string>;
  readonly #logger: Logger;

  constructor(logger: Logger, warned = new Set<string>()) {
    this.#logger = logger;
    this.#warned = warned;
  }

  /**
   * All that are made for one owner warn of a thing once together: an app may make a handler for every request, with a
   * logger of its own, and still wants to read each warning once.
   */
  static of(owner: object, logger: Logger): WarnOnce {
    return new WarnOnce(logger, topicsOf(owner));
  }

  /** Warns, unless it has warned of this topic before. */
  warn(topic: string, message: string): void {
    if (this.#warned.has(topic) || this.#warned.size >= MAX_TOPICS) return;
    this.#warned.add(topic);
    this.#logger.warn(message);
  }

  /** Warns of each variant of a topic, and of `most` of them at the most. */
  warnOfVariant(topic: string, variant: string, most: number, message: string): void {
    const isKnown = (name: string) => this.#warned.has(name);
    if (isKnown(`${topic}:${variant}`)) return;
    const free = Array.from({ length: most }, (_, index) => `${topic}#${index}`).find(name => !isKnown(name));
    if (free === undefined || this.#warned.size >= MAX_TOPICS) return;
    this.#warned.add(free);
    this.warn(`${topic}:${variant}`, message);
  }

  /** Calls a function of the app's; what it throws ends here, at once or later. */
  guard(name: string, call: () => unknown): void {
    const failed = (error: unknown) => this.warn(name, `${name} threw: ${nameOf(error)}`);
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
