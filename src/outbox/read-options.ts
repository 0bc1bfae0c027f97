import type * as z from 'zod/v4';
import { isObject } from '../internal/guards.js';
import { InvalidInputError } from '../synap/errors.js';

/**
 * The options of an outbox, checked, with their defaults.
 *
 * @param outbox what the app calls, for the text of an error
 * @throws {@link InvalidInputError} an option is wrong, or there is none of that name; `field` names it
 */
export function readOutboxOptions<T extends z.ZodObject>(outbox: string, schema: T, options: unknown): z.output<T> {
  // What a library has put on `Object.prototype` is no option.
  const own: unknown = isObject(options) ? Object.assign(Object.create(null), options) : options;
  const parsed = schema.safeParse(own);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const unknown = issue?.code === 'unrecognized_keys' ? issue.keys[0] : undefined;
  const field = unknown ?? (issue?.path.join('.') || 'options');
  const names = Object.keys(schema.shape);
  const problem = unknown === undefined ? (issue?.message ?? 'is wrong') : `is no option; ${advice(unknown, names)}`;
  throw new InvalidInputError(`${outbox}: ${field}: ${problem}`, { field });
}

function advice(unknown: string, names: readonly string[]): string {
  const meant = names.find(name => isAlike(unknown, name));
  return meant === undefined ? `there are ${names.join(', ')}` : `did you mean ${meant}?`;
}

/** Whether two names differ in their case, in one or two letters, or in that one begins with the other. */
function isAlike(a: string, b: string): boolean {
  const [x, y] = [letters(a), letters(b)];
  return x === y || (x.length > 3 && (x.startsWith(y) || y.startsWith(x))) || distance(x, y) <= 2;
}

function letters(name: string): string {
  return name
    .slice(0, 40)
    .toLowerCase()
    .replace(/[^a-z]/g, '');
}

/** How many letters must be put in, taken out or replaced to make one of the other. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + Number(a[i - 1] !== b[j - 1]);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
