import { describe, expect, it } from 'vitest';
import type { Delivered } from '../../src/index.js';
import { recorderOn } from '../support/recorder.js';
import type { Script } from '../support/scripted-synap.js';

/** A turn of two messages, through a recorder that reports what is delivered. */
async function reported(script?: Script, onDelivered: (one: Delivered) => unknown = () => {}) {
  const delivered: Delivered[] = [];
  const on = await recorderOn(script, {
    onDelivered: one => {
      delivered.push(one);
      return onDelivered(one) as undefined;
    },
  });
  const say = () => {
    const turn = on.recorder.turn({ conversationId: 'c' });
    turn.user('Hi', { messageId: 'm1' });
    turn.complete({ content: 'Ho' });
  };
  return { ...on, delivered, say, [Symbol.asyncDispose]: () => on[Symbol.asyncDispose]() };
}

describe('onDelivered', () => {
  it('says which record each message is', async () => {
    await using on = await reported();
    on.say();
    await on.recorder.flush();
    expect(on.delivered).toHaveLength(2);
    for (const [index, { role, conversation_id, metadata }] of on.synap.stored.entries())
      expect(on.delivered[index]).toEqual({
        messageKey: metadata?.message_key,
        messageId: expect.any(String),
        conversationId: conversation_id,
        role,
      });
    expect(new Set(on.delivered.map(({ messageId }) => messageId)).size).toBe(2);
  });

  it('says it of one that went alone', async () => {
    await using on = await reported();
    on.recorder.turn({ conversationId: 'c' }).user('Hi');
    await on.recorder.flush();
    expect(on.delivered).toMatchObject([{ role: 'user', messageId: expect.any(String) }]);
  });

  it('says nothing of what is refused, and says it once of what is sent again', async () => {
    let calls = 0;
    await using on = await reported(() => (calls++ === 0 ? { status: 503 } : undefined));
    on.say();
    await on.recorder.flush();
    expect(on.delivered.map(({ role }) => role)).toEqual(['user', 'assistant']);
  });

  it('that throws or rejects changes nothing, and is spoken of once', async () => {
    for (const boom of [
      () => {
        throw new Error('boom');
      },
      () => Promise.reject(new Error('boom')),
    ]) {
      await using on = await reported(undefined, boom);
      on.say();
      await on.recorder.flush();
      expect(on.recorder.stats()).toMatchObject({ delivered: 2, pending: 0 });
      expect(on.log.filter(line => line.includes('onDelivered threw'))).toHaveLength(1);
    }
  });

  it('works with a client of the app’s own, whatever that answers', async () => {
    const delivered: Delivered[] = [];
    const conversation = { recordMessage: async () => undefined, recordMessagesBatch: async () => ({ results: [] }) };
    await using on = await recorderOn(undefined, {
      client: { conversation } as never,
      onDelivered: one => void delivered.push(one),
    });
    on.recorder.turn({ conversationId: 'c' }).user('Hi');
    await on.recorder.flush();
    expect(delivered).toMatchObject([{ role: 'user', messageId: undefined }]);
  });
});
