import { isObject } from '../internal/guards.js';
import { textDigest } from '../recorder/text-digest.js';

// Chains have few keys; a text is known again by its length and its ends.
const MAX_KEYS = 50;
const ENDS = 100;

/**
 * What stood under the keys of a chain's input, so that it is not taken for the answer where the output passes it through. It
 * does not hold the input, which may be a long history, and the run may never end.
 */
export class InputValues {
  readonly #values = new Map<string, unknown>();

  constructor(input: unknown) {
    if (!isObject(input)) return;
    for (const key of Object.keys(input).slice(0, MAX_KEYS)) this.#values.set(key, token(input[key]));
  }

  /** The names in the input. */
  get keys(): string[] {
    return [...this.#values.keys()];
  }

  /** @returns whether a value of the output is what the input had under the same key */
  has(key: string, value: unknown): boolean {
    if (!this.#values.has(key)) return false;
    const known = this.#values.get(key);
    return known instanceof WeakRef ? known.deref() === value : known === token(value);
  }
}

function token(value: unknown): unknown {
  if (typeof value === 'object' && value !== null) return new WeakRef(value);
  if (typeof value !== 'string') return value;
  // A part of a text would hold the whole of it in V8's memory, so only a digest is kept.
  const ends = value.length <= 2 * ENDS ? value : value.slice(0, ENDS) + value.slice(-ENDS);
  return `${value.length}:${textDigest(ends)}`;
}
