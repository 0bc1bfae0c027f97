// What becomes of a run, by what the calls of its model give, the SDK's loop and the app's signal, in this order.

import { getEventListeners } from 'node:events';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { AnyLanguageModel, GenerateResult } from '../../src/ai-sdk/model-spec.js';
import type { CallEnd } from '../../src/ai-sdk/observe-model.js';
import { type OpenRunOptions, Run } from '../../src/ai-sdk/run.js';
import { scopeOf } from '../../src/recorder/scope.js';
import { ada, promptOf, turnsOf } from './turns-of.js';

beforeEach(() => {
  vi.useFakeTimers({ now: 0 });
});
afterEach(() => {
  vi.useRealTimers();
});

const pass = (ms: number) => void vi.advanceTimersByTime(ms);
const boom = new Error('boom');
const model = { modelId: 'gpt-5', provider: 'openai' } as AnyLanguageModel;
const usage = { inputTokens: 10, outputTokens: 5, totalTokens: 15 };
const text = (delta: string) => ({ type: 'text-delta', delta });
const call = (id: string, toolName = 'weather', more: object = {}) => ({
  type: 'tool-call',
  toolCallId: id,
  toolName,
  input: '{}',
  ...more,
});
const finish = (finishReason: unknown = 'stop') => ({ type: 'finish', finishReason, usage });

function aRun(options: Partial<OpenRunOptions> = {}) {
  const on = turnsOf();
  const run = new Run(on.recorder, { call: ada, wrappers: [], prompt: promptOf('Hi'), ...options });
  return { ...on, run };
}

/** The run calls its model. */
function called(run: Run, onEnd?: (end: CallEnd) => void) {
  const listener = run.listen(model, onEnd);
  listener.run(() => undefined);
  return listener;
}

/** The model answers with a stream of these parts. */
function streamed(run: Run, parts: readonly { type: string }[], onEnd?: (end: CallEnd) => void) {
  const listener = called(run, onEnd);
  listener.streaming();
  for (const part of parts) {
    listener.asked();
    listener.part(part);
  }
  return listener;
}

function generated(run: Run, result: GenerateResult, onEnd?: (end: CallEnd) => void) {
  const listener = called(run, onEnd);
  listener.generated(result);
  return listener;
}

