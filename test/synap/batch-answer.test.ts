import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { batchFromWire } from '../../src/synap/batch-answer.js';
import type { WireMessage } from '../../src/synap/messages.js';

const A = '0190c6a5-7c5e-7e0f-8d1b-3f0a2b4c6d8e';
const B = '1190c6a5-7c5e-7e0f-8d1b-3f0a2b4c6d8e';
const C = '2190c6a5-7c5e-7e0f-8d1b-3f0a2b4c6d8e';

/** A batch whose messages are in these conversations; the n-th has the key `kn`. */
const batch = (...conversations: string[]): WireMessage[] =>
  conversations.map((conversation_id, n) => ({
    conversation_id,
    role: 'user',
    content: `m${n}`,
    metadata: { message_key: `k${n}` },
  }));

const read = (body: unknown, sent = batch(A, A), unread?: string) =>
  batchFromWire({ body, unread }, sent, texts => texts);

/** Each message's fate in a word; what is refused with its reason. */
const fates = (body: unknown, sent?: WireMessage[]) => {
  const result = read(body, sent);
  expect(result.succeeded + result.failed + (result.unknown ?? 0)).toBe(result.total);
  return result.results.map(({ error, unknown, messageId }) =>
    error !== undefined
      ? `refused: ${error}`
      : unknown !== undefined
        ? 'unknown'
        : `accepted${messageId ? ` ${messageId}` : ''}`,
  );
};

describe('an answer without results', () => {
  it.each([
    ['no body', undefined],
    ['an empty object', {}],
    ['nothing that failed', { failed: 0 }],
    ['all that succeeded', { total: 2, succeeded: 2, failed: 0 }],
    ['all that succeeded, and an empty list', { succeeded: 2, results: [] }],
    ['null in place of the list', { succeeded: 2, results: null }],
    ['a word', { status: 'ok' }],
    ['counts in words of digits', { total: '2', succeeded: '2', failed: '0' }],
    ['an empty list of what failed', { failed: [] }],
    ['an empty list of something', { data: [] }],
  ])('accepts all with %s', (_, body) => {
    expect(fates(body)).toEqual(['accepted', 'accepted']);
  });

  it.each([
    [{ failed: 2 }],
    [{ total: 2, succeeded: 0, failed: 2 }],
    [{ total: '2', succeeded: '0', failed: '2' }],
    [{ data: { failed: 2 } }],
  ])('refuses all with %j', body => {
    expect(fates(body)).toEqual(['refused: refused without a reason', 'refused: refused without a reason']);
  });

  it.each([
    [{ failed: 1 }],
    [{ total: 2, succeeded: 1, failed: 1 }],
    [{ succeeded: 1 }],
    [{ succeeded: 0 }],
    [{ total: 3, succeeded: 2 }],
    [{ failed: 3 }],
    [{ succeeded: 2, failed: 2 }],
    [{ results: [] }],
    [{ error: 'the database is away' }],
    [{ success: false }],
    [{ total: 2, errors: [{ index: 1, error: 'no' }] }],
    [{ succeeded: 2, failed: 0, status: 'error' }],
    [{ failed: '1' }],
    [{ failed: [1] }],
    [{ failed: -1 }],
    [{ succeeded: 'some' }],
    [{ ok: 'false' }],
    [{ data: { total: 2, succeeded: 1, failed: 1 } }],
    [{ results: { 0: { message_id: 'm0' }, 1: { error: 'no' } } }],
  ])('leaves all open with %j', body => {
    expect(fates(body)).toEqual(['unknown', 'unknown']);
  });

  it('that was cut is an acceptance, and says why it was not read', () => {
    expect(read(undefined, batch(A), 'cut')).toMatchObject({ succeeded: 1, unread: 'cut' });
  });
});

