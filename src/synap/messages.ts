import * as z from 'zod/v4';
import { copyJson, type JsonObject } from '../internal/json.js';
import { InvalidInputError } from './errors.js';

/** Who said a message. Synap builds its context from both, so both must be recorded. */
export type Role = 'user' | 'assistant';

/**
 * One message of a conversation, as `record_message` takes it.
 *
 * @see SYNAP API, `conversation.record_message`
 */
export interface RecordMessageInput {
  /** A UUID. All messages that share it form one transcript. `conversationUuid()` makes one of any chat id. */
  conversationId: string;
  role: Role;
  /** The message text. */
  content: string;
  /** The app's own id of the user; not empty. */
  userId: string;
  /** The tenant. B2B instances require it; B2C instances resolve it from the user. */
  customerId?: string | undefined;
  /** Synap makes one up when it is missing. */
  sessionId?: string | undefined;
  /** Free-form JSON: model name, latency, tags. */
  metadata?: Record<string, unknown> | undefined;
  /**
   * Levels between customer and user (a team, say), of accounts that have them, in Synap's own form. It is sent as it is: a
   * message in the wrong one is read by the wrong people.
   */
  scope?: Record<string, unknown> | undefined;
}

/** One message of a batch: as {@link RecordMessageInput}, but Synap may know the user already. */
export interface BatchMessageInput extends Omit<RecordMessageInput, 'userId'> {
  userId?: string | undefined;
}

/** What Synap says of a message that it has accepted. */
export interface Receipt {
  conversationId: string;
  /** Given by Synap. Absent only when Synap accepted the message (2xx) with an answer that holds no receipt. */
  messageId?: string;
  /** The one that was sent, or the one that Synap made up. */
  sessionId?: string;
  /** ISO-8601: when Synap accepted the message. */
  recordedAt?: string;
  /** Why the receipt could not be read, of a message that counts as accepted because Synap answered 2xx. */
  unread?: string;
}

/**
 * One message's fate in a batch: a receipt; or `error`, the reason why Synap refused it; or `unknown`, why Synap's answer
 * leaves open whether it is stored. Where neither `error` nor `unknown` is, it is accepted.
 */
export type BatchItemResult =
  | (Partial<Receipt> & { error?: undefined; unknown?: undefined })
  | (NoReceipt & { error: string; unknown?: undefined })
  | (NoReceipt & { error?: undefined; unknown: string });

interface NoReceipt {
  messageId?: undefined;
  conversationId?: string;
  sessionId?: undefined;
  recordedAt?: undefined;
  unread?: undefined;
}

/** What became of a batch; `results[i]` is the fate of the i-th message. The three counts add up to `total`. */
export interface BatchResult {
  total: number;
  succeeded: number;
  failed: number;
  /** Messages of which Synap's answer leaves open whether they are stored. Absent: none. */
  unknown?: number;
  results: BatchItemResult[];
  /** Why the results could not be read: the messages count as accepted, because Synap answered 2xx. */
  unread?: string;
}

export type Tenancy = 'b2b' | 'b2c';

/** A message in the API's names. */
export interface WireMessage {
  conversation_id: string;
  role: Role;
  content: string;
  user_id?: string;
  customer_id?: string;
  session_id?: string;
  metadata?: JsonObject;
  scope?: JsonObject;
}

// Any version and variant, as Synap takes them: test fixtures and old systems hold UUIDs that RFC 9562 would refuse.
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Whether `value` is written as a UUID: 8-4-4-4-12 hexadecimal digits, of any version. */
export function isUuid(value: string): boolean {
  return UUID.test(value);
}

const issue = (what: string) => ({ error: (issue: { input?: unknown }) => `${what}, but ${shown(issue.input)}` });

const optionalId = z
  .string(issue('must be a string'))
  .refine(id => id.trim() !== '', { error: 'must not be empty; leave it out when there is none' })
  .optional();

const jsonObject = (name: 'metadata' | 'scope') =>
  z
    .unknown()
    .transform((value, context): JsonObject => {
      const copy = copyJson(value);
      if ('problem' in copy) {
        const { path, reason } = copy.problem;
        context.addIssue({ code: 'custom', message: `must be JSON, but ${name}${path} ${reason}` });
        return z.NEVER;
      }
      if (typeof copy.value !== 'object' || copy.value === null || Array.isArray(copy.value)) {
        context.addIssue({ code: 'custom', message: `must be an object, but is ${typeName(value)}` });
        return z.NEVER;
      }
      return copy.value;
    })
    .optional();

const inputFields = z.object({
  conversationId: z
    .string(issue('must be a UUID'))
    .refine(isUuid, issue('must be a UUID'))
    .transform(id => id.toLowerCase()),
  role: z.enum(['user', 'assistant'], issue('must be "user" or "assistant"')),
  content: z.string({ error: issue => `must be a string, but is ${typeName(issue.input)}` }),
  userId: z
    .string(issue('must be a non-empty string'))
    .refine(id => id.trim() !== '', { error: 'must be a non-empty string, but is empty' }),
  customerId: optionalId,
  sessionId: optionalId,
  metadata: jsonObject('metadata'),
  scope: jsonObject('scope'),
});

const batchInput = inputFields.extend({ userId: inputFields.shape.userId.optional() });

