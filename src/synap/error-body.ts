import { isObject, text } from '../internal/guards.js';

/** What an error's body says. It may repeat what was sent: mask it before it is shown. */
export interface ErrorBody {
  readonly code: string | undefined;
  readonly text: string | undefined;
  /** The fields that it names, as on the wire: `customer_id`, `messages.3.role`. */
  readonly fields: readonly string[];
  /** Further fields by their wire names: links, credits, a reason. */
  readonly more: Readonly<Record<string, unknown>>;
}

const NOTHING: ErrorBody = { code: undefined, text: undefined, fields: [], more: {} };

/** A body that is longer is no error of an API. */
const MAX_BODY = 1024 * 1024;
const MAX_LISTED = 3;
const TEXTS = ['message', 'msg', 'error', 'detail', 'title'];

/**
 * Reads the body of an error: `{"detail": "text"}`, `{"detail": {"code", "message"}}`, `{"error": "text", "code", "details"}`
 * (and `{"error": {"code", "message"}}`), or a list of validation errors, of which only place and message are read, because
 * their `input` repeats what was sent. A page of HTML says nothing.
 */
export function readErrorBody(body: string): ErrorBody {
  if (body.length > MAX_BODY) return NOTHING;
  try {
    return errorBodyOf(JSON.parse(body));
  } catch {
    return NOTHING;
  }
}

/** As {@link readErrorBody}, of what stands for an error in a batch's results: its `error`, or its `detail`. */
export function readItemError(error: unknown): ErrorBody {
  return typeof error === 'string' || Array.isArray(error) ? errorBodyOf({ error }) : errorBodyOf(error);
}

function errorBodyOf(body: unknown): ErrorBody {
  if (!isObject(body)) return NOTHING;
  const { detail, details, error, errors } = body;
  // The innermost knows best.
  const parts = [detail, error, details, body].filter(isObject);
  const lists = new Set([detail, errors, error, details, ...parts.map(part => part.errors)].filter(Array.isArray));
  const listed = [...lists].flat().slice(0, MAX_LISTED).flatMap(validationError);
  // `error` beside a `message` is the name of it: "Bad Request".
  const name = text(body.message) === undefined ? undefined : text(error);
  const said = text(detail) ?? (name === undefined ? text(error) : undefined) ?? first(parts, TEXTS);
  return {
    code: first(parts, ['code', 'error_code']) ?? name,
    text: text([said, listed.map(({ said }) => said).join('; ')].filter(Boolean).join(': ')),
    fields: [...parts.flatMap(({ field }) => text(field) ?? []), ...listed.flatMap(({ place }) => text(place) ?? [])],
    more: Object.assign({}, ...parts.reverse()),
  };
}

function first(parts: readonly Record<string, unknown>[], names: readonly string[]): string | undefined {
  for (const name of names)
    for (const part of parts) {
      const said = text(part[name]);
      if (said !== undefined) return said;
    }
  return undefined;
}

function validationError(item: unknown): { place: string; said: string }[] {
  if (!isObject(item)) return [];
  const { loc, msg, message, field } = item;
  const place = Array.isArray(loc) ? loc.filter(part => part !== 'body').join('.') : (text(field) ?? '');
  const said = [place, text(msg) ?? text(message)].filter(Boolean).join(' ');
  return said === '' ? [] : [{ place, said }];
}
