/** A value that JSON can carry and give back unchanged. */
export type JsonValue = string | number | boolean | null | JsonValue[] | { [key: string]: JsonValue };
export type JsonObject = { [key: string]: JsonValue };

/** Where and why a value is not JSON. `path` is empty for the value itself, else like `.tags[2].when`. */
export interface JsonProblem {
  path: string;
  reason: string;
}

// Deeper than any metadata a person writes, and far from where JSON.stringify overflows the stack.
const MAX_DEPTH = 100;

/**
 * A plain copy of `value`, or the first place at which it is not JSON. Properties that are `undefined` are left out, as
 * JSON.stringify does; everything else that it would change in silence (dates, functions, NaN, bigint, class
 * instances) is a problem, and so is a cycle. Getters and proxies that throw are problems too: this never throws.
 */
export function copyJson(value: unknown): { value: JsonValue } | { problem: JsonProblem } {
  const problem: JsonProblem = { path: '', reason: '' };
  const open = new Set<object>();

  function refuse(path: string, reason: string): undefined {
    problem.path = path;
    problem.reason = reason;
    return undefined;
  }

  function copy(value: unknown, path: string): JsonValue | undefined {
    if (value === null || typeof value === 'boolean') return value;
    if (typeof value === 'string') return value.toWellFormed();
    if (typeof value === 'number') return Number.isFinite(value) ? value : refuse(path, `is ${value}`);
    if (typeof value !== 'object') return refuse(path, `is of type ${typeof value}`);
    if (open.has(value)) return refuse(path, 'contains itself');
    if (open.size >= MAX_DEPTH) return refuse(path, `is nested more than ${MAX_DEPTH} levels deep`);
    open.add(value);
    try {
      if (Array.isArray(value)) {
        const items: JsonValue[] = [];
        for (let index = 0; index < value.length; index++) {
          const item = copy(value[index], `${path}[${index}]`);
          if (item === undefined) return undefined;
          items.push(item);
        }
        return items;
      }
      const prototype: unknown = Object.getPrototypeOf(value);
      // A plain object of another realm (a vm, an iframe) has an Object.prototype of its own, whose prototype is null.
      if (prototype !== null && Object.getPrototypeOf(prototype) !== null)
        return refuse(path, `is a ${className(value)}, not a plain object`);
      const entries: [string, JsonValue][] = [];
      for (const key of Object.keys(value)) {
        const property = (value as Record<string, unknown>)[key];
        if (property === undefined) continue;
        const item = copy(property, `${path}.${key}`);
        if (item === undefined) return undefined;
        entries.push([key, item]);
      }
      // fromEntries defines own properties, so that a key "__proto__" stays a key.
      return Object.fromEntries(entries);
    } finally {
      open.delete(value);
    }
  }

  try {
    const copied = copy(value, '');
    return copied === undefined ? { problem } : { value: copied };
  } catch {
    return { problem: { path: '', reason: 'can not be read: a getter or proxy in it throws' } };
  }
}

function className(value: object): string {
  const name: unknown = value.constructor?.name;
  return typeof name === 'string' && name !== '' ? name : 'class instance';
}
