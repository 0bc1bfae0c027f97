// What an app hands over need not be what the types say.

export function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

export function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

/** Throws where something else stands for an object: a text would be spread into a property for each character. */
export function checkedObject<T extends object>(value: T | undefined): T | undefined {
  if (value !== undefined && typeof value !== 'object') throw new TypeError('must be an object');
  return value;
}

/** Whether a piece of an answer came while it was made, unless its options say otherwise. */
export function isStreamed(options: { streamed?: boolean | undefined } | undefined): boolean {
  try {
    return options?.streamed !== false;
  } catch {
    return true;
  }
}
