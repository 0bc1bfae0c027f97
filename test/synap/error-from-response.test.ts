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
  [301, UnexpectedResponseError, false],
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

  it('are redacted where they quote a message', () => {
    const { message } = errorOf(422, { detail: 'bad: "the launch code is 0000"' }, {}, ['The launch code is 0000']);
    expect(message).toBe('Synap refused the input (422): [redacted: contains message text]');
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
  expect(error.message).toBe(`The Synap account is out of credits (402). Top up at ${recoveryUrl}`);
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
