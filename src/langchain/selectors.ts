import { isObject } from '../internal/guards.js';
import { isPromise } from '../internal/promises.js';
import type { WarnOnce } from '../internal/warn-once.js';
import { type Answer, answerOf } from './answer.js';
import type { HandlerSettings } from './options.js';
import { type Prompt, promptOf } from './prompt.js';

/** What the user said, as the app's own `selectInput` or `inputKey` finds it; undefined where they don't. */
export function chosenPrompt(input: unknown, settings: HandlerSettings, warnOnce: WarnOnce): Prompt {
  const { selectInput, inputKey } = settings;
  const selected = selectInput && select('selectInput', () => selectInput(input), promptOf, warnOnce);
  return selected ?? (inputKey === undefined ? undefined : promptOf(pick(input, inputKey, 'input')));
}

/** The answer, as the app's own `selectOutput` or `outputKey` finds it; undefined where they don't. */
export function chosenAnswer(output: unknown, settings: HandlerSettings, warnOnce: WarnOnce): Answer {
  const { selectOutput, outputKey } = settings;
  const selected = selectOutput && select('selectOutput', () => selectOutput(output), answerOf, warnOnce);
  return selected ?? (outputKey === undefined ? undefined : answerOf(pick(output, outputKey, 'output')));
}

function select<T>(
  name: string,
  selector: () => unknown,
  read: (value: unknown) => T,
  warnOnce: WarnOnce,
): T | 'none' | undefined {
  try {
    const value = selector();
    if (value === undefined) return undefined;
    if (value === null) return 'none';
    const found = read(value);
    if (found !== undefined) return found;
    warnOnce.warn(`${name}:unreadable`, `${name} gave neither a text nor messages, so the usual rules apply`);
    // A promise can't be waited for here; at least its failure is nobody's.
    if (isPromise(value)) value.then(undefined, () => {});
  } catch (error) {
    warnOnce.warn(
      `${name}:threw`,
      `${name} threw ${error instanceof Error ? error.name : 'something'}, so the usual rules apply`,
    );
  }
  return undefined;
}

/** A key of a state, also where LangChain has put the state under `wrapper`. */
function pick(state: unknown, key: string, wrapper: string): unknown {
  if (!isObject(state)) return undefined;
  if (state[key] !== undefined) return state[key];
  const inner = state[wrapper];
  return isObject(inner) ? inner[key] : undefined;
}
