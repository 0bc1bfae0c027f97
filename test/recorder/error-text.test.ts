import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { abortText } from '../../src/recorder/abort.js';
import { errorText } from '../../src/recorder/error-text.js';
import { ODD_VALUES } from '../support/odd-values.js';

class ResponseAborted extends Error {
  override readonly name = 'ResponseAborted';
}

const apiCallError = (fields: object) => Object.assign(new Error(''), { name: 'AI_APICallError' }, fields);

const TEXTS: [string, unknown, string][] = [
  ['an Error', new Error('socket hang up'), 'Error: socket hang up'],
  ['an Error with a name', new RangeError('too long'), 'RangeError: too long'],
  ['an Error of another realm', runInNewContext('new TypeError("no")'), 'TypeError: no'],
  ['an Error without a text', new TypeError(), 'TypeError'],
  ['an Error whose cause has one', new Error('', { cause: new Error('ECONNRESET') }), 'Error: ECONNRESET'],
  ['an Error whose causes have causes', new Error('', { cause: new Error('', { cause: 'deep' }) }), 'Error: deep'],
  ['a DOMException', new DOMException('The clone failed', 'DataCloneError'), 'DataCloneError: The clone failed'],
  ['a text', 'overloaded', 'overloaded'],
  ['a number', 503, '503'],
  ['Anthropic in mid-stream', overloaded(), 'overloaded_error: Overloaded'],
  ['OpenAI in mid-stream', { error: { message: 'Try later', code: 'rate_limit' } }, 'rate_limit: Try later'],
  ['the same as JSON', JSON.stringify(overloaded()), 'overloaded_error: Overloaded'],
  ['the same in an SDK’s message', new Error(`529 ${JSON.stringify(overloaded())}`), 'overloaded_error: Overloaded'],
  ['an object with a message', { message: 'no' }, 'no'],
  ['an object with an error', { error: 'no' }, 'no'],
  ['FastAPI', { detail: 'Not found' }, 'Not found'],
  ['FastAPI, of several fields', { detail: [{ msg: 'field required', loc: ['body'] }] }, 'field required'],
  ['GraphQL', { errors: [{ message: 'one' }, { message: 'two' }] }, 'one; two'],
  ['a code', { code: 429 }, 'code 429'],
  ['a status', { error: { status: 500 } }, 'status 500'],
  [
    'the AI SDK, without a message',
    apiCallError({ statusCode: 400, responseBody: '{"error":{"message":"Bad model"}}' }),
    'AI_APICallError: Bad model',
  ],
  [
    'the AI SDK’s as plain data',
    { statusCode: 529, responseBody: JSON.stringify(overloaded()) },
    'overloaded_error: Overloaded',
  ],
  ['an AggregateError', new AggregateError([new Error('a'), new Error('b')]), 'AggregateError: a; b'],
  [
    'an AggregateError with a text',
    new AggregateError([new Error('a')], 'All failed'),
    'AggregateError: All failed: a',
  ],
  ['what has a toString', { toString: () => 'by hand' }, 'by hand'],
  ['a fetch Response', new Response('', { status: 429, statusText: 'Too Many Requests' }), 'Too Many Requests'],
  ['nothing', undefined, 'unknown error'],
  ['an empty object', {}, 'unknown error'],
  ['a function', () => 'no', 'unknown error'],
  ['a true error', { error: true }, 'unknown error'],
];

function overloaded() {
  return { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } };
}

