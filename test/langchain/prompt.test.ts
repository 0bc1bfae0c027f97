import { AIMessage, HumanMessage, SystemMessage } from '@langchain/core/messages';
import { describe, expect, it } from 'vitest';
import { type promptOf, promptOfInput } from '../../src/langchain/prompt.js';
import { readResume } from '../../src/langchain/resume.js';

const words = (prompt: ReturnType<typeof promptOf>) =>
  typeof prompt === 'object' ? prompt.map(({ content }) => content) : prompt;
const why = new HumanMessage('Why?');

describe('what the user said, in the input of a chain', () => {
  it.each([
    ['is the input itself', 'Why?', ['Why?']],
    ['is a message', why, ['Why?']],
    ['is the end of a list', [new HumanMessage('old'), new AIMessage('x'), why], ['Why?']],
    ['is several messages in a row', [new HumanMessage('Hm.'), why], ['Hm.', 'Why?']],
    ['stands before instructions', [why, new SystemMessage('Be short')], ['Why?']],
    ['is a message of a state', { messages: [why] }, ['Why?']],
    ['is a text in the place of messages', { messages: 'Why?' }, ['Why?']],
    ['is a list of texts in the place of messages', { messages: ['Why?'] }, ['Why?']],
    ['stands under a name that chains use', { question: 'Why?', language: 'French' }, ['Why?']],
    ['takes the likelier of two names', { text: 'no', input: 'Why?' }, ['Why?']],
    ['is the only text of several values', { topic: 'Why?', k: 4 }, ['Why?']],
    [
      'stands beside a history that ends with an answer',
      { messages: [new AIMessage('x')], question: 'Why?' },
      ['Why?'],
    ],
    ['stands in a state within the input', { input: { messages: [why] } }, ['Why?']],
    ['is nobody’s where a list ends with an answer', { messages: [why, new AIMessage('x')] }, 'none'],
    ['is not known among several texts', { a: 'one', b: 'two' }, undefined],
    ['is not known in an empty text', '', undefined],
    ['is not known in a list of texts, which may be documents', ['one', 'two'], undefined],
    ['is nobody’s in a resumed run', { lg_name: 'Command', resume: 'yes' }, 'none'],
  ])('%s', (_, input, expected) => {
    expect(words(promptOfInput(input))).toEqual(expected);
  });
});

describe('a run goes on with an interrupted one', () => {
  it.each([null, undefined, { input: null }, { input: undefined }, { lg_name: 'Command' }])(
    'with the input %j',
    input => {
      expect(readResume(input)).toBeDefined();
    },
  );

  it.each(['', {}, { input: '' }, { input: null, more: 1 }, []])('and does not with %j', input => {
    expect(readResume(input)).toBeUndefined();
  });
});
