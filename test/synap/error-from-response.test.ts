import { describe, expect, it, test } from 'vitest';
import {
  AuthenticationError,
  ConflictError,
  InsufficientCreditsError,
  InvalidInputError,
  PayloadTooLargeError,
  RateLimitError,
  ServiceUnavailableError,
  UnexpectedResponseError,
} from '../../src/index.js';
import { errorFromResponse, isSuccess, isWebPage, readSuccess } from '../../src/synap/error-from-response.js';

const answer = (status: number, body: unknown = '', headers: Record<string, string> = {}) => ({
  status,
  body: typeof body === 'string' ? body : JSON.stringify(body),
  header: (name: string) => headers[name],
});

const errorOf = (status: number, body?: unknown, headers?: Record<string, string>, contents: readonly string[] = []) =>
  errorFromResponse(answer(status, body, headers), 'c-1', { apiKey: 'my-own-key', contents });

test.each([
  [400, InvalidInputError, false],
  [422, InvalidInputError, false],
  [401, AuthenticationError, false],
  [403, AuthenticationError, false],
  [402, InsufficientCreditsError, false],
  [409, ConflictError, false],
  [413, PayloadTooLargeError, false],
  [429, RateLimitError, true],
  [408, ServiceUnavailableError, true],
  [425, ServiceUnavailableError, true],
  [500, ServiceUnavailableError, true],
  [503, ServiceUnavailableError, true],
  [599, ServiceUnavailableError, true],
  [301, ServiceUnavailableError, true],
  [404, UnexpectedResponseError, false],
  [418, UnexpectedResponseError, false],
])('status %d is a %o, retryable: %s', (status, kind, retryable) => {
  const error = errorOf(status);
  expect(error).toBeInstanceOf(kind);
  expect(error).toMatchObject({ status, correlationId: 'c-1', retryable });
  expect(error.message).toContain(String(status));
});

describe("the server's words", () => {
  it.each([
    ['a text', { detail: 'no such user' }, 'no such user'],
    ['a code and a message', { detail: { code: 'bad_user', message: 'no such user' } }, 'bad_user: no such user'],
    [
      'the first three of a list of validation errors',
      { detail: [1, 2, 3, 4].map(n => ({ loc: ['body', 'messages', n], msg: `wrong ${n}`, input: 'private' })) },
      'messages.1 wrong 1; messages.2 wrong 2; messages.3 wrong 3',
    ],
  ])('are in the message: %s', (_, body, words) => {
    expect(errorOf(422, body).message).toBe(`Synap refused the input (422): ${words}`);
  });

  it.each([
    ['a page of HTML', '<html>private</html>'],
    ['null', 'null'],
    ['a number as detail', { detail: 7 }],
    ['a list of nothing', { detail: [null, 'private'] }],
  ])('are left out, where they are %s', (_, body) => {
    expect(errorOf(422, body).message).toBe('Synap refused the input (422)');
  });

  it('are cut after 300 characters', () => {
    const { message } = errorOf(422, { detail: 'word '.repeat(1000) });
    expect(message.length).toBeLessThan(350);
    expect(message).toMatch(/…$/);
  });

  it('hold no key: neither the own one, nor what looks like one', () => {
    const detail = 'my-own-key is not Bearer abcdef123456';
    expect(errorOf(422, { detail }).message).toBe('Synap refused the input (422): *** is not Bearer ***');
  });

  it('lose what they quote of a message', () => {
    const { message } = errorOf(422, { detail: 'bad: "the launch code is 0000"' }, {}, ['The launch code is 0000']);
    expect(message).toBe('Synap refused the input (422): bad: "[redacted: message text]"');
  });
});

describe('Retry-After', () => {
  it.each([
    ['3', 3000],
    ['1.5', 1500],
    [' 0 ', 0],
    ['Thu, 01 Jan 2026 00:00:00 GMT', 0],
    ['soon', undefined],
    ['-3', undefined],
  ])('%j is %s ms', (value, retryAfterMs) => {
    for (const status of [429, 503])
      expect(errorOf(status, '', { 'retry-after': value })).toMatchObject({ retryAfterMs });
  });
});

