import { BoundedMap } from '../internal/bounded-map.js';
import { isObject } from '../internal/guards.js';
import { onePer } from '../internal/one-per.js';
import { addUsage, type Usage } from '../recorder/metadata.js';
import { countsOf } from './call-details.js';
import { callsTools, type Message, toolNames } from './messages.js';

const MAX_TASKS = 10_000;

/** What the calls of a model took, as far as no answer has said so yet. */
export interface Totals {
  readonly steps: number;
  readonly usage: Usage;
  readonly toolCalls: readonly string[];
}

export const NOTHING: Totals = { steps: 0, usage: {}, toolCalls: [] };

/**
 * What runs took before they were interrupted, by the tasks that were: the answer that follows a resume was made by both
 * halves. Known within one process; in another one, by what the state holds; see {@link totalsOfState}.
 */
export class FirstHalves {
  readonly #byTask = new BoundedMap<Totals>(MAX_TASKS);

  static readonly of = onePer(() => new FirstHalves());

  keep(tasks: Iterable<string>, totals: Totals): void {
    for (const task of tasks) this.#byTask.set(task, totals);
  }

  /** The fuller one of what this process knows and what the state says. */
  of(task: string | undefined, ofState: Totals): Totals {
    const known = task === undefined ? undefined : this.#byTask.get(task);
    return known && known.steps >= ofState.steps ? known : ofState;
  }
}

export function addTotals(first: Totals, second: Totals): Totals {
  return {
    steps: first.steps + second.steps,
    usage: addUsage(first.usage, second.usage),
    toolCalls: [...first.toolCalls, ...second.toolCalls],
  };
}

/** What a state says of the calls since its last answer: messages that call tools, with their tokens. */
export function totalsOfState(messages: readonly Message[]): Totals {
  let totals = NOTHING;
  for (const message of messages) {
    if (message.speaker === 'human') totals = NOTHING;
    if (message.speaker !== 'ai') continue;
    const { usage_metadata, lc_kwargs } = message.fields;
    // A checkpoint of core 0.3 gives it back under another name.
    const usage = countsOf(usage_metadata ?? (isObject(lc_kwargs) ? lc_kwargs.usageMetadata : undefined)) ?? {};
    const one = { steps: 1, usage, toolCalls: toolNames(message) };
    totals = callsTools(message) ? addTotals(totals, one) : NOTHING;
  }
  return totals;
}
