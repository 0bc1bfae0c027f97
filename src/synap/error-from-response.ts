import { text } from '../internal/guards.js';
import { plainLine } from '../internal/plain-line.js';
import { type ErrorBody, readErrorBody } from './error-body.js';
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
import { maskServerText, maskServerTexts, maskServerUrl, type RequestSecrets } from './mask-server-text.js';
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

/** What a status says, without the body. */
type StatusKind =
  | 'input'
  | 'size'
  | 'key'
  | 'forbidden'
  | 'credits'
  | 'conflict'
  | 'rate_limit'
  | 'passing'
  | 'unsure'
  | 'unavailable';

/**
 * The only list of status numbers. Every other 4xx may lie in the message, or in the account, or in the address; every other
 * status leaves open what became of the request.
 */
const STATUS_KINDS: Readonly<Record<number, StatusKind>> = {
  // What browsers' fetch makes of a redirect that it may not follow.
  0: 'passing',
  400: 'input',
  401: 'key',
  402: 'credits',
  403: 'forbidden',
  407: 'passing',
  408: 'passing',
  409: 'conflict',
  413: 'size',
  421: 'passing',
  422: 'input',
  425: 'passing',
  429: 'rate_limit',
  444: 'passing',
  460: 'passing',
  494: 'passing',
  499: 'passing',
};

function kindOfStatus(status: number): StatusKind {
  const known = STATUS_KINDS[status];
  if (known !== undefined) return known;
  if (status >= 300 && status <= 399) return 'passing';
  return status >= 400 && status <= 499 ? 'unsure' : 'unavailable';
}

export function isKeyRefused({ status }: Headers): boolean {
  return kindOfStatus(status) === 'key';
}

/** Whether an answer refuses what was sent, as it was sent. */
export function isInputRefused({ status }: Headers): boolean {
  return kindOfStatus(status) === 'input';
}

/** The error that a response with a status outside 2xx stands for. It shows the server's words without `secrets`. */
export function errorFromResponse(response: HttpResponse, correlationId: string, secrets: RequestSecrets): SynapError {
  const { status } = response;
  const body = readErrorBody(response.body);
  const [code = '', words = ''] = maskServerTexts([body.code ?? '', body.text ?? ''], secrets);
  const shown = cut([code, words].filter(Boolean).join(': '));
  const said = shown === '' ? '' : `: ${shown}`;
  const options = { status, correlationId };
  const kind = kindOfStatus(status);
  if (kind === 'credits' || ((kind === 'forbidden' || kind === 'rate_limit') && saysCredits(body, words)))
    return insufficientCredits(body.more, said, secrets, options);
  switch (kind) {
    case 'input':
      return new InvalidInputError(`Synap refused the input (${status})${said}`, { ...options, field: fieldOf(body) });
    case 'size':
      return new PayloadTooLargeError(`The request is too large for Synap (${status})${said}`, options);
    case 'key':
      return new AuthenticationError(`Synap refused the API key (${status})${said}. Check SYNAP_API_KEY`, options);
    case 'forbidden':
      return new AuthenticationError(forbidden(response, said), options);
    case 'conflict':
      return new ConflictError(`Synap has something else stored (${status})${said}`, options);
    case 'rate_limit': {
      const retryAfterMs = readRetryAfter(response);
      const wait = retryAfterMs === undefined ? '' : `; try again in ${Math.ceil(retryAfterMs / SECOND)} s`;
      return new RateLimitError(`Synap's rate limit is reached (${status})${wait}${said}`, {
        ...options,
        retryAfterMs,
      });
    }
    case 'passing': {
      const retryAfterMs = readRetryAfter(response);
      return new ServiceUnavailableError(passing(response, said), { ...options, retryAfterMs, stored: 'no' });
    }
    case 'unsure':
      return new UnexpectedResponseError(unsure(response, said), options);
    case 'unavailable': {
      const retryAfterMs = readRetryAfter(response);
      return new ServiceUnavailableError(`Synap is unavailable (${status})${said}`, { ...options, retryAfterMs });
    }
  }
}

function forbidden(response: HttpResponse, said: string): string {
  const page = isHtml(response) ? ", by a web page that is not of Synap's API" : '';
  return `The request was refused (${response.status}${page})${said}. Either the API key may not do this, or a firewall in front of Synap dislikes what was sent`;
}

function passing(response: HttpResponse, said: string): string {
  const { status } = response;
  switch (status) {
    case 407:
      return `A proxy between this app and Synap wants a sign-in (${status})${said}. Nothing reached Synap`;
    case 421:
      return `The request reached a server that does not answer for Synap (${status})${said}`;
    case 494:
      return `The headers of the request are too long for a proxy in front of Synap (${status})${said}`;
  }
  if (status >= 400) return `The request ended before Synap took it (${status})${said}`;
  const origin = originOf(response.header('location'));
  return `The address of Synap answers with a redirect (${status || 'of unknown status'}${origin && ` to ${origin}`})${said}, which is not followed. Check the network, and that baseUrl is the address of Synap`;
}