it('402 says how many credits there are, and where to top up, with the whole link', () => {
  const recoveryUrl = 'https://synap.example/top-up?code=abcdefgh12345678';
  const error = errorOf(402, {
    detail: { balance_credits: 1, minimum_required_credits: 5, recovery_url: recoveryUrl, redeem_url: 7 },
  });
  expect(error).toMatchObject({ balanceCredits: 1, minimumRequiredCredits: 5, recoveryUrl, redeemUrl: undefined });
  expect(error.message).toBe(`The Synap account is out of credits or without a plan (402). Top up at ${recoveryUrl}`);
});

test.each([
  [199, false],
  [200, true],
  [299, true],
  [300, false],
])('status %d is a success: %s', (status, expected) => {
  expect(isSuccess(answer(status))).toBe(expected);
});

test.each([
  ['text/html; charset=utf-8', true],
  [' Application/XHTML+XML', true],
  ['application/json', false],
  ['text/htm', false],
])('the content type %j is a web page: %s', (type, expected) => {
  expect(isWebPage(answer(200, '', { 'content-type': type }))).toBe(expected);
});

describe('a 2xx', () => {
  const read = (body: string, headers?: Record<string, string>, unread?: string) =>
    readSuccess({ ...answer(202, body, headers), unread }, 'https://synap.example', 'c-1');

  it('is its JSON', () => {
    expect(read('{"a":1}')).toEqual({ body: { a: 1 } });
  });

  it('without a body has nothing to say', () => {
    expect(read('')).toEqual({ body: undefined });
  });

  it.each([
    ['it is no JSON', 'ok', undefined],
    ['connection reset', '{"a":', 'connection reset'],
  ])('that can not be read says why: %s', (why, body, unread) => {
    const expected = `Synap answered 202, but its body could not be read (${why})`;
    expect(read(body, {}, unread)).toEqual({ body: undefined, unread: expected });
  });

  it.each([
    ['by its type', 'hello', { 'content-type': 'text/html' }],
    ['by its first character', ' <!doctype html>', {}],
  ])('that is a web page %s has stored nothing', (_, body, headers) => {
    expect(() => read(body, headers)).toThrow(
      expect.objectContaining({ name: 'ServiceUnavailableError', stored: 'no', status: 202 }),
    );
  });
});

describe('what an error is about, and whether what was sent is stored, by the table', () => {
  const rows: [string, readonly number[], object][] = [
    ['the message, not stored', [400, 413, 422], { about: 'message', stored: 'no' }],
    ['the account, not stored', [401, 402], { about: 'account', stored: 'no' }],
    ['unsure, not stored', [403, 404, 405, 406, 409, 410, 418, 423, 451, 498], { about: 'unsure', stored: 'no' }],
    [
      'the service, passing, not stored',
      [0, 300, 301, 302, 307, 308, 399, 407, 408, 421, 425, 429, 444, 460, 494, 499],
      { about: 'service', stored: 'no', retryable: true },
    ],
    ['the service, unknown', [500, 502, 503, 504, 507, 520, 529, 599], { about: 'service', stored: 'unknown' }],
  ];
  const cases = rows.flatMap(([name, statuses, fields]) => statuses.map(status => [status, name, fields] as const));

  it.each(cases)('%d: %s, also as a page of HTML', (status, _, fields) => {
    expect(errorOf(status)).toMatchObject(fields);
    expect(errorOf(status, '<html>private</html>', { 'content-type': 'text/html' })).toMatchObject(fields);
  });
});

describe('the three forms of an error body', () => {
  it.each([
    [{ detail: 'no such user' }, 'no such user'],
    [{ detail: { code: 'bad_user', message: 'no such user' } }, 'bad_user: no such user'],
    [{ error: 'no such user', code: 'INVALID_INPUT', details: { field: 'user_id' } }, 'INVALID_INPUT: no such user'],
    [{ error: { code: 'bad_user', message: 'no such user' } }, 'bad_user: no such user'],
    [{ message: 'no such user' }, 'no such user'],
    [{ error: 'Bad Request', message: 'no such user', statusCode: 400 }, 'Bad Request: no such user'],
    [{ error: 'Invalid', details: [{ field: 'user_id', message: 'is unknown' }] }, 'Invalid: user_id is unknown'],
    [{ errors: [{ field: 'user_id', message: 'is unknown' }] }, 'user_id is unknown'],
    [{ detail: { errors: [{ loc: ['body', 'user_id'], msg: 'is unknown' }] } }, 'user_id is unknown'],
  ])('%j is read', (body, words) => {
    expect(errorOf(400, body).message).toBe(`Synap refused the input (400): ${words}`);
  });

  it.each([
    [{ error: 'x', details: { field: 'user_id' } }, 'userId'],
    [{ detail: [{ loc: ['body', 'messages', 3, 'session_id'], msg: 'x' }] }, 'messages[3].sessionId'],
    [{ detail: 'x' }, undefined],
    [{ error: 'x', details: { field: 'forged\nline' } }, undefined],
  ])('%j names the field', (body, field) => {
    expect(errorOf(422, body)).toMatchObject({ field });
  });
});

