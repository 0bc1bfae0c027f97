import { safely } from '../internal/guards.js';

// What is compared is what a model wrote; that is never deeper.
const MAX_DEPTH = 20;

/** The value of a JSON text, also of one between Markdown's fences. */
export function jsonOf(said: string): unknown {
  const inner = /^\s*(?:```(?:json)?\s*)?([{[][\s\S]*[}\]])\s*(?:```)?\s*$/.exec(said)?.[1];
  return inner === undefined ? undefined : safely(() => JSON.parse(inner));
}

/** Whether two values are the same as JSON. */
export function isSameData(a: unknown, b: unknown, depth = 0): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null || depth > MAX_DEPTH) return false;
  if (Array.isArray(a) || Array.isArray(b))
    return (
      Array.isArray(a) &&
      Array.isArray(b) &&
      a.length === b.length &&
      a.every((item, index) => isSameData(item, b[index], depth + 1))
    );
  const [inA, inB] = [a, b].map(value => value as Record<string, unknown>) as [
    Record<string, unknown>,
    Record<string, unknown>,
  ];
  const keys = Object.keys(inA);
  return (
    keys.length === Object.keys(inB).length &&
    keys.every(key => Object.hasOwn(inB, key) && isSameData(inA[key], inB[key], depth + 1))
  );
}
