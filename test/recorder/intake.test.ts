import { describe, expect, it } from 'vitest';
import type { Loss } from '../../src/delivery/loss.js';
import { WarnOnce } from '../../src/internal/warn-once.js';
import type { MaybePromise, OutboxEntry, PutResult } from '../../src/outbox/outbox.js';
import { type Identity, resolve } from '../../src/recorder/identity.js';
import { Intake, type IntakeOptions } from '../../src/recorder/intake.js';
import type { TurnFacts, TurnMessage, TurnSink } from '../../src/recorder/turn-message.js';

type Result = PutResult | 'closed';
type Redact = IntakeOptions['settings']['redact'];

const startedAt = new Date(0);
const CHAT = { userId: 'ada', conversationId: 'chat' };

let turns = 0;
const facts = (turn: Partial<TurnFacts> = {}): TurnFacts => ({
  id: `t${turns++}`,
  isNamedByApp: false,
  framework: undefined,
  tags: undefined,
  ...turn,
});

/** An intake in front of a scripted outbox. */
function intakeOn({
  redact,
  metadata,
  put = () => 'accepted',
  isOff = false,
}: {
  redact?: Redact;
  metadata?: Record<string, unknown>;
  put?: (entry: OutboxEntry, options: { admitted: boolean }) => MaybePromise<Result>;
  isOff?: boolean;
} = {}) {
  const stored: OutboxEntry[] = [];
  const admitted: boolean[] = [];
  const losses: Loss[] = [];
  const log: string[] = [];
  const write = (message: string) => void log.push(message);
  const relay = {
    put(entry: OutboxEntry, options: { admitted: boolean }) {
      const result = put(entry, options);
      admitted.push(options.admitted);
      if (result === 'accepted') stored.push(entry);
      return result;
    },
  } as NonNullable<IntakeOptions['relay']>;
  const intake = new Intake({
    settings: { metadata, redact, secrets: ['sk-secret'] },
    relay: isOff ? undefined : relay,
    warnOnce: new WarnOnce({ info: write, warn: write, error: write }),
    report: loss => void losses.push(loss),
  });
  const open = (identity: Identity = CHAT) => intake.open(resolve(identity, 'user', undefined));
  return { intake, open, stored, admitted, losses, log, contents: () => stored.map(({ message }) => message.content) };
}

function user(content: string, parts: Record<string, unknown> = {}): TurnMessage {
  const { turn = facts(), ...rest } = parts as { turn?: TurnFacts };
  return {
    role: 'user',
    turn,
    content,
    messageId: undefined,
    attachments: undefined,
    tags: undefined,
    startedAt,
    trailing: undefined,
    ...rest,
  };
}

function assistant(content: string, parts: Record<string, unknown> = {}): TurnMessage {
  const { turn = facts(), ...rest } = parts as { turn?: TurnFacts };
  return {
    role: 'assistant',
    turn,
    content,
    missing: 0,
    status: 'complete',
    error: undefined,
    details: {},
    startedAt,
    endedAt: startedAt,
    latencyMs: 5,
    timeToFirstTokenMs: 1,
    ...rest,
  };
}

/** A turn that says one thing. */
const say = (sink: TurnSink, content: string, parts?: Record<string, unknown>) => sink.accept(user(content, parts));

/** A promise, and what settles it. */
function gate<T>() {
  let open: (value: T) => void = () => {};
  const promise = new Promise<T>(resolve => {
    open = resolve;
  });
  return { promise, open };
}

