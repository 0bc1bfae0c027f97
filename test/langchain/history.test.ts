import { AIMessage, HumanMessage, SystemMessage, ToolMessage } from '@langchain/core/messages';
import { describe, expect, it } from 'vitest';
import { createRecorder, InvalidInputError } from '../../src/index.js';
import { HistoryUpdates } from '../../src/langchain/history/history-updates.js';
import { SynapChatMessageHistory } from '../../src/langchain/index.js';
import type { Turn } from '../../src/recorder/turn.js';
import { lines, on } from './history-support.js';

describe('what is added to a history', () => {
  it('is recorded, and read back', async () => {
    await using o = await on();
    await o.history().addMessages([new HumanMessage('Hi'), new AIMessage('Hello')]);
    await o.history().addUserMessage('Why?');
    await o.history().addAIMessage('Because.');
    const transcript = ['user: Hi', 'assistant: Hello', 'user: Why?', 'assistant: Because.'];
    expect(await o.transcript()).toEqual(transcript);
    const fresh = new SynapChatMessageHistory(createRecorder({ enabled: false }), {
      userId: 'ada',
      conversationId: 'chat',
      read: o.read,
    });
    expect(await lines(fresh)).toEqual(['human: Hi', 'ai: Hello', 'human: Why?', 'ai: Because.']);
    const [hi, hello, why, because] = (await o.stored()).map(({ metadata }) => metadata.turn_id);
    expect([hello, because]).toEqual([hi, why]);
    expect(hi).not.toBe(why);
  });

  it('is there for this process before it is delivered, once, through any object of the same conversation', async () => {
    await using o = await on({ batch: { lingerMs: 60_000 } });
    await o.history().addMessages([new HumanMessage('Hi'), new AIMessage('Hello')]);
    expect(await lines(o.history())).toEqual(['human: Hi', 'ai: Hello']);
    expect(await lines(o.history('other'))).toEqual([]);
    await o.recorder.flush();
    await o.history().addUserMessage('Why?');
    expect(await lines(o.history())).toEqual(['human: Hi', 'ai: Hello', 'human: Why?']);
    await o.recorder.flush();
    expect(await lines(o.history())).toEqual(['human: Hi', 'ai: Hello', 'human: Why?']);
  });

  it('leaves out what is no part of a transcript', async () => {
    await using o = await on();
    await o
      .history()
      .addMessages([
        new SystemMessage('Be kind.'),
        new HumanMessage('Weather?'),
        new AIMessage({ content: 'Let me check.', tool_calls: [{ name: 'weather', args: {}, id: '1' }] }),
        new ToolMessage({ content: 'sunny', tool_call_id: '1' }),
        new AIMessage({ content: 'Sunny.', response_metadata: { model_name: 'm-1', finish_reason: 'stop' } }),
      ]);
    expect(await o.transcript()).toEqual(['user: Weather?', 'assistant: Sunny.']);
    expect((await o.stored())[1]?.metadata).toMatchObject({ response_model: 'm-1', finish_reason: 'stop' });
  });

  it('may be the same words again', async () => {
    await using o = await on();
    for (let n = 0; n < 2; n++) await o.history().addMessages([new HumanMessage('yes'), new AIMessage('ok')]);
    await o.history().addUserMessage('yes');
    await o.history().addUserMessage('yes');
    const transcript = ['user: yes', 'assistant: ok', 'user: yes', 'assistant: ok', 'user: yes', 'user: yes'];
    expect(await o.transcript()).toEqual(transcript);
    expect(await lines(o.history())).toHaveLength(6);
  });

  it('is a loss, and no error, without a user', async () => {
    const losses: string[] = [];
    await using o = await on({ userId: undefined, onLoss: ({ reason }) => void losses.push(reason) });
    await o.history().addUserMessage('Hi');
    expect(losses).toEqual(['missing_user_id']);
    await expect(o.history().getMessages()).rejects.toBeInstanceOf(InvalidInputError);
  });

  it('goes to one conversation, also when the app names none', async () => {
    await using o = await on();
    const history = new SynapChatMessageHistory(o.recorder, { read: o.read });
    await history.addUserMessage('Hi');
    await history.addAIMessage('Hello');
    await o.recorder.flush();
    expect(await lines(history)).toEqual(['human: Hi', 'ai: Hello']);
  });

  it('can’t be cleared', async () => {
    await using o = await on();
    await expect(o.history().clear()).rejects.toThrow('start another conversation');
  });
});

describe('what is kept of past conversations', () => {
  const turn = (n: number, conversationId = `c${n}`) => ({ id: `t${n}`, conversationId }) as Turn;

  it('is little without a history, much with one, and never without a bound', () => {
    for (const [hasHistory, limit] of [
      [false, 50],
      [true, 10_000],
    ] as const) {
      const updates = new HistoryUpdates();
      updates.hasHistory = hasHistory;
      const all = Array.from({ length: limit + 10 }, (_, n) => updates.open(turn(n), () => false));
      expect(updates.in('c0')).toHaveLength(1);
      for (const entry of all) entry?.close('Hello');
      expect(updates.in('c9')).toEqual([]);
      expect(updates.in('c10')).toHaveLength(1);
    }
    const updates = new HistoryUpdates();
    for (let n = 0; n < 5; n++) updates.open(turn(n, 'c'), () => false)?.close('x'.repeat(1_000_000));
    expect(updates.in('c').map(({ turnId }) => turnId)).toEqual(['t1', 't2', 't3', 't4']);
  });
});
