/** A value that JSON can carry and give back unchanged. */
export type JsonValue = string | number | boolean | null | JsonValue[] | { [key: string]: JsonValue };
export type JsonObject = { [key: string]: JsonValue };

/** Where and why a value is not JSON. `path` is empty for the value itself, else like `.tags[2].when`. */
export interface JsonProblem {
  path: string;
  reason: string;
  /** Whether the budget was too small for it. */
  isTooLarge?: boolean;
}

/** How much may still be copied. A copy takes its part of both, also one that fails. */
export interface JsonBudget {
  /** Values: each text, number, list and object is one. */
  nodes: number;
  /** Of JSON, in UTF-8. */
  bytes: number;
}

// Deeper than any metadata a person writes, and far from where JSON.stringify overflows the stack.
const MAX_DEPTH = 100;
// Objects that share parts may stand for more values than a machine can count.
const MAX_NODES = 250_000;

/**
 * A plain copy of `value`, or the first place at which it is not JSON. Properties that are `undefined` are left out, as
 * JSON.stringify does; everything else that it would change in silence (dates, functions, NaN, bigint, class
 * instances) is a problem, and so are a cycle and what is larger than `budget`. Getters and proxies that throw are
 * problems too: this never throws.
 */
export function copyJson(
  value: unknown,
  budget: JsonBudget = { nodes: MAX_NODES, bytes: Infinity },
): { value: JsonValue } | { problem: JsonProblem } {
  const problem: JsonProblem = { path: '', reason: '' };
  const open = new Set<object>();

  function refuse(path: string, reason: string): undefined {
    problem.path = path;
    problem.reason = reason;
    return undefined;
  }

  function tooLarge(): undefined {
    problem.isTooLarge = true;
    return refuse('', 'is too large');
  }

  function takes(bytes: number): boolean {
    budget.bytes -= bytes;
    return budget.bytes >= 0;
  }

  /** A text that is too long by its length is not read, and takes nothing. */
  function takesText(text: string): boolean {
    return budget.bytes === Infinity || (text.length <= budget.bytes && takes(textBytes(text)));
  }

  function copy(value: unknown, path: string): JsonValue | undefined {
    if (--budget.nodes < 0) return tooLarge();
    if (typeof value === 'string') return takesText(value) ? value.toWellFormed() : tooLarge();
    if (!takes(8)) return tooLarge();
    if (value === null || typeof value === 'boolean') return value;
    if (typeof value === 'number') return Number.isFinite(value) ? value : refuse(path, `is ${value}`);
    if (typeof value !== 'object') return refuse(path, `is of type ${typeof value}`);
    if (open.has(value)) return refuse(path, 'contains itself');
    if (open.size >= MAX_DEPTH) return refuse(path, `is nested more than ${MAX_DEPTH} levels deep`);
    open.add(value);
    try {
      return Array.isArray(value) ? copyList(value, path) : copyObject(value, path);
    } finally {
      open.delete(value);
    }
  }

  function copyList(value: unknown[], path: string): JsonValue[] | undefined {
    const items: JsonValue[] = [];
    // A proxy may tell another length each time.
    const { length } = value;
    for (let index = 0; index < length; index++) {
      const item = copy(value[index], `${path}[${index}]`);
      if (item === undefined) return undefined;
      items.push(item);
    }
    return items;
  }

  function copyObject(value: object, path: string): JsonObject | undefined {
    const prototype: unknown = Object.getPrototypeOf(value);
    // A plain object of another realm (a vm, an iframe) has an Object.prototype of its own, whose prototype is null.
    if (prototype !== null && Object.getPrototypeOf(prototype) !== null)
      return refuse(path, `is a ${className(value)}, not a plain object`);
    const entries: [string, JsonValue][] = [];
    for (const key of Object.keys(value)) {
      const property = (value as Record<string, unknown>)[key];
      if (property === undefined) continue;
      if (!takesText(key)) return tooLarge();
      const item = copy(property, `${path}.${key}`);
      if (item === undefined) return undefined;
      entries.push([key, item]);
    }
    // fromEntries defines own properties, so that a key "__proto__" stays a key.
    return Object.fromEntries(entries);
  }

  try {
    const copied = copy(value, '');
    return copied === undefined ? { problem } : { value: copied };
  } catch {
    return { problem: { path: '', reason: 'can not be read: a getter or proxy in it throws' } };
  }
}

/** How long a text is as JSON at most, in bytes of UTF-8, with its quotes and a comma. */
function textBytes(text: string): number {
  let bytes = 3;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit < 0x80) bytes += unit < 0x20 ? 6 : unit === 0x22 || unit === 0x5c ? 2 : 1;
    // Two units of a pair are one character of four bytes.
    else bytes += unit < 0x800 || (unit >= 0xd800 && unit <= 0xdfff) ? 2 : 3;
  }
  return bytes;
}

function className(value: object): string {
  const name: unknown = value.constructor?.name;
  return typeof name === 'string' && name !== '' ? name.slice(0, 100) : 'class instance';
}