describe('a message', () => {
  it('is named, tagged, given its key and size, and put', () => {
    const on = intakeOn({ metadata: { app: 'support', shade: 'far' } });
    const turn = facts({ id: 't', framework: 'by-hand', tags: { shade: 'near', model: 'mine' } });
    const sink = on.open({ ...CHAT, customerId: 'acme', sessionId: 's' });
    expect(say(sink, 'Hi', { turn, tags: { channel: 'web' }, attachments: [{ mediaType: 'image/png' }] })).toBe(
      'accepted',
    );
    expect(sink.accept(assistant('Hello', { turn, details: { model: 'm', metadata: { b: 1 } } }))).toBe('accepted');
    const [first, second] = on.stored;
    expect(first).toMatchObject({ key: 't:user:0', attempts: 0, maybeStored: false, acceptedAt: expect.any(Number) });
    expect(first?.bytes).toBe(first?.json?.length);
    expect(first?.message).toMatchObject({ role: 'user', userId: 'ada', customerId: 'acme', sessionId: 's' });
    expect(first?.message.metadata).toEqual({
      app: 'support',
      shade: 'near',
      channel: 'web',
      turn_id: 't',
      framework: 'by-hand',
      attachments: [{ media_type: 'image/png' }],
      started_at: '1970-01-01T00:00:00.000Z',
      external_conversation_id: 'chat',
      recorder_version: expect.any(String),
      message_key: 't:user:0',
    });
    expect(second).toMatchObject({ key: 't:assistant', message: { role: 'assistant', content: 'Hello' } });
    expect(second?.message.metadata).toMatchObject({ b: 1, model: 'm', status: 'complete', latency_ms: 5 });
    expect(on.log).toEqual([expect.stringMatching(/the tag "model" is left out/)]);
    expect(on.admitted).toEqual([false, true]);
    expect(on.losses).toEqual([]);
  });

  it('of an answer that failed says so, without the API key', () => {
    const on = intakeOn();
    on.open().accept(assistant('x', { status: 'error', error: new Error('sk-secret is wrong') }));
    expect(on.stored[0]?.message.metadata).toMatchObject({ status: 'error', error: expect.stringMatching(/is wrong/) });
    expect(JSON.stringify(on.stored)).not.toContain('sk-secret');
  });

  it('is nothing where the recorder is off: no loss, no line', () => {
    const on = intakeOn({ isOff: true });
    const sink = on.open({ conversationId: 'undefined' });
    expect(say(sink, 'Hi')).toBe('not recorded');
    expect(sink.accept({ role: 'user', turn: facts(), unreadable: new Error() })).toBe('not recorded');
    on.intake.warnOfUnknown({ userId: 'userId is NaN' });
    expect([on.losses, on.log, on.intake.refused]).toEqual([[], [], {}]);
  });

  it('that can not be read is lost, and what to do is said once', () => {
    const on = intakeOn();
    const sink = on.open();
    const error = new TypeError('a message must be a string');
    const turn = facts({ id: 't' });
    for (const role of ['user', 'assistant'] as const)
      expect(sink.accept({ role, turn, unreadable: error })).toBe('invalid_message');
    expect(on.losses).toMatchObject([
      { reason: 'invalid_message', role: 'user', messageKey: 't:user', error, conversationId: expect.any(String) },
      { role: 'assistant', messageKey: 't:assistant' },
    ]);
    expect(on.intake.refused).toEqual({ invalid_message: 2 });
    expect(on.log).toEqual([expect.stringMatching(/turn\.user\(String\(text\)\) \(invalid_message: TypeError\)$/)]);
  });

  it('that breaks the intake itself is lost, and throws nothing', () => {
    const on = intakeOn();
    const turn = {
      ...facts(),
      get tags(): unknown {
        throw new RangeError('broken');
      },
    };
    expect(say(on.open(), 'Hi', { turn })).toBe('invalid_message');
    expect(on.losses).toHaveLength(1);
  });
});

