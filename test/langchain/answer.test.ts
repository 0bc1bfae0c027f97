import { AIMessage, HumanMessage, ToolMessage } from '@langchain/core/messages';
import { describe, expect, it } from 'vitest';
import { type AnswerContext, answerOf, answerOfOutput, findCall } from '../../src/langchain/answer.js';
import { InputValues } from '../../src/langchain/input-values.js';
import { LlmCall } from '../../src/langchain/llm-call.js';
import { StepOutputs } from '../../src/langchain/step-outputs.js';

function called(text: string, { visible = true, id }: { visible?: boolean; id?: string } = {}): LlmCall {
  const call = new LlmCall({ metadata: {}, extraParams: {}, visible, reaches: 'reader' });
  call.end({ generations: [[{ message: new AIMessage({ content: text, ...(id !== undefined && { id }) }) }]] });
  return call;
}

const answer = (output: unknown, context: Partial<AnswerContext> = {}) =>
  answerOfOutput({
    output,
    input: undefined,
    prompt: 'Why?',
    calls: [],
    hiddenCalls: [],
    published: [],
    steps: new StepOutputs(),
    nodesNamed: false,
    interrupted: false,
    isResumed: false,
    isNew: () => true,
    hasReplaced: () => false,
    ...context,
  });
const textOf = (found: ReturnType<typeof answer>) => (typeof found === 'object' ? found.text : found);

describe('the answer in an output', () => {
  const asked = new HumanMessage('Why?');
  const toolCall = { name: 'look', args: {}, id: '1', type: 'tool_call' as const };
  it.each([
    ['is the output itself, a text', 'Because', 'Because'],
    ['is the output itself, a message', new AIMessage('Because'), 'Because'],
    ['is a plain value as LangChain reports it', { output: 'Because' }, 'Because'],
    ['is the last message of the assistant', { messages: [asked, new AIMessage('Because')] }, 'Because'],
    [
      'is not a draft before a tool',
      {
        messages: [
          asked,
          new AIMessage({ content: 'Hm', tool_calls: [toolCall] }),
          new ToolMessage({ content: 'x', tool_call_id: '1' }),
          new AIMessage('Because'),
        ],
      },
      'Because',
    ],
    [
      'is none while a tool is waited for',
      { messages: [asked, new AIMessage({ content: 'Hm', tool_calls: [toolCall] })] },
      'none',
    ],
    ['is none where the conversation ends with the user', { messages: [asked] }, 'none'],
    ['stands under a name that chains use', { sources: [], answer: 'Because' }, 'Because'],
    ['takes the likelier of two names', { text: 'No', answer: 'Because' }, 'Because'],
    ['is none in an empty output without a model', {}, 'none'],
    ['is not known among several texts', { a: 'One', b: 'Two' }, undefined],
  ])('%s', (_, output, expected) => {
    expect(textOf(answer(output))).toBe(expected);
  });

  it('is not what the state passes through from the input', () => {
    expect(answer({ text: 'given' }, { input: new InputValues({ text: 'given' }) })).toBeUndefined();
  });

  it('is not an answer to an earlier turn', () => {
    const messages = [asked, new AIMessage({ content: 'Old', id: 'old' })];
    expect(answer({ messages }, { isResumed: true, isNew: message => message.id !== 'old' })).toBe('none');
  });

  it('is the text of the one model that stands in it', () => {
    const calls = [called('Draft'), called('Because')];
    expect(textOf(answer({ report: { body: 'Because' } }, { calls }))).toBe('Because');
  });

  it('is not known where two models stand in it', () => {
    const calls = [called('One'), called('Two')];
    expect(answer({ a: 'One', b: 'Two' }, { calls })).toBeUndefined();
  });

  it('is the model at the top rather than one deeper down', () => {
    const calls = [called('Deep'), called('Top')];
    expect(textOf(answer({ report: 'Top', notes: { first: { text: 'Deep' } } }, { calls }))).toBe('Top');
  });

  it('is not by a node that does not speak to the user', () => {
    const messages = [asked, new AIMessage('Because'), new AIMessage('Graded: good')];
    const calls = [called('Because'), called('Graded: good', { visible: false })];
    expect(textOf(answer({ messages }, { calls, nodesNamed: true }))).toBe('Because');
  });

  it('is none while a step waits for a human', () => {
    expect(answer({ draft: 'x' }, { interrupted: true })).toBe('none');
  });
});

describe('an answer', () => {
  it('in a list is what came after the human’s last message', () => {
    expect(answerOf([new AIMessage('Old'), new HumanMessage('Why?'), new AIMessage('New')])).toMatchObject({
      text: 'New',
    });
    expect(answerOf([new AIMessage('Old'), new HumanMessage('Why?')])).toBeUndefined();
  });

  it('is never a human’s message', () => {
    expect(answerOf(new HumanMessage('Why?'))).toBeUndefined();
  });

  it('belongs to the call of the same id and text, else to the latest of the same text', () => {
    const calls = [called('Same', { id: 'a' }), called('Same', { id: 'b' }), called('Other', { id: 'c' })];
    expect(findCall(calls, { text: 'Same', messageId: 'a' })).toBe(calls[0]);
    expect(findCall(calls, { text: ' Same ' })).toBe(calls[1]);
    expect(findCall(calls, { text: 'Same', messageId: 'c' })).toBe(calls[1]);
    expect(findCall(calls, { text: 'None' })).toBeUndefined();
  });
});