describe('a run', () => {
  it('begins with what the user said, under the identity of its call', () => {
    const { run, transcript, opened } = aRun();
    expect(transcript()).toEqual(['user: Hi']);
    expect(run.identity).toEqual(ada);
    expect(opened).toMatchObject([{ call: ada, options: { framework: 'ai-sdk' } }]);
  });

  it('is recorded for nobody who can’t be read, and goes no other way for that', () => {
    const on = turnsOf({
      identify: () => {
        throw boom;
      },
    });
    const run = new Run(on.recorder, { call: {}, wrappers: [], prompt: promptOf('Hi') });
    expect(run.identity).toBeUndefined();
  });

  it('is recorded for whom its wrappers say, where the call says nothing', () => {
    const identify = vi.fn(() => ada);
    const wrappers = [{ userId: 'ada' }];
    const { recorder } = turnsOf({ identify });
    const run = new Run(recorder, { call: {}, wrappers, prompt: promptOf('Hi') });
    expect(identify).toHaveBeenCalledWith({}, { fallback: wrappers });
    expect(run.identity).toBe(ada);
  });

  it('is complete with the text that its model has streamed', () => {
    const { run, transcript } = aRun();
    streamed(run, [text('One '), text('two'), finish()]);
    run.complete();
    expect(transcript()).toEqual(['user: Hi', 'assistant: One two']);
  });

  it('is complete with the text that its model has generated, and no thinking', () => {
    const { run, transcript, answers } = aRun();
    generated(run, {
      content: [
        { type: 'reasoning', text: 'Hm' },
        { type: 'text', text: 'One' },
      ],
    });
    run.complete();
    expect(transcript()).toEqual(['user: Hi', 'assistant: One']);
    expect(answers()[0]?.timeToFirstTokenMs).toBeUndefined();
  });

  it('may be generated without any content', () => {
    const { run, transcript } = aRun();
    generated(run, {});
    run.complete({ content: 'One' });
    expect(transcript()).toEqual(['user: Hi', 'assistant: One']);
  });

  it('says what it took, over all of its steps, and who answered', () => {
    const { run, answers } = aRun();
    streamed(run, [{ type: 'response-metadata', modelId: 'gpt-5-mini' } as never, text('One'), finish('tool-calls')]);
    generated(run, { content: [], usage, finishReason: { unified: 'stop' }, response: { modelId: 'gpt-5-nano' } });
    run.complete();
    expect(answers()[0]?.details).toMatchObject({
      model: 'gpt-5',
      provider: 'openai',
      responseModel: 'gpt-5-nano',
      steps: 2,
      finishReason: 'stop',
      usage: { inputTokens: 20, outputTokens: 10, totalTokens: 30 },
    });
  });

  it('knows the model that answered from a stream, and only by a text', () => {
    const { run, answers } = aRun();
    const named = { type: 'response-metadata', modelId: 'gpt-5-mini' };
    streamed(run, [named, { type: 'response-metadata', modelId: 7 } as never, text('One'), finish()]);
    run.complete();
    expect(answers()[0]?.details.responseModel).toBe('gpt-5-mini');
  });

  it('has its latency at the last part, and its first token with the first text', () => {
    const { run, answers } = aRun();
    pass(10);
    const listener = streamed(run, [{ type: 'stream-start' }]);
    pass(10);
    listener.part(text('One'));
    pass(10);
    listener.part(finish());
    pass(1000);
    run.complete();
    expect(answers()[0]).toMatchObject({ latencyMs: 30, timeToFirstTokenMs: 20 });
  });

  it('keeps texts of its steps apart, and parts of a step together', () => {
    const { run, transcript } = aRun();
    streamed(run, [text('One '), text('two'), finish()]);
    generated(run, { content: [{ type: 'text', text: 'Three' }] });
    run.complete();
    expect(transcript().at(-1)).toBe('assistant: One two\n\nThree');
  });

  it('keeps texts before and after a tool apart', () => {
    const { run, transcript } = aRun();
    streamed(run, [text('One'), call('call-1', 'search', { providerExecuted: true }), text('Two'), finish()]);
    run.complete();
    expect(transcript().at(-1)).toBe('assistant: One\n\nTwo');
  });

  it.each(['streamed', 'generated'])('has the files and the sources of its model: %s', how => {
    const { run, answers } = aRun();
    const file = { type: 'file', mediaType: 'image/png', data: 'AAAA' };
    const source = { type: 'source', url: 'https://example.com', title: 'Example' };
    if (how === 'streamed') streamed(run, [file, source, finish()]);
    else generated(run, { content: [file, source] });
    run.complete();
    expect(answers()[0]).toMatchObject({
      content: '[image: image/png]',
      details: {
        attachments: [{ mediaType: 'image/png' }],
        sources: [{ url: 'https://example.com', title: 'Example' }],
      },
    });
  });

  it('takes what its end says in the place of what it has seen', () => {
    const { run, transcript, answers } = aRun();
    streamed(run, [text('One'), finish()]);
    run.complete({ content: 'Two', model: 'claude' });
    expect(transcript().at(-1)).toBe('assistant: Two');
    expect(answers()[0]?.details.model).toBe('claude');
  });

  it('ends once', () => {
    const { run, transcript } = aRun();
    streamed(run, [text('One')]);
    run.fail(boom);
    run.complete();
    run.abort('enough');
    expect(transcript()).toEqual(['user: Hi', 'assistant (error): One']);
  });

  it('goes on as a further message after it was abandoned', () => {
    const { run, transcript } = aRun();
    const listener = streamed(run, [text('One')]);
    run.conclude();
    listener.part(text('Two'));
    run.complete();
    expect(transcript()).toEqual(['user: Hi', 'assistant (abandoned): One', 'assistant: Two']);
  });
});

