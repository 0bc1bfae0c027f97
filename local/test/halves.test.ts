import { expect, test } from 'vitest';
import { type Half, HalfJoiner, halvesTogether, joinHalves } from '../src/halves.js';

const said = (role: string, content: string, metadata: Half['metadata'] = {}) => ({ role, content, metadata });
const first = (content: string, ...ids: string[]) => said('assistant', content, { pending_tool_calls: ids });
const second = (content: string, ...ids: string[]) => said('assistant', content, { continues_tool_calls: ids });
const texts = (messages: Iterable<Half>) => [...joinHalves(messages)].map(({ content }) => content);

test('halves of one message are one text, where the first one stands', () => {
  expect(
    texts([said('user', 'Hi'), first('A', '1'), said('user', 'Ho'), second('B', '1'), said('user', 'Hm')]),
  ).toEqual(['Hi', 'A\n\nB', 'Ho', 'Hm']);
});

test('a half belongs to the nearest one before it, because ids repeat', () => {
  const messages = [first('A', 'call_0'), first('B', 'call_0'), second('C', 'call_0'), second('D', 'call_0')];
  expect(texts(messages)).toEqual(['A\n\nD', 'B\n\nC']);
});

test('a message may have more than two parts', () => {
  const middle = said('assistant', 'B', { continues_tool_calls: ['1'], pending_tool_calls: ['2'] });
  expect(texts([first('A', '1'), middle, second('C', '2')])).toEqual(['A\n\nB\n\nC']);
});

test('a half alone stays as it is, and so does what only looks like one', () => {
  const messages = [
    second('B', '1'),
    first('A', '1', '2'),
    said('user', 'U', { continues_tool_calls: ['1'] }),
    said('assistant', 'X', { continues_tool_calls: 'call' }),
    said('assistant', 'Y', { continues_tool_calls: [7, null] }),
  ];
  expect(texts(messages)).toEqual(['B', 'A', 'U', 'X', 'Y']);
});

test('one of several calls is enough', () => {
  expect(texts([first('A', '1', '2'), second('B', '2')])).toEqual(['A\n\nB']);
});

test('the metadata say how it began, how it ended, and what it took', () => {
  const metadata = (more: object) => ({ model: 'm', latency_ms: 10, steps: 1, ...more });
  const [joined] = joinHalves([
    said(
      'assistant',
      'A',
      metadata({ pending_tool_calls: ['1'], started_at: 's1', ended_at: 'e1', status: 'complete' }),
    ),
    said(
      'assistant',
      'B',
      metadata({ continues_tool_calls: ['1'], started_at: 's2', ended_at: 'e2', status: 'aborted', tool_calls: ['t'] }),
    ),
  ]);
  expect(joined?.metadata).toEqual({
    model: 'm',
    latency_ms: 20,
    steps: 2,
    started_at: 's1',
    ended_at: 'e2',
    status: 'aborted',
    tool_calls: ['t'],
  });
});

test('halves of other conversations are not joined, and nothing is held back for them', () => {
  const joiner = new HalfJoiner<Half & { of: string }>(({ of }) => of);
  expect(joiner.next({ ...first('A', '1'), of: 'a' })).toEqual([]);
  expect(joiner.next({ ...second('B', '1'), of: 'b' }).map(({ content }) => content)).toEqual(['A', 'B']);
  expect(joiner.end()).toEqual([]);
});

test('an answer that goes on without a tool between is joined by its key, right after the first part', () => {
  const part = (content: string, message_key: string, continues?: string) =>
    said('assistant', content, { message_key, ...(continues && { continues }) });
  expect(texts([part('A', 'a'), part('B', 'b', 'a'), part('C', 'c', 'b')])).toEqual(['A\n\nB\n\nC']);
  expect(texts([part('A', 'a'), said('user', 'U'), part('B', 'b', 'a')])).toEqual(['A', 'U', 'B']);
  expect(texts([part('A', 'a'), part('B', 'b')])).toEqual(['A', 'B']);
});

test('what is held back has a bound', () => {
  const joiner = new HalfJoiner<Half>(() => '');
  joiner.next(first('A', '1'));
  const released = Array.from({ length: 201 }, (_, n) => joiner.next(said('user', `${n}`))).flat();
  expect(released.length).toBeGreaterThan(200);
});

test('a page shows the second half right after the first', () => {
  const shown = halvesTogether([first('A', '1'), said('user', 'U'), second('B', '1'), said('user', 'V')]);
  expect(shown.map(({ message, isSecond }) => `${message.content}${isSecond ? '+' : ''}`)).toEqual([
    'A',
    'B+',
    'U',
    'V',
  ]);
});
