import { HTTPException } from 'hono/http-exception';
import type { JsonObject, Tenancy } from 'synap-recorder';
import { copyJson, isUuid } from 'synap-recorder/wire';
import * as z from 'zod/v4';
import type { NewMessage } from './store/records.js';
import { customerProblem } from './tenancy.js';

// Problems go to the caller and into logs: they name the field, and never contain its value.

/** An id of the app's. */
export const id = z
  .string('must be a non-empty string')
  .refine(value => value.trim() !== '', { error: 'must be a non-empty string' })
  .refine(value => !value.includes('\0'), { error: 'must not contain a NUL' })
  .transform(value => value.toWellFormed());

/** A JSON object. */
export const metadata = z.unknown().transform((value, context): JsonObject | undefined => {
  if (value === undefined || value === null) return undefined;
  const copy = copyJson(value);
  if ('value' in copy && typeof copy.value === 'object' && copy.value !== null && !Array.isArray(copy.value))
    return copy.value;
  context.addIssue({
    code: 'custom',
    message: 'problem' in copy ? `must be JSON, but ${copy.problem.reason}` : 'must be an object',
  });
  return z.NEVER;
});

/** What is wrong with an input, beginning with the field's name; `whole` names what has no field. */
export function problemOf({ issues }: z.ZodError, whole: string): string {
  const [issue] = issues;
  const path = issue?.path.map(String).join('.') ?? '';
  return `${path === '' ? whole : path} ${issue?.message}`;
}

// Unknown fields are ignored, as by the service.
const wireMessage = z.object(
  {
    conversation_id: z
      .string('must be a UUID')
      .refine(isUuid, { error: 'must be a UUID' })
      .transform(value => value.toLowerCase()),
    role: z.enum(['user', 'assistant'], { error: 'must be "user" or "assistant"' }),
    content: z.string('must be a string').transform(value => value.toWellFormed()),
    user_id: id.nullish(),
    customer_id: id.nullish(),
    session_id: id.nullish(),
    metadata: metadata.optional(),
  },
  'must be an object',
);

export type Parsed<T> = { value: T; problem?: undefined } | { value?: undefined; problem: string };

/** One message as `POST /v1/conversations/messages` takes it. */
export function parseMessage(body: unknown, tenancy: Tenancy): Parsed<NewMessage> {
  const parsed = parseBatchEntry(body);
  if (parsed.value && parsed.value.userId === undefined) return { problem: 'user_id must be a non-empty string' };
  const problem = parsed.value && customerProblem(tenancy, parsed.value.customerId);
  return problem === undefined ? parsed : { problem };
}

/** One message of a batch: the store may know its user and customer already. */
export function parseBatchEntry(body: unknown): Parsed<NewMessage> {
  const result = wireMessage.safeParse(body);
  if (!result.success) return { problem: problemOf(result.error, 'message') };
  const { conversation_id, role, content, user_id, customer_id, session_id, metadata } = result.data;
  const key = metadata?.message_key;
  return {
    value: {
      conversationId: conversation_id,
      role,
      content,
      userId: user_id ?? undefined,
      customerId: customer_id ?? undefined,
      sessionId: session_id ?? undefined,
      metadata,
      messageKey: typeof key === 'string' && key !== '' ? key : undefined,
    },
  };
}

/** As many entries keep other requests waiting for a moment, and no longer. */
const MAX_ENTRIES = 10_000;

/**
 * The entries of a batch, not yet parsed.
 *
 * @throws HTTPException 413 for more of them than one request may hold
 */
export function parseBatch(body: unknown): Parsed<unknown[]> {
  const messages = (body as { messages?: unknown } | null)?.messages;
  if (!Array.isArray(messages)) return { problem: 'messages must be an array' };
  checkCount(messages, 'messages', MAX_ENTRIES);
  return { value: messages };
}

/** @throws HTTPException 413 for a list that is longer */
export function checkCount(list: readonly unknown[], name: string, most: number): void {
  if (list.length > most)
    throw new HTTPException(413, { message: `${name} has ${list.length} entries, and may have ${most} at most` });
}

const MAX_LIMIT = 500;
const DEFAULT_LIMIT = 50;

/** The query of a list. A cursor is the `seq` at which the page before ended. */
export function parsePaging(query: Record<string, string>): Parsed<{ limit: number; cursor: number | undefined }> {
  const { limit = String(DEFAULT_LIMIT), cursor } = query;
  if (!/^\d{1,3}$/.test(limit) || Number(limit) < 1 || Number(limit) > MAX_LIMIT)
    return { problem: `limit must be a whole number from 1 to ${MAX_LIMIT}` };
  if (cursor !== undefined && !/^[1-9]\d{0,14}$/.test(cursor))
    return { problem: 'cursor must be the next_cursor of an earlier answer' };
  return { value: { limit: Number(limit), cursor: cursor === undefined ? undefined : Number(cursor) } };
}
