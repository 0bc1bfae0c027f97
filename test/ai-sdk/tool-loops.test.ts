import { describe, expect, it, vi } from 'vitest';
import type { ModelParams } from '../../src/ai-sdk/model-spec.js';
import type { Run } from '../../src/ai-sdk/run.js';
import { Loops } from '../../src/ai-sdk/tool-loops.js';

const ada = { userId: 'ada', conversationId: 'c' };
const of = (identity: object = ada, call: object = {}) => ({ identity, call });
const nobody = of({ userId: 'ada' });
const user = (text: string) => ({ role: 'user', content: [{ type: 'text', text }] });
const said = (text: string) => ({ role: 'assistant', content: [{ type: 'text', text }] });
const call = (...ids: string[]) => ({
  role: 'assistant',
  content: ids.map(toolCallId => ({ type: 'tool-call', toolCallId, input: {} })),
});
const params = (...prompt: { role: string; content: unknown }[]): ModelParams => ({ prompt });

/** Calls of tools that a run waits for. */
const tools = (ids: readonly string[], input: unknown = '{}') => ids.map(id => ({ id, name: 'tool', input }));

/** A run that waits for calls of tools. */
function run(loops: Loops, ...ids: string[]) {
  const made = {
    waitingToolCalls: tools(ids),
    conclude: vi.fn(() => loops.forget(made as never)),
  };
  return made as unknown as Run & typeof made;
}