describe('the tools of a run', () => {
  it('wait, and are told by the end of it', () => {
    const { run, answers } = aRun();
    streamed(run, [call('call-1'), text('One'), finish('tool-calls')]);
    expect(run.waitingToolCalls).toMatchObject([{ id: 'call-1', name: 'weather', input: '{}' }]);
    run.complete();
    expect(answers()[0]?.details).toMatchObject({ pendingToolCalls: ['call-1'], toolCalls: [] });
  });

  it('have run once their results are known', () => {
    const { run, answers } = aRun();
    generated(run, { content: [call('call-1'), { type: 'text', text: 'One' }] });
    run.toolsRan(new Set(['call-1']));
    expect(run.waitingToolCalls).toEqual([]);
    run.complete();
    expect(answers()[0]?.details).toMatchObject({ toolCalls: ['weather'] });
    expect(answers()[0]?.details.pendingToolCalls).toBeUndefined();
  });

  it('have run once the model is called again', () => {
    const { run } = aRun();
    streamed(run, [call('call-1'), finish('tool-calls')]);
    called(run);
    expect(run.waitingToolCalls).toEqual([]);
  });

  it('are named with those that the answer has waited for', () => {
    const continued = { toolCallIds: ['call-0'], ran: ['map'], denied: [] };
    const { run, answers } = aRun({ prompt: { user: [], prefill: '', earlier: [], continued } });
    streamed(run, [call('call-1', 'search', { providerExecuted: true }), text('One'), finish()]);
    run.complete();
    expect(answers()[0]?.details).toMatchObject({ toolCalls: ['map', 'search'], continuesToolCalls: ['call-0'] });
  });
});

describe('the end of a call of the model', () => {
  const ends: CallEnd[] = [];
  const onEnd = (end: CallEnd) => void ends.push(end);
  beforeEach(() => void ends.splice(0));

  it('is the end of its stream, with its finish reason', () => {
    streamed(aRun().run, [text('One'), finish({ unified: 'length' })], onEnd).done();
    expect(ends).toEqual([{ type: 'done', finishReason: 'length', error: undefined }]);
  });

  it('is the end of its stream, with the error that it told of, whatever came after that', () => {
    streamed(aRun().run, [{ type: 'error', error: boom } as never, { type: 'raw' }], onEnd).done();
    expect(ends).toEqual([{ type: 'done', finishReason: undefined, error: boom }]);
  });

  it('has the finish reason of its stream, whatever came after that', () => {
    streamed(aRun().run, [finish('length'), { type: 'raw' }], onEnd).done();
    expect(ends).toEqual([{ type: 'done', finishReason: 'length', error: undefined }]);
  });

  it('is its result', () => {
    generated(aRun().run, { finishReason: 'stop' }, onEnd);
    expect(ends).toEqual([{ type: 'done', finishReason: 'stop', error: undefined }]);
  });

  it('is what broke its stream', () => {
    streamed(aRun().run, [text('One')], onEnd).failed(boom);
    expect(ends).toEqual([{ type: 'failed', error: boom }]);
  });

  it('is the cancel of its reader, with the error that it was told of before', () => {
    streamed(aRun().run, [text('One')], onEnd).cancelled('enough');
    streamed(aRun().run, [{ type: 'error', error: boom } as never], onEnd).cancelled('enough');
    expect(ends).toEqual([
      { type: 'cancelled', error: undefined },
      { type: 'cancelled', error: boom },
    ]);
  });

  it('is its refusal, until the model is called again', () => {
    const { run } = aRun();
    expect(run.lastCallRejected).toBe(false);
    called(run, onEnd).rejected(boom);
    expect(ends).toEqual([{ type: 'rejected', error: boom }]);
    expect(run.lastCallRejected).toBe(true);
    called(run);
    expect(run.lastCallRejected).toBe(false);
  });

  it('leaves the answer abandoned where its stream is collected', () => {
    const { run, transcript } = aRun();
    streamed(run, [text('One')]).collected();
    expect(transcript()).toEqual(['user: Hi', 'assistant (abandoned): One']);
  });

  it('needs nobody who hears of it', () => {
    const { run } = aRun();
    expect(() => streamed(run, [text('One')]).done()).not.toThrow();
  });
});

