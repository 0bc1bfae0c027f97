import { describe, expect, it } from 'vitest';
import type { ModelParams } from '../../src/ai-sdk/model-spec.js';
import type { Run } from '../../src/ai-sdk/run.js';
import { Loops } from '../../src/ai-sdk/tool-loops.js';

const run = () => ({}) as Run;
const ada = { userId: 'ada', conversationId: 'c' };
const user = (text: string) => ({ role: 'user', content: [{ type: 'text', text }] });
const call = (...ids: string[]) => ({
  role: 'assistant',
  content: ids.map(toolCallId => ({ type: 'tool-call', toolCallId })),
});
const params = (...prompt: { role: string; content: unknown }[]): ModelParams => ({ prompt });

describe('the loops of a wrapped model', () => {
  it('go on with the prompt that holds the tool calls made so far', () => {
    const loops = new Loops();
    const first = run();
    loops.awaitTools(first, params(user('Hi')), ada, ['call-1']);
    expect(loops.take(params(user('Hi'), call('call-1'), { role: 'tool', content: [] }), ada)).toBe(first);
    expect(loops.take(params(user('Hi'), call('call-1')), ada)).toBeUndefined();
  });

  it('go on through several steps', () => {
    const loops = new Loops();
    const first = run();
    loops.awaitTools(first, params(user('Hi')), ada, ['call-1']);
    const second = params(user('Hi'), call('call-1'));
    expect(loops.take(second, ada)).toBe(first);
    loops.awaitTools(first, second, ada, ['call-2', 'call-3']);
    expect(loops.take(params(user('Hi'), call('call-1'), call('call-2', 'call-3')), ada)).toBe(first);
  });

  it.each([
    ['other tool calls', params(user('Hi'), call('call-2')), ada],
    ['other words of the user', params(user('Ho'), call('call-1')), ada],
    ['another user', params(user('Hi'), call('call-1')), { ...ada, userId: 'bob' }],
    ['another conversation', params(user('Hi'), call('call-1')), { ...ada, conversationId: 'd' }],
    ['another customer', params(user('Hi'), call('call-1')), { ...ada, customerId: 'acme' }],
    ['another session', params(user('Hi'), call('call-1')), { ...ada, sessionId: 's' }],
  ])('do not go on with %s', (_, next, identity) => {
    const loops = new Loops();
    loops.awaitTools(run(), params(user('Hi')), ada, ['call-1']);
    expect(loops.take(next, identity)).toBeUndefined();
  });

  it('go on after a refused call with the very same prompt only', () => {
    const loops = new Loops();
    const refused = run();
    loops.awaitRetry(refused, params(user('Hi')), ada);
    expect(loops.take(params(user('Hi'), { role: 'assistant', content: 'Well' }), ada)).toBeUndefined();
    expect(loops.take(params(user('Hi')), ada)).toBe(refused);
  });

  it('that wait alike are taken in the order they began', () => {
    const loops = new Loops();
    const [first, second] = [run(), run()];
    for (const waiting of [first, second]) loops.awaitRetry(waiting, params(user('Hi')), ada);
    expect([0, 1, 2].map(() => loops.take(params(user('Hi')), ada))).toEqual([first, second, undefined]);
  });

  it('are found by their conversation, and by nobody else’s', () => {
    const loops = new Loops();
    const waiting = run();
    loops.awaitRetry(waiting, params(user('Hi')), ada);
    expect(loops.of(ada)).toEqual([waiting]);
    expect(loops.of({ ...ada, userId: 'bob' })).toEqual([]);
    expect(loops.of({ ...ada, customerId: 'acme' })).toEqual([]);
    expect(loops.of({ userId: 'ada' })).toEqual([]);
  });

  it('that are forgotten don’t come back', () => {
    const loops = new Loops();
    const waiting = run();
    loops.awaitRetry(waiting, params(user('Hi')), ada);
    loops.forget(waiting);
    expect(loops.take(params(user('Hi')), ada)).toBeUndefined();
    expect(loops.of(ada)).toEqual([]);
  });

  it('are bounded: beyond a thousand the oldest is forgotten', () => {
    const loops = new Loops();
    const runs = Array.from({ length: 1001 }, run);
    for (const [n, waiting] of runs.entries()) loops.awaitRetry(waiting, params(user(`${n}`)), ada);
    expect(loops.take(params(user('0')), ada)).toBeUndefined();
    expect(loops.take(params(user('1')), ada)).toBe(runs[1]);
    expect(loops.take(params(user('1000')), ada)).toBe(runs[1000]);
  });
});
