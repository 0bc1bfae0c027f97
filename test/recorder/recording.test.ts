import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { createRecorder, type LossReason, type RecorderOptions, type RecordMessageInput } from '../../src/index.js';
import { VERSION } from '../../src/version.js';
import { balanced, recorderOn } from '../support/recorder.js';
import { turns } from '../support/turns.js';

const said = (messages: readonly { role: string; content: string; metadata?: Record<string, unknown> }[]) =>
  messages.map(({ role, content, metadata }) =>
    metadata?.status && metadata.status !== 'complete'
      ? `${role} (${metadata.status}): ${content}`
      : `${role}: ${content}`,
  );

function fail(message: string): never {
  throw new Error(message);
}

describe('a turn', () => {
  it('arrives as two messages, in order, with what is known of them', async () => {
    await using on = await recorderOn(undefined, { metadata: { app: 'support', model: 'spoofed' } });
    const turn = on.recorder.turn({ conversationId: 'chat-42', sessionId: 's1' }, { framework: 'by-hand' });
    turn.user('What is a monad?', { metadata: { channel: 'web' } });
    turn.append('A monoid');
    turn.append(' in the category of endofunctors.');
    turn.complete({
      model: 'gpt-5',
      responseModel: 'gpt-5-2026',
      provider: 'openai',
      usage: { inputTokens: 10, outputTokens: 5, cachedInputTokens: 0 },
      finishReason: 'stop',
      steps: 1,
      toolCalls: ['search'],
    });
    expect(await on.recorder.flush()).toEqual({ delivered: 2, pending: 0, deadLettered: 0 });

    const [user, assistant] = on.synap.stored;
    expect(user).toMatchObject({ role: 'user', content: 'What is a monad?', user_id: 'ada', session_id: 's1' });
    expect(user?.metadata).toEqual({
      app: 'support',
      channel: 'web',
      framework: 'by-hand',
      message_key: `${turn.id}:user:0`,
      turn_id: turn.id,
      external_conversation_id: 'chat-42',
      started_at: expect.stringMatching(/^\d{4}-.*Z$/),
      recorder_version: VERSION,
    });
    expect(assistant).toMatchObject({
      role: 'assistant',
      content: 'A monoid in the category of endofunctors.',
      conversation_id: user?.conversation_id,
      session_id: 's1',
    });
    expect(assistant?.metadata).toEqual({
      app: 'support',
      framework: 'by-hand',
      message_key: `${turn.id}:assistant`,
      turn_id: turn.id,
      external_conversation_id: 'chat-42',
      model: 'gpt-5',
      response_model: 'gpt-5-2026',
      provider: 'openai',
      input_tokens: 10,
      output_tokens: 5,
      total_tokens: 15,
      cached_input_tokens: 0,
      finish_reason: 'stop',
      steps: 1,
      tool_calls: ['search'],
      status: 'complete',
      latency_ms: expect.any(Number),
      time_to_first_token_ms: expect.any(Number),
      started_at: user?.metadata?.started_at,
      ended_at: expect.any(String),
      recorder_version: VERSION,
    });
  });

  it('keeps the text so far when it fails, is aborted or abandoned', async () => {
    await using on = await recorderOn();
    for (const end of ['fail', 'abort', 'abandon'] as const) {
      const turn = on.recorder.turn({ conversationId: end });
      turn.user('Hi');
      turn.append('Hel');
      if (end === 'fail') turn.fail(new RangeError('overloaded'));
      else turn[end]();
    }
    await on.recorder.flush();
    expect(said(on.synap.stored)).toEqual([
      'user: Hi',
      'assistant (error): Hel',
      'user: Hi',
      'assistant (aborted): Hel',
      'user: Hi',
      'assistant (abandoned): Hel',
    ]);
    expect(on.synap.stored[1]?.metadata).toMatchObject({ error: 'RangeError: overloaded' });
    expect(on.synap.stored[3]?.metadata).not.toHaveProperty('error');
  });

  it('is recorded once, whatever is called twice, late or in a broken order', async () => {
    await using on = await recorderOn();
    const turn = on.recorder.turn({ conversationId: 'c' });
    turn.user('Hi');
    turn.user('Hi');
    turn.complete({ content: 'Hello' });
    turn.complete({ content: 'Hello again' });
    turn.fail(new Error('late'));
    turn.append('late');
    turn.firstToken();
    turn.abort();
    await on.recorder.flush();
    expect(said(on.synap.stored)).toEqual(['user: Hi', 'assistant: Hello']);
    expect(turn.state).toBe('complete');
  });

  it('records several messages of the user before one answer', async () => {
    await using on = await recorderOn();
    const turn = on.recorder.turn({ conversationId: 'c' });
    turn.user('Hi');
    turn.user('Are you there?');
    turn.complete({ content: 'Yes' });
    await on.recorder.flush();
    expect(said(on.synap.stored)).toEqual(['user: Hi', 'user: Are you there?', 'assistant: Yes']);
  });

  it('records a message with an id of the app once in a conversation, over all turns', async () => {
    await using on = await recorderOn();
    for (const answer of ['First try', 'Second try']) {
      const turn = on.recorder.turn({ conversationId: 'c' });
      turn.user('Hi', { messageId: 'm1' });
      turn.complete({ content: answer });
    }
    await on.recorder.flush();
    expect(said(on.synap.stored)).toEqual(['user: Hi', 'assistant: First try', 'assistant: Second try']);
  });

  it('makes no message of an answer without text', async () => {
    await using on = await recorderOn();
    const turn = on.recorder.turn({ conversationId: 'c' });
    turn.user('Hi');
    turn.fail(new Error('503'));
    await on.recorder.flush();
    expect(said(on.synap.stored)).toEqual(['user: Hi']);
    expect(on.losses).toEqual([]);
  });

  it('throws nothing into the app, whatever it is given, and counts what it could not read', async () => {
    await using on = await recorderOn();
    const turn = on.recorder.turn({ conversationId: 'c' });
    const hostile = new Proxy(
      {},
      {
        get() {
          throw new Error('trap');
        },
      },
    );
    turn.user(undefined as never);
    turn.user('Hi', null as never);
    turn.user('Hello?', { metadata: { f: () => 1, big: 1n, fine: 1, circular: on } });
    turn.append(42 as never);
    turn.complete(hostile);
    const { revoke, proxy } = Proxy.revocable({}, {});
    revoke();
    on.recorder.turn(undefined, { metadata: proxy }).user('there');
    await on.recorder.flush();
    expect(said(on.synap.stored)).toEqual(['user: Hi', 'user: Hello?', 'user: there']);
    expect(on.synap.stored[1]?.metadata).toMatchObject({ fine: 1 });
    expect(balanced(on.recorder).refused).toEqual({ invalid_message: 2 });
    expect(on.losses).toHaveLength(2);
  });
});

