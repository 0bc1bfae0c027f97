import { FakeListChatModel } from '@langchain/core/utils/testing';
import { describe, expect, it } from 'vitest';
import { conversationUuid, type Identity, InvalidInputError } from '../../src/index.js';
import { SynapCallbackHandler, SynapChatMessageHistory } from '../../src/langchain/index.js';
import { mergeIdentities, resolveIdentity } from '../../src/recorder/identity.js';
import { knownId } from '../../src/recorder/known-id.js';
import { readMessageId } from '../../src/recorder/message-id.js';
import { recorderOn } from '../support/recorder.js';

/** What an app hands over as an id when the value that it is made of is not there, or is no id. */
const NOBODY: Record<string, unknown> = {
  NaN: Number.NaN,
  Infinity: Number.POSITIVE_INFINITY,
  true: true,
  false: false,
  'a symbol': Symbol('ada'),
  'a function': () => 'ada',
  'an object': { id: 'ada' },
  'a String object': new String('ada'),
  'a list': ['ada'],
  'a promise': Promise.resolve('ada'),
  'a date': new Date(0),
  'the text undefined': `${undefined}`,
  'the text undefined between blanks': ' undefined\n',
  'the text undefined in quotes': JSON.stringify('undefined'),
  'the text null': String(null),
  'the text NaN': String(Number('x')),
  'the text Infinity': String(1 / 0),
  'the text -Infinity': String(-1 / 0),
  'the text of a boolean': String(false),
  'the text of an object': String({}),
  'the text of a promise': String(Promise.resolve()),
  'the text of a list of objects': String([{}, {}]),
  'the JSON of a promise': JSON.stringify(Promise.resolve('ada')),
  'the text of a map': String(new Map()),
  'the text of a symbol': String(Symbol('x')),
  'the text of a date that is none': String(new Date(Number.NaN)),
  'the source of a function': String(() => 'ada'),
  'the source of an async function': String(async () => 'ada'),
  'a text of a million characters': 'x'.repeat(1_000_000),
  'a text of 1,025 characters': 'x'.repeat(1025),
};

const SOMEBODY: Record<string, unknown> = {
  'a name': 'ada',
  'a name that holds such a word': 'user-undefined',
  'a surname that databases dislike': 'Null',
  'a number': 42,
  zero: 0,
  'a BigInt': 10n,
  'a text of 1,024 characters': 'x'.repeat(1024),
  'a text in brackets': '[ada]',
  'the word object': 'object',
};

const ABSENT = [undefined, null, '', '  \n'];

const identity = (parts: Record<string, unknown>) => parts as Identity;

describe('an id', () => {
  it.each(Object.entries(NOBODY))('that is %s names nobody', (_, id) => {
    expect(knownId(id)).toBeUndefined();
  });

  it.each(Object.entries(SOMEBODY))('that is %s names somebody', (_, id) => {
    expect(knownId(id)).toBe(String(id));
  });

  it('that can’t even be asked what it is names nobody', () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    expect(knownId(proxy)).toBeUndefined();
  });

  it.each(Object.keys(NOBODY).filter(name => !name.includes('characters')))(
    'of a message that is %s tells no messages apart',
    name => expect(readMessageId(NOBODY[name]).id).toBeUndefined(),
  );
});

describe('a user id that names nobody', () => {
  it.each(Object.entries(NOBODY))('as %s is missing: nothing is recorded', (_, userId) => {
    const merged = mergeIdentities([identity({ userId, conversationId: 'c' })], 'user');
    expect(resolveIdentity(merged, 'user')).toBe('missing_user_id');
  });

  it.each(Object.entries(NOBODY))('as %s is never taken for the user of a farther layer', (_, userId) => {
    const merged = mergeIdentities([identity({ userId }), { userId: 'ada', conversationId: 'c' }], 'app');
    expect(resolveIdentity(merged, 'app')).toBe('missing_user_id');
  });

  it.each(ABSENT)('is not what %j is: the next layer is asked', userId => {
    const merged = mergeIdentities([identity({ userId }), { userId: 'ada' }], 'user');
    expect(resolveIdentity(merged, 'user')).toMatchObject({ userId: 'ada' });
  });

  it('does not matter where a nearer layer knows the user, and its conversation is not taken', () => {
    const merged = mergeIdentities([{ userId: 'ada' }, { userId: 'undefined', conversationId: 'theirs' }], 'user');
    expect(resolveIdentity(merged, 'user')).toMatchObject({ userId: 'ada', fresh: true });
  });
});