/** The path and the query of a sign-in page may hold what identifies somebody. */
function originOf(location = ''): string {
  return URL.canParse(location) ? plainLine(new URL(location).origin) : '';
}

function unsure(response: HttpResponse, said: string): string {
  const page = isHtml(response) ? ' with a web page' : '';
  return `Synap's address answered ${response.status}${page}${said}. Check that baseUrl is the address of Synap; a firewall in front of it may dislike what was sent`;
}

/** The caller's name of a field that the server names. */
function fieldOf({ fields: [field] }: ErrorBody): string | undefined {
  if (field === undefined || !/^[\w.[\]]{1,100}$/.test(field)) return undefined;
  return field.replace(/\.(\d+)(?=\.|$)/g, '[$1]').replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

/**
 * Milliseconds to wait, from `Retry-After`: seconds, or an HTTP date (a proxy may send one), which is after the server's own
 * `Date`: this machine's clock may be wrong. A time that has passed is 0; what can't be read is undefined.
 */
function readRetryAfter(response: HttpResponse): number | undefined {
  const value = response.header('retry-after')?.trim();
  if (!value) return undefined;
  if (/^\d+(\.\d+)?$/.test(value)) return Number(value) * SECOND;
  // V8 reads a date out of nearly any text with a number in it.
  const date = /^(mon|tue|wed|thu|fri|sat|sun|\d{4}-)/i.test(value) ? Date.parse(value) : Number.NaN;
  const sent = Date.parse(response.header('date') ?? '');
  return Number.isNaN(date) ? undefined : Math.max(0, date - (Number.isNaN(sent) ? Date.now() : sent));
}

const RATE = /rate_?limit|throttl|too_?many|burst|concurren/i;
const CREDITS = /credit|trial|subscription|billing|payment|balance/i;
const CREDITS_IN_WORDS =
  /\b(?:out of|insufficient|not enough|no|too few) (?:\w+ )?credits?\b|\btrial\b.{0,30}\b(?:limit|end|expir)|\bsubscription\b.{0,30}\b(?:inactive|expired|cancell?ed|required|lapsed)/i;

/** Whether a 403 or 429 is a stop that no waiting and no other message passes: for want of credits, or of a plan. */
function saysCredits({ code, more }: ErrorBody, words: string): boolean {
  const reason = text(more.reason);
  const named = [reason, code].filter(Boolean).join(' ');
  if (RATE.test(named)) return false;
  if (CREDITS.test(named)) return true;
  if (['balance_credits', 'minimum_required_credits', 'recovery_url', 'redeem_url'].some(name => isSaid(more[name])))
    return true;
  if (reason !== undefined && (isSaid(more.upgrade_url) || isSaid(more.manage_url))) return true;
  return CREDITS_IN_WORDS.test(words);
}

function isSaid(value: unknown): boolean {
  return value !== undefined && value !== null && value !== '';
}

const MAX_SAID = 300;

function cut(text: string): string {
  return text.length > MAX_SAID ? `${text.slice(0, MAX_SAID).toWellFormed()}…` : text;
}

function insufficientCredits(
  more: ErrorBody['more'],
  said: string,
  secrets: RequestSecrets,
  options: { status: number; correlationId: string },
): InsufficientCreditsError {
  const number = (value: unknown) => (typeof value === 'number' ? value : undefined);
  const link = (value: unknown) => (typeof value === 'string' ? maskServerUrl(value, secrets) : undefined);
  const urls = {
    recoveryUrl: link(more.recovery_url),
    redeemUrl: link(more.redeem_url),
    upgradeUrl: link(more.upgrade_url),
    manageUrl: link(more.manage_url),
  };
  const { recoveryUrl, upgradeUrl, manageUrl } = urls;
  const advice = recoveryUrl
    ? `. Top up at ${recoveryUrl}`
    : upgradeUrl
      ? `. Upgrade at ${upgradeUrl}`
      : manageUrl && `. See ${manageUrl}`;
  const reason = text(more.reason);
  const shownReason = reason === undefined ? undefined : cut(maskServerText(reason, secrets));
  // Without words of the server, its code for them is the only reason that there is.
  const why = said || (shownReason ? `: ${shownReason}` : '');
  return new InsufficientCreditsError(
    `The Synap account is out of credits or without a plan (${options.status})${why}${advice ?? ''}`,
    {
      ...options,
      ...urls,
      reason: shownReason,
      balanceCredits: number(more.balance_credits),
      minimumRequiredCredits: number(more.minimum_required_credits),
    },
  );
}