describe('identity', () => {
  it('comes from the call, then from around it, then from the wrapper, then from the recorder', async () => {
    await using on = await recorderOn(undefined, { userId: 'default', customerId: 'acme' });
    const { recorder } = on;
    const say = (...args: Parameters<typeof recorder.turn>) => recorder.turn(...args).user('x');
    say();
    say(undefined, { fallback: { userId: 'wrapper' } });
    await recorder.withIdentity({ userId: 'ambient' }, async () => {
      await Promise.resolve();
      say(undefined, { fallback: { userId: 'wrapper' } });
      say({ userId: 'call' }, { fallback: { userId: 'wrapper' } });
      say(undefined, { ambient: false });
      recorder.withIdentity({ sessionId: 'inner' }, () => say());
    });
    await recorder.flush();
    expect(on.synap.stored.map(message => message.user_id)).toEqual([
      'default',
      'wrapper',
      'ambient',
      'call',
      'default',
      'ambient',
    ]);
    expect(on.synap.stored[5]).toMatchObject({ session_id: 'inner', customer_id: 'acme' });
  });

  it('without a conversation gives each turn one of its own, and says so once', async () => {
    await using on = await recorderOn();
    for (let n = 0; n < 3; n++) on.recorder.turn().user('Hi');
    await on.recorder.flush();
    expect(new Set(on.synap.stored.map(message => message.conversation_id)).size).toBe(3);
    expect(on.log.filter(line => line.includes('conversationId'))).toHaveLength(1);
  });

  it('without a user records nothing, counts it and says so once', async () => {
    await using on = await recorderOn(undefined, { userId: undefined });
    for (let n = 0; n < 2; n++) {
      const turn = on.recorder.turn();
      turn.user('Hi');
      turn.complete({ content: 'Hello' });
    }
    expect(on.recorder.stats()).toMatchObject({ accepted: 0, refused: { missing_user_id: 4 } });
    expect(on.losses.map(loss => loss.reason)).toEqual(Array(4).fill('missing_user_id'));
    expect(on.log.filter(line => line.includes('userId'))).toHaveLength(1);
  });

  it('of recorder.newConversation() has a conversation of its own that lasts', async () => {
    await using on = await recorderOn();
    const chat = on.recorder.newConversation({ userId: 'bob' });
    on.recorder.turn(chat).user('One');
    on.recorder.turn(chat).user('Two');
    await on.recorder.flush();
    expect(on.synap.transcript(chat.conversationId)).toEqual(['user: One', 'user: Two']);
    expect(on.synap.stored[0]?.user_id).toBe('bob');
  });
});

