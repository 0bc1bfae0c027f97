import type { Logger } from '../../internal/logger.js';
import { monotonicNow } from '../../internal/monotonic-clock.js';
import type { DatabaseFileError, DatabaseProblem } from '../../internal/sqlite/errors.js';

const SECOND = 1000;
const MINUTE = 60 * SECOND;

/** After how long the file is tried again. What only a person can change is tried seldom: it reads the whole file. */
const RETRY_MS: Readonly<Record<DatabaseProblem, number>> = {
  locked: SECOND,
  full: 5 * SECOND,
  inaccessible: 5 * SECOND,
  failed: 5 * SECOND,
  foreign: MINUTE,
  newer: MINUTE,
  damaged: MINUTE,
  not_sqlite: MINUTE,
};

/** How long the same problem is not logged again. */
const LOG_AGAIN_MS = MINUTE;

/**
 * Whether the file of an outbox can be used, and when to try it again. It logs the change, both ways.
 *
 * ```
 *   healthy ──failed──► locked | full | … (a DatabaseProblem) ──failed──► the same, or another problem
 *      ▲                            │
 *      └───────────worked───────────┘
 * ```
 */
export class FileHealth {
  readonly #path: string;
  /** Since it was healthy. */
  readonly #seen = new Set<DatabaseProblem>();
  readonly #loggedAt = new Map<DatabaseProblem, number>();
  #state: 'healthy' | DatabaseProblem = 'healthy';
  #retryAt = 0;
  #isLogged = false;

  constructor(path: string) {
    this.#path = path;
  }

  get state(): 'healthy' | DatabaseProblem {
    return this.#state;
  }

  /** Whether it is healthy, or due to be tried again. */
  get mayTry(): boolean {
    return this.#state === 'healthy' || monotonicNow() >= this.#retryAt;
  }

  failed({ problem, message }: DatabaseFileError, logger: Logger): void {
    // An attempt before the time must not put it off.
    if (problem === this.#state && !this.mayTry) return;
    const now = monotonicNow();
    this.#state = problem;
    this.#retryAt = now + RETRY_MS[problem];
    if (this.#seen.has(problem)) return;
    this.#seen.add(problem);
    if (now - (this.#loggedAt.get(problem) ?? Number.NEGATIVE_INFINITY) < LOG_AGAIN_MS) return;
    this.#loggedAt.set(problem, now);
    this.#isLogged = true;
    const salvage =
      problem === 'damaged' ? `. What can be read of it: npx synap-recorder outbox salvage ${this.#path}` : '';
    logger.error(
      `outbox file ${message}${salvage}. Until then new messages wait in memory, and are lost if the process ends before they are delivered`,
    );
  }

  /** @param inMemory how many messages wait in memory for the file */
  worked(inMemory: number, logger: Logger): void {
    if (this.#state === 'healthy') return;
    this.#state = 'healthy';
    this.#seen.clear();
    const moving = inMemory === 0 ? '' : `; moving ${inMemory} in-memory message${inMemory === 1 ? '' : 's'} into it`;
    if (this.#isLogged) logger.warn(`outbox file recovered${moving} (${this.#path})`);
    this.#isLogged = false;
  }
}
