import { AIMessage, AIMessageChunk, ChatMessage, ChatMessageChunk, RemoveMessage } from '@langchain/core/messages';
import { describe, expect, it } from 'vitest';
import { callsTools, readMessage, readMessages, toolNames } from '../../src/langchain/messages.js';

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

describe('a call of a tool that can’t be read', () => {
  const invalid = { name: 'weather', args: '{"city', id: '1', error: 'Malformed args.' };
  const raw = { id: '1', type: 'function', function: { name: 'weather', arguments: '{"city' } };

  it.each<[name: string, message: object, called: string[]]>([
    ['beside a text', new AIMessage({ content: 'Hello', invalid_tool_calls: [invalid] }), []],
    [
      'as the provider sent it',
      new AIMessage({
        content: 'Hello',
        invalid_tool_calls: [invalid],
        additional_kwargs: { tool_calls: [raw] } as never,
      }),
      [],
    ],
    [
      'in a stream',
      new AIMessageChunk({
        content: 'Hello',
        tool_call_chunks: [{ name: 'weather', args: 'Paris', id: '1', index: 0 }],
      }),
      [],
    ],
    [
      'of the provider’s own, in a stream',
      new AIMessageChunk({ content: 'Hello', tool_call_chunks: [{ args: '{"query":"q"}', index: 0 }] }),
      [],
    ],
    [
      'beside one that can',
      new AIMessage({
        content: 'Hello',
        invalid_tool_calls: [invalid],
        tool_calls: [{ name: 'clock', args: {}, id: '2' }],
      }),
      ['clock'],
    ],
    [
      'beside a function of an older kind',
      {
        role: 'assistant',
        content: '',
        invalid_tool_calls: [invalid],
        additional_kwargs: { function_call: { name: 'f' } },
      },
      ['f'],
    ],
  ])('is none: %s', (_, message, called) => {
    const read = readMessage(message);
    expect(read && toolNames(read)).toEqual(called);
    expect(read && callsTools(read)).toBe(called.length > 0);
  });
});