describe('redact', () => {
  it('sees every message before it is queued, and what it answers is recorded', async () => {
    const seen: RecordMessageInput[] = [];
    await using on = await recorderOn(undefined, {
      redact(message) {
        seen.push(message);
        return { ...message, content: message.content.replace(/\d{4}/, '****'), conversationId: 'elsewhere' };
      },
    });
    const chat = on.recorder.newConversation();
    const turn = on.recorder.turn(chat);
    turn.user('My PIN is 1234');
    turn.complete({ content: 'Keep 1234 to yourself' });
    await on.recorder.flush();
    expect(seen.map(message => message.content)).toEqual(['My PIN is 1234', 'Keep 1234 to yourself']);
    expect(on.synap.transcript(chat.conversationId)).toEqual([
      'user: My PIN is ****',
      'assistant: Keep **** to yourself',
    ]);
  });

  it('may take its time: order within a conversation stays', async () => {
    let slow = 300;
    await using on = await recorderOn(undefined, {
      async redact(message) {
        slow -= 100;
        await turns(Math.max(0, slow));
        return message;
      },
    });
    const turn = on.recorder.turn({ conversationId: 'c' });
    turn.user('One');
    turn.complete({ content: 'Two' });
    const next = on.recorder.turn({ conversationId: 'c' });
    next.user('Three');
    await next.accepted;
    expect(on.recorder.stats().accepted).toBe(3);
    await on.recorder.flush();
    expect(said(on.synap.stored)).toEqual(['user: One', 'assistant: Two', 'user: Three']);
  });

  it('that outlives close() leaves its messages counted as lost, once', async () => {
    const slow = Promise.withResolvers<void>();
    await using on = await recorderOn(undefined, {
      redact: async message => {
        await slow.promise;
        return message;
      },
    });
    on.recorder.turn({ conversationId: 'c' }).user('Hi');
    expect(await on.recorder.flush({ timeoutMs: 10 })).toEqual({ delivered: 0, pending: 1, deadLettered: 0 });
    await on.recorder.close({ timeoutMs: 10 });
    slow.resolve();
    await turns();
    expect(balanced(on.recorder)).toMatchObject({ accepted: 0, refused: { recorder_closed: 1 } });
    expect(on.losses).toHaveLength(1);
  });

  const bad: [string, NonNullable<RecorderOptions['redact']>, LossReason][] = [
    ['throws', () => fail('My PIN is 1234'), 'redact_failed'],
    ['rejects', () => Promise.reject(new Error('My PIN is 1234')), 'redact_failed'],
    ['forgets to answer', () => undefined as never, 'redact_failed'],
    ['answers null', () => null, 'redacted'],
  ];

  it.each(bad)('that %s records nothing, and it is counted', async (_, redact, reason) => {
    await using on = await recorderOn(undefined, { redact });
    on.recorder.turn({ conversationId: 'c' }).user('My PIN is 1234');
    await on.recorder.flush();
    expect(on.synap.requests).toEqual([]);
    expect(on.losses).toMatchObject([{ reason }]);
    expect(on.log.join()).not.toContain('1234');
  });
});

