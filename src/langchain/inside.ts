import { BoundedMap } from '../internal/bounded-map.js';
import { onePer } from '../internal/one-per.js';
import type { Identity } from '../recorder/identity.js';
import type { Recorder } from '../recorder/recorder.js';
import { isInside, namesAnother, scopeOf } from '../recorder/scope.js';
import { graphStep } from './graph-state.js';
import { callIdentity } from './identity.js';

const MAX_TASKS = 10_000;

/**
 * The tasks of LangGraph's that runs of one recorder have started, whichever of its handlers heard of them, and who those
 * runs are recorded for. A task's name is its own: no two runs have the same, but one that is resumed.
 */
export class OuterTasks {
  readonly #byName = new BoundedMap<{ readonly identity: Identity | undefined }>(MAX_TASKS);

  static readonly of = onePer(() => new OuterTasks());

  /** A step inside a run starts. */
  note(metadata: unknown, identity: Identity | undefined): void {
    const task = graphStep(metadata)?.task;
    if (task !== undefined && !this.#byName.get(task)) this.#byName.set(task, { identity });
  }

  get(metadata: unknown): { readonly identity: Identity | undefined } | undefined {
    const task = graphStep(metadata)?.task;
    return task === undefined ? undefined : this.#byName.get(task);
  }
}

/**
 * Whether a run that no run of its handler contains is still no turn: a handler was given once more inside of what is
 * recorded already. The rule:
 *
 * 1. Inside a call of the same recorder that is under way, through whichever adapter, it belongs to that: the recorder's
 *    scope tells, where LangChain waits for the handler in the caller's async context (`awaited`).
 * 2. Where no scope reaches (a handler in the background, a context that was lost, a graph that has ended meanwhile), the
 *    metadata of LangGraph's name the task around it: it is inside if a run of this recorder has started that task.
 * 3. Either way it is a turn of its own if it names another user, customer or conversation.
 * 4. Where nobody recorded the graph around it, the app has given the handler to this step alone: it is a turn. So it is for
 *    another recorder, to which the graph is nothing that it records.
 *
 * A chain without LangGraph has no such metadata: without a scope it is taken for a turn.
 */
export function isInsideAnother(recorder: Recorder, metadata: unknown, awaited: boolean): boolean {
  const call = callIdentity(metadata);
  if (awaited && scopeOf(recorder)) return isInside(recorder, call);
  const outer = OuterTasks.of(recorder).get(metadata);
  return outer !== undefined && !namesAnother(call, outer.identity);
}
