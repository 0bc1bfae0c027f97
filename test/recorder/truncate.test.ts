import { describe, expect, it } from 'vitest';
import { jsonBytes, MAX_MESSAGE_BYTES, truncateMessage } from '../../src/recorder/truncate.js';

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

  it('loses its own largest fields next, but none that it is known by', () => {
    const metadata = { message_key: 'k', turn_id: 't', status: 'complete', app: 'a', error: 'e'.repeat(300_000) };
    const { message: kept } = truncateMessage(message('Hi', { ...metadata, truncated_fields: ['model'] }));
    expect(kept.metadata).toEqual({
      message_key: 'k',
      turn_id: 't',
      status: 'complete',
      dropped_tags: 1,
      truncated_fields: ['model', 'error'],
    });
  });

  it('counts the tags that it lost with those that were left out before', () => {
    const { message: kept } = truncateMessage(message('Hi', { dropped_tags: 2, a: 'x'.repeat(300_000), b: 1 }));
    expect(kept.metadata).toEqual({ dropped_tags: 3, b: 1 });
  });

  it('is cut where the end of its text was not kept, however short it is', () => {
    const { message: kept } = truncateMessage(message('Hi'), 7);
    expect(kept.content).toBe('Hi\n\n[cut by synap-recorder: 2 of 9 characters]');
    expect(kept.metadata).toEqual({ message_key: 'k', truncated: true, original_length: 9 });
  });

  it('is refused where it is too large even without its text and tags', () => {
    const large = { ...message('Hi'), userId: 'u'.repeat(300_000) };
    expect(() => truncateMessage(large)).toThrow(/too large even without its text and tags/);
  });
});