describe('a stop for credits', () => {
  const upgradeUrl = 'https://synap.example/upgrade?code=abcdefgh12345678';
  it.each([
    [429, { detail: { reason: 'trial_limit_reached', message: 'Trial is over', upgrade_url: upgradeUrl } }],
    [403, { detail: { reason: 'trial_limit_reached', upgrade_url: upgradeUrl } }],
    [402, { detail: { reason: 'trial_limit_reached', upgrade_url: upgradeUrl } }],
    [429, { error: 'x', code: 'STOPPED', details: { reason: 'trial_limit_reached', upgrade_url: upgradeUrl } }],
  ])('is a %d that gives its reason: %j', (status, body) => {
    const error = errorOf(status, body);
    expect(error).toBeInstanceOf(InsufficientCreditsError);
    expect(error).toMatchObject({ about: 'account', stored: 'no', reason: 'trial_limit_reached', upgradeUrl });
    expect(error.message).toContain(`Upgrade at ${upgradeUrl}`);
  });

  it('shows its reason where it has no other words', () => {
    const { message } = errorOf(429, { detail: { reason: 'trial_limit_reached' } });
    expect(message).toBe('The Synap account is out of credits or without a plan (429): trial_limit_reached');
  });

  it.each([
    [429, { detail: { reason: 'subscription_inactive', manage_url: 'https://x/manage' } }],
    [403, { detail: 'Insufficient credits' }],
    [429, { detail: { code: 'insufficient_credits', message: 'x', balance_credits: 0 } }],
    [429, { detail: { message: 'x', recovery_url: 'https://x/up' } }],
    [429, { detail: { reason: 'monthly_limit_reached', upgrade_url: 'https://x/up' } }],
  ])('is a %d that says so in another way: %j', (status, body) => {
    expect(errorOf(status, body)).toBeInstanceOf(InsufficientCreditsError);
  });

  it.each([
    ['without a body', ''],
    ['that names the rate', { detail: { code: 'rate_limit_exceeded', message: 'x', upgrade_url: 'https://x/up' } }],
    ['with a link to more', { detail: { message: 'Rate limit exceeded', upgrade_url: 'https://x/up' } }],
    ['whose reason is the rate', { detail: { reason: 'too_many_requests', upgrade_url: 'https://x/up' } }],
    ['of a proxy', '<html>out of credits</html>'],
  ])('is no 429 %s', (_, body) => {
    expect(errorOf(429, body)).toBeInstanceOf(RateLimitError);
  });

  it('is no 403 that quotes a message about credits', () => {
    const error = errorOf(403, { detail: 'blocked: I am out of credits' }, {}, ['I am out of credits']);
    expect(error).toBeInstanceOf(AuthenticationError);
  });
});

describe('a message says what is known', () => {
  it.each([
    [403, 'either the API key may not do this, or a firewall'],
    [407, 'proxy between this app and Synap wants a sign-in'],
    [302, 'a redirect (302 to https://portal.example)'],
    [404, "Synap's address answered 404"],
    [499, 'ended before Synap took it (499)'],
  ])('of a %d', (status, words) => {
    const { message } = errorOf(status, '', { location: 'https://portal.example/sign-in?token=private' });
    expect(message.toLowerCase()).toContain(words.toLowerCase());
    expect(message).not.toContain('private');
  });

  it('and does not blame the API key for the 403 of a firewall', () => {
    expect(errorOf(403, '<html>', { 'content-type': 'text/html' }).message).not.toContain('refused the API key');
  });
});
