import { describe, expect, it } from 'vitest';
import { messageKey } from '../../src/recorder/message-key.js';

const conversationId = '8f5a4a0e-0000-4000-8000-000000000000';
const user = { conversationId, role: 'user' } as const;
const assistant = { conversationId, role: 'assistant' } as const;
const turn = { id: 't', isNamedByApp: false };
const named = { id: 'request-1', isNamedByApp: true };

describe('the key of a message', () => {
  it("of a user, with an id of the app's, is the same in every turn of the conversation, and in every process", () => {
    const key = messageKey({ ...user, content: 'Hi' }, { turn, messageId: 'm1', place: 3 });
    expect(key).toBe(`${conversationId}:user:m1:2-su0nga-aq043q`);
    expect(messageKey({ ...user, content: 'Hi' }, { turn: named, messageId: 'm1', place: 0 })).toBe(key);
  });

  it('of an edited message is another one, by itself', () => {
    const keys = ['Why is the sky blue?', 'Why is the grass green?', 'why is the sky blue?'].map(content =>
      messageKey({ ...user, content }, { turn, messageId: 'm1' }),
    );
    expect(new Set(keys).size).toBe(3);
  });

  it('of words that come back after an edit is another one', () => {
    const name = { turn, messageId: 'm1' };
    expect(messageKey({ ...user, content: 'Hi' }, { ...name, wording: 2 })).toBe(
      `${messageKey({ ...user, content: 'Hi' }, name)}:2`,
    );
  });

  it('never holds the words, however few', () => {
    expect(messageKey({ ...user, content: 'secret' }, { turn, messageId: 'm1' })).not.toContain('secret');
  });

  it('of a user, without an id, is its place in its turn', () => {
    expect(messageKey(user, { turn, place: 0 })).toBe('t:user:0');
    expect(messageKey(user, { turn, place: 1 })).toBe('t:user:1');
  });

  it("of an assistant is its turn's, whatever the user's message was called", () => {
    expect(messageKey(assistant, { turn })).toBe('t:assistant');
    expect(messageKey(assistant, { turn, messageId: 'm1', place: 1 })).toBe('t:assistant');
  });

  it("of a turn that the app has named is the conversation's, too: the app may give the name twice", () => {
    expect(messageKey(user, { turn: named, place: 0 })).toBe(`${conversationId}:request-1:user:0`);
    expect(messageKey(assistant, { turn: named })).toBe(`${conversationId}:request-1:assistant`);
  });

  it("of an answer that a framework keeps is its id's, the same in every process", () => {
    const key = messageKey({ ...assistant, content: 'Hi' }, { turn, answerId: 'q1/a1' });
    expect(key).toBe(`${conversationId}:assistant:q1/a1:2-su0nga-aq043q`);
    expect(messageKey({ ...assistant, content: 'Hi' }, { turn: named, answerId: 'q1/a1', part: 1 })).toBe(key);
    expect(messageKey({ ...assistant, content: 'Ho' }, { turn, answerId: 'q1/a1' })).not.toBe(key);
  });

  describe('of a turn whose id may come again', () => {
    const run = { id: 'run-1', isNamedByApp: true, idMayRepeat: true };
    const asked = (content: string) => messageKey({ ...user, content }, { turn: run, place: 0 });
    const answered = (content: string, promptDigest: string | undefined, isPartial = false) =>
      messageKey({ ...assistant, content }, { turn: run, promptDigest, isPartial });

    it('is another one where the user says something else', () => {
      expect(asked('Cats')).toMatch(/:run-1:user:0$/);
      expect(asked('Cats')).toBe(asked('Cats'));
      expect(asked('Dogs')).not.toBe(asked('Cats'));
      expect(answered('Hi', 'cats')).not.toBe(answered('Hi', 'dogs'));
    });

    it('is the same of the answers to the same words, unless one of them broke off', () => {
      expect(answered('Hi', 'cats')).toMatch(/:run-1:assistant$/);
      expect(answered('Ho', 'cats')).toBe(answered('Hi', 'cats'));
      expect(answered('H', 'cats', true)).not.toBe(answered('Hi', 'cats'));
      expect(answered('H', 'cats', true)).not.toBe(answered('Hello', 'cats', true));
    });

    it('goes by the answer where the user has said nothing', () => {
      expect(answered('Hi', undefined)).not.toBe(answered('Ho', undefined));
    });
  });

  it('that can not be read is that of its turn and role', () => {
    expect(messageKey(user, { turn })).toBe('t:user');
    expect(messageKey({ conversationId: undefined, role: 'user' }, { turn })).toBe('t:user');
  });
});
