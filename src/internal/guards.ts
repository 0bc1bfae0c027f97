// What an app hands over need not be what the types say.

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

/** Whether a value is an object with properties: no list. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value when it is a string that says something. */
export function text(value: unknown): string | undefined {
  return isText(value) ? value : undefined;
}

export function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

/** A property of a value that may be anything; undefined where it can't be read. */
export function property(value: unknown, name: string): unknown {
  try {
    return (value as Record<string, unknown> | null | undefined)?.[name];
  } catch {
    // A getter or a proxy that throws.
    return undefined;
  }
}

/** Whether a value has a property, its own or inherited, as far as that can be told. */
export function has(value: object, name: string): boolean {
  try {
    return name in value && !(Object.hasOwn(Object.prototype, name) && !Object.hasOwn(value, name));
  } catch {
    return false;
  }
}

/** Calls a function of which nothing may reach the app: undefined where it throws. */
export function safely<T>(fn: () => T): T | undefined {
  try {
    return fn();
  } catch {
    return undefined;
  }
}