describe('a repetition', () => {
  it('of the same words in a turn is not recorded; other words are', () => {
    const on = intakeOn();
    const sink = on.open();
    const turn = facts({ id: 't' });
    expect(['Hi', 'Hi', 'You?'].map(words => say(sink, words, { turn }))).toEqual([
      'accepted',
      'not recorded',
      'accepted',
    ]);
    expect(on.stored.map(({ key }) => key)).toEqual(['t:user:0', 't:user:1']);
  });

  it("of an id of the app's is not recorded, in whatever turn of the conversation", () => {
    const on = intakeOn();
    const sink = on.open();
    say(sink, 'Hi', { messageId: 'm' });
    expect(say(sink, 'Hi', { messageId: 'm' })).toBe('not recorded');
    expect(say(on.open(), 'Hi', { messageId: 'm' })).toBe('not recorded');
    expect(on.intake.repeated).toBe(2);
    expect(say(on.open({ ...CHAT, conversationId: 'other' }), 'Hi', { messageId: 'm' })).toBe('accepted');
    expect(on.stored).toHaveLength(2);
  });

  it("of an id of the app's with other words is an edit, back and forth, and each once", () => {
    const on = intakeOn();
    for (const words of ['sky', 'grass', 'grass', 'sky', 'sky', 'grass']) say(on.open(), words, { messageId: 'm' });
    expect(on.contents()).toEqual(['sky', 'grass', 'sky', 'grass']);
    expect(on.stored.map(({ message }) => message.metadata?.edited)).toEqual([undefined, true, true, true]);
    expect(new Set(on.stored.map(({ key }) => key)).size).toBe(4);
    expect(on.intake.repeated).toBe(2);
  });

  it('of a message that was lost is new, and no edit', () => {
    let isFull = true;
    const on = intakeOn({ put: () => (isFull ? 'full' : 'accepted') });
    say(on.open(), 'Hi', { messageId: 'm' });
    isFull = false;
    say(on.open(), 'Ho', { messageId: 'm' });
    expect(on.contents()).toEqual(['Ho']);
    expect(on.stored[0]?.message.metadata).not.toHaveProperty('edited');
  });

  it('of the words of the user by the assistant is none', () => {
    const on = intakeOn();
    const sink = on.open();
    const turn = facts();
    say(sink, 'Hi', { turn });
    expect(sink.accept(assistant('Hi', { turn }))).toBe('accepted');
  });

  it('of the same words under two ids is two messages, and so is an id that says the words', () => {
    const on = intakeOn();
    const sink = on.open();
    for (const parts of [{ messageId: 'a' }, { messageId: 'b' }, {}]) say(sink, 'a', parts);
    expect(on.stored).toHaveLength(3);
  });

  it('within one prompt is none, and a prompt that is sent again is one but for its last message', () => {
    const on = intakeOn();
    const ask = (...contents: string[]) => {
      const sink = on.open();
      const turn = facts();
      return contents.map((content, index) => say(sink, content, { turn, trailing: { index, contents } }));
    };
    ask('Hi', 'Hi', 'Hi');
    ask('Hi', 'You?');
    expect(ask('Hi', 'You?')).toEqual(['not recorded', 'accepted']);
    expect(on.contents()).toEqual(['Hi', 'Hi', 'Hi', 'You?', 'You?']);
  });

  it('of a prompt that has an answer is none', () => {
    const on = intakeOn();
    const ask = (status: string, ...contents: string[]) => {
      const sink = on.open();
      contents.map((content, index) => say(sink, content, { trailing: { index, contents } }));
      sink.accept(assistant('x', { status }));
    };
    ask('error', 'Hi');
    ask('complete', 'Hi', 'You?');
    ask('complete', 'Hi', 'Again');
    expect(on.contents().filter(content => content !== 'x')).toEqual(['Hi', 'You?', 'Hi', 'Again']);
  });

  it('of an answer under the same name of a turn is not recorded', () => {
    const on = intakeOn();
    const turn = facts({ id: 'request-1', isNamedByApp: true });
    expect(on.open().accept(assistant('x', { turn }))).toBe('accepted');
    expect(on.open().accept(assistant('x', { turn }))).toBe('not recorded');
  });

  it('of an id that was made from nothing is none, and what to pass is said once', () => {
    const on = intakeOn();
    const sink = on.open();
    for (const content of ['a', 'b']) expect(say(sink, content, { messageId: 'undefined' })).toBe('accepted');
    expect(on.log).toEqual([expect.stringMatching(/messageId: message\.id/)]);
  });

  it.each<[string, (attempt: number) => MaybePromise<Result>]>([
    ['the outbox refuses', attempt => (attempt === 0 ? 'full' : 'accepted')],
    [
      'the outbox throws',
      attempt => {
        if (attempt === 0) throw new Error('disk');
        return 'accepted';
      },
    ],
    ['the outbox rejects', attempt => (attempt === 0 ? Promise.reject(new Error('disk')) : 'accepted')],
    ['comes after the close', attempt => (attempt === 0 ? 'closed' : 'accepted')],
  ])('of a message that %s is none: its key is free again', async (_, answer) => {
    let attempt = 0;
    const on = intakeOn({ put: () => answer(attempt++) });
    expect(await say(on.open(), 'Hi', { messageId: 'm' })).toMatch(/outbox_full|outbox_failed|recorder_closed/);
    expect(await say(on.open(), 'Hi', { messageId: 'm' })).toBe('accepted');
    expect(on.stored).toHaveLength(1);
  });

  it('of a message that redact refused is none', () => {
    let isBad = true;
    const on = intakeOn({ redact: message => (isBad ? null : message) });
    expect(say(on.open(), 'Hi', { messageId: 'm' })).toBe('redacted');
    isBad = false;
    expect(say(on.open(), 'Hi', { messageId: 'm' })).toBe('accepted');
  });
});