describe('a run that ends as the last call of its model', () => {
  const aborted = AbortSignal.abort('enough');
  it.each<[CallEnd, AbortSignal | undefined, string, unknown]>([
    [{ type: 'done', finishReason: 'stop', error: undefined }, undefined, 'complete', undefined],
    [{ type: 'done', finishReason: undefined, error: undefined }, aborted, 'complete', undefined],
    [{ type: 'done', finishReason: 'stop', error: boom }, undefined, 'error', boom],
    [{ type: 'cancelled', error: undefined }, undefined, 'abandoned', undefined],
    [{ type: 'cancelled', error: undefined }, aborted, 'aborted', 'enough'],
    [{ type: 'cancelled', error: boom }, undefined, 'error', boom],
    [{ type: 'cancelled', error: boom }, aborted, 'aborted', 'enough'],
    [{ type: 'failed', error: boom }, undefined, 'error', boom],
    [{ type: 'failed', error: boom }, aborted, 'aborted', 'enough'],
    [{ type: 'failed', error: undefined }, undefined, 'error', undefined],
    [{ type: 'rejected', error: boom }, undefined, 'error', boom],
    [{ type: 'rejected', error: boom }, aborted, 'aborted', 'enough'],
  ])('%o, with the signal %o: %s', (end, signal, status, error) => {
    const { run, answers } = aRun();
    streamed(run, [text('One')]);
    run.end(end, signal);
    expect(answers()).toMatchObject([{ status, error, content: 'One' }]);
  });

  it('is an error where the provider says no more than that', () => {
    const { run, answers } = aRun();
    streamed(run, [text('One')]);
    run.end({ type: 'done', finishReason: 'error', error: undefined }, undefined);
    expect(answers()).toMatchObject([{ status: 'error', error: { message: 'the provider reported an error' } }]);
  });
});

describe('a run whose signal is watched', () => {
  it('is aborted by it, with its reason', () => {
    const controller = new AbortController();
    const { run, answers } = aRun();
    run.watch(controller.signal);
    streamed(run, [text('One')]);
    controller.abort('enough');
    expect(answers()).toMatchObject([{ status: 'aborted', error: 'enough', content: 'One' }]);
  });

  it('is aborted at once where the signal is already', () => {
    const { run, turns } = aRun();
    run.watch(AbortSignal.abort('enough'));
    expect(turns[0]?.state).toBe('aborted');
  });

  it('listens to the latest signal alone', () => {
    const [first, second] = [new AbortController(), new AbortController()];
    const { run, turns } = aRun();
    run.watch(first.signal);
    run.watch(second.signal);
    expect([first, second].map(({ signal }) => getEventListeners(signal, 'abort').length)).toEqual([0, 1]);
    run.watch(undefined);
    second.abort();
    expect(turns[0]?.state).toBe('open');
  });

  it('listens no more once it has ended, however it did', () => {
    for (const end of ['complete', 'fail', 'abort'] as const) {
      const controller = new AbortController();
      const { run } = aRun();
      run.watch(controller.signal);
      run[end](boom as never);
      expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
    }
  });

  it('listens to none once it has ended', () => {
    const controller = new AbortController();
    const { run } = aRun();
    run.complete();
    run.watch(controller.signal);
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
  });

  it('tells once it has ended, also where it was abandoned without a word', () => {
    for (const end of ['complete', 'conclude'] as const) {
      const ended = vi.fn();
      const { run } = aRun();
      run.whenEnded(ended);
      run[end]();
      expect(ended).toHaveBeenCalledOnce();
    }
  });
});