describe('the loops of wrapped models', () => {
  it('go on with the prompt that holds the tool calls made so far', () => {
    const loops = new Loops();
    const first = run(loops, 'call-1');
    loops.awaitTools(first, params(user('Hi')), of());
    expect(loops.take(params(user('Hi'), call('call-1'), { role: 'tool', content: [] }), of())?.run).toBe(first);
    expect(loops.take(params(user('Hi'), call('call-1')), of())).toBeUndefined();
  });

  it('go on through several steps', () => {
    const loops = new Loops();
    const first = run(loops, 'call-1');
    loops.awaitTools(first, params(user('Hi')), of());
    const second = params(user('Hi'), call('call-1'));
    expect(loops.take(second, of())?.run).toBe(first);
    Object.assign(first, { waitingToolCalls: [{ id: 'call-2' }, { id: 'call-3' }] });
    loops.awaitTools(first, second, of());
    expect(loops.take(params(user('Hi'), call('call-1'), call('call-2', 'call-3')), of())?.run).toBe(first);
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
    loops.awaitTools(run(loops, 'call-1'), params(user('Hi')), of());
    expect(loops.take(next, of(identity))).toBeUndefined();
  });

  it('go on after a refused call with the very same prompt only', () => {
    const loops = new Loops();
    const refused = run(loops);
    loops.awaitRetry(refused, params(user('Hi')), of());
    expect(loops.take(params(user('Hi'), { role: 'assistant', content: 'Well' }), of())).toBeUndefined();
    expect(loops.take(params(user('Hi')), of())?.run).toBe(refused);
  });

  it('that wait alike are taken in the order they began', () => {
    const loops = new Loops();
    const [first, second] = [run(loops), run(loops)];
    for (const waiting of [first, second]) loops.awaitRetry(waiting, params(user('Hi')), of());
    expect([0, 1, 2].map(() => loops.take(params(user('Hi')), of())?.run)).toEqual([first, second, undefined]);
  });

  it.each(['headers', 'abortSignal', 'providerOptions'] as const)(
    'that wait alike are told apart by the %s that the SDK hands on',
    name => {
      const loops = new Loops();
      const options = [{ synap: {} }, { synap: {} }].map(object => ({ [name]: object }));
      const runs = [run(loops, 'call_0'), run(loops, 'call_0')];
      for (const [n, waiting] of runs.entries())
        loops.awaitTools(waiting, { ...params(user('Hi')), ...options[n] }, nobody);
      const next = (n: number) => loops.take({ ...params(user('Hi'), call('call_0')), ...options[n] }, nobody)?.run;
      expect([next(1), next(0)]).toEqual([runs[1], runs[0]]);
    },
  );

  it('without a conversation go on only where the same was said before, and called', () => {
    const loops = new Loops();
    const waiting = run(loops, 'call_0');
    loops.awaitTools(waiting, params(user('In Paris'), said('Yes?'), user('Weather?')), nobody);
    expect(loops.take(params(user('In Rome'), said('Yes?'), user('Weather?'), call('call_0')), nobody)).toBeUndefined();
    const other = {
      role: 'assistant',
      content: [{ type: 'tool-call', toolCallId: 'call_0', input: { city: 'Rome' } }],
    };
    expect(loops.take(params(user('In Paris'), said('Yes?'), user('Weather?'), other), nobody)).toBeUndefined();
    const next = params(user('In Paris'), said('Yes?'), user('Weather?'), call('call_0'));
    expect(loops.take(next, nobody)?.run).toBe(waiting);
  });

  it('are concluded by their conversation, and by nobody else’s', () => {
    const loops = new Loops();
    const waiting = run(loops, 'call-1');
    loops.awaitTools(waiting, params(user('Hi')), of());
    for (const identity of [{ ...ada, userId: 'bob' }, { ...ada, customerId: 'acme' }, { userId: 'ada' }])
      loops.conclude(identity);
    loops.conclude(ada, ['call-2']);
    expect(waiting.conclude).not.toHaveBeenCalled();
    loops.conclude(ada, ['call-1']);
    expect(waiting.conclude).toHaveBeenCalledOnce();
  });

  it('are concluded when nothing has come for long', () => {
    vi.useFakeTimers();
    const loops = new Loops();
    const [tools, retry] = [run(loops, 'call-1'), run(loops)];
    loops.awaitTools(tools, params(user('Hi')), of());
    loops.awaitRetry(retry, params(user('Ho')), of());
    vi.advanceTimersByTime(19_999);
    expect(tools.conclude).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect([tools, retry].map(({ conclude }) => conclude.mock.calls.length)).toEqual([1, 0]);
    vi.advanceTimersByTime(40_000);
    expect(retry.conclude).toHaveBeenCalledOnce();
    vi.useRealTimers();
  });

  it('that are forgotten don’t come back', () => {
    const loops = new Loops();
    const waiting = run(loops);
    loops.awaitRetry(waiting, params(user('Hi')), of());
    loops.forget(waiting);
    expect(loops.take(params(user('Hi')), of())).toBeUndefined();
    loops.conclude(ada);
    expect(waiting.conclude).not.toHaveBeenCalled();
  });

  it('are bounded: beyond a thousand the oldest is concluded', () => {
    const loops = new Loops();
    const runs = Array.from({ length: 1001 }, () => run(loops));
    for (const [n, waiting] of runs.entries()) loops.awaitRetry(waiting, params(user(`${n}`)), of());
    expect(runs.map(({ conclude }) => conclude.mock.calls.length).lastIndexOf(1)).toBe(0);
    expect(loops.take(params(user('1')), of())?.run).toBe(runs[1]);
    expect(loops.take(params(user('1000')), of())?.run).toBe(runs[1000]);
  });

  it('go on as the same call, where the SDK hands something of it on', () => {
    const loops = new Loops();
    for (const name of ['headers', 'abortSignal', 'providerOptions']) {
      const mine = { [name]: { synap: {} } };
      loops.awaitTools(run(loops, 'call-1'), { ...params(user('Hi')), ...mine }, of());
      expect(loops.take({ ...params(user('Hi'), call('call-1')), ...mine }, of())?.sameCall).toBe(true);
    }
  });

  it('go on as another call, where nothing tells that it is the same', () => {
    const loops = new Loops();
    for (const options of [{}, { providerOptions: {} }, { providerOptions: { openai: {} } }]) {
      loops.awaitTools(run(loops, 'call-1'), { ...params(user('Hi')), ...options }, of());
      expect(loops.take({ ...params(user('Hi'), call('call-1')), ...options }, of())?.sameCall).toBe(false);
    }
  });

  it('go on as another call after a refused one, whatever tells that it is the same', () => {
    const loops = new Loops();
    const signal = { abortSignal: new AbortController().signal };
    loops.awaitRetry(run(loops), { ...params(user('Hi')), ...signal }, of());
    expect(loops.take({ ...params(user('Hi')), ...signal }, of())?.sameCall).toBe(false);
  });

  it('that wait alike are told apart by the id of the user’s message', () => {
    const loops = new Loops();
    const [first, second] = [run(loops, 'call_0'), run(loops, 'call_0')];
    loops.awaitTools(first, params(user('Hi')), of());
    loops.awaitTools(second, params(user('Hi')), of(ada, { messageId: 'm2' }));
    const next = params(user('Hi'), call('call_0'));
    expect(loops.take(next, of(ada, { messageId: 'm2' }))?.run).toBe(second);
    expect(loops.take(next, of(ada, { messageId: 'm2' }))?.run).toBe(first);
  });

  it('that wait alike, without an id on either side, are taken in the order they began', () => {
    const loops = new Loops();
    const [named, unnamed] = [run(loops, 'call_0'), run(loops, 'call_0')];
    loops.awaitTools(named, params(user('Hi')), of(ada, { messageId: 'm1' }));
    loops.awaitTools(unnamed, params(user('Hi')), of());
    expect(loops.take(params(user('Hi'), call('call_0')), of())?.run).toBe(named);
  });

  it('are not told apart by the ids of other messages', () => {
    const loops = new Loops();
    const [unnamed, named] = [run(loops, 'call_0'), run(loops, 'call_0')];
    loops.awaitTools(unnamed, params(user('Hi')), of());
    loops.awaitTools(named, params(user('Hi')), of(ada, { messageId: 'm1' }));
    expect(loops.take(params(user('Hi'), call('call_0')), of(ada, { messageId: 'm2' }))?.run).toBe(unnamed);
  });

  it('are told apart by the SDK’s own headers before the app’s signal, and by that before options', () => {
    const signal = { abortSignal: new AbortController().signal };
    const headers = { headers: {} };
    const options = { providerOptions: { synap: {} } };
    for (const [weaker, stronger] of [
      [signal, headers],
      [options, signal],
    ]) {
      const loops = new Loops();
      const [first, second] = [run(loops, 'call_0'), run(loops, 'call_0')];
      loops.awaitTools(first, { ...params(user('Hi')), ...weaker }, of());
      loops.awaitTools(second, { ...params(user('Hi')), ...stronger }, of());
      const next = { ...params(user('Hi'), call('call_0')), ...weaker, ...stronger };
      expect(loops.take(next, of())?.run).toBe(second);
    }
  });

  it('that wait alike are told apart by what was said before, and by the arguments of their calls', () => {
    const loops = new Loops();
    const [paris, rome] = [run(loops, 'call_0'), run(loops, 'call_0')];
    Object.assign(paris, { waitingToolCalls: tools(['call_0'], '{"city":"Paris"}') });
    Object.assign(rome, { waitingToolCalls: tools(['call_0'], '{ "city": "Rome" }') });
    for (const waiting of [paris, rome]) loops.awaitTools(waiting, params(user('Weather?')), of());
    const called = {
      role: 'assistant',
      content: [{ type: 'tool-call', toolCallId: 'call_0', input: { city: 'Rome' } }],
    };
    expect(loops.take(params(user('Weather?'), called), of())?.run).toBe(rome);
  });

  it('without a conversation go on with the same signal, whatever was said before', () => {
    const loops = new Loops();
    const signal = { abortSignal: new AbortController().signal };
    const waiting = run(loops, 'call_0');
    loops.awaitTools(waiting, { ...params(user('In Paris'), said('Yes?'), user('Weather?')), ...signal }, nobody);
    const next = { ...params(user('In Rome'), said('Yes?'), user('Weather?'), call('call_0')), ...signal };
    expect(loops.take(next, nobody)?.run).toBe(waiting);
  });

  it('without a conversation go on with the same options, whatever was said before', () => {
    const loops = new Loops();
    const options = { providerOptions: { synap: {} } };
    const waiting = run(loops, 'call_0');
    loops.awaitTools(waiting, { ...params(user('In Paris'), user('Weather?')), ...options }, nobody);
    const next = { ...params(user('In Rome'), user('Weather?'), call('call_0')), ...options };
    expect(loops.take(next, nobody)).toEqual({ run: waiting, sameCall: true });
  });

  it('in a conversation go on whatever stands before the user’s last message: the app may cut it', () => {
    const loops = new Loops();
    const waiting = run(loops, 'call_0');
    loops.awaitTools(waiting, params(user('In Paris'), said('Yes?'), user('Weather?')), of());
    expect(loops.take(params(user('Weather?'), call('call_0')), of())?.run).toBe(waiting);
  });

  it('without a conversation tell who said what from what was said', () => {
    const loops = new Loops();
    loops.awaitTools(run(loops, 'call_0'), params(user('a'), said('b'), user('Weather?')), nobody);
    expect(loops.take(params(user('a'), user('b'), user('Weather?'), call('call_0')), nobody)).toBeUndefined();
    const oneMessage = params(user('aassistant:b'), user('Weather?'), call('call_0'));
    expect(loops.take(oneMessage, nobody)).toBeUndefined();
  });

  it('without a conversation go on only where each of their calls was made as they made it', () => {
    const loops = new Loops();
    const odd = {
      role: 'assistant',
      content: [
        { type: 'tool-call', toolCallId: 'call_0', input: {} },
        { type: 'tool-call', toolCallId: 'call_1', input: { city: 'Rome' } },
      ],
    };
    const waiting = run(loops, 'call_0', 'call_1');
    loops.awaitTools(waiting, params(user('Hi')), nobody);
    expect(loops.take(params(user('Hi'), odd), nobody)).toBeUndefined();
    Object.assign(waiting, {
      waitingToolCalls: [...tools(['call_0']), ...tools(['call_1'], '{"city":"Rome"}')],
    });
    expect(loops.take(params(user('Hi'), odd), nobody)?.run).toBe(waiting);
  });

  it.each([
    ['broken JSON', '{'],
    ['what is no text', undefined],
  ])('without a conversation take %s as arguments for what they may have been', (_, input) => {
    const loops = new Loops();
    const waiting = run(loops, 'call_0');
    Object.assign(waiting, { waitingToolCalls: tools(['call_0'], input) });
    loops.awaitTools(waiting, params(user('Hi')), nobody);
    expect(loops.take(params(user('Hi'), call('call_0')), nobody)?.run).toBe(waiting);
  });

  it('know a prompt again that holds no message of a user', () => {
    const loops = new Loops();
    const waiting = run(loops);
    loops.awaitRetry(waiting, params(said('Hi')), of());
    expect(loops.take(params(said('Hi')), of())?.run).toBe(waiting);
  });

  it('that wait for one of several calls are concluded by it', () => {
    const loops = new Loops();
    const waiting = run(loops, 'call-1', 'call-2');
    loops.awaitTools(waiting, params(user('Hi')), of());
    loops.conclude(ada, ['call-2']);
    expect(waiting.conclude).toHaveBeenCalledOnce();
  });

  it('of another conversation are not concluded by the same user', () => {
    const loops = new Loops();
    const waiting = run(loops, 'call-1');
    loops.awaitTools(waiting, params(user('Hi')), of());
    loops.conclude({ ...ada, conversationId: 'd' });
    expect(waiting.conclude).not.toHaveBeenCalled();
  });

  it('without a conversation are concluded by nobody else’s beginning', () => {
    const loops = new Loops();
    const waiting = run(loops, 'call-1');
    loops.awaitTools(waiting, params(user('Hi')), nobody);
    loops.conclude(nobody.identity);
    expect(waiting.conclude).not.toHaveBeenCalled();
  });

  it('that have gone on are not concluded for what they waited for', () => {
    vi.useFakeTimers();
    const loops = new Loops();
    const waiting = run(loops, 'call-1');
    loops.awaitTools(waiting, params(user('Hi')), of());
    loops.take(params(user('Hi'), call('call-1')), of());
    vi.advanceTimersByTime(60_000);
    expect([waiting.conclude.mock.calls.length, vi.getTimerCount()]).toEqual([0, 0]);
    vi.useRealTimers();
  });

  it('may be forgotten twice, or never have waited', () => {
    const loops = new Loops();
    const [first, second] = [run(loops), run(loops)];
    for (const waiting of [first, second]) loops.awaitRetry(waiting, params(user('Hi')), of());
    loops.forget(run(loops));
    loops.forget(first);
    loops.forget(first);
    expect(loops.take(params(user('Hi')), of())?.run).toBe(second);
  });

  it('that nobody waits for any more count for no bound', () => {
    const loops = new Loops();
    const waiting = run(loops);
    loops.awaitRetry(waiting, params(user('Hi')), of());
    for (let n = 0; n < 1001; n++) {
      const other = run(loops);
      loops.awaitRetry(other, params(user(`${n}`)), of());
      loops.forget(other);
    }
    expect(waiting.conclude).not.toHaveBeenCalled();
  });
});
