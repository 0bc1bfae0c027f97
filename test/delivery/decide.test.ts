import { describe, expect, it } from 'vitest';
import {
  type DecisionContext,
  decideBeforeSending,
  decide as decideOn,
  type FailureKind,
  failureOf,
  type GiveUpOptions,
  isAboutAccount,
  isFinal,
  isStopped,
  type Outcome,
  outcomeOf,
} from '../../src/delivery/decide.js';
import { errorFromResponse } from '../../src/synap/error-from-response.js';
import {
  AuthenticationError,
  InsufficientCreditsError,
  InvalidInputError,
  NetworkError,
  RateLimitError,
  ServiceUnavailableError,
  TimeoutError,
  UnexpectedResponseError,
} from '../../src/synap/errors.js';
import { aClaim, dead, delivered, errors, held, refused, unclear } from './failures.js';

const NOW = 1_700_000_100_000;
const OPTIONS: GiveUpOptions = { maxAgeMs: 60_000, maxAttempts: 3, ifUnknown: 'resend' };
const CONTEXT: Omit<DecisionContext, 'ageMs'> = { unreadable: 0, isProven: false, isAccountToBlame: false };
const NO_DUPLICATES: GiveUpOptions = { ...OPTIONS, ifUnknown: 'dead-letter' };

/** Decides at {@link NOW}. */
const decide = (outcome: Outcome, options: GiveUpOptions, context: Omit<DecisionContext, 'ageMs'>) =>
  decideOn(outcome, options, { ...context, ageMs: NOW - outcome.entry.acceptedAt });

const answer = (status: number, headers: Record<string, string> = {}) =>
  errorFromResponse({ status, header: name => headers[name], body: '' }, 'c-1', { apiKey: 'test-key', contents: [] });

const LOOK_ALIKE = { code: 'rate_limit', about: 'message', stored: 'no' };

const only = <T>(list: readonly T[]): T => {
  const [first] = list;
  if (first === undefined) throw new Error('an empty list');
  return first;
};

describe('an HTTP status', () => {
  it.each<[number, FailureKind, boolean]>([
    [400, 'message', false],
    [409, 'unsure', false],
    [413, 'message', false],
    [422, 'message', false],
    [401, 'account', false],
    [402, 'account', false],
    [403, 'unsure', false],
    [404, 'unsure', false],
    [405, 'unsure', false],
    [301, 'passing', false],
    [451, 'unsure', false],
    [429, 'rate_limit', false],
    [408, 'passing', false],
    [425, 'passing', false],
    [500, 'unavailable', true],
    [503, 'unavailable', true],
  ])('%i means %s, and its message may be stored: %s', (status, kind, maybeStored) => {
    expect(failureOf(answer(status))).toMatchObject({ kind, maybeStored });
  });

  it.each([429, 503])('%i passes on how long Synap asks to wait', status => {
    expect(failureOf(answer(status, { 'retry-after': '7' })).retryAfterMs).toBe(7000);
    expect(failureOf(answer(status)).retryAfterMs).toBeUndefined();
  });

  it('that is about the account is not waited for as anybody asks', () => {
    const error = Object.assign(answer(401), { retryAfterMs: 7000 });
    expect(failureOf(error).retryAfterMs).toBeUndefined();
  });
});