describe('a recorder', () => {
  it('that is not enabled needs no key and records nothing', async () => {
    const recorder = createRecorder({ enabled: false, apiKey: '' });
    const turn = recorder.turn({ userId: 'ada' });
    turn.user('Hi');
    turn.complete({ content: 'Hello' });
    expect(recorder.stats()).toMatchObject({ accepted: 0, refused: {} });
    expect(await recorder.close()).toEqual({ delivered: 0, pending: 0, deadLettered: 0 });
  });

  it('that is closed counts what comes later as lost', async () => {
    await using on = await recorderOn();
    await on.recorder.close();
    on.recorder.turn({ conversationId: 'c' }).user('Too late');
    expect(on.losses).toMatchObject([{ reason: 'recorder_closed', role: 'user' }]);
  });

  it('survives an onLoss and a logger that throw', async () => {
    const boom = () => fail('boom');
    await using on = await recorderOn(undefined, {
      userId: undefined,
      onLoss: boom,
      logger: { info: boom, warn: boom, error: boom },
    });
    on.recorder.turn().user('Hi');
    expect(on.recorder.stats().refused).toEqual({ missing_user_id: 1 });
  });

  it('refuses wrong options with the name of the option', () => {
    const options = { apiKey: 'k', batch: { maxMessages: 0 } };
    expect(() => createRecorder(options)).toThrow(/batch\.maxMessages/);
    expect(() => createRecorder({ apiKey: 'k', redact: 'yes' as never })).toThrow(/redact/);
    expect(() => createRecorder({ apiKey: 'k', conversationScope: 'team' as never })).toThrow(/conversationScope/);
  });

  it('hands waitUntil a promise after each turn, which resolves when it is delivered', async () => {
    const waiting: Promise<unknown>[] = [];
    await using on = await recorderOn(undefined, {
      waitUntil: promise => void waiting.push(promise),
      batch: { lingerMs: 60_000 },
    });
    const turn = on.recorder.turn({ conversationId: 'c' });
    turn.user('Hi');
    turn.complete({ content: 'Hello' });
    expect(waiting).toHaveLength(1);
    await waiting[0];
    expect(on.synap.stored).toHaveLength(2);
  });
});

/** Idle times go by only when the function that it returns is called. */
function stopClock(): (ms: number) => void {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] });
  onTestFinished(() => void vi.useRealTimers());
  return ms => void vi.advanceTimersByTime(ms);
}

describe('a turn that nobody ends', () => {
  it('is abandoned after its idle time, with the text so far and the time of its last sign', async () => {
    await using on = await recorderOn();
    const pass = stopClock();
    const turn = on.recorder.turn({ conversationId: 'c' }, { idleMs: 60_000 });
    turn.user('Hi');
    turn.describe({ model: 'gpt-5' });
    turn.append('Hel');
    pass(59_000);
    expect(turn.state).toBe('open');
    pass(2000);
    expect(turn.state).toBe('abandoned');
    turn.complete({ content: 'too late' });
    await on.recorder.flush();
    expect(said(on.synap.stored)).toEqual(['user: Hi', 'assistant (abandoned): Hel']);
    expect(on.synap.stored[1]?.metadata).toMatchObject({ model: 'gpt-5' });
    // To the second, it is told when the last sign was.
    expect(on.synap.stored[1]?.metadata?.latency_ms).toBeLessThanOrEqual(1000);
  });

  it('lives on while there are signs of life', async () => {
    await using on = await recorderOn();
    const pass = stopClock();
    const turn = on.recorder.turn({ conversationId: 'c' }, { idleMs: 60_000 });
    turn.user('Hi');
    for (let n = 0; n < 6; n++) {
      pass(50_000);
      turn.touch();
    }
    expect(turn.state).toBe('open');
  });

  it('may still be answered when it had no text', async () => {
    await using on = await recorderOn();
    const turn = on.recorder.turn({ conversationId: 'c' }, { idleMs: 20 });
    turn.user('Hi');
    await expect.poll(() => turn.state).toBe('abandoned');
    turn.complete({ content: 'Sorry for the wait' });
    await on.recorder.flush();
    expect(said(on.synap.stored)).toEqual(['user: Hi', 'assistant: Sorry for the wait']);
  });

  it('is abandoned when the recorder closes', async () => {
    await using on = await recorderOn();
    const turn = on.recorder.turn({ conversationId: 'c' });
    turn.user('Hi');
    turn.append('Hel');
    await on.recorder.close();
    expect(said(on.synap.stored)).toEqual(['user: Hi', 'assistant (abandoned): Hel']);
  });
});

