import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Turn } from '../../src/recorder/turn.js';
import type { Acceptance, AssistantMessage, TurnMessage } from '../../src/recorder/turn-message.js';
import type { TurnOptions } from '../../src/recorder/turn-options.js';

const START = Date.UTC(2026, 0, 1);

beforeEach(() => {
  vi.useFakeTimers({ now: START, toFake: ['Date', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

const pass = (ms: number) => void vi.advanceTimersByTime(ms);

/** A turn, and what it hands on and says of itself. */
function turnOn(options: TurnOptions = {}, answers: (Acceptance | Promise<Acceptance>)[] = []) {
  const messages: TurnMessage[] = [];
  const states: string[] = [];
  const sink = {
    accept(message: TurnMessage) {
      messages.push(message);
      return answers.shift() ?? 'accepted';
    },
  };
  const observer = { opened: () => void states.push('opened'), ended: () => void states.push('ended') };
  const turn = new Turn(sink, { conversationId: 'c', observer }, options);
  const answer = () => messages.find((message): message is AssistantMessage => 'status' in message);
  return { turn, messages, states, answer };
}

const throwing = new Proxy(
  {},
  {
    get() {
      throw new Error('trap');
    },
    has() {
      throw new Error('trap');
    },
  },
);

describe('the ends of a turn', () => {
  it.each([
    ['complete', 'complete', (turn: Turn) => turn.complete()],
    ['fail', 'error', (turn: Turn) => turn.fail(new Error('503'))],
    ['abort', 'aborted', (turn: Turn) => turn.abort('stop')],
    ['abandon', 'abandoned', (turn: Turn) => turn.abandon()],
  ] as const)('%s hands on the text so far, once, whatever else ends it later', (_, status, end) => {
    const { turn, messages, states, answer } = turnOn();
    expect(turn.state).toBe('open');
    expect(turn.over).toBe(false);
    turn.append('Hel');
    turn.append('lo');
    end(turn);
    expect(turn.state).toBe(status);
    expect(turn.over).toBe(true);
    expect(answer()).toMatchObject({ role: 'assistant', content: 'Hello', missing: 0, status });
    turn.append(' again');
    for (const method of ['complete', 'abort', 'abandon'] as const) turn[method]();
    turn.fail('late');
    expect(turn.state).toBe(status);
    expect(messages).toHaveLength(1);
    expect(states).toEqual(['opened', 'ended']);
  });

  it('carry what the answer failed with, or why it was aborted', () => {
    const failed = turnOn();
    failed.turn.append('x');
    failed.turn.fail('boom', { content: 'y' });
    expect(failed.answer()).toMatchObject({ error: 'boom', content: 'y' });
    const aborted = turnOn();
    aborted.turn.append('x');
    aborted.turn.abort('user left', { content: 'z' });
    expect(aborted.answer()).toMatchObject({ error: 'user left', content: 'z' });
  });

  it('hand on nothing where nothing was answered', () => {
    const { turn, messages, states } = turnOn();
    turn.fail(new Error('503'));
    expect(messages).toEqual([]);
    expect(turn.over).toBe(true);
    expect(states).toEqual(['opened', 'ended']);
  });

  it('take what the end says of the text over what was appended', () => {
    const { turn, answer } = turnOn();
    turn.append('draft');
    turn.complete({ content: 'final' });
    expect(answer()?.content).toBe('final');
  });

  it('take later details over earlier ones, each by itself', () => {
    const { turn, answer } = turnOn();
    turn.describe({ model: 'a', provider: 'p' });
    turn.describe({ model: 'b' });
    turn.complete({ content: 'x', finishReason: 'stop' });
    expect(answer()?.details).toEqual({ model: 'b', provider: 'p', finishReason: 'stop' });
  });

  it('count an answer that can not be read', () => {
    const { turn, messages, states } = turnOn();
    turn.complete(throwing);
    expect(messages).toMatchObject([{ role: 'assistant', unreadable: expect.any(Error) }]);
    expect(states).toEqual(['opened', 'ended']);
  });

  it('tell the adapter, and outlive what it throws', () => {
    const ended = vi.fn(() => {
      throw new Error('adapter');
    });
    const { turn, answer } = turnOn({ ended });
    turn.complete({ content: 'x' });
    expect(ended).toHaveBeenCalledOnce();
    expect(answer()?.content).toBe('x');
  });
});

describe('an abandoned turn', () => {
  it('asks its adapter for the answer so far', () => {
    const soFar = vi.fn(() => ({ content: 'half', model: 'm' }));
    const { turn, answer } = turnOn({ soFar });
    turn.abandon();
    expect(answer()).toMatchObject({ content: 'half', status: 'abandoned', details: { model: 'm' } });
  });

  it('does not ask where the end says it, and no other end asks', () => {
    const soFar = vi.fn(() => ({ content: 'half' }));
    const told = turnOn({ soFar });
    told.turn.abandon({ content: 'said' });
    expect(told.answer()?.content).toBe('said');
    turnOn({ soFar }).turn.complete();
    expect(soFar).not.toHaveBeenCalled();
  });

  it('counts an adapter that throws as unreadable', () => {
    const { turn, messages } = turnOn({
      soFar: () => {
        throw new Error('adapter');
      },
    });
    turn.abandon();
    expect(messages).toMatchObject([{ role: 'assistant', unreadable: expect.any(Error) }]);
  });

  it('opens again with a first word, and ends again', () => {
    const { turn, states, answer } = turnOn();
    turn.abandon();
    expect(turn.over).toBe(false);
    turn.append('late');
    expect(turn.state).toBe('open');
    turn.complete();
    expect(answer()).toMatchObject({ content: 'late', status: 'complete' });
    expect(states).toEqual(['opened', 'ended', 'opened', 'ended']);
  });

  it.each(['complete', 'fail', 'abort'] as const)('may still %s, while it had no text', method => {
    const { turn, answer } = turnOn();
    turn.abandon();
    turn[method](method === 'complete' ? ({ content: 'late' } as never) : undefined, { content: 'late' });
    expect(answer()).toMatchObject({ content: 'late', status: turn.state });
    expect(turn.over).toBe(true);
  });

  it('is abandoned once', () => {
    const { turn, states } = turnOn();
    turn.abandon();
    turn.abandon({ content: 'x' });
    expect(states).toEqual(['opened', 'ended']);
  });
});

describe('a turn that is idle', () => {
  it('is abandoned at the first look after its idle time', () => {
    const { turn } = turnOn({ idleMs: 100 });
    turn.tick(performance.now() + 99);
    expect(turn.state).toBe('open');
    turn.tick(performance.now() + 100);
    expect(turn.state).toBe('abandoned');
  });

  it('is never abandoned without an idle time', () => {
    const { turn } = turnOn();
    turn.tick(performance.now() + 1e9);
    expect(turn.state).toBe('open');
    expect(turn.idleMs).toBeUndefined();
  });

  it.each([
    ['user', (turn: Turn) => turn.user('Hi')],
    ['append', (turn: Turn) => turn.append('x')],
    ['firstToken', (turn: Turn) => turn.firstToken()],
    ['touch', (turn: Turn) => turn.touch()],
    ['describe', (turn: Turn) => turn.describe({})],
  ] as const)('lives on by %s, and then counts anew', (_, sign) => {
    const { turn } = turnOn({ idleMs: 100 });
    sign(turn);
    turn.tick(1000);
    expect(turn.state).toBe('open');
    turn.tick(1099);
    expect(turn.state).toBe('open');
    turn.tick(1100);
    expect(turn.state).toBe('abandoned');
  });

  it('lives on while something is under way, as far as that can be told', () => {
    let isBusy = true;
    const busy = turnOn({ idleMs: 100, busy: () => isBusy });
    busy.turn.tick(1000);
    expect(busy.turn.state).toBe('open');
    isBusy = false;
    busy.turn.tick(1100);
    expect(busy.turn.state).toBe('abandoned');
    const broken = turnOn({
      idleMs: 100,
      busy: () => {
        throw new Error('adapter');
      },
    });
    broken.turn.tick(1000);
    expect(broken.turn.state).toBe('abandoned');
  });
});

describe('the clock of a turn', () => {
  it('starts with the first user(), stops with the end, and marks the first token', () => {
    const { turn, messages, answer } = turnOn();
    pass(500);
    turn.user('Hi');
    pass(100);
    turn.user('You there?');
    pass(200);
    turn.append('Yes');
    pass(400);
    turn.append('!');
    turn.complete();
    const startedAt = new Date(START + 500);
    expect(messages[0]).toMatchObject({ startedAt });
    expect(messages[1]).toMatchObject({ startedAt });
    expect(answer()).toMatchObject({
      startedAt,
      endedAt: new Date(START + 1200),
      latencyMs: 700,
      timeToFirstTokenMs: 300,
    });
  });

  it('starts when the adapter says', () => {
    pass(1000);
    const startedAt = performance.now();
    pass(300);
    const { turn, answer } = turnOn({ startedAt });
    turn.user('Hi');
    turn.complete({ content: 'x' });
    expect(answer()).toMatchObject({ startedAt: new Date(START + 1000), latencyMs: 300 });
  });

  it('stops with the end, also where nothing was heard for long', () => {
    const { turn, answer } = turnOn();
    turn.append('x');
    turn.tick(performance.now());
    pass(900);
    turn.complete();
    expect(answer()?.latencyMs).toBe(900);
  });

  it('does not start again with a user() behind the first token', () => {
    const { turn, answer } = turnOn();
    turn.firstToken();
    pass(100);
    turn.user('Hi');
    turn.complete({ content: 'x' });
    expect(answer()).toMatchObject({ startedAt: new Date(START), latencyMs: 100, timeToFirstTokenMs: 0 });
  });

  it('does not start again with a user() behind the end', () => {
    const { turn, messages } = turnOn();
    turn.complete();
    pass(100);
    turn.user('Hi');
    expect(messages).toMatchObject([{ startedAt: new Date(START) }]);
  });

  it('knows one first token: firstToken(), or the first piece that was streamed', () => {
    const { turn, answer } = turnOn();
    pass(10);
    turn.append('a', { streamed: false });
    pass(10);
    turn.firstToken();
    pass(10);
    turn.firstToken();
    turn.append('b');
    turn.complete();
    expect(answer()?.timeToFirstTokenMs).toBe(20);
  });

  it('knows no first token where nothing was streamed, or after the end', () => {
    const { turn, answer } = turnOn();
    turn.append('a', { streamed: false });
    turn.complete();
    turn.firstToken();
    expect(answer()?.timeToFirstTokenMs).toBeUndefined();
    const late = turnOn();
    late.turn.abandon();
    late.turn.firstToken();
    late.turn.complete({ content: 'x' });
    expect(late.answer()?.timeToFirstTokenMs).toBeUndefined();
  });

  it('stops at the last look at a sign of life where the turn was abandoned', () => {
    const { turn, answer } = turnOn({ idleMs: 100 });
    turn.append('x');
    pass(50);
    turn.tick(performance.now());
    pass(1000);
    turn.tick(performance.now());
    expect(answer()).toMatchObject({ latencyMs: 50 });
    const closed = turnOn();
    closed.turn.append('x');
    pass(70);
    closed.turn.abandon();
    expect(closed.answer()).toMatchObject({ latencyMs: 70 });
  });

  it('says nothing of the latency where it is not known', () => {
    const { turn, answer } = turnOn({ timed: false });
    turn.complete({ content: 'x' });
    expect(answer()?.latencyMs).toBeUndefined();
    expect(answer()?.endedAt).toEqual(new Date(START));
  });
});

describe('what a user says', () => {
  it('is handed on with all that is known of it, and of the turn', () => {
    const { turn, messages } = turnOn({ id: 'request-1', framework: 'by-hand', metadata: { app: 'a' } });
    turn.user('Hi', { messageId: 'm', attachments: [{ mediaType: 'image/png' }], metadata: { channel: 'web' } });
    expect(messages).toEqual([
      {
        role: 'user',
        content: 'Hi',
        messageId: 'm',
        attachments: [{ mediaType: 'image/png', filename: undefined, url: undefined }],
        tags: { channel: 'web' },
        startedAt: new Date(START),
        trailing: undefined,
        turn: { id: 'request-1', isNamedByApp: true, framework: 'by-hand', tags: { app: 'a' } },
      },
    ]);
    expect(turn).toMatchObject({ id: 'request-1', framework: 'by-hand', conversationId: 'c' });
  });

  it('has a turn with a fresh id where the app gives none', () => {
    const { turn, messages } = turnOn();
    turn.user('Hi');
    expect(turn.id).toMatch(/^[0-9a-f-]{36}$/);
    expect(messages[0]?.turn).toMatchObject({ id: turn.id, isNamedByApp: false });
  });

  it('is handed on though its options can not be read', () => {
    const { turn, messages } = turnOn();
    turn.user('Hi', throwing);
    expect(messages).toMatchObject([{ content: 'Hi', messageId: undefined, attachments: undefined }]);
  });

  it('is nothing where it is empty, and counted where it is no text', () => {
    const { turn, messages } = turnOn();
    turn.user('');
    turn.user(42 as never);
    expect(messages).toMatchObject([
      { role: 'user', unreadable: expect.objectContaining({ message: 'a message must be a string' }) },
    ]);
  });

  it('at the end of a prompt says where it stands', () => {
    const { turn, messages } = turnOn();
    turn.trailing([{ content: 'Hi' }, { content: 'You?', messageId: 'm' }]);
    const contents = ['Hi', 'You?'];
    expect(messages).toMatchObject([
      { content: 'Hi', trailing: { index: 0, contents } },
      { content: 'You?', messageId: 'm', trailing: { index: 1, contents } },
    ]);
  });
});

describe('a piece of an answer', () => {
  it('that is no text, or empty, is none and no sign of life', () => {
    const { turn, messages } = turnOn({ idleMs: 100 });
    turn.append('');
    turn.append(7 as never);
    turn.tick(performance.now() + 100);
    expect(turn.state).toBe('abandoned');
    turn.append('');
    expect(turn.state).toBe('abandoned');
    expect(messages).toEqual([]);
  });
});

describe('turn.accepted', () => {
  it('says of each message what became of it, and waits for those that take their time', async () => {
    const { turn } = turnOn({}, [Promise.resolve('accepted'), 'not recorded', Promise.resolve('redacted'), 'accepted']);
    for (const content of ['a', 'b', 'c', 'd']) turn.user(content);
    expect(await turn.accepted).toEqual({ accepted: 2, lost: ['redacted'] });
  });
});

it('a turn without a conversation opens and ends unobserved', () => {
  const observer = { opened: vi.fn(), ended: vi.fn() };
  const turn = new Turn({ accept: () => 'missing_user_id' }, { conversationId: undefined, observer });
  turn.abandon();
  turn.append('x');
  turn.complete();
  expect(turn.state).toBe('complete');
  expect(observer.opened).not.toHaveBeenCalled();
  expect(observer.ended).not.toHaveBeenCalled();
});
