import { describe, expect, it } from 'vitest';
import { conversationUuid, InvalidInputError } from '../../src/index.js';
import { mergeIdentities, resolveIdentity } from '../../src/recorder/identity.js';

const UUID = '0190C6A5-7C5E-7E0F-8D1B-3F0A2B4C6D8E';

describe('conversationUuid', () => {
  it('lets a UUID through, lower-cased, whoever asks', () => {
    expect(conversationUuid(UUID)).toBe(UUID.toLowerCase());
    expect(conversationUuid(UUID, { userId: 'ada', customerId: 'acme' })).toBe(UUID.toLowerCase());
  });

  it('gives a chat id the same UUID for ever', () => {
    // Fixed for good: another value here would tear every app's transcripts in two.
    expect(conversationUuid('chat-42', { userId: 'ada' })).toBe('faa212bd-6eb0-5707-80be-0cbae039d08c');
    expect(conversationUuid('chat-42', { userId: 'ada', customerId: 'acme' })).toBe(
      'b80a224a-40d1-557d-a182-ebffe3b67e14',
    );
  });

  it('keeps apart two users, and two customers, who call their chat the same', () => {
    const ids = [
      conversationUuid('default', { userId: 'ada' }),
      conversationUuid('default', { userId: 'bob' }),
      conversationUuid('default', { userId: 'ada', customerId: 'acme' }),
      conversationUuid('default', { userId: 'ada', customerId: 'globex' }),
      conversationUuid('default', { userId: 'acme', customerId: 'ada' }),
      conversationUuid('ada', { userId: 'default' }),
    ];
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('gives several people one chat in a shared scope', () => {
    const room = (userId: string, customerId: string, scope: 'customer' | 'app') =>
      conversationUuid('room', { userId, customerId, scope });
    expect(room('ada', 'acme', 'customer')).toBe(room('bob', 'acme', 'customer'));
    expect(room('ada', 'acme', 'customer')).not.toBe(room('ada', 'globex', 'customer'));
    expect(room('ada', 'acme', 'app')).toBe(room('bob', 'globex', 'app'));
  });

  it('guesses nothing', () => {
    expect(() => conversationUuid('chat-42')).toThrow(InvalidInputError);
    expect(() => conversationUuid('chat-42', { userId: 'ada', scope: 'customer' })).toThrow(/customerId/);
    expect(() => conversationUuid('', { userId: 'ada' })).toThrow(InvalidInputError);
  });

  it('takes any text for a chat id, lone surrogates too', () => {
    for (const id of ['🦊', '\ud800', 'x'.repeat(10_000), ' a '])
      expect(conversationUuid(id, { userId: 'ada' })).toMatch(/^[0-9a-f-]{36}$/);
  });
});

describe('mergeIdentities', () => {
  it('takes each part from the nearest layer that has it', () => {
    const merged = mergeIdentities(
      [
        { conversationId: 'c' },
        undefined,
        { userId: 'ada', sessionId: '' },
        { userId: 'x', customerId: 'acme', sessionId: 's' },
      ],
      'user',
    );
    expect(merged).toMatchObject({ conversationId: 'c', userId: 'ada', customerId: 'acme' });
  });

  it("never puts one user's message into a conversation that was named beside another", () => {
    const farther = { userId: 'ada', conversationId: UUID, sessionId: 's', customerId: 'acme' };
    expect(mergeIdentities([{ userId: 'bob' }, farther], 'user')).toEqual({
      userId: 'bob',
      customerId: 'acme',
      conversationId: undefined,
      sessionId: undefined,
    });
    expect(mergeIdentities([{ customerId: 'globex' }, farther], 'user').conversationId).toBeUndefined();
    expect(mergeIdentities([{ userId: 'bob' }, farther], 'app').conversationId).toBe(UUID);
    expect(mergeIdentities([{ userId: 'ada' }, farther], 'user').conversationId).toBe(UUID);
  });

  it('reads numbers as ids and empty strings as nothing', () => {
    const merged = mergeIdentities([{ userId: 7 as unknown as string, conversationId: '  ' }], 'user');
    expect(merged).toMatchObject({ userId: '7', conversationId: undefined });
  });
});

describe('resolveIdentity', () => {
  it('says what is missing', () => {
    expect(resolveIdentity({}, 'user')).toBe('missing_user_id');
    expect(resolveIdentity({ userId: 'ada', conversationId: 'room' }, 'customer')).toBe('missing_customer_id');
  });

  it('makes a fresh conversation when none is named, and keeps the app id of one that is', () => {
    expect(resolveIdentity({ userId: 'ada' }, 'user')).toMatchObject({
      fresh: true,
      externalConversationId: undefined,
    });
    expect(resolveIdentity({ userId: 'ada', conversationId: 'chat' }, 'user')).toMatchObject({
      fresh: false,
      conversationId: conversationUuid('chat', { userId: 'ada' }),
      externalConversationId: 'chat',
    });
  });
});
