import { AIMessage, HumanMessage, SystemMessage } from '@langchain/core/messages';
import { describe, expect, it } from 'vitest';
import { type promptOf, promptOfInput } from '../../src/langchain/prompt.js';
import { readResume, replyIn } from '../../src/langchain/resume.js';

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

describe('what a resume brings', () => {
  const update = { messages: [{ role: 'user', content: 'Q2' }] };
  it.each([
    ['a text', { resume: 'Hi' }, ['Hi']],
    ['a text by the id of its interrupt', { resume: { 'interrupt-1': 'Hi' } }, ['Hi']],
    ['an approval in a word', { resume: 'approve' }, ['approve']],
    ['an approval', { resume: true }, []],
    [
      'decisions',
      { resume: { decisions: [{ type: 'approve' }, { type: 'edit', editedAction: { args: { a: 'b' } } }] } },
      [],
    ],
    ['a reason', { resume: { decisions: [{ type: 'reject', message: 'No, use Celsius' }] } }, ['No, use Celsius']],
    ['a message', { resume: { role: 'user', content: [{ type: 'text', text: 'Hi' }] } }, ['Hi']],
    ['nothing', {}, []],
  ])('%s', (_, command, replies) => {
    expect(readResume({ lg_name: 'Command', ...command })?.replies).toEqual(replies);
  });

  it.each([
    ['a Command', { lg_name: 'Command', update }],
    ['a Command that core has wrapped', { input: { lg_name: 'Command', update } }],
    ['a Command as JSON', JSON.parse(JSON.stringify({ lg_name: 'Command', update }))],
    ['pairs of a key and a value', { lg_name: 'Command', update: [['messages', update.messages]] }],
    ['one message', { lg_name: 'Command', update: { messages: update.messages[0] } }],
    ['what a server is sent', { command: { update } }],
    ['a Send', { lg_name: 'Command', goto: { lg_name: 'Send', node: 'say', args: update } }],
  ])('an update of the state in %s', (_, input) => {
    expect(readResume(input)?.update).toMatchObject([{ speaker: 'human', content: 'Q2' }]);
  });

  it.each([
    ['the message itself', 'Make it shorter', 'Make it shorter'],
    ['it in other capitals', ' MAKE IT SHORTER ', 'Make it shorter'],
    ['a sentence with it', 'Feedback: Make it shorter.', 'Make it shorter'],
    ['a decision, which others say, too', 'yes, it was booked', undefined],
    ['a decision as the whole message', 'Yes', 'yes'],
    ['something else', 'Make it longer', undefined],
  ])('is found in %s', (_, said, reply) => {
    expect(replyIn(said, ['yes', 'Make it shorter'])).toBe(reply);
  });
});