describe('an identity', () => {
  it.each([
    ['user', {}, 'missing_user_id', /userId: session\.user\.id/],
    ['customer', { userId: 'ada', conversationId: 'c' }, 'missing_customer_id', /customerId: org\.id/],
  ] as const)('without a %s loses the message, and what to pass is said once', (_, identity, reason, line) => {
    const on = intakeOn();
    const sink = on.intake.open(resolve(identity, 'user', 'b2b'));
    for (const content of ['a', 'b']) expect(say(sink, content)).toBe(reason);
    expect(on.losses).toMatchObject([{ reason, conversationId: undefined, role: 'user' }, { reason }]);
    expect(on.log).toEqual([expect.stringMatching(line)]);
  });

  it.each([
    ['userId', { userId: 'undefined' }, undefined],
    ['customerId', { userId: 'ada', customerId: 'NaN', conversationId: 'c' }, 'b2b'],
  ] as const)('whose %s names nobody is said to, and nothing else is said', (part, identity, tenancy) => {
    const on = intakeOn();
    say(on.intake.open(resolve(identity, 'user', tenancy)), 'Hi');
    expect(on.log).toEqual([expect.stringMatching(new RegExp(`^${part} is `))]);
  });

  it('without a conversation is recorded, and what to pass is said once', () => {
    const on = intakeOn();
    for (const content of ['a', 'b']) expect(say(on.open({ userId: 'ada' }), content)).toBe('accepted');
    expect(on.log).toEqual([expect.stringMatching(/conversationId: chat\.id/)]);
  });

  it.each([
    ['conversation', { userId: 'ada', conversationId: 'null' }],
    ['customer', { userId: 'ada', conversationId: 'c', customerId: 'null' }],
  ])('whose %s names nobody has a conversation of its own, and one line says why', (_, identity) => {
    const on = intakeOn();
    expect(say(on.open(identity), 'Hi')).toBe('accepted');
    expect(on.log).toHaveLength(1);
  });
});

