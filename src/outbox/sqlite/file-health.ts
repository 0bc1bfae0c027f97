import type { Logger } from '../../internal/logger.js';
import type { DatabaseFileError, DatabaseTrouble } from '../../internal/sqlite/errors.js';

const SECOND = 1000;
const MINUTE = 60 * SECOND;

/** After how long the file is tried again. What only a person can change is looked at seldom: it reads the whole file. */
const RETRY_MS: Readonly<Record<DatabaseTrouble, number>> = {
  locked: SECOND,
  full: 5 * SECOND,
  inaccessible: 5 * SECOND,
  failed: 5 * SECOND,
  foreign: MINUTE,
  newer: MINUTE,
  damaged: MINUTE,
  not_sqlite: MINUTE,
};

/** How long the same trouble stays unmentioned when it comes again. */
const SAY_AGAIN_MS = MINUTE;

/** Why the file of an outbox can't be used for now, and when to try it again. It says so, and when that is over. */
export class Trouble {
  readonly #path: string;
  /** What it was since all was well. */
  readonly #kinds = new Set<DatabaseTrouble>();
  readonly #saidAt = new Map<DatabaseTrouble, number>();
  #kind: DatabaseTrouble | undefined;
  #retryAt = 0;
  #isSaid = false;

  constructor(path: string) {
    this.#path = path;
  }

  /** Undefined while all is well. */
  get kind(): DatabaseTrouble | undefined {
    return this.#kind;
  }

  /** Whether all is well, or it is time to try the file again. */
  get mayTry(): boolean {
    return this.#kind === undefined || performance.now() >= this.#retryAt;
  }

  begin({ trouble, message }: DatabaseFileError, logger: Logger): void {
    // Whoever tries before the time must not put it off.
    if (trouble === this.#kind && !this.mayTry) return;
    const now = performance.now();
    this.#kind = trouble;
    this.#retryAt = now + RETRY_MS[trouble];
    if (this.#kinds.has(trouble)) return;
    this.#kinds.add(trouble);
    if (now - (this.#saidAt.get(trouble) ?? Number.NEGATIVE_INFINITY) < SAY_AGAIN_MS) return;
    this.#saidAt.set(trouble, now);
    this.#isSaid = true;
    logger.error(
      `the outbox ${message}. Until then messages wait in memory, and are lost if the process ends before they are delivered`,
    );
  }

  end(logger: Logger): void {
    if (this.#kind === undefined) return;
    this.#kind = undefined;
    this.#kinds.clear();
    if (this.#isSaid) logger.warn(`the outbox ${this.#path} is in use again: what waits in memory moves into it`);
    this.#isSaid = false;
  }
}