describe('an error without a status', () => {
  it.each<[string, unknown, FailureKind, boolean]>([
    ['input that was refused before it was sent', new InvalidInputError('x'), 'message', false],
    ['a missing key', new AuthenticationError('x'), 'account', false],
    ['missing credits', new InsufficientCreditsError('x'), 'account', false],
    ['a rate limit', new RateLimitError('x'), 'rate_limit', false],
    ['a request that was never sent', new NetworkError('x', { sent: 'no' }), 'unavailable', false],
    ['a request without an answer', new NetworkError('x', { sent: 'unknown' }), 'unanswered', true],
    ['an answer that can’t be read', new NetworkError('x', { sent: 'unknown', answered: true }), 'unreadable', true],
    ['a connection that timed out', new TimeoutError('x', { sent: 'no' }), 'unavailable', false],
    ['an answer that timed out', new TimeoutError('x', { sent: 'unknown' }), 'unanswered', true],
    ['a web page in Synap’s place', new ServiceUnavailableError('x', { stored: 'no' }), 'passing', false],
    ['results that match no message', new UnexpectedResponseError('x', { retryable: true }), 'unreadable', true],
    ['an answer that makes no sense', new UnexpectedResponseError('x'), 'unsure', false],
    ['an error of the app’s own client', new Error('x'), 'unavailable', true],
    ['another’s error that looks like ours', Object.assign(new Error('x'), LOOK_ALIKE), 'unavailable', true],
    ['a thrown undefined', undefined, 'unavailable', true],
    ['an error that says that it is stored', Object.assign(answer(500), { stored: 'yes' }), 'stored', true],
    ['a code of another version', Object.assign(answer(500), { code: 'teapot' }), 'unavailable', true],
    ['a subject of another version', Object.assign(answer(422), { about: 'weather' }), 'unavailable', false],
  ])('%s', (_, error, kind, maybeStored) => {
    expect(failureOf(error)).toMatchObject({ kind, error, maybeStored });
  });
});

it('an error that can’t even be read may pass, and its message may be stored', () => {
  const { error: _, ...failure } = failureOf(revokedProxy());
  expect(failure).toEqual({
    kind: 'unavailable',
    maybeStored: true,
    retryAfterMs: undefined,
    batch: 'retry',
    single: 'retry',
    item: 'retry',
    pause: 'backoff',
    isolate: 'halves',
  });
});

it('each kind of failure says what becomes of its messages, how long to pause and how to find the one to blame', () => {
  const stored = Object.assign(answer(500), { stored: 'yes' });
  const { message, account, unsure, rateLimit, passing, unavailable, unanswered, unreadable } = errors;
  const all = [message, account, unsure, rateLimit(), passing, unavailable(), unanswered, unreadable, stored];
  const rows = all.map(error => {
    const { kind, batch, single, item, pause, isolate } = failureOf(error);
    return [kind, batch, single, item, pause, isolate];
  });
  expect(rows).toEqual([
    ['message', 'split', 'reject', 'reject', 'none', 'none'],
    ['account', 'hold', 'hold', 'hold', 'probe', 'none'],
    ['unsure', 'split', 'suspect', 'suspect', 'backoff', 'none'],
    ['rate_limit', 'hold', 'hold', 'hold', 'backoff', 'late-halves'],
    ['passing', 'retry', 'retry', 'retry', 'short-backoff', 'halves'],
    ['unavailable', 'retry', 'retry', 'retry', 'backoff', 'halves'],
    ['unanswered', 'retry', 'retry', 'retry', 'slow-backoff', 'one'],
    ['unreadable', 'retry', 'retry', 'retry', 'backoff', 'one-by-one'],
    ['stored', 'deliver', 'deliver', 'deliver', 'none', 'none'],
  ]);
});

it('what every message would meet is about the account', () => {
  expect([errors.account, answer(402)].map(isAboutAccount)).toEqual([true, true]);
  const others = [errors.message, errors.unsure, errors.rateLimit(), errors.unavailable(), new Error('x')];
  expect(others.map(isAboutAccount)).toEqual([false, false, false, false, false]);
});

it('an action becomes the outcome of an entry', () => {
  const entry = aClaim('k');
  const failure = failureOf(errors.unsure);
  expect(outcomeOf(entry, failure, 'deliver')).toEqual({ entry, type: 'delivered' });
  expect(outcomeOf(entry, failure, 'reject')).toEqual({ entry, type: 'dead', failure });
  expect(outcomeOf(entry, failure, 'suspect')).toEqual({ entry, type: 'refused', failure, isSent: true });
  expect(outcomeOf(entry, failure, 'hold')).toEqual({ entry, type: 'held', failure });
  expect(outcomeOf(entry, failure, 'retry')).toEqual({ entry, type: 'unclear', failure });
});

it('nothing more is sent behind what is unclear or held', () => {
  const entry = aClaim('k');
  const outcomes = [
    ...delivered(entry),
    ...dead(entry),
    ...refused(entry),
    ...unclear(errors.unanswered, entry),
    ...held('x', entry),
  ];
  expect(outcomes.map(isStopped)).toEqual([false, false, false, true, true]);
  expect(outcomes.map(isFinal)).toEqual([true, true, false, false, false]);
});

