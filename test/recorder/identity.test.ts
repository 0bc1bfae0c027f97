import { describe, expect, it } from 'vitest';
import { conversationUuid, type Identity, InvalidInputError } from '../../src/index.js';
import { knownIdentity, mergeIdentities, resolve, resolveIdentity } from '../../src/recorder/identity.js';
import { unknownAdvice } from '../../src/recorder/intake-advice.js';

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

  it.each([
    ['conversationId', 'undefined', {}],
    ['conversationId', '[object Object]', { userId: 'ada' }],
    ['userId', 'chat', { userId: 'NaN' }],
    ['customerId', 'chat', { userId: 'ada', customerId: 'null' }],
    ['customerId', 'chat', { customerId: 'null', scope: 'customer' }],
  ] as const)('refuses a %s that names nobody, by its name', (field, id, owner) => {
    expect(() => conversationUuid(id, owner)).toThrow(new RegExp(`^${field} is `));
    expect(() => conversationUuid(id, owner)).toThrow(expect.objectContaining({ field }));
  });

  it.each([
    ['conversationId', '', { userId: 'ada' }, /^conversationId must be a non-empty string: .*chat\.id$/],
    ['conversationId', 7 as never, { userId: 'ada' }, /^conversationId must be a non-empty string: .*chat\.id$/],
    ['userId', 'chat', {}, /^userId is missing: .*\{ userId: session\.user\.id \}.*\{ scope: 'customer' \}/],
    [
      'customerId',
      'chat',
      { userId: 'ada', scope: 'customer' },
      /^customerId is missing: .*\{ customerId: org\.id \}$/,
    ],
  ] as const)('says of a missing %s what to do', (field, id, owner, message) => {
    expect(() => conversationUuid(id, owner)).toThrow(expect.objectContaining({ field }));
    expect(() => conversationUuid(id, owner)).toThrow(message);
  });

  it('needs no user where the scope is shared, and no known one either', () => {
    const room = conversationUuid('room', { customerId: 'acme', scope: 'customer' });
    expect(conversationUuid('room', { customerId: 'acme', userId: 'NaN', scope: 'customer' })).toBe(room);
    const app = conversationUuid('room', { scope: 'app' });
    expect(conversationUuid('room', { customerId: 'null', userId: 'NaN', scope: 'app' })).toBe(app);
    expect(new Set([room, app, conversationUuid('room', { userId: 'ada' })]).size).toBe(3);
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

  it("never takes another user's session, not even where they share the conversation", () => {
    const farther = { userId: 'ada', conversationId: UUID, sessionId: 's', customerId: 'acme' };
    for (const scope of ['user', 'customer', 'app'] as const)
      expect(mergeIdentities([{ userId: 'bob' }, farther], scope).sessionId).toBeUndefined();
    expect(mergeIdentities([{ userId: 'ada' }, farther], 'app').sessionId).toBe('s');
    expect(mergeIdentities([{ sessionId: 'mine' }, farther], 'app').sessionId).toBe('mine');
  });

  it("takes a conversation over another customer's only where it is the app's", () => {
    const farther = { userId: 'ada', conversationId: UUID, sessionId: 's', customerId: 'acme' };
    const merge = (scope: 'user' | 'customer' | 'app') => mergeIdentities([{ customerId: 'globex' }, farther], scope);
    expect(merge('user')).toMatchObject({ customerId: 'globex', conversationId: undefined, sessionId: undefined });
    expect(merge('customer')).toMatchObject({ customerId: 'globex', conversationId: undefined });
    expect(merge('app')).toMatchObject({ customerId: 'globex', conversationId: UUID, userId: 'ada' });
    const ofCustomer = mergeIdentities([{ userId: 'bob', customerId: 'acme' }, farther], 'customer');
    expect(ofCustomer.conversationId).toBe(UUID);
  });

  it('takes a part that names nobody for one that this layer has', () => {
    const merged = mergeIdentities([{ userId: 'undefined' }, { userId: 'ada', conversationId: 'c' }], 'user');
    expect(merged).toMatchObject({ userId: 'undefined', conversationId: undefined });
  });

  it('takes what is no identity for somebody whom nobody knows', () => {
    for (const identity of [Promise.resolve({ userId: 'ada' }), ['ada'], 'ada', () => ({ userId: 'ada' })])
      expect(resolveIdentity(mergeIdentities([identity as never, { userId: 'bob' }], 'user'), 'user')).toBe(
        'missing_user_id',
      );
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

  it('leaves out each part that names nobody', () => {
    const identity = { userId: 'ada', conversationId: UUID, customerId: 'null', sessionId: 'NaN' };
    expect(resolveIdentity(identity, 'user')).toEqual({
      conversationId: UUID.toLowerCase(),
      userId: 'ada',
      customerId: undefined,
      sessionId: undefined,
      externalConversationId: undefined,
      fresh: false,
    });
    expect(resolveIdentity({ ...identity, userId: 'undefined' }, 'user')).toBe('missing_user_id');
  });

  it('gives a chat of a customer whom nobody knows a conversation of its own, but not in a scope of the app', () => {
    const identity = { userId: 'ada', customerId: 'null', conversationId: 'default' };
    const own = resolveIdentity(identity, 'user');
    expect(own).toMatchObject({ fresh: true, externalConversationId: 'default', customerId: undefined });
    expect(own).not.toMatchObject({ conversationId: conversationUuid('default', { userId: 'ada' }) });
    expect(resolveIdentity(identity, 'app')).toMatchObject({
      fresh: false,
      conversationId: conversationUuid('default', { scope: 'app' }),
    });
    expect(resolveIdentity({ ...identity, conversationId: UUID }, 'user')).toMatchObject({ fresh: false });
  });

  it('needs no customer for a conversation that is fresh or a UUID', () => {
    expect(resolveIdentity({ userId: 'ada' }, 'customer')).toMatchObject({ fresh: true });
    expect(resolveIdentity({ userId: 'ada', conversationId: UUID }, 'customer')).toMatchObject({ fresh: false });
  });
});

describe('resolve', () => {
  it('wants a customer of every message where the instance does', () => {
    expect(resolve({ userId: 'ada' }, 'user', 'b2b').resolved).toBe('missing_customer_id');
    expect(resolve({}, 'user', 'b2b').resolved).toBe('missing_user_id');
    expect(resolve({ userId: 'ada', customerId: 'acme' }, 'user', 'b2b').resolved).toMatchObject({ userId: 'ada' });
    for (const tenancy of ['b2c', undefined] as const)
      expect(resolve({ userId: 'ada' }, 'user', tenancy).resolved).toMatchObject({ userId: 'ada' });
  });

  it('says of each part that names nobody what it is, what follows, and the line to write', () => {
    const { unknown } = resolve(
      { userId: 'undefined', conversationId: 'null', customerId: 'NaN', sessionId: '[object Object]' },
      'user',
      undefined,
    );
    const said = Object.entries(unknown).map(([part, problem]) => [
      part,
      unknownAdvice(part as keyof Identity, problem, undefined),
    ]);
    expect(Object.fromEntries(said)).toEqual({
      userId: expect.stringMatching(/^userId is "undefined": .*is not recorded\..*userId: session\.user\.id/),
      conversationId: expect.stringMatching(/^conversationId is "null": .*of its own\..*conversationId: chat\.id/),
      customerId: expect.stringMatching(/^customerId is "NaN": .*without a customer.*customerId: org\.id/),
      sessionId: expect.stringMatching(
        /^sessionId is "\[object Object\]": .*without a session.*sessionId: session\.id/,
      ),
    });
    expect(resolve({ userId: 'ada', sessionId: ' ' }, 'user', undefined).unknown).toEqual({});
  });
});

describe('knownIdentity', () => {
  it('is an identity without the parts that name nobody', () => {
    expect(knownIdentity({ userId: 'ada', customerId: 'NaN', conversationId: 'c', sessionId: 's' })).toEqual({
      userId: 'ada',
      customerId: undefined,
      conversationId: 'c',
      sessionId: 's',
    });
  });
});
