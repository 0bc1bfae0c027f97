import * as z from 'zod/v4';
import { id, type Parsed, problemOf } from './input.js';
import type { Person } from './store/forget.js';

// Strict: a mistyped `customer_id` would delete more than was meant.
const person = z.strictObject({ user_id: id, customer_id: id.optional() });

/** Who is to be forgotten, as a query, a form or a command names them. */
export function parsePerson(fields: unknown): Parsed<Person> {
  const result = person.safeParse(fields);
  if (!result.success) return { problem: problemOf(result.error, 'query') };
  return { value: { userId: result.data.user_id, customerId: result.data.customer_id } };
}
