import { AIMessage, HumanMessage, ToolMessage } from '@langchain/core/messages';
import { describe, expect, it } from 'vitest';
import { graphStep, isOfUser, lastMessage, messagesOfState, StateBefore } from '../../src/langchain/graph-state.js';

const state = (...messages: unknown[]) => messagesOfState({ messages }) ?? [];
const human = (content: string, id?: string, name?: string) =>
  new HumanMessage({ content, ...(id !== undefined && { id }), ...(name !== undefined && { name }) });
const ai = (content: string, id?: string) => new AIMessage({ content, ...(id !== undefined && { id }) });
const texts = (messages: readonly { content: unknown }[]) => messages.map(({ content }) => content);

describe('what is new in a later state', () => {
  it('is a message with an id that was not there', () => {
    const before = new StateBefore(state(human('Q1', 'h1'), ai('A1', 'a1')));
    const later = state(human('Q1', 'h1'), ai('A1', 'a1'), human('Q1', 'h2'), ai('A1', 'a2'));
    expect(before.newIn(later).map(({ id }) => id)).toEqual(['h2', 'a2']);
  });

  it('is a message that LangGraph has put in the place of one with the same id', () => {
    const before = new StateBefore(state(human('Q1', 'h1'), ai('A1', 'chatcmpl-1')));
    expect(texts(before.newIn(state(human('Q1', 'h1'), ai('A2', 'chatcmpl-1'))))).toEqual(['A2']);
  });

  it('is an answer in the place of a draft that only called a tool', () => {
    const draft = new AIMessage({ id: 'a', content: '', tool_calls: [{ name: 'look', args: {}, id: 'c' }] });
    expect(new StateBefore(state(draft)).newIn(state(ai('', 'a')))).toHaveLength(1);
  });

  it('is, of messages without ids, what stands where nothing like it stood', () => {
    const before = new StateBefore(state(human('Q1'), ai('A')));
    const later = state(human('Q1'), ai('A'), human('Q1'), ai('A'));
    expect(before.newIn(later)).toHaveLength(2);
    expect(later.map(message => before.isNew(message))).toEqual([false, false, false, false]);
  });

  it('is nothing where old messages were taken out', () => {
    const before = new StateBefore(state(human('Q1', 'h1'), ai('A1', 'a1'), human('Q2', 'h2')));
    expect(before.newIn(state(human('Q2', 'h2')))).toEqual([]);
  });
});

describe('the messages of a state', () => {
  it.each([
    ['under their usual name', { messages: [human('Hi')] }, ['Hi']],
    ['under another one', { topic: 'x', tags: ['a'], chat: [human('Hi')] }, ['Hi']],
    ['as the state itself', [human('Hi')], ['Hi']],
    ['as plain objects', { messages: [{ role: 'user', content: 'Hi' }] }, ['Hi']],
    ['not there', { documents: ['a', 'b'] }, undefined],
    ['not there in nothing', null, undefined],
  ])('%s', (_, value, expected) => {
    expect(messagesOfState(value)?.map(({ content }) => content)).toEqual(expected);
  });

  it('end with its last one', () => {
    expect(lastMessage({ messages: [human('Hi'), ai('Ho')] })).toMatchObject({ content: 'Ho' });
    expect(lastMessage({ messages: [] })).toBeUndefined();
    expect(lastMessage({})).toBeUndefined();
  });

  it('are the user’s unless they have a name that the first of them has not', () => {
    const [first, report, last, tool] = state(
      human('Q1'),
      human('Found', 'r', 'research'),
      human('Q2'),
      new ToolMessage('x', 'c'),
    );
    const all = state(human('Q1'), human('Found', 'r', 'research'), human('Q2'));
    expect([first, report, last, tool].map(message => message && isOfUser(message, all))).toEqual([
      true,
      false,
      true,
      false,
    ]);
    expect(
      state(human('Q1', 'a', 'ada'), human('Q2', 'b', 'ada')).map(message =>
        isOfUser(message, state(human('Q1', 'a', 'ada'))),
      ),
    ).toEqual([true, true]);
  });
});

describe('a step of a graph', () => {
  const at = (metadata: object) => graphStep({ langgraph_node: 'say', langgraph_step: 3, ...metadata });

  it('runs beside those of the same graph and number', () => {
    const [one, two, inner] = [
      { checkpoint_ns: 'say:1' },
      { langgraph_checkpoint_ns: 'more:2' },
      { checkpoint_ns: 'say:1|x:3' },
    ].map(at);
    expect(one?.step).toBe(two?.step);
    expect(inner?.step).not.toBe(one?.step);
    expect(two?.task).toBe('more:2');
  });

  it('is none outside of LangGraph, or where it only takes the input in', () => {
    expect(graphStep({})).toBeUndefined();
    expect(graphStep(undefined)).toBeUndefined();
    expect(at({ langgraph_node: '__start__' })).toBeUndefined();
  });
});
