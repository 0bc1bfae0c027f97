import { isObject, text } from '../internal/guards.js';

// They hand on the text that they get, in another form.
const NEUTRAL_STEPS = new Set([
  'StrOutputParser',
  'StringOutputParser',
  'BytesOutputParser',
  'HttpResponseOutputParser',
  'JsonOutputParser',
  'StructuredOutputParser',
]);

/** The steps of a sequence, as far as they say whether a step's text reaches the reader: `true` where it does. */
export type ChainSteps = readonly boolean[];

/** @returns undefined where a run is no sequence, or where its steps are not known */
export function chainSteps(serialized: unknown): ChainSteps | undefined {
  if (!isObject(serialized) || !Array.isArray(serialized.id) || serialized.id.at(-1) !== 'RunnableSequence')
    return undefined;
  const { kwargs } = serialized;
  if (!isObject(kwargs) || !isObject(kwargs.last)) return undefined;
  const steps = [kwargs.first, ...(Array.isArray(kwargs.middle) ? kwargs.middle : []), kwargs.last];
  const lastOwn = steps.findLastIndex(step => !isNeutral(step));
  return steps.map((_, index) => index >= lastOwn);
}

/**
 * @param steps those of the run around it
 * @param tags those of the run that asks
 * @returns whether a step's text reaches the reader as it is, as far as the run around it tells
 */
export function reachesReader(steps: ChainSteps | undefined, tags: readonly string[] | undefined): boolean {
  // A condition of a branch is never what the branch puts out.
  if (tags?.some(tag => tag.startsWith('condition:'))) return false;
  const place = placeInSequence(tags);
  return place === undefined || (steps?.[place] ?? true);
}

/** The place of a step in a sequence, from 0; undefined for one that is in none. */
export function placeInSequence(tags: readonly string[] | undefined): number | undefined {
  for (const tag of tags ?? []) if (tag.startsWith('seq:step:')) return Number(tag.slice('seq:step:'.length)) - 1;
  return undefined;
}

function isNeutral(step: unknown): boolean {
  if (!isObject(step)) return false;
  // withConfig() and its like wrap a step.
  if (isObject(step.bound)) return isNeutral(step.bound);
  const { constructor: made, lc_id: id } = step;
  const name = Array.isArray(id) ? text(id.at(-1)) : undefined;
  // What an app derives from a parser of LangChain's may do anything.
  const isOwnClass = typeof made === 'function' && Object.hasOwn(made, 'lc_name');
  if (name === 'RunnablePassthrough') return isOwnClass && step.func === undefined;
  return isOwnClass && name !== undefined && NEUTRAL_STEPS.has(name);
}
