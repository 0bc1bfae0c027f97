import { describe, expect, it } from 'vitest';
import { StreamHints, saysNothing } from '../../src/ai-sdk/stream-hints.js';

const chunk = (hints: StreamHints, ...parts: unknown[]) => {
  for (const part of parts) hints.chunk({ chunk: part });
};
const call = (toolCallId: string, toolName: unknown = 'weather', more: object = {}) => ({
  type: 'tool-call',
  toolCallId,
  toolName,
  ...more,
});
const details = (hints: StreamHints) => {
  const { tools, sources, steps } = hints.answerTo(0);
  return { ...hints.model, ...steps.details, toolCalls: tools.names(), sources };
};
const usage = { inputTokens: 10, outputTokens: 5, totalTokens: 15 };

describe('what the callbacks of the SDK say', () => {
  it('is nothing before they run', () => {
    const hints = new StreamHints();
    expect([hints.length, hints.steps, [...hints.marks]]).toEqual([0, 0, []]);
    expect(details(hints)).toEqual({ toolCalls: [], sources: [] });
    expect([hints.error, hints.isAborted, hints.isWhole]).toEqual([undefined, false, false]);
  });

  it('has the tools that the answer has waited for', () => {
    expect(details(new StreamHints(['weather'])).toolCalls).toEqual(['weather']);
  });

  it('is how long each step is, and where it ends', () => {
    const hints = new StreamHints();
    hints.step({ content: [{ type: 'text', text: 'One' }], finishReason: 'tool-calls' });
    hints.step({ content: [{ type: 'text', text: 'Three' }], finishReason: 'stop' });
    expect([hints.length, hints.steps]).toEqual([8, 2]);
    expect([...hints.marks]).toEqual([
      { type: 'step', at: 3 },
      { type: 'step', at: 8 },
    ]);
  });

  it('is the text of a step that tells no content', () => {
    const hints = new StreamHints();
    hints.step({ text: 'One' });
    hints.step({ text: 7 });
    expect(hints.length).toBe(3);
  });

  it('is no thinking', () => {
    const hints = new StreamHints();
    hints.step({
      content: [
        { type: 'reasoning', text: 'Hm' },
        { type: 'text', text: 'One' },
      ],
    });
    expect(hints.length).toBe(3);
  });

  it('is what a step has taken, added up, and how the last has ended', () => {
    const hints = new StreamHints();
    hints.step({ usage, finishReason: 'tool-calls', response: { modelId: 'gpt-5-mini' } });
    hints.step({ usage, finishReason: 'stop', response: {} });
    expect(details(hints)).toMatchObject({
      steps: 2,
      finishReason: 'stop',
      responseModel: 'gpt-5-mini',
      usage: { inputTokens: 20, outputTokens: 10, totalTokens: 30 },
    });
  });

  it('is no model that answered where the SDK repeats the name of the one that was asked', () => {
    const hints = new StreamHints();
    hints.modelIs('gpt-5');
    hints.step({ response: { modelId: 'gpt-5' } });
    expect(details(hints)).not.toHaveProperty('responseModel');
    hints.step({ response: { modelId: 'gpt-5-2026-01-01' } });
    expect(details(hints).responseModel).toBe('gpt-5-2026-01-01');
  });

  it('is which model was asked', () => {
    const hints = new StreamHints();
    hints.modelIs('gpt-5');
    expect(details(hints)).toEqual({ toolCalls: [], sources: [], model: 'gpt-5' });
    hints.modelIs({ modelId: 'gpt-5-mini', provider: 'openai' });
    hints.modelIs(undefined);
    expect(details(hints)).toMatchObject({ model: 'gpt-5-mini', provider: 'openai' });
  });

  it('is which model a step asked', () => {
    const hints = new StreamHints();
    hints.modelIs({ modelId: 'gpt-5', provider: 'openai' });
    hints.step({ model: { modelId: 'claude', provider: 'anthropic' } });
    expect(details(hints)).toMatchObject({ model: 'claude', provider: 'anthropic' });
  });

  it('is what a step has beside text: where its tools, its files and its sources stand', () => {
    const hints = new StreamHints();
    hints.step({
      content: [
        { type: 'text', text: 'One' },
        call('call-1'),
        { type: 'tool-result', toolCallId: 'call-1' },
        { type: 'text', text: 'Two' },
        { type: 'file', file: { mediaType: 'image/png' } },
        { type: 'source', url: 'https://example.com', title: 'Example' },
        { type: 'text', text: 'Three' },
      ],
    });
    expect([...hints.marks]).toEqual([
      { type: 'step', at: 3 },
      { type: 'file', at: 6, file: { mediaType: 'image/png' } },
      { type: 'step', at: 11 },
    ]);
    expect(details(hints)).toMatchObject({
      toolCalls: ['weather'],
      sources: [{ url: 'https://example.com', title: 'Example' }],
    });
  });

  it('keeps no more sources than are recorded', () => {
    const hints = new StreamHints();
    hints.step({ content: Array.from({ length: 201 }, () => ({ type: 'source', url: 'https://example.com' })) });
    expect(details(hints).sources).toHaveLength(200);
  });

  it('tells the tools that wait from those that ran', () => {
    const hints = new StreamHints();
    hints.step({
      content: [
        call('call-1'),
        { type: 'tool-result', toolCallId: 'call-1' },
        call('call-2'),
        { type: 'tool-error', toolCallId: 'call-2' },
        call('call-3'),
        { type: 'tool-result', toolCallId: 'call-3', preliminary: true },
        call('call-4', 'search', { providerExecuted: true }),
      ],
    });
    expect(hints.answerTo(0).tools.waiting.map(({ id }) => id)).toEqual(['call-3']);
  });

  it('has no tool waiting once there is a further step', () => {
    const hints = new StreamHints();
    hints.step({ content: [call('call-1')] });
    expect(hints.answerTo(0).tools.waiting).toHaveLength(1);
    hints.step({ content: [] });
    expect(hints.answerTo(0).tools.waiting).toHaveLength(0);
  });

  it('is an error, until a step ends well after it', () => {
    const hints = new StreamHints();
    const error = new Error('boom');
    hints.failed(error);
    for (const finishReason of ['error', 'other', 'unknown', undefined]) hints.step({ finishReason });
    expect(hints.error).toEqual({ error });
    hints.step({ finishReason: 'stop' });
    expect(hints.error).toBeUndefined();
  });

  it('is an abort, with its reason', () => {
    const hints = new StreamHints();
    hints.aborted({ reason: 'enough' });
    expect([hints.isAborted, hints.abortReason]).toEqual([true, 'enough']);
  });

  it('is nothing where a callback is called in an odd way', () => {
    const hints = new StreamHints();
    for (const odd of [undefined, null, 7, { chunk: null }, { chunk: { type: 7 } }]) {
      hints.chunk(odd);
      hints.aborted(odd);
    }
    hints.step(undefined);
    expect([hints.length, hints.steps]).toEqual([0, 1]);
  });
});

