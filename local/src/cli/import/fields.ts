import type { Identity } from 'synap-recorder';
import { MAX_CONVERSATION_ID, readId } from 'synap-recorder/content';

export type Fields = Record<string, unknown>;

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The first of these fields that is a text, or a number, which is written out. */
export function textField(fields: Fields, ...names: string[]): string | undefined {
  for (const name of names) {
    const value = fields[name];
    if (typeof value === 'number' && Number.isFinite(value)) return String(value);
    if (typeof value === 'string' && value.trim() !== '') return value;
  }
  return undefined;
}

/** The first of these fields that is an id, even one that stands for nobody: no default may take its place. */
export function idField(fields: Fields, ...names: string[]): string | undefined {
  for (const name of names) {
    const id = readId(fields[name], MAX_CONVERSATION_ID);
    if (id !== undefined) return id;
  }
  return undefined;
}

export function numberField(fields: Fields, ...names: string[]): number | undefined {
  for (const name of names) if (typeof fields[name] === 'number') return fields[name];
  return undefined;
}

/** The field that is an object; empty when there is none. */
export function fieldsOf(fields: Fields, name: string): Fields {
  const value = fields[name];
  return isFields(value) ? value : {};
}

// Seconds since 1970 have 10 digits until the year 2286; milliseconds have had 12 since 1973.
const FIRST_MS = 1e11;

/** When a message was said: a date in ISO-8601, or a number of seconds or milliseconds since 1970. */
export function timeField(fields: Fields, ...names: string[]): Date | undefined {
  for (const name of names) {
    const value = fields[name];
    if (typeof value !== 'string' && typeof value !== 'number') continue;
    const date = new Date(typeof value === 'number' && Math.abs(value) < FIRST_MS ? value * 1000 : value);
    if (!Number.isNaN(date.getTime())) return date;
  }
  return undefined;
}

export const TIME_NAMES = ['created_at', 'createdAt', 'timestamp', 'create_time', 'started_at', 'startedAt', 'date'];

/** Who was talking where, by the names under which apps keep it; also in the object's own `metadata`. */
export function identityOf(fields: Fields, conversationNames: readonly string[] = []): Identity {
  const places = [fields, fieldsOf(fields, 'metadata')];
  const find = (...names: string[]) => {
    for (const place of places) {
      const found = idField(place, ...names);
      if (found !== undefined) return found;
    }
    return undefined;
  };
  const named = [
    'conversation_id',
    'conversationId',
    'chat_id',
    'chatId',
    'thread_id',
    'threadId',
    ...conversationNames,
  ];
  return {
    conversationId: find(...named) ?? idField(fields, 'id'),
    userId: find('user_id', 'userId', 'user'),
    customerId: find('customer_id', 'customerId'),
    sessionId: find('session_id', 'sessionId'),
  };
}