describe('an item', () => {
  it.each([
    ['a text', { error: 'no' }, 'no'],
    ['a code and a message', { error: { code: 'bad', message: 'no' } }, 'bad: no'],
    ['a list', { error: [{ loc: ['user_id'], msg: 'no' }] }, 'user_id no'],
    ['a flag', { error: true }, 'refused without a reason'],
    ['an empty object', { error: {} }, 'refused without a reason'],
    ['a status', { status: 'failed', message: 'no' }, 'no'],
    ['another status', { status: 'Rejected' }, 'refused without a reason'],
    ['a third', { status: 'error', reason: 'no' }, 'no'],
    ['the number of a status', { status: 422, detail: 'no' }, 'no'],
    ['success: false', { success: false, error: null, message: 'no' }, 'no'],
    ['ok: false', { ok: false }, 'refused without a reason'],
    ['stored: false', { stored: false, reason: 'no' }, 'no'],
    ['a detail and no id', { detail: 'no' }, 'no'],
    ['a detail and null in place of the id', { detail: 'no', message_id: null }, 'no'],
    ['the number of a status as a text', { status: '500' }, 'refused without a reason'],
    ['the number of a status under another name', { status_code: 409, message: 'no' }, 'no'],
    ['a flag as a text', { success: 'false', error: '' }, 'refused without a reason'],
    ['a flag as a number', { accepted: 0 }, 'refused without a reason'],
    ['an error_message and no id', { error_message: 'no', message_id: null }, 'no'],
    ['an error_code and no id', { error_code: 'no' }, 'no'],
  ])('with %s is refused', (_, item, reason) => {
    expect(fates({ results: [{ message_id: 'm0' }, item] })).toEqual(['accepted m0', `refused: ${reason}`]);
  });

  it.each([
    [{}],
    [{ error: null }],
    [{ error: '' }],
    [{ error: [] }],
    [{ status: 'duplicate' }],
    [{ status: 201 }],
    [{ success: true }],
    [{ message_id: 'm1', detail: 'queued' }],
    [{ message_id: 'm1', error_code: 'none' }],
    [{ status: '201' }],
  ])('as %j is accepted', item => {
    expect(fates({ results: [{}, item] })[1]).toMatch(/^accepted/);
  });

  it.each([[null], ['m1'], [7], [true], [[]], [{ status: 'skipped' }], [{ status: 'timed_out' }]])(
    'as %j leaves its message open, and no other',
    item => {
      expect(fates({ results: [{ message_id: 'm0' }, item] })).toEqual(['accepted m0', 'unknown']);
    },
  );
});

describe('counts', () => {
  it.each([
    ['more failures than are told', { failed: 1, results: [{}, {}] }],
    ['fewer successes than are told', { succeeded: 1, results: [{}, {}] }],
    ['another total', { total: 3, results: [{}, {}] }],
    ['a sum that is too large', { succeeded: 2, failed: 1, results: [{}, {}] }],
  ])('that contradict the results leave all open that they call accepted: %s', (_, body) => {
    expect(fates(body)).toEqual(['unknown', 'unknown']);
  });

  it('that contradict the results leave a refusal as it is', () => {
    expect(fates({ failed: 2, results: [{ error: 'no' }, {}] })).toEqual(['refused: no', 'unknown']);
  });

  it.each([['two'], [-1], [1.5], [null]])('that are none (%j) are not read', failed => {
    expect(fates({ failed, results: [{}, {}] })).toEqual(['accepted', 'accepted']);
  });

  it('are said in the reason, so that somebody can find out', () => {
    const [first] = read({ total: 2, failed: 1, results: [{}, {}] }).results;
    expect(first?.unknown).toBe(
      'Synap answered total 2, failed 1 for 2 messages, with 2 results of which 0 are refusals',
    );
  });
});

