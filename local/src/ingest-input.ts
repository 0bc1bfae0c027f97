import { createHash } from 'node:crypto';
import type { JsonObject, Tenancy } from 'synap-recorder';
import { isUuid } from 'synap-recorder/wire';
import * as z from 'zod/v4';
import { conversationNamed } from './conversation-name.js';
import { checkCount, id, metadata, type Parsed, problemOf } from './input.js';
import type { NewTranscript } from './store/ingestions.js';
import type { NewMessage } from './store/records.js';
import { customerProblem } from './tenancy.js';

const MAX_TYPE_LENGTH = 64;
const MAX_TURNS = 10_000;
const MAX_DETAILS_BYTES = 64 * 1024;

const isSmall = (value: unknown) => Buffer.byteLength(JSON.stringify(value) ?? '') <= MAX_DETAILS_BYTES;
const small = { error: `must not be larger than ${MAX_DETAILS_BYTES} bytes` };

const time = z
  .string('must be an ISO-8601 time')
  .refine(text => !Number.isNaN(Date.parse(text)), { error: 'must be an ISO-8601 time' })
  .transform(text => new Date(text).toISOString());

const turn = z.object(
  {
    role: z.enum(['user', 'assistant'], { error: 'must be "user" or "assistant"' }),
    content: z.string('must be a string').transform(value => value.toWellFormed()),
    timestamp: time.nullish(),
    speaker: z.string('must be a string').nullish(),
    metadata: metadata.optional(),
  },
  'must be an object',
);

const turns = z.array(turn).min(1, 'must not be empty');

const body = z.object(
  {
    conversation_id: id,
    user_id: id,
    customer_id: id.nullish(),
    session_id: id.nullish(),
    conversation_type: z
      .string('must be a string')
      .max(MAX_TYPE_LENGTH, `must not be longer than ${MAX_TYPE_LENGTH} characters`)
      .nullish(),
    analysis: metadata.refine(isSmall, small).optional(),
    metadata: metadata.refine(isSmall, small).optional(),
    started_at: time.nullish(),
    ended_at: time.nullish(),
  },
  'must be an object',
);

export interface ParsedTranscript extends NewTranscript {
  /** The conversation's id as it was given. */
  givenId: string;
}

/**
 * A whole transcript, as `POST /v1/conversations/ingest` takes it.
 *
 * @throws HTTPException 413 for more turns than one request may hold
 */
export function parseTranscript(input: unknown, tenancy: Tenancy): Parsed<ParsedTranscript> {
  const read = body.safeParse(input);
  if (!read.success) return { problem: problemOf(read.error, 'body') };
  const said = readTurns((input as { transcript?: unknown }).transcript);
  if (said.problem !== undefined) return { problem: said.problem };
  const { conversation_id, user_id, customer_id, session_id, ...details } = read.data;
  const problem = customerProblem(tenancy, customer_id);
  if (problem !== undefined) return { problem };
  const externalId = isUuid(conversation_id) ? undefined : conversation_id;
  const conversationId = conversationNamed(conversation_id);
  const owner = {
    conversationId,
    userId: user_id,
    customerId: customer_id ?? undefined,
    sessionId: session_id ?? undefined,
  };
  const about = Object.fromEntries(Object.entries(details).filter(([, value]) => value != null)) as JsonObject;
  const messages = said.value.map(
    ({ role, content, timestamp, speaker, metadata }, index): NewMessage => ({
      ...owner,
      role,
      content,
      metadata: {
        ...metadata,
        ...(speaker && { speaker }),
        ...(externalId !== undefined && { external_conversation_id: externalId }),
        // When it was said. `recorded_at` is when it was stored.
        ...(timestamp && { [role === 'user' ? 'started_at' : 'ended_at']: timestamp }),
        ...(index === 0 && Object.keys(about).length > 0 && { transcript: about }),
      },
    }),
  );
  return { value: { conversationId, givenId: conversation_id, messages, digest: digestOf(said.value) } };
}

type Turn = z.output<typeof turn>;

/** A text alone is one message: who said which part of it is not guessed. */
function readTurns(given: unknown): Parsed<Turn[]> {
  if (typeof given === 'string')
    return given.trim() === ''
      ? { problem: 'transcript must not be empty' }
      : { value: [{ role: 'user', content: given.toWellFormed() }] };
  if (!Array.isArray(given)) return { problem: 'transcript must be a string, or a list of turns' };
  checkCount(given, 'transcript', MAX_TURNS);
  const result = turns.safeParse(given);
  if (result.success) return { value: result.data };
  const [issue] = result.error.issues;
  return { problem: `${['transcript', ...(issue?.path ?? [])].map(String).join('.')} ${issue?.message}` };
}

function digestOf(turns: readonly Turn[]): string {
  const said = turns.map(({ role, content, timestamp }) => [role, content, timestamp ?? null]);
  return createHash('sha256').update(JSON.stringify(said)).digest('hex');
}