describe('what the callback for chunks says', () => {
  it('is the same, part by part', () => {
    const hints = new StreamHints();
    chunk(
      hints,
      { type: 'start-step' },
      { type: 'text-delta', text: 'One' },
      { type: 'text-delta', text: 7 },
      { type: 'reasoning-delta', text: 'Hm' },
      call('call-1'),
      { type: 'tool-result', toolCallId: 'call-1' },
      { type: 'finish-step', usage, finishReason: 'tool-calls', response: { modelId: 'gpt-5-mini' } },
      { type: 'start-step' },
      { type: 'text-delta', text: 'Two' },
      { type: 'file', file: { mediaType: 'image/png' } },
      { type: 'source', url: 'https://example.com' },
      { type: 'finish-step', usage, finishReason: 'stop' },
    );
    expect([hints.length, hints.steps]).toEqual([6, 2]);
    expect([...hints.marks]).toEqual([
      { type: 'step', at: 0 },
      { type: 'step', at: 3 },
      { type: 'file', at: 6, file: { mediaType: 'image/png' } },
    ]);
    expect(details(hints)).toMatchObject({
      toolCalls: ['weather'],
      sources: [{ url: 'https://example.com' }],
      finishReason: 'stop',
      responseModel: 'gpt-5-mini',
      usage: { totalTokens: 30 },
    });
  });

  it('parts steps without a tool', () => {
    const hints = new StreamHints();
    chunk(hints, { type: 'text-delta', text: 'One' }, { type: 'start-step' });
    expect([...hints.marks]).toEqual([{ type: 'step', at: 3 }]);
  });

  it('has no tool waiting once the next step begins', () => {
    const hints = new StreamHints();
    chunk(hints, call('call-1'), { type: 'finish-step' });
    expect(hints.answerTo(0).tools.waiting).toHaveLength(1);
    chunk(hints, { type: 'start-step' });
    expect(hints.answerTo(0).tools.waiting).toHaveLength(0);
  });

  it('is what the user has said into the answer', () => {
    const hints = new StreamHints();
    chunk(hints, { type: 'text-delta', text: 'One' }, { type: 'steering-message', message: { content: 'And?' } });
    expect(hints.marks.steerings).toMatchObject([{ at: 3, said: { content: 'And?' } }]);
  });

  it('is an abort, or an error', () => {
    const hints = new StreamHints();
    chunk(hints, { type: 'abort' });
    expect([hints.isAborted, hints.error]).toEqual([true, undefined]);
    const error = new Error('boom');
    chunk(hints, { type: 'error', error });
    expect(hints.error).toEqual({ error });
  });

  it('goes to whoever reads nothing else, each part as it is', () => {
    const hints = new StreamHints();
    const parts: unknown[] = [];
    hints.parts = part => void parts.push(part);
    const finish = { type: 'finish' };
    chunk(hints, finish);
    expect(parts).toEqual([finish]);
    expect(parts[0]).toBe(finish);
  });
});

describe('a finish reason', () => {
  it.each([
    [undefined, true],
    ['error', true],
    ['other', true],
    ['unknown', true],
    ['stop', false],
    ['length', false],
  ])('%s says nothing of how a step has ended: %s', (reason, says) => {
    expect(saysNothing(reason)).toBe(says);
  });
});