describe('a run that pauses between two calls of its model', () => {
  it('is complete where nothing follows, and says which tools wait', () => {
    const { run, answers } = aRun();
    streamed(run, [call('call-1'), text('One'), finish('tool-calls')]);
    pass(100);
    run.rest();
    pass(5000);
    run.conclude();
    expect(answers()).toMatchObject([
      { status: 'complete', content: 'One', latencyMs: 100, details: { pendingToolCalls: ['call-1'], toolCalls: [] } },
    ]);
  });

  it('ends with the error of a refused call, where that is not tried again', () => {
    const { run, answers } = aRun();
    generated(run, { content: [call('call-1'), { type: 'text', text: 'One' }] });
    called(run).rejected(boom);
    run.rest({ error: boom });
    run.conclude();
    expect(answers()).toMatchObject([{ status: 'error', error: boom }]);
    expect(answers()[0]?.details.pendingToolCalls).toBeUndefined();
  });

  it('ends as nothing in particular while something of it is under way again', () => {
    const { run, answers } = aRun();
    streamed(run, [call('call-1'), text('One'), finish('tool-calls')]);
    run.rest();
    run.resume({ counts: true });
    run.conclude();
    expect(answers()).toMatchObject([{ status: 'abandoned' }]);
  });

  it('has no latency for a person’s thinking, and all of it for a tool', () => {
    for (const [counts, latencyMs] of [
      [false, 20],
      [true, 520],
    ] as const) {
      const { run, answers } = aRun();
      const listener = streamed(run, [call('call-1')]);
      pass(10);
      listener.part(finish('tool-calls'));
      run.rest();
      pass(500);
      run.resume({ counts });
      const second = streamed(run, [text('One')]);
      pass(10);
      second.part(finish());
      run.complete();
      expect(answers()[0]?.latencyMs).toBe(latencyMs);
    }
  });

  it('has no latency for an attempt that was refused', () => {
    const { run, answers } = aRun();
    pass(10);
    const refused = called(run);
    pass(300);
    refused.rejected(boom);
    run.rest({ error: boom });
    pass(1000);
    run.resume({ counts: false });
    const second = streamed(run, [text('One')]);
    pass(10);
    second.part(finish());
    run.complete();
    expect(answers()[0]?.latencyMs).toBe(20);
  });
});

describe('a run that takes long', () => {
  const idle = { wrappers: [{ idleMs: 1000 }] };
  const wait = (on: ReturnType<typeof aRun>, times: number) => {
    for (let n = 0; n < times; n++) {
      on.tick();
      pass(1000);
    }
    on.tick();
    return on.turns[0]?.state;
  };

  it('is abandoned where nothing of it is under way', () => {
    const on = aRun(idle);
    expect(wait(on, 2)).toBe('abandoned');
  });

  it('is not idle while its call is under way', () => {
    const on = aRun(idle);
    called(on.run);
    expect(wait(on, 50)).toBe('open');
  });

  it.each(['streaming', 'rejected', 'generated'] as const)('may be idle once its call has come back: %s', how => {
    const on = aRun(idle);
    called(on.run)[how]({} as never);
    expect(wait(on, 3)).toBe('abandoned');
  });

  it('is not idle while its promise is under way, and may be once that is over', () => {
    const on = aRun(idle);
    const over = on.run.working();
    expect(wait(on, 50)).toBe('open');
    over();
    over();
    expect(wait(on, 2)).toBe('abandoned');
  });

  it('is not idle while one of two things is under way', () => {
    const on = aRun(idle);
    const over = on.run.working();
    on.run.working();
    over();
    over();
    expect(wait(on, 5)).toBe('open');
  });

  it('is not idle while a part is asked for, but for twenty idle times', () => {
    const on = aRun(idle);
    streamed(on.run, [text('One')]).asked();
    expect(wait(on, 20)).toBe('open');
    expect(wait(on, 2)).toBe('abandoned');
  });

  it('has another twenty idle times with each part', () => {
    const on = aRun(idle);
    const listener = streamed(on.run, []);
    for (let n = 0; n < 3; n++) {
      listener.asked();
      listener.part(text('One'));
      listener.asked();
      expect(wait(on, 19)).toBe('open');
    }
  });

  it('may be idle while nobody asks for a part', () => {
    const on = aRun(idle);
    streamed(on.run, [text('One')]);
    expect(wait(on, 2)).toBe('abandoned');
  });

  it('may be idle in a pause, though a part was asked for before', () => {
    const on = aRun(idle);
    streamed(on.run, [text('One'), call('call-1'), finish('tool-calls')]).asked();
    on.run.rest();
    expect(wait(on, 2)).toBe('complete');
  });

  it('gives a sign of life with each part, of whatever kind', () => {
    const on = aRun(idle);
    const listener = streamed(on.run, []);
    for (let n = 0; n < 5; n++) {
      pass(900);
      listener.part({ type: 'reasoning-delta' });
      on.tick();
    }
    expect(on.turns[0]?.state).toBe('open');
  });
});