describe('the results of messages', () => {
  const of = (...items: object[]) => ({ results: items });

  it.each([
    ['index', of({ index: 2, message_id: 'c' }, { index: 0, error: 'no' }, { index: 1, message_id: 'b' })],
    [
      'message_key',
      of(
        { message_key: 'k2', message_id: 'c' },
        { message_key: 'k0', error: 'no' },
        { message_key: 'k1', message_id: 'b' },
      ),
    ],
    [
      'metadata.message_key',
      of(
        ...[{ message_key: 'k2' }, { message_key: 'k0' }, { message_key: 'k1' }].map((metadata, n) => ({
          metadata,
          ...[{ message_id: 'c' }, { error: 'no' }, { message_id: 'b' }][n],
        })),
      ),
    ],
    [
      'conversation_id',
      of(
        { conversation_id: C, message_id: 'c' },
        { conversation_id: A, error: 'no' },
        { conversation_id: B.toUpperCase(), message_id: 'b' },
      ),
    ],
  ])('in another order are matched by %s', (_, body) => {
    expect(fates(body, batch(A, B, C))).toEqual(['refused: no', 'accepted b', 'accepted c']);
  });

  it('in another order are matched within one conversation in order, where their number agrees', () => {
    const body = of(
      { conversation_id: B, message_id: 'b' },
      { conversation_id: A, error: 'no' },
      { conversation_id: A, message_id: 'a2' },
    );
    expect(fates(body, batch(A, A, B))).toEqual(['refused: no', 'accepted a2', 'accepted b']);
  });

  it('in another order are open within one conversation, where their number does not agree', () => {
    const body = of({ conversation_id: B, message_id: 'b' }, { conversation_id: A, message_id: 'a' });
    expect(fates(body, batch(A, A, B))).toEqual(['unknown', 'unknown', 'accepted b']);
  });

  it('in their order may be counted from 1', () => {
    expect(fates(of({ index: 1, message_id: 'a' }, { index: 2, error: 'no' }))).toEqual(['accepted a', 'refused: no']);
  });

  it.each([
    ['fewer than messages', of({ message_id: 'a' })],
    ['more than messages', of({ message_id: 'a' }, { message_id: 'b' }, { message_id: 'c' })],
  ])('without ids are open where they are %s', (_, body) => {
    expect(fates(body)).toEqual(['unknown', 'unknown']);
  });

  it('that are missing leave open what is theirs, and no other', () => {
    expect(fates(of({ index: 1, message_id: 'b' }), batch(A, B))).toEqual(['unknown', 'accepted b']);
  });

  it.each([
    ['an id that was not sent', of({ conversation_id: C, message_id: 'x' }, { conversation_id: B, message_id: 'b' })],
    ['an index that is none', of({ index: 9, message_id: 'x' }, { index: 1, message_id: 'b' })],
    ['a key that was not sent', of({ message_key: 'k9', message_id: 'x' }, { message_key: 'k1', message_id: 'b' })],
    ['an index and the id of another', of({ index: 0, conversation_id: B }, { index: 1, message_id: 'b' })],
  ])('with %s are nobody’s', (_, body) => {
    expect(fates(body, batch(A, B))).toEqual(['unknown', 'accepted b']);
  });

  it('that name one message twice leave it open', () => {
    const body = of({ index: 0, message_id: 'a' }, { index: 0, error: 'no' }, { index: 1, message_id: 'b' });
    expect(fates(body, batch(A, B))).toEqual(['unknown', 'accepted b']);
  });

  it('may stand in an envelope', () => {
    expect(fates({ ok: true, data: { results: [{ message_id: 'a' }, { error: 'no' }] } })).toEqual([
      'accepted a',
      'refused: no',
    ]);
  });

  it.each(['data', 'result', 'items', 'responses'])('may be called %s', name => {
    expect(fates({ [name]: [{ message_id: 'a' }, { error: 'no' }] })).toEqual(['accepted a', 'refused: no']);
  });

  it('are matched by ids that are written in camelCase, too', () => {
    const [a, b] = [{ conversationId: B, error: 'no' }, { conversationId: A }];
    expect(fates(of(a, b), batch(A, B))).toEqual(['accepted', 'refused: no']);
  });

  it('may be the answer itself', () => {
    expect(fates([{ message_id: 'a' }, { error: 'no' }])).toEqual(['accepted a', 'refused: no']);
  });

  it('are counted, with what is open', () => {
    expect(read({ results: [{}, null] })).toMatchObject({ total: 2, succeeded: 1, failed: 0, unknown: 1 });
    expect(read({ results: [{}, {}] })).not.toHaveProperty('unknown');
  });
});

it('a number of failures beyond what can be counted exactly is one all the same', () => {
  const body = { failed: 2 ** 53, results: [{ index: 0 }] };
  expect(read(body, batch(A, A, B))).toMatchObject({ succeeded: 0 });
});

it('whatever JSON an answer is, each message has one fate, and the counts add up', () => {
  const value = fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.constantFrom(0, 1, 2, null, 'failed', A, B, 'k0', 'k1'));
  const names = ['index', 'error', 'status', 'success', 'message_id', 'message_key', 'conversation_id', 'metadata'];
  const item = fc.oneof(value, fc.dictionary(fc.constantFrom(...names), value));
  const answer = fc.oneof(
    fc.jsonValue(),
    fc.record({ total: value, succeeded: value, failed: value, results: fc.array(item) }, { requiredKeys: [] }),
  );
  fc.assert(
    fc.property(answer, body => {
      expect(fates(body, batch(A, A, B))).toHaveLength(3);
      const told = read(body, batch(A, A, B)).results.filter(
        ({ error, unknown }) => error === undefined && unknown === undefined,
      );
      const { failed } = (body ?? {}) as { failed?: unknown };
      // Nothing counts as accepted that the answer says it has not taken.
      if (typeof failed === 'number' && Number.isInteger(failed) && failed > 0 && !Array.isArray(body))
        expect(told.length).toBeLessThanOrEqual(Math.max(0, 3 - failed));
    }),
    { numRuns: 500 },
  );
});