describe('messages at the end of a prompt', () => {
  it('are recorded once, the last always', async () => {
    await using on = await recorderOn();
    const ask = (...contents: string[]) => {
      const turn = on.recorder.turn({ conversationId: 'c' });
      turn.trailing(contents.map(content => ({ content })));
      return turn;
    };
    ask('Hi').fail(new Error('overloaded'));
    ask('Hi', 'Are you there?').complete({ content: 'Yes' });
    ask('Hi', 'Again').complete({ content: 'Hello' });
    await on.recorder.flush();
    expect(said(on.synap.stored)).toEqual([
      'user: Hi',
      'user: Are you there?',
      'assistant: Yes',
      'user: Hi',
      'user: Again',
      'assistant: Hello',
    ]);
  });
});

it('with tenancy b2b, a turn without a customer is refused at once', async () => {
  await using on = await recorderOn(undefined, { tenancy: 'b2b' });
  const turn = on.recorder.turn({ conversationId: 'c' });
  turn.user('Hi');
  expect(await turn.accepted).toEqual({ accepted: 0, lost: ['missing_customer_id'] });
  const other = on.recorder.turn({ conversationId: 'c', customerId: 'acme' });
  other.user('Hi');
  expect(await on.recorder.flush()).toMatchObject({ delivered: 1 });
});

it('an id that an app gives to turns of two users names two turns', async () => {
  await using on = await recorderOn();
  for (const userId of ['ada', 'bob']) {
    const turn = on.recorder.turn({ userId, conversationId: 'c' }, { id: 'request-1' });
    turn.user(`${userId} asks`);
    turn.complete({ content: `${userId} hears` });
  }
  await on.recorder.flush();
  expect(on.synap.stored.map(({ content }) => content)).toEqual(['ada asks', 'ada hears', 'bob asks', 'bob hears']);
  expect(new Set(on.synap.stored.map(({ metadata }) => metadata?.message_key)).size).toBe(4);
});

it('a turn that was abandoned and came back keeps the platform waiting until its end', async () => {
  const holds: Promise<unknown>[] = [];
  await using on = await recorderOn(undefined, { waitUntil: promise => void holds.push(promise) });
  const turn = on.recorder.turn({ conversationId: 'c' });
  turn.user('Hi');
  turn.abandon();
  turn.append('late');
  await holds[0];
  turn.complete();
  await Promise.all(holds);
  expect(holds).toHaveLength(2);
  expect(on.synap.stored.map(({ content }) => content)).toEqual(['Hi', 'late']);
});

it('a message that is too large is stored cut, and counts as delivered', async () => {
  await using on = await recorderOn();
  const turn = on.recorder.turn();
  turn.user('Hi');
  turn.complete({ content: 'z'.repeat(1_000_000), metadata: { blob: 'b'.repeat(1_000_000), app: 'support' } });
  expect(await on.recorder.flush()).toMatchObject({ delivered: 2 });
  expect(on.synap.stored[1]?.content).toContain('of 1000000 characters');
  expect(on.synap.stored[1]?.metadata).toMatchObject({ dropped_tags: 1, truncated: true, app: 'support' });
});

it('a message with an id of the app has the same key in another process, and an edit of it another one', async () => {
  const keys: unknown[] = [];
  for (const words of ['Why is the sky blue?', 'Why is the sky blue?', 'Why is the grass green?']) {
    // A recorder knows nothing of what another one has recorded, as after a restart.
    await using on = await recorderOn();
    on.recorder.turn({ conversationId: 'c' }).user(words, { messageId: 'm1' });
    await on.recorder.flush();
    keys.push(on.synap.stored[0]?.metadata?.message_key);
  }
  expect(keys[1]).toBe(keys[0]);
  expect(keys[2]).not.toBe(keys[0]);
});
