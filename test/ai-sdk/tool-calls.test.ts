import { describe, expect, it } from 'vitest';
import { isToolResult, ToolCalls } from '../../src/ai-sdk/tool-calls.js';

function callsOf(...names: string[]) {
  const calls = new ToolCalls();
  for (const [index, toolName] of names.entries()) calls.add({ toolCallId: `call-${index}`, toolName, input: '{}' });
  return calls;
}

describe('the calls of tools in a run', () => {
  it('wait for their results', () => {
    const calls = callsOf('weather', 'time');
    expect(calls.waiting).toMatchObject([
      { id: 'call-0', name: 'weather', input: '{}' },
      { id: 'call-1', name: 'time', input: '{}' },
    ]);
    expect(calls.names()).toEqual(['weather', 'time']);
  });

  it('wait no more once their results are known', () => {
    const calls = callsOf('weather', 'time');
    calls.ran(new Set(['call-0', 'call-7']));
    expect(calls.waiting.map(({ id }) => id)).toEqual(['call-1']);
  });

  it('don’t wait where the provider runs them', () => {
    const calls = new ToolCalls();
    calls.add({ toolCallId: 'call-0', toolName: 'search', providerExecuted: true });
    calls.add({ toolCallId: 'call-1', toolName: 'search', providerExecuted: 'yes' });
    expect(calls.waiting.map(({ id }) => id)).toEqual(['call-1']);
  });

  it('have all run when the model is asked again', () => {
    const calls = callsOf('weather', 'time');
    calls.answered();
    expect([calls.waiting, calls.names({ ran: true })]).toEqual([[], ['weather', 'time']]);
  });

  it('are named in order, those before the run first', () => {
    const calls = new ToolCalls(['map']);
    calls.add({ toolCallId: 'call-0', toolName: 'weather' });
    expect(calls.names()).toEqual(['map', 'weather']);
    expect(calls.names({ ran: true })).toEqual(['map']);
    calls.ran(new Set(['call-0']));
    expect(calls.names({ ran: true })).toEqual(['map', 'weather']);
  });

  it('have no name that is no text', () => {
    const calls = new ToolCalls();
    calls.add({ toolCallId: 7, toolName: { is: 'odd' } });
    expect(calls.names()).toEqual([]);
    expect(calls.waiting).toMatchObject([{ id: '7', name: undefined }]);
  });

  it('tell an answer that ends here what it waits for, and which tools ran', () => {
    const calls = callsOf('weather', 'time');
    calls.ran(new Set(['call-0']));
    expect(calls.waitingDetails).toEqual({ pendingToolCalls: ['call-1'], toolCalls: ['weather'] });
  });

  it('tell an answer nothing where none waits', () => {
    const calls = callsOf('weather');
    calls.ran(new Set(['call-0']));
    expect(calls.waitingDetails).toEqual({});
  });

  it('are named up to a bound, over many steps', () => {
    const calls = callsOf(...Array.from({ length: 300 }, (_, n) => `tool-${n}`));
    calls.answered();
    expect(calls.names()).toHaveLength(200);
    expect(calls.names()[199]).toBe('tool-199');
  });
});

describe('a part of an answer', () => {
  it.each([
    [{ type: 'tool-result' }, true],
    [{ type: 'tool-result', preliminary: false }, true],
    [{ type: 'tool-result', preliminary: true }, false],
    [{ type: 'tool-error' }, true],
    [{ type: 'tool-error', preliminary: true }, true],
    [{ type: 'tool-call' }, false],
    [undefined, false],
  ])('%j ends the call of a tool: %s', (part, ends) => {
    expect(isToolResult(part)).toBe(ends);
  });
});
