import * as z from 'zod/v4';
import { copyJson, type JsonObject } from '../internal/json.js';
import { InvalidInputError } from './errors.js';
import { isUuid } from './messages.js';

/** A text that says something. */
export const aName = z.string('must be a text').refine(text => text.trim() !== '', { error: 'must not be empty' });

export const aConversationId = z
  .string('must be a UUID: conversationUuid() makes one of any chat id')
  .refine(isUuid, { error: 'must be a UUID: conversationUuid() makes one of any chat id' })
  .transform(id => id.toLowerCase());

/** A copy, of JSON and nothing else. */
export const aJsonObject = z.unknown().transform((value, context): JsonObject => {
  const copy = copyJson(value);
  if ('value' in copy && typeof copy.value === 'object' && copy.value !== null && !Array.isArray(copy.value))
    return copy.value;
  context.addIssue({ code: 'custom', message: 'must be an object of JSON' });
  return z.NEVER;
});

/**
 * What an app hands over, checked. What it holds is in no error: it may be what somebody said.
 *
 * @throws {@link InvalidInputError} `field` names the first wrong one
 */
export function checkInput<T>(schema: z.ZodType<T>, input: unknown, name: string): T {
  let result: z.ZodSafeParseResult<T>;
  try {
    result = schema.safeParse(input);
  } catch (cause) {
    throw new InvalidInputError(`${name} can not be read: a getter or proxy in it throws`, { cause });
  }
  if (result.success) return result.data;
  const [first] = result.error.issues;
  const field = first?.path.join('.') || undefined;
  const what =
    first?.code === 'unrecognized_keys'
      ? `has an unknown field ${JSON.stringify(first.keys[0]?.slice(0, 40))}`
      : (first?.message ?? 'is wrong');
  throw new InvalidInputError(`${field ?? name} ${what}`, { field });
}