describe('a redaction', () => {
  it('sees what is recorded but for the key, which is made after it', () => {
    const seen: unknown[] = [];
    const on = intakeOn({
      redact: message => {
        seen.push(message.metadata?.message_key, message.metadata?.turn_id);
        return { ...message, content: 'X', metadata: { ...message.metadata, message_key: 'mine', app: 'a' } };
      },
    });
    say(on.open(), 'Hi', { turn: facts({ id: 't' }) });
    expect(seen).toEqual([undefined, 't']);
    expect(on.stored[0]?.message).toMatchObject({ content: 'X', metadata: { message_key: 't:user:0', app: 'a' } });
  });

  it('can not move a message to another conversation or role', () => {
    const on = intakeOn({ redact: message => Object.assign(message, { conversationId: 'x', role: 'assistant' }) });
    say(on.open(), 'Hi');
    expect(on.stored[0]?.message).toMatchObject({
      role: 'user',
      conversationId: expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
  });

  it.each<[string, Redact, string, boolean]>([
    ['answers null', () => null, 'redacted', false],
    ['answers nothing', () => undefined as never, 'redact_failed', true],
    [
      'throws',
      () => {
        throw new Error('pin 1234');
      },
      'redact_failed',
      true,
    ],
    ['rejects', () => Promise.reject(new Error('pin 1234')), 'redact_failed', true],
    ['makes the text a number', message => ({ ...message, content: 7 as never }), 'redact_failed', true],
    ['makes the user a number', message => ({ ...message, userId: Number.NaN as never }), 'redact_failed', true],
    ['takes the user out', message => ({ ...message, userId: '' }), 'redact_failed', true],
    ['inherits from the message', message => Object.create(message), 'redact_failed', true],
  ])('that %s loses the message, and only what the app did not want so is said', async (_, redact, reason, isSaid) => {
    const on = intakeOn({ redact });
    expect(await say(on.open(), 'Hi')).toBe(reason);
    expect(on.intake.refused).toEqual({ [reason]: 1 });
    expect(on.losses).toMatchObject([{ reason }]);
    expect(on.log).toHaveLength(isSaid ? 1 : 0);
    expect(on.log.join()).not.toContain('1234');
    expect(on.intake.waiting).toBe(0);
  });

  it('that leaves a tag which is not JSON loses the tag', () => {
    const on = intakeOn({ redact: message => ({ ...message, metadata: { bad: 1n, good: 1 } }) });
    say(on.open(), 'Hi');
    expect(on.stored[0]?.message.metadata).toMatchObject({ good: 1 });
    expect(on.log).toEqual([expect.stringMatching(/^the tag "bad" is left out: it /)]);
  });

  it('that takes its time keeps the order of a conversation, and holds up no other', async () => {
    const slow = gate<void>();
    const on = intakeOn({
      redact: async message => {
        if (message.content === 'slow') await slow.promise;
        return message;
      },
    });
    const sink = on.open();
    const first = say(sink, 'slow');
    const second = sink.accept(assistant('quick'));
    expect(on.intake.waiting).toBe(2);
    await say(on.open({ ...CHAT, conversationId: 'other' }), 'elsewhere');
    expect(on.contents()).toEqual(['elsewhere']);
    let isDone = false;
    const done = on.intake.done()?.then(() => {
      isDone = true;
    });
    await new Promise(resolve => setImmediate(resolve));
    expect(isDone).toBe(false);
    slow.open();
    expect(await Promise.all([first, second])).toEqual(['accepted', 'accepted']);
    await done;
    expect(isDone).toBe(true);
    expect(on.contents()).toEqual(['elsewhere', 'slow', 'quick']);
    expect(on.intake.waiting).toBe(0);
    expect(on.intake.done()).toBeUndefined();
  });

  it('keeps the order, too, of what is said when the first of several is through', async () => {
    const [first, second] = [gate<void>(), gate<void>()];
    const on = intakeOn({
      redact: async message => {
        if (message.content === 'a') await first.promise;
        if (message.content === 'b') await second.promise;
        return message;
      },
    });
    const sink = on.open();
    const [a, b] = [say(sink, 'a'), say(sink, 'b')];
    first.open();
    await a;
    await new Promise(resolve => setImmediate(resolve));
    const c = say(sink, 'c');
    await new Promise(resolve => setImmediate(resolve));
    second.open();
    await Promise.all([b, c]);
    expect(on.contents()).toEqual(['a', 'b', 'c']);
  });

  it('that is done leaves the next message of its conversation synchronous', async () => {
    let isSlow = true;
    const on = intakeOn({ redact: message => (isSlow ? Promise.resolve(message) : message) });
    const sink = on.open();
    await say(sink, 'a');
    await Promise.resolve();
    isSlow = false;
    expect(say(sink, 'b')).toBe('accepted');
  });
});

describe('a large message', () => {
  it('of which the end was not kept is cut, without what stands next to the cut', () => {
    const on = intakeOn();
    on.open().accept(assistant('x'.repeat(10_000), { missing: 500 }));
    expect(on.stored[0]?.message.content).toMatch(/^x{5904}\n\n\[cut by synap-recorder: 5904 of 10500 characters\]$/);
  });

  it('of a user stays whole as long as it fits', () => {
    const on = intakeOn();
    say(on.open(), 'x'.repeat(10_000));
    expect(on.contents()).toEqual(['x'.repeat(10_000)]);
  });

  it('is left out where it is too large even without its text', () => {
    const on = intakeOn({ redact: message => ({ ...message, userId: 'u'.repeat(300_000) }) });
    expect(say(on.open(), 'Hi')).toBe('redact_failed');
    expect(on.stored).toEqual([]);
  });

  it('with too many tags loses some, and says so once', () => {
    const on = intakeOn();
    const tags = { small: 1, a: 'x'.repeat(40_000), b: 'y'.repeat(39_000) };
    for (const content of ['a', 'b']) say(on.open(), content, { tags });
    expect(on.stored[0]?.message.metadata).toMatchObject({ dropped_tags: 1, small: 1 });
    expect(on.log).toEqual([expect.stringMatching(/64 KiB or 5,000 values/)]);
  });

  it('has a line in the log for each thing that is wrong with it', () => {
    const on = intakeOn();
    const tags = { one: 1n, two: 2n, a: 'x'.repeat(40_000), b: 'y'.repeat(39_000) };
    say(on.open({ userId: 'ada' }), 'Hi', { messageId: 'NaN', tags });
    say(on.open({ userId: 'ada', customerId: 'NaN', sessionId: 'NaN' }), 'Hi');
    say(on.open({ customerId: 'NaN' }), 'Hi');
    expect(on.log).toHaveLength(8);
  });

  it('has its long tag names cut in the log', () => {
    const on = intakeOn();
    say(on.open(), 'Hi', { tags: { ['n'.repeat(1000)]: 1n } });
    expect(on.log[0]?.length).toBeLessThan(200);
  });
});

describe('an outbox', () => {
  it('that is full for one message of a turn takes none of it, and of the next again', () => {
    let isFull = true;
    const on = intakeOn({ put: () => (isFull ? 'full' : 'accepted') });
    const sink = on.open();
    expect(say(sink, 'Hi')).toBe('outbox_full');
    isFull = false;
    expect(sink.accept(assistant('Hello'))).toBe('outbox_full');
    expect(say(on.open(), 'Hi')).toBe('accepted');
    expect(on.log).toEqual([expect.stringMatching(/sqliteOutbox\(\{ path: "outbox\.db" \}\).*\(outbox_full\)$/)]);
  });

  it('that turns out full while the next message is redacted takes that neither', async () => {
    const on = intakeOn({ redact: async message => message, put: () => 'full' });
    const sink = on.open();
    const became = [say(sink, 'a'), say(sink, 'b')];
    expect(await Promise.all(became)).toEqual(['outbox_full', 'outbox_full']);
    expect(on.admitted).toHaveLength(1);
  });

  it('that was full for a turn spares redact the rest of it', () => {
    let calls = 0;
    const on = intakeOn({
      put: () => 'full',
      redact: message => {
        calls++;
        return message;
      },
    });
    const sink = on.open();
    for (const content of ['a', 'b']) expect(say(sink, content)).toBe('outbox_full');
    expect(calls).toBe(1);
  });

  it('that holds the key already has accepted it', () => {
    expect(say(intakeOn({ put: () => 'duplicate' }).open(), 'Hi')).toBe('accepted');
  });

  it('that takes its time is waited for', async () => {
    const slow = gate<Result>();
    const on = intakeOn({ put: () => slow.promise });
    const became = say(on.open(), 'Hi');
    expect(on.intake.waiting).toBe(1);
    slow.open('accepted');
    expect(await became).toBe('accepted');
  });

  it.each(['throws', 'rejects'])('that %s loses the message, and names the error', async how => {
    const on = intakeOn({
      put: () => {
        if (how === 'throws') throw new RangeError('disk');
        return Promise.reject(new RangeError('disk'));
      },
    });
    expect(await say(on.open(), 'Hi')).toBe('outbox_failed');
    expect(on.log).toEqual([expect.stringMatching(/\(outbox_failed: RangeError\)$/)]);
    expect(on.losses).toMatchObject([{ error: expect.any(RangeError) }]);
  });
});

describe('what waits', () => {
  const never = () => new Promise<never>(() => {});

  it('is 10,000 messages at most: then whole turns are refused', () => {
    const on = intakeOn({ redact: never });
    for (let n = 0; n < 9_999; n++) say(on.open({ ...CHAT, conversationId: `c${n}` }), 'Hi');
    const last = on.open();
    expect(say(last, 'Hi')).toBeInstanceOf(Promise);
    expect(on.intake.waiting).toBe(10_000);
    const sink = on.open();
    expect(say(sink, 'Hi')).toBe('outbox_full');
    expect(on.intake.refused).toEqual({ outbox_full: 1 });
  });

  it('is 32 Mi characters at most, and what waits no longer counts no longer', async () => {
    const slow = gate<void>();
    const on = intakeOn({
      redact: async message => {
        await slow.promise;
        return message;
      },
    });
    const half = 'x'.repeat(16 * 1024 * 1024);
    const waiting = [say(on.open(), half), say(on.open(), half)];
    const refused = on.open();
    expect(say(refused, 'Hi')).toBe('outbox_full');
    slow.open();
    await Promise.all(waiting);
    expect(say(on.open(), 'Hi')).toBeInstanceOf(Promise);
    expect(refused.accept(assistant('Hello'))).toBe('outbox_full');
  });

  it('does not refuse the rest of a turn that has begun', async () => {
    let isSlow = false;
    const on = intakeOn({ redact: message => (isSlow ? never() : message) });
    const begun = on.open();
    say(begun, 'Hi');
    isSlow = true;
    for (let n = 0; n < 10_000; n++) say(on.open({ ...CHAT, conversationId: `c${n}` }), 'Hi');
    expect(begun.accept(assistant('Hello'))).toBeInstanceOf(Promise);
  });

  it('is counted as lost when it is given up, and not again when it comes back', async () => {
    const slow = gate<null>();
    const on = intakeOn({ redact: () => slow.promise });
    const became = say(on.open(), 'Hi', { turn: facts({ id: 't' }) });
    on.intake.close();
    on.intake.giveUp();
    expect(on.losses).toMatchObject([{ reason: 'recorder_closed', messageKey: 't:user:0' }]);
    expect(on.intake.waiting).toBe(0);
    slow.open(null);
    expect(await became).toBe('recorder_closed');
    expect(on.intake.refused).toEqual({ recorder_closed: 1 });
  });
});

it('what is said after the close is lost, and the way to close is said once', () => {
  const on = intakeOn();
  on.intake.close();
  for (const content of ['a', 'b']) expect(say(on.open(), content)).toBe('recorder_closed');
  expect(on.stored).toEqual([]);
  expect(on.losses).toMatchObject([{ reason: 'recorder_closed', role: 'user' }, {}]);
  expect(on.log).toEqual([expect.stringMatching(/await recorder\.close\(\) \(recorder_closed\)$/)]);
});
