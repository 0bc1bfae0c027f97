import { expect, it } from 'vitest';
import type { ClaimLimits } from '../../src/outbox/outbox.js';
import { pick } from '../../src/outbox/pick-batch.js';
import { NO_LIMITS } from './outbox-support.js';

/** Candidates, `name:conversation:bytes` each; by default 100 bytes. */
const candidates = (...texts: string[]) =>
  texts.map(text => {
    const [name = '', conversationId = '', bytes = '100'] = text.split(':');
    return { name, conversationId, bytes: Number(bytes) };
  });

const names = (line: string[], limits: Partial<ClaimLimits> = {}) =>
  pick(candidates(...line), { ...NO_LIMITS, ...limits })
    .map(({ name }) => name)
    .join('');

it('an empty line gives an empty batch', () => {
  expect(names([])).toBe('');
});

it('a batch holds everything that fits, in the order of the line', () => {
  expect(names(['a:x', 'b:x', 'c:y', 'd:x'])).toBe('abcd');
});

it('a batch has one message of each conversation before a second of any', () => {
  expect(names(['a:x', 'b:x', 'c:y', 'd:z'], { maxMessages: 3 })).toBe('acd');
});

it('a batch is filled with second messages where there are not enough conversations', () => {
  expect(names(['a:x', 'b:x', 'c:x', 'd:y'], { maxMessages: 3 })).toBe('abd');
});

it('a batch has no second message of a conversation where none is allowed', () => {
  expect(names(['a:x', 'b:x', 'c:y', 'd:y'], { onePerConversation: true })).toBe('ac');
});

it.each([
  [1, 'a'],
  [2, 'ab'],
  [3, 'abc'],
])('a batch has at most %i messages', (maxMessages, expected) => {
  expect(names(['a:x', 'b:y', 'c:z', 'd:w'], { maxMessages })).toBe(expected);
});

it.each([
  [199, 'a'],
  [200, 'ab'],
  [300, 'abc'],
])('a batch has at most %i bytes', (maxBytes, expected) => {
  expect(names(['a:x', 'b:y', 'c:z', 'd:w'], { maxBytes })).toBe(expected);
});

it('a batch has at least one message, however large', () => {
  expect(names(['a:x:5000', 'b:y'], { maxBytes: 100 })).toBe('a');
});

it('a message that is too large for the rest of a batch is not passed over', () => {
  expect(names(['a:x', 'b:y:500', 'c:z', 'd:y'], { maxBytes: 300 })).toBe('a');
});

it('a batch that is full of bytes takes no second messages either', () => {
  expect(names(['a:x', 'b:x', 'c:y:500'], { maxBytes: 300 })).toBe('a');
});

it('a second message that is too large ends the batch', () => {
  expect(names(['a:x', 'b:x:500', 'c:x'], { maxBytes: 300 })).toBe('a');
});

it('second messages are counted with the first ones', () => {
  expect(names(['a:x', 'b:x', 'c:y', 'd:y'], { maxBytes: 300 })).toBe('abc');
  expect(names(['a:x', 'b:x', 'c:y', 'd:y'], { maxMessages: 3 })).toBe('abc');
});