describe('the text of an error', () => {
  it.each(TEXTS)('of %s', (_, error, text) => {
    expect(errorText(error)).toBe(text);
  });

  it('stands on one line', () => {
    expect(errorText(new Error('one\r\n  two\u2028three\u0007'))).toBe('Error: one two three');
  });

  it('is cut to 500 characters, and not in the middle of one', () => {
    expect(errorText('x'.repeat(600))).toBe(`${'x'.repeat(500)}…`);
    expect(errorText(`${'x'.repeat(499)}😀😀`)).toBe(`${'x'.repeat(499)}…`);
  });

  it.each(Object.keys(ODD_VALUES))('of %s is a text that no bound or trap breaks', name => {
    for (const error of [ODD_VALUES[name]?.(), { message: ODD_VALUES[name]?.() }, [ODD_VALUES[name]?.()]]) {
      const text = errorText(error);
      expect(text.length).toBeGreaterThan(0);
      expect(text.length).toBeLessThanOrEqual(501);
      expect(text.isWellFormed()).toBe(true);
    }
  });

  it('looks at few properties only of an error that holds the world', () => {
    let reads = 0;
    const counting = (get: (name: unknown) => unknown): object =>
      new Proxy(
        {},
        {
          get(_, name) {
            reads++;
            return get(name);
          },
        },
      );
    const world: object = counting(() => world);
    expect(errorText({ error: [world, world, world], cause: world })).toBe('unknown error');
    const wide = (depth: number): object =>
      counting(name => (typeof name === 'string' && depth > 0 ? wide(depth - 1) : undefined));
    expect(errorText(wide(20))).toBe('unknown error');
    expect(reads).toBeLessThan(500);
  });

  it('is not what a library has put on Object.prototype', () => {
    let text = '';
    Object.assign(Object.prototype, { detail: 'polluted' });
    try {
      text = errorText({ code: 429 });
    } finally {
      Reflect.deleteProperty(Object.prototype, 'detail');
    }
    expect(text).toBe('code 429');
  });

  it('holds no key, also not the one that is told to it, and none that is cut in half', () => {
    expect(errorText(new Error('Incorrect API key provided: sk-proj-abc123def456'))).toBe(
      'Error: Incorrect API key provided: ***',
    );
    expect(errorText({ message: 'no account for my-odd-key' }, { secrets: ['my-odd-key'] })).toBe('no account for ***');
    for (let length = 480; length < 500; length++)
      expect(errorText(`${'x'.repeat(length)} sk-abcdefghijklmnop`)).not.toContain('sk-');
    expect(errorText(`${' '.repeat(3990)}sk-abcdefghijklmnop`)).not.toContain('sk-');
  });
});

describe('why the app aborted', () => {
  const aborted = (reason?: unknown) => {
    const controller = new AbortController();
    controller.abort(reason);
    return controller.signal.reason as unknown;
  };
  const NONE: [string, unknown][] = [
    ['abort() without a reason', aborted()],
    ['no reason', undefined],
    ['null', null],
    ['Next.js, when the response is closed', new ResponseAborted()],
    ['an error without a text', new Error('')],
    ['abort as the listener of an event', new Event('abort')],
    [
      'abort() of another realm',
      runInNewContext('Object.assign(new Error("This operation was aborted"), { name: "AbortError" })'),
    ],
    ...[
      'The operation was aborted',
      'The operation was aborted.',
      'This operation was aborted',
      'signal is aborted without reason',
      'The user aborted a request.',
      'Request was aborted.',
      'The signal has been aborted',
      'BodyStreamBuffer was aborted',
    ].map((text): [string, unknown] => [text, new DOMException(text, 'AbortError')]),
  ];

  it.each(NONE)('is not said by %s', (_, reason) => {
    expect(abortText(reason)).toBeUndefined();
  });

  it.each<[string, unknown, string]>([
    ['a text', aborted('user pressed stop'), 'user pressed stop'],
    ['the text "aborted"', aborted('aborted'), 'aborted'],
    ['an Error', aborted(new Error('user pressed stop')), 'Error: user pressed stop'],
    ['an AbortError of its own', new DOMException('user pressed stop', 'AbortError'), 'AbortError: user pressed stop'],
    ['an object', aborted({ reason: 'budget' }), 'budget'],
    [
      'what Node.js wraps in an error of its own',
      new DOMException('x', 'AbortError') &&
        Object.assign(new Error('The operation was aborted', { cause: 'stop' }), { name: 'AbortError' }),
      'stop',
    ],
  ])('is said by %s', (_, reason, text) => {
    expect(abortText(reason)).toBe(text);
  });

  it('is said by a timeout', async () => {
    const signal = AbortSignal.timeout(1);
    await new Promise(resolve => signal.addEventListener('abort', resolve));
    expect(abortText(signal.reason)).toMatch(/^TimeoutError: .*timeout/);
  });
});