describe('before it is sent', () => {
  it('a message goes, though Synap may have it, unless the app wants nothing twice', () => {
    const maybe = aClaim('k', 'c', { maybeStored: true });
    expect(decideBeforeSending(maybe, OPTIONS)).toBeUndefined();
    expect(decideBeforeSending(aClaim('k'), NO_DUPLICATES)).toBeUndefined();
    expect(decideBeforeSending(maybe, NO_DUPLICATES)).toEqual({
      entry: maybe,
      settlement: { key: 'k', to: 'dead', error: 'unknown error' },
      loss: 'unknown_outcome',
      error: undefined,
    });
  });
});

describe('a message', () => {
  it('that was delivered is done', () => {
    const entry = aClaim('k');
    expect(decide(only(delivered(entry)), OPTIONS, CONTEXT)).toEqual({
      entry,
      settlement: { key: 'k', to: 'delivered' },
      maybeDoubled: false,
    });
  });

  it('that was refused is a dead letter', () => {
    const entry = aClaim('k');
    expect(decide(only(dead(entry)), OPTIONS, CONTEXT)).toEqual({
      entry,
      settlement: { key: 'k', to: 'dead', error: 'Synap refused the input (422)' },
      loss: 'rejected',
      error: errors.message,
      maybeDoubled: false,
    });
  });

  describe('that was refused by itself', () => {
    const why = 'Synap answered 403';
    const old = { attempts: 2, acceptedAt: NOW - 60_001 };

    it('is held until it is known whether it is to blame, and that is an attempt', () => {
      const entry = aClaim('k', 'c', { attempts: 1, acceptedAt: NOW, maybeStored: true });
      expect(decide(only(refused(entry)), OPTIONS, CONTEXT)).toEqual({
        entry,
        settlement: { key: 'k', to: 'pending', attempts: 2, maybeStored: true, refused: why },
        maybeDoubled: false,
      });
    });

    it('and was not sent this time has made no attempt', () => {
      const [outcome] = refused(aClaim('k', 'c', { attempts: 1, acceptedAt: 0 }));
      if (outcome?.type !== 'refused') throw new Error('not refused');
      const { settlement } = decide({ ...outcome, isSent: false }, OPTIONS, CONTEXT);
      expect(settlement).toEqual({ key: 'k', to: 'pending', attempts: 1, maybeStored: false, refused: why });
    });

    it('and is to blame is a dead letter', () => {
      const entry = aClaim('k', 'c', { acceptedAt: NOW });
      expect(decide(only(refused(entry)), OPTIONS, { ...CONTEXT, isProven: true })).toEqual({
        entry,
        settlement: { key: 'k', to: 'dead', error: why },
        loss: 'rejected',
        error: errors.unsure,
        maybeDoubled: false,
      });
    });

    it('is a dead letter at its age limit', () => {
      const { settlement, loss } = decide(only(refused(aClaim('k', 'c', old))), OPTIONS, CONTEXT);
      expect([settlement.to, loss]).toEqual(['dead', 'rejected']);
      const young = { ...old, acceptedAt: NOW - 60_000 };
      expect(decide(only(refused(aClaim('k', 'c', young))), OPTIONS, CONTEXT).settlement.to).toBe('pending');
    });

    it('for the account’s sake waits for as long as that takes', () => {
      const context = { ...CONTEXT, isAccountToBlame: true };
      expect(decide(only(refused(aClaim('k', 'c', old))), OPTIONS, context).settlement).toEqual({
        key: 'k',
        to: 'pending',
        attempts: 2,
        maybeStored: false,
        refused: why,
      });
    });
  });

  it('that is held goes back as it was, and that is no attempt', () => {
    const entry = aClaim('k', 'c', { attempts: 99, acceptedAt: 0, maybeStored: true });
    expect(decide(only(held(errors.account, entry)), NO_DUPLICATES, CONTEXT)).toEqual({
      entry,
      settlement: { key: 'k', to: 'pending', attempts: 99, maybeStored: true },
      maybeDoubled: false,
    });
    expect(decide(only(held(errors.rateLimit(), aClaim('k'))), OPTIONS, CONTEXT).settlement).toMatchObject({
      attempts: 0,
      maybeStored: false,
    });
  });

  it.each([
    ['never sent', errors.notSent, false],
    ['sent without an answer', errors.unanswered, true],
    ['met by a 503', errors.unavailable(), true],
  ])('that was %s is sent again, and counts as an attempt', (_, error, maybeStored) => {
    const entry = aClaim('k', 'c', { attempts: 1, acceptedAt: NOW });
    expect(decide(only(unclear(error, entry)), OPTIONS, CONTEXT)).toEqual({
      entry,
      settlement: { key: 'k', to: 'pending', attempts: 2, maybeStored },
      maybeDoubled: false,
    });
  });

  it('that may be stored stays so, whatever comes after', () => {
    const entry = aClaim('k', 'c', { maybeStored: true, acceptedAt: NOW });
    const decision = decide(only(unclear(errors.notSent, entry)), OPTIONS, CONTEXT);
    expect(decision).toMatchObject({ settlement: { to: 'pending', maybeStored: true }, maybeDoubled: false });
  });

  it('that may have been stored before is doubled once it may be stored again', () => {
    const entry = aClaim('k', 'c', { maybeStored: true });
    const doubled = [...delivered(entry), ...unclear(errors.unanswered, entry), ...dead(entry)].map(
      outcome => decide(outcome, OPTIONS, CONTEXT).maybeDoubled,
    );
    expect(doubled).toEqual([true, true, false]);
    // It waits behind another, and was not sent itself.
    expect(decide(only(held(errors.unanswered, entry)), OPTIONS, CONTEXT).maybeDoubled).toBe(false);
  });

  it('that may be stored is given up where the app wants nothing twice', () => {
    const entry = aClaim('k', 'c', { acceptedAt: NOW });
    expect(decide(only(unclear(errors.unanswered, entry)), NO_DUPLICATES, CONTEXT)).toMatchObject({
      settlement: { to: 'dead', error: 'The connection to Synap broke' },
      loss: 'unknown_outcome',
      error: errors.unanswered,
    });
    expect(decide(only(unclear(errors.notSent, entry)), NO_DUPLICATES, CONTEXT).settlement.to).toBe('pending');
  });

  it('whose answers can’t be read is sent again three times', () => {
    const outcome = only(unclear(errors.unreadable, aClaim('k', 'c', { acceptedAt: NOW })));
    const ends = [1, 2, 3, 4].map(unreadable => decide(outcome, OPTIONS, { ...CONTEXT, unreadable }).settlement.to);
    expect(ends).toEqual(['pending', 'pending', 'pending', 'dead']);
    const notStored = only(unclear(errors.notSent, aClaim('k', 'c', { acceptedAt: NOW })));
    expect(decide(notStored, OPTIONS, { ...CONTEXT, unreadable: 4 }).settlement.to).toBe('pending');
  });

  it.each([
    ['old and often sent', 2, 60_001, 'expired'],
    ['old, but not often sent', 1, 60_001, 'pending'],
    ['often sent, but not too old', 2, 60_000, 'pending'],
  ])('that finds no clear answer and is %s: %i attempts before, %i ms, is %s', (_, attempts, age, to) => {
    const entry = aClaim('k', 'c', { attempts, acceptedAt: NOW - age });
    const decision = decide(only(unclear(errors.unavailable(), entry)), OPTIONS, CONTEXT);
    expect(decision.settlement.to).toBe(to);
    expect(decision.loss).toBe(to === 'expired' ? 'expired' : undefined);
  });
});

it.each([
  ['an error of ours', errors.account, 'Synap refused the API key (401)'],
  ['another error', new RangeError('the text of a message'), 'RangeError'],
  ['no error', 'the text of a message', 'unknown error'],
  ['a revoked proxy', revokedProxy(), 'unknown error'],
])('a dead letter says why, without the text of a message: %s', (_, error, text) => {
  const entry = aClaim('k', 'c', { attempts: 9, acceptedAt: 0 });
  const failure = { ...failureOf(errors.unavailable()), error };
  const { settlement } = decide({ entry, type: 'unclear', failure }, OPTIONS, CONTEXT);
  expect(settlement).toMatchObject({ to: 'expired', error: text });
});

function revokedProxy(): unknown {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}
