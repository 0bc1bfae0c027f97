import { describe, expect, it } from 'vitest';
import { isAborted } from '../../src/recorder/abort.js';

const aborted = (reason?: unknown) => {
  const controller = new AbortController();
  controller.abort(reason);
  return controller.signal;
};
const named = (name: string, message = 'x') => Object.assign(new Error(message), { name });
const running = new AbortController().signal;
const database = new Error('current transaction is aborted, commands ignored until end of transaction block');

describe('an answer is aborted', () => {
  it.each([
    ['whatever the error, when the app’s own signal is', new Error('stopped'), { own: [aborted()] }],
    [
      'for a reason of the app’s own',
      new Error('user pressed stop'),
      { own: [aborted(new Error('user pressed stop'))] },
    ],
    ['when Next.js closes the request', named('ResponseAborted'), { own: [aborted(named('ResponseAborted'))] }],
    ['by one of several signals', new Error('x'), { own: [running, undefined, aborted()] }],
    ['by a derived signal, when the framework reports it', named('AbortError'), { derived: [aborted()] }],
    ['when LangChain reports it', new Error('Aborted'), { byError: true }],
    ['when LangChain’s model reports it', named('ModelAbortError'), { byError: true }],
    ['when a provider’s SDK reports it', new Error('Request was aborted.'), { byError: true }],
  ])('%s', (_, error, signals) => {
    expect(isAborted(error, signals)).toBe(true);
  });

  it('by a derived signal, when the error is its reason, or was made of it', () => {
    const reason = new Error('user pressed stop');
    expect(isAborted(reason, { derived: [aborted(reason)] })).toBe(true);
    expect(isAborted(new Error('step failed', { cause: reason }), { derived: [aborted(reason)] })).toBe(true);
    expect(isAborted(new Error('stop'), { derived: [aborted('stop')] })).toBe(true);
  });
});

describe('an answer has failed', () => {
  it.each([
    ['by a database’s error that mentions an abort', database, { byError: true }],
    ['by a provider’s timeout without a signal', named('TimeoutError'), { own: [undefined] }],
    [
      'by a timeout that mentions an abort',
      named('TimeoutError', 'The operation was aborted due to timeout'),
      { byError: true },
    ],
    ['by an abort that nobody of the app asked for', named('AbortError'), { own: [running] }],
    [
      'by a sibling, for which the framework aborts the rest',
      new Error('boom'),
      { derived: [aborted(new Error('other'))] },
    ],
    [
      'by an error that can’t be read',
      new Proxy(
        {},
        {
          get: () => {
            throw new Error('no');
          },
        },
      ),
      { byError: true },
    ],
    ['by nothing at all', undefined, { byError: true }],
  ])('%s', (_, error, signals) => {
    expect(isAborted(error, signals)).toBe(false);
  });

  it('where the signal can’t be read', () => {
    const { proxy, revoke } = Proxy.revocable(new AbortController().signal, {});
    revoke();
    expect(isAborted(new Error('x'), { own: [proxy], derived: [proxy] })).toBe(false);
  });
});
