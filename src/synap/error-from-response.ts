import {
  AuthenticationError,
  ConflictError,
  InsufficientCreditsError,
  InvalidInputError,
  PayloadTooLargeError,
  RateLimitError,
  ServiceUnavailableError,
  type SynapError,
  UnexpectedResponseError,
} from './errors.js';
import { maskServerText, maskServerUrl, type RequestSecrets } from './mask-secrets.js';
import type { ReadAnswer } from './messages.js';
import type { HttpResponse } from './transport.js';

const SECOND = 1000;

type Headers = Pick<HttpResponse, 'status' | 'header'>;

export function isSuccess({ status }: Headers): boolean {
  return status >= 200 && status <= 299;
}

/** Whether an answer says that it is HTML. */
export function isWebPage(response: Headers): boolean {
  return /^\s*(text\/html|application\/xhtml\+xml)/i.test(response.header('content-type') ?? '');
}

/** Whether an answer whose body is no JSON is HTML: by its type, or by how it begins. */
export function isHtml(response: HttpResponse): boolean {
  return isWebPage(response) || /^\s*</.test(response.body);
}

/**
 * Reads a 2xx, which has stored what was sent, whatever becomes of its body.
 *
 * @throws {@link ServiceUnavailableError} it is a web page, as hotel networks and proxies show one instead of Synap
 */
export function readSuccess(response: HttpResponse, baseUrl: string, correlationId: string): ReadAnswer {
  const { status, body, unread } = response;
  let problem = unread;
  try {
    return { body: JSON.parse(body) };
  } catch {
    problem ??= body === '' ? undefined : 'it is no JSON';
  }
  if (problem === undefined) return { body: undefined };
  if (isHtml(response))
    throw new ServiceUnavailableError(
      `A web page answered in Synap's place (${status}). Check the network, and that baseUrl is the address of Synap: ${baseUrl}`,
      { status, correlationId, stored: 'no' },
    );
  return { body: undefined, unread: `Synap answered ${status}, but its body could not be read (${problem})` };
}

/** The error that a response with a status outside 2xx stands for. It shows the server's words without `secrets`. */
export function errorFromResponse(response: HttpResponse, correlationId: string, secrets: RequestSecrets): SynapError {
  const { status } = response;
  const detail = readDetail(response.body);
  const said = detail.text === '' ? '' : `: ${cut(maskServerText(detail.text, secrets))}`;
  const options = { status, correlationId };
  switch (status) {
    case 400:
    case 422:
      return new InvalidInputError(`Synap refused the input (${status})${said}`, options);
    case 401:
    case 403:
      return new AuthenticationError(`Synap refused the API key (${status})${said}. Check SYNAP_API_KEY`, options);
    case 402:
      return insufficientCredits(detail.fields, said, secrets, options);
    case 409:
      return new ConflictError(`Synap has something else stored (409)${said}`, options);
    case 413:
      return new PayloadTooLargeError(`The request is too large for Synap (413)${said}`, options);
    case 429: {
      const retryAfterMs = readRetryAfter(response);
      const wait = retryAfterMs === undefined ? '' : `; try again in ${Math.ceil(retryAfterMs / SECOND)} s`;
      return new RateLimitError(`Synap's rate limit is reached (429)${wait}${said}`, { ...options, retryAfterMs });
    }
    case 408:
    case 425:
      return new ServiceUnavailableError(`Synap gave up on the request (${status})${said}`, options);
  }
  if (status >= 500) {
    const retryAfterMs = readRetryAfter(response);
    return new ServiceUnavailableError(`Synap is unavailable (${status})${said}`, { ...options, retryAfterMs });
  }
  const hint = status < 400 || status === 404 || status === 405 ? '. Check that baseUrl is the address of Synap' : '';
  return new UnexpectedResponseError(`Synap answered ${status}${said}${hint}`, options);
}

/**
 * Milliseconds to wait, from `Retry-After`: seconds, or an HTTP date (a proxy may send one). A time that has passed is
 * 0; what can't be read is undefined.
 */
function readRetryAfter(response: HttpResponse, now = Date.now()): number | undefined {
  const value = response.header('retry-after')?.trim();
  if (!value) return undefined;
  if (/^\d+(\.\d+)?$/.test(value)) return Number(value) * SECOND;
  // V8 reads a date out of nearly any text with a number in it.
  const date = /^(mon|tue|wed|thu|fri|sat|sun|\d{4}-)/i.test(value) ? Date.parse(value) : Number.NaN;
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

interface Detail {
  text: string;
  fields: Record<string, unknown>;
}

const MAX_DETAIL = 300;

/**
 * The server's own words: `{"detail": "text"}`, `{"detail": {"code", "message"}}`, or a list of validation errors, of
 * which only place and message are read, because their `input` repeats what was sent. A page of HTML says nothing.
 */
function readDetail(body: string): Detail {
  let detail: unknown;
  try {
    detail = (JSON.parse(body) as { detail?: unknown } | null)?.detail;
  } catch {
    return { text: '', fields: {} };
  }
  if (typeof detail === 'string') return { text: detail, fields: {} };
  if (Array.isArray(detail)) {
    const parts = detail.slice(0, 3).map(item => {
      const { loc, msg } = (item ?? {}) as { loc?: unknown; msg?: unknown };
      const place = Array.isArray(loc) ? loc.filter(part => part !== 'body').join('.') : '';
      return [place, typeof msg === 'string' ? msg : ''].filter(Boolean).join(' ');
    });
    return { text: parts.filter(Boolean).join('; '), fields: {} };
  }
  if (typeof detail !== 'object' || detail === null) return { text: '', fields: {} };
  const fields = detail as Record<string, unknown>;
  const text = [fields.code, fields.message].filter(part => typeof part === 'string').join(': ');
  return { text, fields };
}

function cut(text: string): string {
  return text.length > MAX_DETAIL ? `${text.slice(0, MAX_DETAIL)}…` : text;
}

function insufficientCredits(
  fields: Record<string, unknown>,
  said: string,
  secrets: RequestSecrets,
  options: { status: number; correlationId: string },
): InsufficientCreditsError {
  const number = (value: unknown) => (typeof value === 'number' ? value : undefined);
  const link = (value: unknown) => (typeof value === 'string' ? cut(maskServerUrl(value, secrets)) : undefined);
  const recoveryUrl = link(fields.recovery_url);
  return new InsufficientCreditsError(
    `The Synap account is out of credits (402)${said}${recoveryUrl ? `. Top up at ${recoveryUrl}` : ''}`,
    {
      ...options,
      balanceCredits: number(fields.balance_credits),
      minimumRequiredCredits: number(fields.minimum_required_credits),
      recoveryUrl,
      redeemUrl: link(fields.redeem_url),
    },
  );
}
