import { describe, expect, it } from 'vitest';
import { jsonBytes, MAX_MESSAGE_BYTES, truncateMessage } from '../../src/recorder/truncate.js';
import { recorderOn } from '../support/recorder.js';

const message = (content: string, metadata: Record<string, unknown> = { message_key: 'k' }) =>
  ({ conversationId: crypto.randomUUID(), role: 'user', content, userId: 'ada', metadata }) as const;

describe('a message that is too large', () => {
  it.each([
    ['letters', 'x'.repeat(10_000_000)],
    ['characters of four bytes', '😀'.repeat(200_000)],
    ['characters that JSON escapes', '\u0001"\\\n'.repeat(100_000)],
    ['a little too many letters', 'x'.repeat(MAX_MESSAGE_BYTES)],
  ])('of %s is cut to fit, whole characters only, with a marker', (_, content) => {
    const { message: kept, bytes } = truncateMessage(message(content));
    expect(bytes).toBe(jsonBytes(kept));
    expect(bytes).toBeLessThanOrEqual(MAX_MESSAGE_BYTES);
    expect(bytes).toBeGreaterThan(MAX_MESSAGE_BYTES - 20);
    expect(kept.content.isWellFormed()).toBe(true);
    expect(kept.content).toMatch(new RegExp(`\\[cut by synap-recorder: \\d+ of ${content.length} characters\\]$`));
    expect(kept.metadata).toEqual({ message_key: 'k', truncated: true, original_length: content.length });
  });

  it('loses its largest tags before its text', () => {
    const tags = Object.fromEntries(Array.from({ length: 10_000 }, (_, n) => [`tag${n}`, 'y'.repeat(n % 100)]));
    const { message: kept, bytes } = truncateMessage(message('Hi', { message_key: 'k', ...tags }));
    expect(bytes).toBeLessThanOrEqual(MAX_MESSAGE_BYTES);
    expect(kept.content).toBe('Hi');
    expect(kept.metadata).toMatchObject({ message_key: 'k', tag0: '', dropped_tags: expect.any(Number) });
    expect(kept.metadata).not.toHaveProperty('tag99');
  });

  it('is left alone when it is not', () => {
    const small = message('x'.repeat(200_000));
    expect(truncateMessage(small).message).toBe(small);
  });

  it('is stored cut, and counts as delivered', async () => {
    await using on = await recorderOn();
    const turn = on.recorder.turn();
    turn.user('Hi');
    turn.complete({ content: 'z'.repeat(1_000_000), metadata: { blob: 'b'.repeat(1_000_000), app: 'support' } });
    expect(await on.recorder.flush()).toMatchObject({ delivered: 2 });
    expect(on.synap.stored[1]?.content).toContain('of 1000000 characters');
    expect(on.synap.stored[1]?.metadata).toMatchObject({ dropped_tags: 1, truncated: true, app: 'support' });
  });
});
