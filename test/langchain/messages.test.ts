import { ChatMessage, ChatMessageChunk, RemoveMessage } from '@langchain/core/messages';
import { describe, expect, it } from 'vitest';
import { readMessage, readMessages } from '../../src/langchain/messages.js';

const FORMS: [string, (message: ChatMessage | ChatMessageChunk | RemoveMessage) => unknown][] = [
  ['live', message => message],
  ['stored', message => message.toDict()],
  ['serialised', message => JSON.parse(JSON.stringify(message))],
];

describe.each(FORMS)('a message, %s', (_, form) => {
  it.each([
    ['user', 'human'],
    ['assistant', 'ai'],
    ['critic', 'other'],
  ])('of the role %s is of: %s', (role, speaker) => {
    for (const message of [new ChatMessage('Hi', role), new ChatMessageChunk({ content: 'Hi', role })])
      expect(readMessage(form(message))).toMatchObject({ speaker, content: 'Hi' });
  });

  it('that removes another is nobody’s', () => {
    expect(readMessage(form(new RemoveMessage({ id: 'm1' })))).toMatchObject({ speaker: 'other', id: 'm1' });
  });
});

const serialised = (name: string) => ({ lc: 1, id: ['app', name], kwargs: { content: 'Hi' } });

it('a serialised message of a class that is not known does not hide the others', () => {
  const read = readMessages([serialised('HumanMessage'), serialised('DraftMessage')]);
  expect(read?.map(({ speaker }) => speaker)).toEqual(['human', 'other']);
  expect(readMessage(serialised('Document'))).toBeUndefined();
});

it('Python’s name for a message of any role is known', () => {
  expect(readMessage({ type: 'chat', data: { content: 'Hi', role: 'user' } })).toMatchObject({ speaker: 'human' });
});
