import { AIMessage } from '@langchain/core/messages';
import { describe, expect, it } from 'vitest';
import { answeringCall } from '../../src/langchain/answering-call.js';
import { LlmCall } from '../../src/langchain/llm-call.js';

/** A call that said this. */
function said(
  content: string,
  { id, visible = true, args }: { id?: string; visible?: boolean; args?: Record<string, unknown> } = {},
): LlmCall {
  const call = new LlmCall({ metadata: {}, extraParams: {}, visible, reaches: 'reader' });
  const calls = args ? [{ name: 'extract', args, id: '1' }] : [];
  const message = new AIMessage({ content, tool_calls: calls, ...(id !== undefined && { id }) });
  call.end({ generations: [[{ text: content, message }]] });
  return call;
}

const react = 'Thought: I know this.\nFinal Answer: It is sunny in Paris.';

describe('the call that an answer came from', () => {
  it.each<[name: string, answer: { text: string; messageId?: string }, calls: LlmCall[], index: number | undefined]>([
    ['said it word by word', { text: 'Hello' }, [said('weather'), said('Hello')], 1],
    ['said it last, of several', { text: 'Hello' }, [said('Hello'), said('Hello')], 1],
    ['has its id and its text', { text: 'Hello', messageId: 'a' }, [said('Hello', { id: 'a' }), said('Hello')], 0],
    ['has its id, and said what was masked', { text: '[MASKED]', messageId: 'a' }, [said('1234', { id: 'a' })], 0],
    [
      'has its text, where the provider repeats an id',
      { text: 'Hello', messageId: 'a' },
      [said('Hello', { id: 'b' }), said('Bye', { id: 'a' })],
      0,
    ],
    ['said it in another case', { text: 'HELLO, ADA!' }, [said('Hello, Ada!')], 0],
    ['said more', { text: 'It is sunny in Paris.' }, [said('weather'), said(react)], 1],
    ['said what was masked in it', { text: 'Write to [EMAIL] today, Ada.' }, [said('Write to a@b.c today, Ada.')], 0],
    [
      'said a part of it',
      { text: `It is sunny in Paris.\n\n${'Not a promise. '.repeat(9)}And so on and on it goes.` },
      [said('It is sunny in Paris.')],
      0,
    ],
    ['made an object of it', { text: '{"city":"Paris"}' }, [said('', { args: { city: 'Paris' } })], 0],
    ['is none, where the app wrote it', { text: 'Hello there!' }, [said('greeting')], undefined],
    ['is no router, whose word stands in it', { text: 'The weather is fine today.' }, [said('weather')], undefined],
    ['is none that is hidden', { text: 'Hello' }, [said('Hello', { visible: false })], undefined],
    ['is none, where there was none', { text: 'Hello' }, [], undefined],
  ])('%s', (_, answer, calls, index) => {
    expect(answeringCall(calls, answer)).toBe(index === undefined ? undefined : calls[index]);
  });

  it('is none that has not ended well', () => {
    const [running, failed] = [said('Hello'), said('Hello')];
    running.state = 'running';
    failed.fail();
    expect(answeringCall([running, failed], { text: 'Hello' })).toBeUndefined();
  });

  it('is looked for in no time, however long and many they are', () => {
    const calls = Array.from({ length: 500 }, (_, index) => said(`${'word '.repeat(20_000)}${index}`));
    const start = performance.now();
    expect(answeringCall(calls, { text: 'Nothing that anybody said. '.repeat(10_000) })).toBeUndefined();
    expect(performance.now() - start).toBeLessThan(1000);
  });
});
