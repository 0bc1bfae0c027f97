import { AsyncLocalStorage } from 'node:async_hooks';
import { type ChannelListener, subscribe, unsubscribe } from 'node:diagnostics_channel';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createRecorder, type Loss, type Recorder } from '../../src/index.js';
import type { OpenTelemetryApi } from '../../src/recorder/trace-id.js';
import { recorderOn } from '../support/recorder.js';

/** What came over a channel. */
function heard(topic: string, listener?: ChannelListener) {
  const events: Record<string, unknown>[] = [];
  const listen: ChannelListener = (message, name) => {
    events.push(message as Record<string, unknown>);
    return listener?.(message, name);
  };
  subscribe(`synap-recorder:${topic}`, listen);
  onTestFinished(() => void unsubscribe(`synap-recorder:${topic}`, listen));
  return events;
}

function say(recorder: Recorder, text = 'a secret word') {
  const turn = recorder.turn({ conversationId: 'c' });
  turn.user(text);
  turn.complete({ content: 'another secret word' });
}

describe('the channels of node:diagnostics_channel', () => {
  it('tell of what is accepted, delivered and requested', async () => {
    const [accepted, delivered, request, lost] = ['accepted', 'delivered', 'request', 'lost'].map(topic =>
      heard(topic),
    );
    await using on = await recorderOn();
    say(on.recorder);
    await on.recorder.flush();
    const [user, assistant] = on.synap.stored;
    const conversationId = user?.conversation_id;
    expect(accepted).toEqual([
      { messageKey: user?.metadata?.message_key, conversationId, role: 'user', bytes: expect.any(Number) },
      { messageKey: assistant?.metadata?.message_key, conversationId, role: 'assistant', bytes: expect.any(Number) },
    ]);
    expect(delivered).toEqual([
      { messageKey: user?.metadata?.message_key, messageId: expect.any(String), conversationId, role: 'user' },
      {
        messageKey: assistant?.metadata?.message_key,
        messageId: expect.any(String),
        conversationId,
        role: 'assistant',
      },
    ]);
    expect(request).toContainEqual({
      method: 'POST',
      path: '/v1/conversations/messages/batch',
      messages: 2,
      status: 200,
      error: undefined,
      durationMs: expect.any(Number),
      correlationId: on.synap.requests[0]?.headers['x-correlation-id'],
    });
    expect(lost).toEqual([]);
    expect(JSON.stringify([accepted, delivered, request])).not.toMatch(/secret word|test-key/);
  });

  it('tell of what is lost, before it is accepted and after', async () => {
    const lost = heard('lost');
    await using on = await recorderOn(({ messages }) => (messages.length > 0 ? { status: 422 } : undefined), {
      redact: message => (message.role === 'assistant' ? null : message),
    });
    say(on.recorder);
    await on.recorder.flush();
    expect(lost).toMatchObject([
      { reason: 'redacted', role: 'assistant' },
      { reason: 'rejected', role: 'user', messageKey: expect.any(String), conversationId: expect.any(String) },
    ]);
  });

  it('tell of a request that got no answer', async () => {
    const request = heard('request');
    await using on = await recorderOn(() => ({ reset: 'before storing' }));
    say(on.recorder);
    await on.recorder.flush({ timeoutMs: 200 });
    expect(request).toContainEqual(expect.objectContaining({ status: undefined, error: 'network', messages: 2 }));
  });

  it('hold back what a subscriber throws or rejects', async () => {
    const uncaught: unknown[] = [];
    const note = (error: unknown) => void uncaught.push(error);
    process.on('uncaughtException', note).on('unhandledRejection', note);
    onTestFinished(() => void process.off('uncaughtException', note).off('unhandledRejection', note));
    for (const topic of ['accepted', 'delivered', 'request', 'lost'])
      heard(topic, () => {
        throw new Error('boom');
      });
    const rejecting = heard('accepted', () => Promise.reject(new Error('boom')));
    const after = heard('accepted');
    await using on = await recorderOn();
    say(on.recorder);
    expect(await on.recorder.flush()).toMatchObject({ delivered: 2 });
    expect([rejecting.length, after.length]).toEqual([2, 2]);
    await new Promise(resolve => setTimeout(resolve, 5));
    expect(uncaught).toEqual([]);
  });
});

describe("the app's async context", () => {
  const storage = new AsyncLocalStorage<string>();

  it('is in nothing of the delivery', async () => {
    const seen: [string, string | undefined][] = [];
    const see = (where: string) => void seen.push([where, storage.getStore()]);
    for (const topic of ['accepted', 'delivered', 'request', 'lost']) heard(topic, () => see(topic));
    const undici = () => see('undici');
    for (const name of ['undici:request:create', 'undici:client:sendHeaders', 'undici:client:connected']) {
      subscribe(name, undici);
      onTestFinished(() => void unsubscribe(name, undici));
    }
    let calls = 0;
    await storage.run('a request', async () => {
      const write = (text: string) => see(text);
      await using on = await recorderOn(
        ({ messages }) => (calls++ === 0 ? { status: 503 } : messages.length === 1 ? { status: 422 } : undefined),
        {
          onDelivered: () => see('onDelivered'),
          onLoss: ({ reason }: Loss) => see(`lost ${reason}`),
          rateLimit: { requestsPerMinute: 6000, burst: 1 },
          logger: { info: write, warn: write, error: write },
        },
      );
      say(on.recorder);
      await Promise.all([on.recorder.flush(), on.recorder.flush({ timeoutMs: 5000 })]);
      on.recorder.turn({ conversationId: 'd' }).user('Hi');
      await on.recorder.close();
      expect(storage.getStore()).toBe('a request');
    });
    expect(seen.filter(([, store]) => store !== undefined)).toEqual([]);
    const places = new Set(seen.map(([where]) => where));
    for (const where of ['undici', 'accepted', 'delivered', 'request', 'lost', 'onDelivered', 'lost rejected'])
      expect(places, where).toContain(where);
  });

  it('is in no timer and no connection that a first request leaves behind', async () => {
    const held = new Set<unknown>();
    await storage.run('a request', async () => {
      await using on = await recorderOn(undefined, {
        dispatcher: {
          async request() {
            held.add(storage.getStore());
            return { statusCode: 503, headers: {}, body: Object.assign((async function* () {})(), { destroy() {} }) };
          },
        },
      });
      say(on.recorder);
      await on.recorder.flush({ timeoutMs: 100 });
      await expect.poll(() => on.recorder.stats().pending).toBe(2);
    });
    expect([...held]).toEqual([undefined]);
  });
});