describe('a conversation id that names nothing', () => {
  const short = Object.entries(NOBODY).filter(([name]) => name !== 'a text of 1,025 characters');

  it.each(short)('as %s is a fresh conversation, and not that of a farther layer', (_, conversationId) => {
    const farther = { userId: 'ada', conversationId: '0190c6a5-7c5e-7e0f-8d1b-3f0a2b4c6d8e' };
    const of = () => resolveIdentity(mergeIdentities([identity({ conversationId }), farther], 'user'), 'user');
    const [one, two] = [of(), of()];
    expect(one).toMatchObject({ fresh: true, userId: 'ada', externalConversationId: undefined });
    expect(one).not.toMatchObject({ conversationId: farther.conversationId });
    expect(two).not.toMatchObject({ conversationId: (one as { conversationId: string }).conversationId });
  });

  it('may be as long as 65,536 characters: it is sent as a UUID', () => {
    expect(conversationUuid('x'.repeat(65_536), { userId: 'ada' })).toMatch(/^[0-9a-f-]{36}$/);
    expect(() => conversationUuid('x'.repeat(65_537), { userId: 'ada' })).toThrow(/65537 characters/);
  });
});

describe('something else in the place of an identity', () => {
  it.each<[string, unknown]>([
    ['a promise of one', Promise.resolve({ userId: 'bob' })],
    ['a text', 'bob'],
    ['a number', 7],
    ['a function', () => ({ userId: 'bob' })],
    ['a list', [{ userId: 'bob' }]],
  ])('such as %s is nobody, and not whom a farther layer names', (_, odd) => {
    const merged = mergeIdentities([odd as Identity, { userId: 'ada' }], 'user');
    expect(resolveIdentity(merged, 'user')).toBe('missing_user_id');
  });
});

describe('conversationUuid', () => {
  it.each(Object.entries(NOBODY))('refuses %s as a user, a customer, or an id', (name, id) => {
    const odd = id as string;
    expect(() => conversationUuid('chat', { userId: odd })).toThrow(InvalidInputError);
    expect(() => conversationUuid('chat', { userId: 'ada', customerId: odd })).toThrow(InvalidInputError);
    expect(() => conversationUuid('chat', { customerId: odd, scope: 'customer' })).toThrow(InvalidInputError);
    if (name !== 'a text of 1,025 characters')
      expect(() => conversationUuid(odd, { userId: 'ada' })).toThrow(InvalidInputError);
  });
});

describe('a customer that names nobody', () => {
  const unknown = { userId: '1', customerId: 'undefined' };

  it('is not sent, and two of them never share a chat of the same name', () => {
    const of = () => resolveIdentity({ ...unknown, conversationId: 'default' }, 'user');
    expect(of()).toMatchObject({ customerId: undefined, fresh: true });
    expect((of() as { conversationId: string }).conversationId).not.toBe(
      (of() as { conversationId: string }).conversationId,
    );
  });

  it('leaves a UUID what it is', () => {
    const conversationId = '0190c6a5-7c5e-7e0f-8d1b-3f0a2b4c6d8e';
    expect(resolveIdentity({ ...unknown, conversationId }, 'user')).toMatchObject({ conversationId });
  });

  it('is missing where a chat belongs to a customer', () => {
    expect(resolveIdentity({ ...unknown, conversationId: 'c' }, 'customer')).toBe('missing_customer_id');
  });
});