/**
 * The wire form of one message. Throws an {@link InvalidInputError} that names the first wrong field.
 *
 * @param tenancy with `b2b`, a missing customer is refused here instead of by the server.
 */
export function toWire(message: RecordMessageInput, tenancy?: Tenancy): WireMessage {
  return wire(parse(inputFields, message, ''), tenancy, '');
}

/** The wire form of a batch. The error's field says which message it is: `messages[3].role`. */
export function toWireBatch(messages: readonly BatchMessageInput[], tenancy?: Tenancy): WireMessage[] {
  if (!Array.isArray(messages))
    throw new InvalidInputError(`messages must be an array, but is ${typeName(messages)}`, { field: 'messages' });
  return messages.map((message, index) => {
    const prefix = `messages[${index}]`;
    return wire(parse(batchInput, message, prefix), tenancy, prefix);
  });
}

function parse<T>(schema: z.ZodType<T>, value: unknown, prefix: string): T {
  let result: z.ZodSafeParseResult<T>;
  let unknown: string | undefined;
  try {
    result = schema.safeParse(value);
    // Own fields only: a library may have put something on Object.prototype.
    if (result.success) unknown = Object.keys(value as object).find(field => !FIELDS.includes(field));
  } catch (cause) {
    throw new InvalidInputError(`${prefix || 'message'} can not be read: a getter or proxy in it throws`, {
      field: prefix || undefined,
      cause,
    });
  }
  if (unknown !== undefined)
    throw new InvalidInputError(`${prefix || 'message'} ${unknownField(unknown)}`, { field: prefix || undefined });
  if (result.success) return result.data;
  const [first] = result.error.issues;
  const name = [prefix, ...(first?.path ?? [])].filter(Boolean).join('.');
  const what = first?.path.length === 0 && first.code === 'invalid_type' ? 'must be an object' : first?.message;
  throw new InvalidInputError(`${name || 'message'} ${what}`, { field: name || undefined });
}

function wire(message: z.output<typeof batchInput>, tenancy: Tenancy | undefined, prefix: string): WireMessage {
  if (tenancy === 'b2b' && message.customerId === undefined) {
    const field = prefix === '' ? 'customerId' : `${prefix}.customerId`;
    throw new InvalidInputError(`${field} is missing: a B2B instance needs the tenant of every message`, { field });
  }
  const { conversationId, role, content, userId, customerId, sessionId, metadata, scope } = message;
  return {
    conversation_id: conversationId,
    role,
    // A lone surrogate is not Unicode: UTF-8 has no bytes for it, and a server may refuse the whole batch for it.
    content: content.toWellFormed(),
    ...(userId !== undefined && { user_id: userId.toWellFormed() }),
    ...(customerId !== undefined && { customer_id: customerId.toWellFormed() }),
    ...(sessionId !== undefined && { session_id: sessionId.toWellFormed() }),
    ...(metadata !== undefined && { metadata }),
    ...(scope !== undefined && { scope }),
  };
}

/** What could be read of a 2xx. */
export interface ReadAnswer {
  /** Its JSON; undefined where it has none. */
  readonly body: unknown;
  /** Why the body could not be read. */
  readonly unread?: string | undefined;
}

const text = z.string().min(1).optional().catch(undefined);
const wireReceipt = z
  .object({ message_id: text, conversation_id: text, session_id: text, recorded_at: text })
  .catch({ message_id: undefined, conversation_id: undefined, session_id: undefined, recorded_at: undefined });

/** Reads the answer to one message. Every 2xx means accepted, whatever its body holds. */
export function receiptFromWire({ body, unread }: ReadAnswer, sent: WireMessage): Receipt {
  return {
    conversationId: sent.conversation_id,
    ...(sent.session_id && { sessionId: sent.session_id }),
    ...receipt(body),
    ...(unread !== undefined && { unread }),
  };
}

/** As much of a receipt as a body holds. */
export function receipt(body: unknown): Partial<Receipt> {
  const { message_id, conversation_id, session_id, recorded_at } = wireReceipt.parse(body);
  return {
    ...(message_id && { messageId: message_id }),
    ...(conversation_id && { conversationId: conversation_id }),
    ...(session_id && { sessionId: session_id }),
    ...(recorded_at && { recordedAt: recorded_at }),
  };
}

/** An id as an error may show it: quoted and cut, so that a text passed by mistake stays out of the logs. */
function shown(value: unknown): string {
  if (typeof value !== 'string') return `is ${typeName(value)}`;
  if (value === '') return 'is empty';
  return `is ${JSON.stringify(value.length > 40 ? `${value.slice(0, 12)}…` : value)} (${value.length} characters)`;
}

function typeName(value: unknown): string {
  if (value === undefined) return 'missing';
  if (value === null) return 'null';
  return Array.isArray(value) ? 'an array' : `of type ${typeof value}`;
}

const FIELDS = ['conversationId', 'role', 'content', 'userId', 'customerId', 'sessionId', 'metadata', 'scope'];

function unknownField(key: string): string {
  const plain = (name: string) => name.replaceAll('_', '').toLowerCase();
  const meant = FIELDS.find(field => plain(field) === plain(key));
  return `has an unknown field ${JSON.stringify(key.slice(0, 40))}${meant ? `; did you mean ${meant}?` : ''}`;
}
