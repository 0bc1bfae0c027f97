import { BoundedMap } from '../internal/bounded-map.js';
import { onePer } from '../internal/one-per.js';

const MAX_RUNS = 10_000;

/**
 * The ids of runs that have ended with an answer, lately and in this process. A run under the id of one that failed is another
 * attempt at the same turn; under the id of one that was answered it is another turn, whose id the app has used again.
 */
export class AnsweredRuns {
  readonly #times = new BoundedMap<number>(MAX_RUNS);

  /** Those of a recorder: an app may make a handler for each request. */
  static readonly of = onePer(() => new AnsweredRuns());

  /** @returns the id of the turn that a run with this id is now */
  turnId(runId: string): string {
    const times = this.#times.get(runId);
    return times === undefined ? runId : `${runId}:${times + 1}`;
  }

  add(runId: string): void {
    this.#times.set(runId, (this.#times.get(runId) ?? 0) + 1);
  }
}
