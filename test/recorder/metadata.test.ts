import { describe, expect, it } from 'vitest';
import { addUsage, assistantMetadata, tagMetadata, userMetadata } from '../../src/recorder/metadata.js';
import { VERSION } from '../../src/version.js';

const time = new Date(0);
const facts = { turnId: 't', startedAt: time };
const end = { status: 'complete', endedAt: time, latencyMs: undefined } as const;

describe('the metadata of a message', () => {
  it('leave out what is not known: never null, never 0', () => {
    expect(userMetadata(facts)).toEqual({
      turn_id: 't',
      started_at: '1970-01-01T00:00:00.000Z',
      recorder_version: VERSION,
    });
    expect(assistantMetadata(facts, end)).toEqual({
      turn_id: 't',
      status: 'complete',
      started_at: '1970-01-01T00:00:00.000Z',
      ended_at: '1970-01-01T00:00:00.000Z',
      recorder_version: VERSION,
    });
  });

  it('leave out a text that is empty or none, a count that is none, and a time that is none', () => {
    const answer = { ...end, model: '', provider: 7 as never, steps: Number.NaN, latencyMs: Number.POSITIVE_INFINITY };
    const metadata = assistantMetadata({ ...facts, startedAt: new Date(Number.NaN) }, answer);
    expect(Object.keys(metadata).sort()).toEqual(['ended_at', 'recorder_version', 'status', 'turn_id']);
  });

  it('have whole milliseconds that are never below 0, and counts that may be 0', () => {
    const answer = { ...end, latencyMs: 12.6, timeToFirstTokenMs: -3, usage: { cachedInputTokens: 0 }, steps: 0 };
    expect(assistantMetadata(facts, answer)).toMatchObject({
      latency_ms: 13,
      time_to_first_token_ms: 0,
      cached_input_tokens: 0,
      steps: 0,
    });
  });

  it('add up a total only where nobody has counted one', () => {
    const total = (usage: object) => assistantMetadata(facts, { ...end, usage }).total_tokens;
    expect(total({ inputTokens: 3, outputTokens: 4 })).toBe(7);
    expect(total({ inputTokens: 3, outputTokens: 4, totalTokens: 9 })).toBe(9);
    expect(total({ outputTokens: 4 })).toBe(4);
    expect(total({})).toBeUndefined();
  });

  it('cut a text beyond 1,000 characters, and say which', () => {
    const metadata = userMetadata({ ...facts, framework: 'f'.repeat(1000), externalConversationId: 'c'.repeat(1001) });
    expect(metadata).toMatchObject({
      framework: 'f'.repeat(1000),
      external_conversation_id: `${'c'.repeat(1000)}…`,
      truncated_fields: ['external_conversation_id'],
    });
  });
});

describe('tags', () => {
  it('of the nearer layer stand over those of the farther, and cannot have a name of the recorder', () => {
    const dropped: string[] = [];
    const tags = tagMetadata(
      [
        { a: 1, status: 'mine' },
        { a: 2, b: 3 },
      ],
      name => void dropped.push(name),
    );
    expect(tags).toEqual({ a: 1, b: 3 });
    expect(dropped).toEqual(['status']);
  });

  it('that are too many are counted', () => {
    expect(tagMetadata([{ a: 'x'.repeat(70_000), b: 1 }], () => {})).toEqual({ b: 1, dropped_tags: 1 });
  });
});

it('tokens of two calls add up, and a count that neither knows stays unknown', () => {
  const sum = addUsage({ inputTokens: 1, outputTokens: 2 }, { inputTokens: 3, totalTokens: 5 });
  expect(sum).toEqual({ inputTokens: 4, outputTokens: 2, totalTokens: 5 });
});