describe('the scope of a run', () => {
  it('is open until it has ended, or the SDK’s loop is over', () => {
    const [left, ended] = [aRun().run, aRun().run];
    expect([left.ended, ended.ended]).toEqual([false, false]);
    left.leave();
    ended.complete({ content: 'One' });
    expect([left.ended, ended.ended]).toEqual([true, true]);
  });

  it('is what the call of its model runs in, and answers what that answers', () => {
    const { run, recorder } = aRun();
    const scope = run.listen(model).run(() => scopeOf(recorder));
    expect(scope).toMatchObject({ inModel: true });
    expect(scope?.run).toBe(run);
    expect(scopeOf(recorder)).toBeUndefined();
  });
});

describe('a run that the user speaks into', () => {
  it('is a turn before, and another one after', () => {
    const { run, transcript } = aRun();
    generated(run, { content: [{ type: 'text', text: 'One' }] });
    run.steered([{ content: 'And?' }]);
    generated(run, { content: [{ type: 'text', text: 'Two' }] });
    run.complete();
    expect(transcript()).toEqual(['user: Hi', 'assistant: One', 'user: And?', 'assistant: Two']);
  });

  it('goes on for whom the call was recorded, in the same transcript', () => {
    const { run, opened, turns } = aRun({ call: { userId: 'ada' } });
    run.steered([{ content: 'And?' }]);
    expect(opened[1]).toMatchObject({ call: { userId: 'ada', conversationId: 'fresh' }, options: { ambient: false } });
    expect(run.turn).toBe(turns[1]);
  });

  it('is a turn for each thing that was said', () => {
    const { run, transcript, users } = aRun();
    run.steered([{ content: 'And?' }, { content: [{ type: 'file', mediaType: 'image/png', data: 'AAAA' }] }]);
    expect(transcript()).toEqual(['user: Hi', 'user: And?', 'user: [image: image/png]']);
    expect(users().at(-1)?.attachments).toEqual([{ mediaType: 'image/png' }]);
  });

  it.each([undefined, 'And?', {}])('goes on as before where nothing was said: %j', messages => {
    const { run, turns } = aRun();
    run.steered(messages);
    expect(turns).toHaveLength(1);
  });

  it('tells once it has ended, with its last turn', () => {
    const ended = vi.fn();
    const { run } = aRun();
    run.whenEnded(ended);
    generated(run, { content: [{ type: 'text', text: 'One' }] });
    run.steered([{ content: 'And?' }]);
    expect(ended).not.toHaveBeenCalled();
    expect(run.ended).toBe(false);
    run.complete();
    expect(ended).toHaveBeenCalledOnce();
  });
});
