import { isPromise } from '../internal/promises.js';
import { type Answer, answerOf } from './answer.js';
import { isObject } from './messages.js';
import type { Notices } from './notices.js';
import type { HandlerSettings } from './options.js';
import { type Prompt, promptOf } from './prompt.js';

/** What the user said, as the app's own `selectInput` or `inputKey` finds it; undefined where they don't. */
export function chosenPrompt(input: unknown, settings: HandlerSettings, notices: Notices): Prompt {
  const { selectInput, inputKey } = settings;
  const selected = selectInput && ask('selectInput', () => selectInput(input), promptOf, notices);
  return selected ?? (inputKey === undefined ? undefined : promptOf(pick(input, inputKey, 'input')));
}

/** The answer, as the app's own `selectOutput` or `outputKey` finds it; undefined where they don't. */
export function chosenAnswer(output: unknown, settings: HandlerSettings, notices: Notices): Answer {
  const { selectOutput, outputKey } = settings;
  const selected = selectOutput && ask('selectOutput', () => selectOutput(output), answerOf, notices);
  return selected ?? (outputKey === undefined ? undefined : answerOf(pick(output, outputKey, 'output')));
}

function ask<T>(
  name: string,
  select: () => unknown,
  read: (value: unknown) => T,
  notices: Notices,
): T | 'none' | undefined {
  try {
    const value = select();
    if (value === undefined) return undefined;
    if (value === null) return 'none';
    const found = read(value);
    if (found !== undefined) return found;
    notices.once(`${name}:unreadable`, `${name} gave neither a text nor messages, so the usual rules apply`);
    // A promise can't be waited for here; at least its failure is nobody's.
    if (isPromise(value)) value.then(undefined, () => {});
  } catch (error) {
    notices.once(
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
