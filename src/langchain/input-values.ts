import { isObject } from '../internal/guards.js';

// Chains have few keys, and few texts under them; a text is known again by its length and its ends.
const MAX_KEYS = 50;
const MAX_TEXTS = 200;
const MAX_DEPTH = 3;
const ENDS = 50;

/**
 * What stood in a chain's input, so that it is not taken for the answer where the output passes it through. It does not hold the
 * input, which may be a long history, and the run may never end.
 */
export class InputValues {
  /** The names in it, in alphabetical order. */
  readonly keys: readonly string[];
  readonly #values = new Map<string, unknown>();
  readonly #texts = new Set<unknown>();

  constructor(input: unknown) {
    const keys = isObject(input) ? Object.keys(input) : [];
    this.keys = keys.slice(0, MAX_KEYS).sort();
    for (const key of this.keys) this.#values.set(key, token((input as Record<string, unknown>)[key]));
    // The texts of a list of messages are told apart by what stands around them.
    for (const key of this.keys) if (key !== 'messages') this.#addTexts((input as Record<string, unknown>)[key], 1);
  }

  /** @returns whether a value of the output is what the input had under the same key */
  has(key: string, value: unknown): boolean {
    if (!this.#values.has(key)) return false;
    const known = this.#values.get(key);
    return known instanceof WeakRef ? known.deref() === value : known === token(value);
  }

  /** @returns whether a text, but for the blanks around it, stood somewhere in the input */
  hasText(text: string): boolean {
    return this.#texts.has(token(text.trim()));
  }

  #addTexts(value: unknown, depth: number): void {
    if (this.#texts.size >= MAX_TEXTS || depth > MAX_DEPTH) return;
    if (typeof value === 'string') this.#texts.add(token(value.trim()));
    else if (Array.isArray(value)) for (const item of value.slice(0, MAX_TEXTS)) this.#addTexts(item, depth + 1);
    else if (isObject(value))
      for (const key of Object.keys(value).slice(0, MAX_KEYS)) this.#addTexts(value[key], depth + 1);
  }
}

function token(value: unknown): unknown {
  if (typeof value === 'object' && value !== null) return new WeakRef(value);
  if (typeof value !== 'string' || value.length <= 2 * ENDS) return value;
  return `${value.length}:${value.slice(0, ENDS)}${value.slice(-ENDS)}`;
}
