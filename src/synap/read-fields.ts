import * as z from 'zod/v4';
import { isObject } from '../internal/guards.js';

// Answers that are read for what they say, as far as they say it: what is missing, null or of another type is absent, and
// what nobody asked for is left out. An answer never fails for one of its fields.

export const aText = z.string().optional().catch(undefined);
export const aNumber = z.number().optional().catch(undefined);
export const aFlag = z.boolean().optional().catch(undefined);

/** Fields of an object by their camelCase names, whichever of the two the wire has. */
export function someFields<Shape extends z.ZodRawShape>(shape: Shape) {
  return z.preprocess(camelCased, z.object(shape)).transform(withoutAbsent);
}

/** The items of a list that have the form; the others are left out. */
export function aListOf<T>(item: z.ZodType<T>) {
  return z
    .array(z.unknown())
    .transform(items =>
      items.map(value => item.safeParse(value)).flatMap(({ success, data }) => (success ? [data] : [])),
    )
    .optional()
    .catch(undefined);
}

/** An object as it is, but for its own names, which become camelCase. What stands inside of it is passed through. */
export const anyObject = z
  .unknown()
  .refine(isObject)
  .transform(value => camelCased(value) as Record<string, unknown>)
  .optional()
  .catch(undefined);

/** What an answer says; of something else than an object, nothing. */
export function readFields<T>(schema: z.ZodType<T>, body: unknown): T {
  return schema.parse(isObject(body) ? body : {});
}

function camelCased(value: unknown): unknown {
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [camelCase(name), field]));
}

function camelCase(name: string): string {
  return name.replace(/(?<=[a-z0-9])_([a-z0-9])/gi, (_, letter: string) => letter.toUpperCase());
}

function withoutAbsent<T extends object>(fields: T): T {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T;
}