/** An OpenTelemetry API whose metrics are read by hand. */
function openTelemetry() {
  type Callback = (result: { observe(value: number, attributes?: object): void }) => void;
  const instruments = new Map<string, Callback>();
  const create = (name: string) => ({ addCallback: (callback: Callback) => void instruments.set(name, callback) });
  const provider = { getMeter: () => ({ createObservableCounter: create, createObservableGauge: create }) };
  return {
    provider,
    api: { trace: { getActiveSpan: () => undefined }, metrics: provider } as OpenTelemetryApi,
    names: () => [...instruments.keys()],
    read(name: string): [number, object?][] {
      const values: [number, object?][] = [];
      instruments.get(name)?.({ observe: (...value) => void values.push(value) });
      return values;
    },
    value: (name: string, reason?: string) => {
      const values: [number, object?][] = [];
      instruments.get(name)?.({ observe: (...value) => void values.push(value) });
      return (
        values.find(([, attributes]) => (attributes as { reason?: string } | undefined)?.reason === reason)?.[0] ?? 0
      );
    },
  };
}

describe("OpenTelemetry's metrics", () => {
  it('count what is accepted, delivered and lost, and say what waits and how long', async () => {
    const { api, names, value } = openTelemetry();
    let isDown = true;
    await using on = await recorderOn(() => (isDown ? { status: 503 } : undefined), {
      openTelemetry: api,
      redact: message => (message.content === 'no' ? null : message),
    });
    expect(names()).toEqual([
      'synap_recorder.messages.accepted',
      'synap_recorder.messages.delivered',
      'synap_recorder.messages.lost',
      'synap_recorder.backlog',
      'synap_recorder.oldest_age',
    ]);
    const before = ['accepted', 'delivered'].map(name => value(`synap_recorder.messages.${name}`));
    const lostBefore = value('synap_recorder.messages.lost', 'redacted');
    say(on.recorder);
    say(on.recorder, 'no');
    await on.recorder.flush({ timeoutMs: 50 });
    expect(value('synap_recorder.backlog')).toBe(3);
    expect(value('synap_recorder.oldest_age')).toBeGreaterThan(0.03);
    expect(value('synap_recorder.messages.accepted')).toBe((before[0] ?? 0) + 3);
    expect(value('synap_recorder.messages.lost', 'redacted')).toBe(lostBefore + 1);
    isDown = false;
    await on.recorder.flush();
    expect(value('synap_recorder.messages.delivered')).toBe((before[1] ?? 0) + 3);
    expect([value('synap_recorder.backlog'), value('synap_recorder.oldest_age')]).toEqual([0, 0]);
  });

  it('are made by what an app registers, also after its recorder', async () => {
    const REGISTRY = Symbol.for('opentelemetry.js.api.1');
    const held = globalThis as { [REGISTRY]?: unknown };
    const before = held[REGISTRY];
    onTestFinished(() => {
      held[REGISTRY] = before;
    });
    await using on = await recorderOn();
    say(on.recorder);
    const { provider, value, names } = openTelemetry();
    held[REGISTRY] = { version: '1.9.0', metrics: provider };
    expect(names()).toEqual([]);
    say(on.recorder, 'another');
    expect(value('synap_recorder.messages.accepted')).toBeGreaterThanOrEqual(4);
  });

  it('are one for many recorders, and none with false', async () => {
    const { api, read } = openTelemetry();
    await using one = await recorderOn(() => ({ status: 503 }), { openTelemetry: api });
    await using other = await recorderOn(() => ({ status: 503 }), { openTelemetry: api });
    await using silent = await recorderOn(undefined, { openTelemetry: false });
    const before = read('synap_recorder.messages.accepted')[0]?.[0] ?? 0;
    for (const { recorder } of [one, other, silent]) say(recorder);
    expect(read('synap_recorder.messages.accepted')).toEqual([[before + 4]]);
    expect(read('synap_recorder.backlog')).toEqual([[4]]);
  });

  it('that throw reach nobody', () => {
    const provider = {
      getMeter() {
        throw new Error('boom');
      },
    };
    const api = { trace: { getActiveSpan: () => undefined }, metrics: provider } as OpenTelemetryApi;
    const recorder = createRecorder({ apiKey: 'k', openTelemetry: api, logger: false, userId: 'ada' });
    expect(() => say(recorder)).not.toThrow();
    void recorder.close({ timeoutMs: 0 });
  });
});
