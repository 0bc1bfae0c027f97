import { isObject } from '../internal/guards.js';
import type { WarnOnce } from '../internal/warn-once.js';
import { cutText } from '../recorder/cut-text.js';
import type { InputValues } from './input-values.js';
import type { LlmCall } from './llm-call.js';
import { isBytes, type StepOutputs } from './step-outputs.js';

/** What a notice calls a chain by, and tells it from others by. */
export interface ChainName {
  /** The name of its run: the app's own, or its class's. */
  readonly name: string;
  readonly steps: StepOutputs;
}

const MAX_NAME = 100;
const MAX_KEYS = 20;
// Of chains with the same name and steps: one whose output has other names each time, of its users' making, warns no more often.
const MAX_ALIKE = 5;

/**
 * Says that the answer in an output is not clear, once for each chain. Most chains have no name of their own, only that of
 * their class: then their steps and the names in their inputs and outputs tell them apart.
 */
export function unclearAnswer(
  warnOnce: WarnOnce,
  { name, steps }: ChainName,
  run: {
    readonly input: InputValues;
    readonly output: unknown;
    readonly calls: readonly LlmCall[];
    readonly hasPrompt: boolean;
  },
): void {
  const keys = keysOf(run.output);
  const chain = [name, ...steps.names].join(' | ');
  const said = run.hasPrompt ? "only the user's message is recorded" : 'nothing of it is recorded';
  warnOnce.warnOfVariant(
    `unclear answer: ${chain}`,
    [run.input.keys.toSorted(), keys].join(' | '),
    MAX_ALIKE,
    `no part of the output of ${nameOf(name, steps.names)} is clearly the answer, so ${said}. ${advice(keys, run.calls)}`,
  );
}

/** Says that a step behind the model has hidden what the reader got of an answer. */
export function hiddenAnswer(warnOnce: WarnOnce, name: string): void {
  warnOnce.warn(
    `hidden:${name}`,
    `${JSON.stringify(name)} has a step behind its model, which did not finish: what the reader got of the answer is not known, so only the user's message is recorded`,
  );
}

function keysOf(value: unknown): string[] {
  return isObject(value) && !isBytes(value) ? Object.keys(value).slice(0, MAX_KEYS).sort() : [];
}

function nameOf(name: string, steps: readonly string[]): string {
  const known = steps.length > 0 ? ` (${cutText(steps.join(', '), MAX_NAME)})` : '';
  return `${JSON.stringify(cutText(name, MAX_NAME))}${known}`;
}

/** The options that can settle it: a name in the output only where it has names, nodes only where models run in some. */
function advice(keys: readonly string[], calls: readonly LlmCall[]): string {
  const isNamed = keys.length > 0 && keys.join() !== 'output';
  const options = isNamed ? ['outputKey', 'selectOutput'] : ['selectOutput'];
  if (calls.some(call => call.answers && call.place !== undefined)) options.push('assistantNodes');
  const last = options.pop();
  return `Set ${options.length > 0 ? `${options.join(', ')} or ` : ''}${last}`;
}