describe('through a recorder, somebody unknown', () => {
  const bad = 'undefined';

  it.each<[string, (on: Awaited<ReturnType<typeof recorderOn>>) => unknown]>([
    ['turn()', ({ recorder }) => recorder.turn({ userId: bad, conversationId: 'c' }).user('Hi')],
    ['withIdentity()', ({ recorder }) => recorder.withIdentity({ userId: bad }, () => recorder.turn().user('Hi'))],
    [
      'two nested withIdentity()',
      ({ recorder }) =>
        recorder.withIdentity({ userId: 'bob' }, () =>
          recorder.withIdentity({ userId: bad }, () => recorder.turn().user('Hi')),
        ),
    ],
    ['a wrapper', ({ recorder }) => recorder.turn(undefined, { fallback: { userId: bad } }).user('Hi')],
    [
      'a conversation() of a promise',
      ({ recorder }) => recorder.turn(recorder.newConversation(Promise.resolve({ userId: 'bob' }) as never)).user('Hi'),
    ],
    ['conversation()', ({ recorder }) => recorder.turn(recorder.newConversation({ userId: bad })).user('Hi')],
  ])('in %s is recorded under nobody else, counted, and said once', async (_, say) => {
    await using on = await recorderOn();
    say(on);
    say(on);
    await on.recorder.flush();
    expect(on.synap.stored).toEqual([]);
    expect(on.recorder.stats().refused).toEqual({ missing_user_id: 2 });
    expect(on.log).toHaveLength(1);
    expect(on.log[0]).toMatch(
      /userId is ("undefined": it was made from a value that is not there|a promise: await it)/,
    );
    expect(on.log[0]).toContain('session.user.id');
  });

  it('in its own defaults throws nothing', async () => {
    await using on = await recorderOn(undefined, { userId: Number.NaN as never });
    on.recorder.turn({ conversationId: 'c' }).user('Hi');
    expect(on.recorder.stats().refused).toEqual({ missing_user_id: 1 });
  });

  it('in the metadata of a call of LangChain is recorded under nobody else', async () => {
    await using on = await recorderOn();
    const handler = new SynapCallbackHandler(on.recorder, { userId: 'bob' });
    const model = new FakeListChatModel({ responses: ['Hello'] });
    await model.invoke('Hi', { callbacks: [handler], metadata: { user_id: 'null', userId: 'bob' } });
    for (const name of ['conversation_id', 'session_id', 'thread_id'])
      await model.invoke('Hi', { callbacks: [handler], metadata: { [name]: 'undefined' } });
    await on.recorder.flush();
    expect(on.recorder.stats().refused).toEqual({ missing_user_id: 2 });
    expect(new Set(on.synap.stored.map(({ conversation_id }) => conversation_id)).size).toBe(3);
    expect(on.synap.stored.map(({ session_id }) => session_id)).toEqual(Array(6).fill(undefined));
  });

  it('in a message history has one conversation, which no other history has', async () => {
    await using on = await recorderOn();
    const histories = [1, 2].map(
      () => new SynapChatMessageHistory(on.recorder, { conversationId: 'undefined', read: false }),
    );
    for (const history of histories) {
      await history.addUserMessage('One');
      await history.addAIMessage('Two');
      expect((await history.getMessages()).map(({ text }) => text)).toEqual(['One', 'Two']);
    }
    await on.recorder.flush();
    expect(on.synap.stored).toHaveLength(4);
    expect(new Set(on.synap.stored.map(({ conversation_id }) => conversation_id)).size).toBe(2);
    expect(on.log.filter(line => line.includes('conversationId is "undefined"'))).toHaveLength(1);
  });

  it('that redact makes of a user is not recorded', async () => {
    await using on = await recorderOn(undefined, { redact: message => ({ ...message, userId: `${undefined}` }) });
    on.recorder.turn({ conversationId: 'c' }).user('Hi');
    await on.recorder.flush();
    expect(on.synap.stored).toEqual([]);
    expect(on.recorder.stats().refused).toEqual({ redact_failed: 1 });
  });

  it('never makes one of two messages or turns whose ids were not there', async () => {
    await using on = await recorderOn();
    for (const text of ['One', 'Two']) {
      const turn = on.recorder.turn({ conversationId: 'c' }, { id: 'undefined' });
      turn.user(text, { messageId: 'undefined' });
      turn.complete({ content: `Re: ${text}` });
    }
    await on.recorder.flush();
    expect(on.synap.stored.map(({ content }) => content)).toEqual(['One', 'Re: One', 'Two', 'Re: Two']);
    expect(on.log.filter(line => line.includes('messageId'))).toHaveLength(1);
  });
});
