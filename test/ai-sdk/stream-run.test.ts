// What becomes of a streamed answer, by what its readers, the SDK's callbacks and the app's signal say, in this order.

import { getEventListeners } from 'node:events';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { AnswerReader, ReaderOwner } from '../../src/ai-sdk/answer-reader.js';
import { PartReader, TextReader } from '../../src/ai-sdk/stream-readers.js';
import { StreamRun, type StreamRunOptions } from '../../src/ai-sdk/stream-run.js';
import { ada, promptOf, turnsOf } from './turns-of.js';

beforeEach(() => {
  vi.useFakeTimers({ now: 0 });
});
afterEach(() => {
  vi.useRealTimers();
});

const GRACE_MS = 500;
const pass = (ms: number) => void vi.advanceTimersByTime(ms);
const boom = new Error('boom');
const text = (words: string) => ({ type: 'text-delta', text: words });
const FINISH = { type: 'finish' };
const stepOf = (words: string, more: object = {}) => ({
  content: [{ type: 'text', text: words }],
  finishReason: 'stop',
  ...more,
});

function streamRun(options: Partial<StreamRunOptions> = {}) {
  const on = turnsOf();
  const run = new StreamRun(on.recorder, {
    call: ada,
    wrappers: [],
    prompt: promptOf('Hi'),
    signal: undefined,
    ...options,
  });
  return { ...on, run, hints: run.hints };
}

/** The app begins to read. */
function reading(run: StreamRun, Reader: new (owner: ReaderOwner) => AnswerReader = PartReader): AnswerReader {
  const reader = new Reader(run);
  reader.reading();
  return reader;
}

function read(reader: AnswerReader, ...parts: unknown[]): void {
  for (const part of parts) {
    if (!reader.isWaiting) reader.reading();
    reader.part(part);
  }
}

describe('a streamed answer', () => {
  it('begins with what the user said', () => {
    const { transcript, opened } = streamRun();
    expect(transcript()).toEqual(['user: Hi']);
    expect(opened).toMatchObject([{ call: ada, options: { framework: 'ai-sdk' } }]);
  });

  it('is complete when its reader has the end', () => {
    const { run, transcript } = streamRun();
    const reader = reading(run);
    read(reader, text('One '), text('two'));
    expect(transcript()).toEqual(['user: Hi']);
    reader.done();
    expect(transcript()).toEqual(['user: Hi', 'assistant: One two']);
  });

  it('is complete once its reader has the finish, before its stream is done', () => {
    const { run, transcript } = streamRun();
    read(reading(run), text('One'), FINISH);
    expect(transcript()).toEqual(['user: Hi', 'assistant: One']);
  });

  it('is complete when a reader that sees text only has all of it, and the SDK’s loop is over', () => {
    const { run, hints, transcript } = streamRun();
    const reader = reading(run, TextReader);
    hints.step(stepOf('OneTwo'));
    read(reader, 'One');
    run.loopEnded();
    expect(transcript()).toEqual(['user: Hi']);
    read(reader, 'Two');
    expect(transcript()).toEqual(['user: Hi', 'assistant: OneTwo']);
  });

  it('is complete when the SDK’s loop is over after the reader has all of its text', () => {
    const { run, hints, transcript } = streamRun();
    read(reading(run, TextReader), 'One');
    hints.step(stepOf('One'));
    expect(transcript()).toEqual(['user: Hi']);
    run.loopEnded();
    expect(transcript()).toEqual(['user: Hi', 'assistant: One']);
  });

  it('is not complete by the end of the SDK’s loop alone', () => {
    const { run, transcript } = streamRun();
    run.loopEnded();
    read(reading(run), text('One'));
    expect(transcript()).toEqual(['user: Hi']);
  });

  it('is what the furthest of several readers got', () => {
    const { run, transcript } = streamRun();
    const [near, far] = [reading(run), reading(run)];
    read(far, text('One'), text('Two'));
    read(near, text('One'));
    near.done();
    expect(transcript()).toEqual(['user: Hi', 'assistant: OneTwo']);
  });

  it('has the details of the steps that have finished, and when its last part was read', () => {
    const { run, hints, answers } = streamRun();
    hints.modelIs({ modelId: 'gpt-5', provider: 'openai' });
    const reader = reading(run);
    pass(30);
    read(reader, text('One'));
    pass(20);
    read(reader, text('Two'));
    pass(1000);
    hints.step(stepOf('OneTwo', { usage: { inputTokens: 1 } }));
    reader.done();
    expect(answers()[0]).toMatchObject({
      latencyMs: 50,
      timeToFirstTokenMs: 30,
      details: { model: 'gpt-5', provider: 'openai', steps: 1, finishReason: 'stop', usage: { inputTokens: 1 } },
    });
  });

  it('has its first token when there is text, not with the first part', () => {
    const { run, answers } = streamRun();
    const reader = reading(run);
    pass(10);
    read(reader, { type: 'start' });
    pass(10);
    read(reader, text('One'), FINISH);
    expect(answers()[0]?.timeToFirstTokenMs).toBe(20);
  });

  it('has the files that were read, and none where there are none', () => {
    const [withFile, without] = [streamRun(), streamRun()];
    read(reading(withFile.run), text('One'), { type: 'file', file: { mediaType: 'image/png' } }, FINISH);
    read(reading(without.run), text('One'), FINISH);
    expect(withFile.answers()[0]?.details.attachments).toEqual([{ mediaType: 'image/png' }]);
    expect(without.answers()[0]?.details.attachments).toBeUndefined();
  });

  it('has the tools and the sources by whoever tells of more of them', () => {
    const source = (url: string) => ({ type: 'source', url });
    const call = (toolName: string) => ({ type: 'tool-call', toolCallId: toolName, toolName, providerExecuted: true });
    const [byReader, byHints] = [streamRun(), streamRun()];
    read(reading(byReader.run), call('weather'), source('https://a.example'), text('One'), FINISH);
    expect(byReader.answers()[0]?.details).toMatchObject({
      toolCalls: ['weather'],
      sources: [{ url: 'https://a.example' }],
    });
    byHints.hints.step(stepOf('One', { content: [call('time'), source('https://b.example')] }));
    reading(byHints.run, TextReader).part('One');
    byHints.run.readerEnded(reading(byHints.run, TextReader), 'done');
    expect(byHints.answers()[0]?.details).toMatchObject({
      toolCalls: ['time'],
      sources: [{ url: 'https://b.example' }],
    });
  });

  it('has no tools and no sources where nobody tells of any', () => {
    const { run, answers } = streamRun();
    read(reading(run), text('One'), FINISH);
    expect(answers()[0]?.details).toMatchObject({ toolCalls: undefined, sources: undefined });
  });

  it('that goes on after tools names them, and those that run in it', () => {
    const continued = { toolCallIds: ['call-0'], ran: ['map'], denied: [] };
    const { run, answers } = streamRun({ prompt: { ...promptOf(''), user: [], continued } });
    read(reading(run), { type: 'tool-call', toolCallId: 'call-1', toolName: 'weather' }, text('One'), FINISH);
    expect(answers()[0]?.details).toMatchObject({ toolCalls: ['map', 'weather'], continuesToolCalls: ['call-0'] });
  });

  it('says which calls of tools wait for somebody outside', () => {
    const { run, hints, answers } = streamRun();
    hints.step(stepOf('One', { content: [{ type: 'tool-call', toolCallId: 'call-1', toolName: 'ask' }] }));
    read(reading(run), text('One'), { type: 'tool-call', toolCallId: 'call-1', toolName: 'ask' }, FINISH);
    expect(answers()[0]?.details).toMatchObject({ pendingToolCalls: ['call-1'], toolCalls: [] });
  });

  it('is recorded for nobody who can’t be read, and goes no other way for that', () => {
    const on = turnsOf({
      identify: () => {
        throw boom;
      },
    });
    const run = new StreamRun(on.recorder, { call: {}, wrappers: [], prompt: promptOf('Hi'), signal: undefined });
    expect(run.identity).toBeUndefined();
  });

  it('is recorded for whom its wrappers say, where the call says nothing', () => {
    const identify = vi.fn(() => ada);
    const wrappers = [{ userId: 'ada' }];
    const { recorder } = turnsOf({ identify });
    const run = new StreamRun(recorder, { call: {}, wrappers, prompt: promptOf('Hi'), signal: undefined });
    expect(identify).toHaveBeenCalledWith({}, { fallback: wrappers });
    expect(run.identity).toBe(ada);
  });
});

describe('a streamed answer that breaks', () => {
  it('is an error with what was read, and what it broke with', () => {
    const { run, transcript, answers } = streamRun();
    const reader = reading(run);
    read(reader, text('One'));
    reader.failed(boom);
    expect(transcript()).toEqual(['user: Hi', 'assistant (error): One']);
    expect(answers()[0]?.error).toBe(boom);
  });

  it('is an error where the SDK has said so, and its stream only ends', () => {
    const { run, hints, answers } = streamRun();
    const reader = reading(run);
    read(reader, text('One'));
    hints.failed(boom);
    reader.done();
    expect(answers()[0]).toMatchObject({ status: 'error', error: boom });
  });

  it('is an error where its reader was told so, and the finish says nothing else', () => {
    const { run, answers } = streamRun();
    read(reading(run), text('One'), { type: 'error', error: boom }, FINISH);
    expect(answers()[0]).toMatchObject({ status: 'error', error: boom });
  });

  it('is complete where its reader was told of an error that the answer went on after', () => {
    const { run, hints, answers } = streamRun();
    hints.step(stepOf('One'));
    read(reading(run), { type: 'error', error: boom }, text('One'), FINISH);
    expect(answers()[0]?.status).toBe('complete');
  });

  it('is an error where the provider says no more than that', () => {
    const { run, hints, answers } = streamRun();
    hints.step(stepOf('One', { finishReason: 'error' }));
    read(reading(run), text('One'), FINISH);
    expect(answers()[0]).toMatchObject({ status: 'error', error: { message: 'the provider reported an error' } });
  });

  it('is an error where the call itself threw', () => {
    const { run, answers } = streamRun();
    run.fail(boom);
    expect(answers()[0]).toMatchObject({ status: 'error', error: boom, content: '' });
    expect(run.ended).toBe(true);
  });

  it('is aborted where the call threw because the app’s signal is', () => {
    const { run, answers } = streamRun({ signal: AbortSignal.abort('enough') });
    run.fail(boom);
    expect(answers()[0]?.status).toBe('aborted');
  });

  it('is whole where a reader had the finish before its stream broke', () => {
    const { run, transcript } = streamRun();
    const reader = reading(run);
    read(reader, text('One'));
    reader.hasFinish = true;
    reader.failed(boom);
    expect(transcript()).toEqual(['user: Hi', 'assistant: One']);
  });

  it('waits for another reader that has not read as far', () => {
    const { run, transcript } = streamRun();
    const [broken, other] = [reading(run), reading(run)];
    read(broken, text('One'));
    broken.failed(boom);
    expect(transcript()).toEqual(['user: Hi']);
    read(other, text('One'), text('Two'));
    other.failed(boom);
    expect(transcript()).toEqual(['user: Hi', 'assistant (error): OneTwo']);
  });

  it('waits for nobody once it is recorded', () => {
    const { run } = streamRun();
    const [whole, broken] = [reading(run), reading(run), reading(run)];
    read(whole as AnswerReader, text('One'), FINISH);
    broken?.failed(boom);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('has what is known of its model, though nobody has read it', () => {
    const { run, hints, answers } = streamRun();
    hints.modelIs('gpt-5');
    run.fail(boom);
    expect(answers()[0]?.details.model).toBe('gpt-5');
  });

  it('waits no longer than the other reader gets something', () => {
    const { run, transcript, answers } = streamRun();
    const [broken, other] = [reading(run), reading(run)];
    broken.failed(boom);
    for (let n = 0; n < 3; n++) {
      pass(GRACE_MS - 1);
      read(other, text('x'));
      pass(1);
      expect(transcript()).toEqual(['user: Hi']);
    }
    pass(GRACE_MS);
    expect(transcript()).toEqual(['user: Hi', 'assistant (error): xxx']);
    expect(answers()[0]?.error).toBe(boom);
  });

  it('has broken where the last of its readers leaves after another one has broken', () => {
    const { run, answers } = streamRun();
    const [broken, other] = [reading(run), reading(run)];
    broken.failed(boom);
    other.left();
    expect(answers()[0]).toMatchObject({ status: 'error', error: boom });
  });
});

describe('a streamed answer that the app aborts', () => {
  it('is aborted, with the app’s reason, where its reader is told so', () => {
    const { run, answers, transcript } = streamRun();
    run.hints.aborted({ reason: 'enough' });
    const reader = reading(run);
    read(reader, text('One'));
    reader.done();
    expect(transcript()).toEqual(['user: Hi', 'assistant (aborted): One']);
    expect(answers()[0]?.error).toBe('enough');
  });

  it('is aborted where its reader alone was told so', () => {
    const { run, answers } = streamRun();
    const reader = reading(run);
    read(reader, text('One'), { type: 'abort' });
    reader.done();
    expect(answers()[0]?.status).toBe('aborted');
  });

  it('is not aborted by an abort that its loop has not come to its end with', () => {
    const { run } = streamRun();
    run.hints.aborted({});
    run.loopEnded();
    expect(run.hints.isWhole).toBe(false);
  });

  it('is aborted where its stream breaks with the app’s signal, with the reason of that', () => {
    const controller = new AbortController();
    const { run, answers } = streamRun({ signal: controller.signal });
    const reader = reading(run);
    read(reader, text('One'));
    controller.abort('enough');
    reader.failed(boom);
    expect(answers()[0]).toMatchObject({ status: 'aborted', error: 'enough' });
  });

  it('is aborted where its reader leaves with the app’s signal', () => {
    const controller = new AbortController();
    const { run, answers } = streamRun({ signal: controller.signal });
    const reader = reading(run);
    read(reader, text('One'));
    controller.abort('enough');
    reader.left();
    expect(answers()[0]).toMatchObject({ status: 'aborted', error: 'enough' });
  });

  it('is aborted where its stream only ends, before any step has', () => {
    const controller = new AbortController();
    const [before, after] = [streamRun({ signal: controller.signal }), streamRun({ signal: controller.signal })];
    after.hints.step(stepOf('One'));
    const readers = [before, after].map(({ run }) => reading(run));
    for (const reader of readers) read(reader, text('One'));
    controller.abort();
    for (const reader of readers) reader.done();
    expect([before, after].map(({ answers }) => answers()[0]?.status)).toEqual(['aborted', 'complete']);
  });

  it('is complete where the finish was read before', () => {
    const controller = new AbortController();
    const { run, answers } = streamRun({ signal: controller.signal });
    const reader = reading(run);
    read(reader, text('One'), FINISH);
    controller.abort();
    reader.failed(boom);
    expect(answers().map(({ status }) => status)).toEqual(['complete']);
  });

  it('is aborted when its readers get nothing for a while, and keeps no timer after that', () => {
    const controller = new AbortController();
    const { run, transcript, answers } = streamRun({ signal: controller.signal });
    const reader = reading(run);
    read(reader, text('One'));
    controller.abort('enough');
    pass(GRACE_MS - 1);
    expect(transcript()).toEqual(['user: Hi']);
    pass(1);
    expect(transcript()).toEqual(['user: Hi', 'assistant (aborted): One']);
    expect(answers()[0]?.error).toBe('enough');
    expect(vi.getTimerCount()).toBe(0);
  });

  it('has what comes to its readers until they get nothing for a while', () => {
    const controller = new AbortController();
    const { run, transcript } = streamRun({ signal: controller.signal });
    const reader = reading(run);
    controller.abort();
    pass(GRACE_MS - 1);
    read(reader, text('One'));
    pass(GRACE_MS);
    read(reader, text('Two'));
    expect(transcript()).toEqual(['user: Hi']);
    pass(2 * GRACE_MS);
    expect(transcript()).toEqual(['user: Hi', 'assistant (aborted): OneTwo']);
  });

  it('is aborted, too, where the signal was before the call', () => {
    const { transcript, answers } = streamRun({ signal: AbortSignal.abort('enough') });
    pass(GRACE_MS);
    expect(answers()[0]).toMatchObject({ status: 'aborted', error: 'enough' });
    expect(transcript()).toEqual(['user: Hi', 'assistant (aborted): ']);
  });

  it('goes on where a reader gets more after all', () => {
    const controller = new AbortController();
    const { run, transcript } = streamRun({ signal: controller.signal });
    const reader = reading(run);
    read(reader, text('One'));
    controller.abort();
    pass(2 * GRACE_MS);
    read(reader, text('Two'), FINISH);
    expect(transcript()).toEqual(['user: Hi', 'assistant (aborted): One', 'assistant: Two']);
  });

  it('keeps no timer and no listener once it has ended', () => {
    const controller = new AbortController();
    const { run } = streamRun({ signal: controller.signal });
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(1);
    read(reading(run), text('One'), FINISH);
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
    controller.abort();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('takes its timer with it, where it ends before that', () => {
    const controller = new AbortController();
    const { run } = streamRun({ signal: controller.signal });
    const reader = reading(run);
    controller.abort();
    expect(vi.getTimerCount()).toBe(1);
    reader.done();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('waits with one timer, however many of its readers break', () => {
    const controller = new AbortController();
    const { run } = streamRun({ signal: controller.signal });
    const [first] = [reading(run), reading(run)];
    controller.abort();
    first?.failed(boom);
    expect(vi.getTimerCount()).toBe(1);
  });

  it('does not hold the process with its timer', () => {
    vi.useRealTimers();
    const unref = vi.spyOn(Object.getPrototypeOf(setTimeout(() => {})), 'unref');
    const { run } = streamRun({ signal: AbortSignal.abort() });
    expect(unref).toHaveBeenCalled();
    run.fail(boom);
    unref.mockRestore();
  });
});

describe('a streamed answer that its readers leave', () => {
  it('is abandoned at once, with what was read', () => {
    const { run, transcript } = streamRun();
    const reader = reading(run);
    read(reader, text('One'));
    reader.left();
    expect(transcript()).toEqual(['user: Hi', 'assistant (abandoned): One']);
  });

  it('is not abandoned while somebody reads on', () => {
    const { run, transcript } = streamRun();
    const [leaves, stays] = [reading(run), reading(run)];
    read(leaves, text('One'));
    leaves.left();
    expect(transcript()).toEqual(['user: Hi']);
    read(stays, text('One'), text('Two'), FINISH);
    expect(transcript()).toEqual(['user: Hi', 'assistant: OneTwo']);
  });

  it('is not abandoned for a stream that was only looked at', () => {
    const { run, transcript } = streamRun();
    new PartReader(run);
    const reader = reading(run);
    read(reader, text('One'));
    reader.left();
    expect(transcript()).toHaveLength(2);
  });

  it('goes on as a further message where somebody reads on', () => {
    const { run, turns, transcript } = streamRun();
    const leaves = reading(run);
    read(leaves, text('One'));
    leaves.left();
    const reader = reading(run);
    read(reader, text('One'));
    expect(transcript()).toHaveLength(2);
    expect(turns[0]?.state).toBe('abandoned');
    read(reader, text('Two'), FINISH);
    expect(transcript()).toEqual(['user: Hi', 'assistant (abandoned): One', 'assistant: Two']);
  });

  it('says nothing twice where somebody reads again what was recorded', () => {
    const { run, transcript } = streamRun();
    read(reading(run), text('One'), FINISH);
    read(reading(run), text('One'), text('Two'), FINISH);
    expect(transcript()).toEqual(['user: Hi', 'assistant: One']);
  });

  it('is abandoned where its result is collected, and nobody reads', () => {
    const { run, turns } = streamRun();
    run.collected();
    expect(turns[0]?.state).toBe('abandoned');
  });

  it('is not abandoned where its result is collected while somebody reads a stream of it', () => {
    const { run, turns } = streamRun();
    read(reading(run), text('One'));
    run.collected();
    expect(turns[0]?.state).toBe('open');
  });
});

describe('a streamed answer that takes long', () => {
  const idle = { wrappers: [{ idleMs: 1000 }] };

  it('is abandoned where nobody reads it for its idle time', () => {
    const { turns, tick } = streamRun(idle);
    tick();
    pass(999);
    tick();
    expect(turns[0]?.state).toBe('open');
    pass(1001);
    tick();
    expect(turns[0]?.state).toBe('abandoned');
  });

  it('is not idle while a reader waits for a part', () => {
    const { run, turns, tick } = streamRun(idle);
    reading(run);
    for (let n = 0; n < 50; n++) {
      pass(1000);
      tick();
    }
    expect(turns[0]?.state).toBe('open');
  });

  it('is not idle while a reader has a part in hand, but for twenty idle times', () => {
    const { run, turns, tick, transcript } = streamRun(idle);
    read(reading(run), text('One'));
    tick();
    for (let n = 0; n < 19; n++) {
      pass(1000);
      tick();
      expect(turns[0]?.state).toBe('open');
    }
    pass(1000);
    tick();
    expect(turns[0]?.state).toBe('open');
    pass(1000);
    tick();
    expect(transcript()).toEqual(['user: Hi', 'assistant (abandoned): One']);
  });

  it('has another twenty idle times with each part', () => {
    const { run, transcript, tick } = streamRun(idle);
    const reader = reading(run);
    for (let n = 0; n < 3; n++) {
      read(reader, text('One'));
      for (let m = 0; m < 19; m++) {
        tick();
        pass(1000);
      }
    }
    tick();
    expect(transcript()).toEqual(['user: Hi']);
  });

  it('is idle once its only reader has gone', () => {
    const { run, turns, tick } = streamRun(idle);
    const reader = reading(run);
    reader.left();
    turns[0]?.resume();
    tick();
    pass(3000);
    tick();
    expect(turns[0]?.state).toBe('abandoned');
  });

  it('is recorded as far as it was read when the recorder abandons it, and goes on after that', () => {
    const { run, turns, transcript } = streamRun();
    const reader = reading(run);
    read(reader, text('One'));
    turns[0]?.abandon();
    expect(transcript()).toEqual(['user: Hi', 'assistant (abandoned): One']);
    read(reader, text('Two'), FINISH);
    expect(transcript()).toEqual(['user: Hi', 'assistant (abandoned): One', 'assistant: Two']);
  });
});

describe('the scope of a streamed answer', () => {
  it('is open until the SDK’s loop is over, though its reader has not the end', () => {
    const { run, transcript } = streamRun();
    read(reading(run), text('One'));
    expect(run.ended).toBe(false);
    run.loopEnded();
    expect([run.ended, transcript()]).toEqual([true, ['user: Hi']]);
  });

  it.each(['done', 'failed'] as const)('is over once a reader is told so: %s', end => {
    const { run } = streamRun();
    reading(run)[end](boom);
    expect(run.ended).toBe(true);
  });

  it('is open while the SDK goes on, though a reader has left', () => {
    const { run } = streamRun();
    reading(run).left();
    expect(run.ended).toBe(false);
  });
});

describe('a streamed answer that nobody can follow', () => {
  it('is what comes by the callback for chunks', () => {
    const { run, hints, transcript } = streamRun();
    run.followChunks();
    hints.chunk({ chunk: text('One') });
    hints.chunk({ chunk: text('Two') });
    expect(transcript()).toEqual(['user: Hi']);
    hints.chunk({ chunk: FINISH });
    expect(transcript()).toEqual(['user: Hi', 'assistant: OneTwo']);
  });

  it('is aborted where that says so', () => {
    const { run, hints, transcript } = streamRun();
    run.followChunks();
    hints.chunk({ chunk: text('One') });
    hints.chunk({ chunk: { type: 'abort' } });
    expect(transcript()).toEqual(['user: Hi', 'assistant (aborted): One']);
  });
});

describe('a streamed answer that the user speaks into', () => {
  const steering = (content: string) => ({ type: 'steering-message', message: { content } });

  it('is a turn before, and another one after', () => {
    const { run, transcript } = streamRun();
    read(reading(run), text('One'), steering('And?'), text('Two'), FINISH);
    expect(transcript()).toEqual(['user: Hi', 'assistant: One', 'user: And?', 'assistant: Two']);
  });

  it('is told by the hints to a reader that sees text only, once it has what came before', () => {
    const { run, hints, transcript } = streamRun();
    hints.chunk({ chunk: text('One') });
    hints.chunk({ chunk: steering('And?') });
    const reader = reading(run, TextReader);
    read(reader, 'On');
    expect(transcript()).toEqual(['user: Hi']);
    read(reader, 'e');
    expect(transcript()).toEqual(['user: Hi', 'assistant: One', 'user: And?']);
    read(reader, 'Two');
    reader.done();
    expect(transcript()).toEqual(['user: Hi', 'assistant: One', 'user: And?', 'assistant: Two']);
  });

  it('has a first token of its own in each turn', () => {
    const { run, answers } = streamRun();
    const reader = reading(run);
    pass(10);
    read(reader, text('One'), steering('And?'));
    pass(25);
    read(reader, text('Two'), FINISH);
    expect(answers().map(({ timeToFirstTokenMs }) => timeToFirstTokenMs)).toEqual([10, 25]);
  });

  it('goes on for whom the call was recorded, in the same transcript, whoever reads it', () => {
    const { run, opened } = streamRun({ call: { userId: 'ada' } });
    read(reading(run), text('One'), steering('And?'));
    expect(opened[1]).toMatchObject({ call: { userId: 'ada', conversationId: 'fresh' }, options: { ambient: false } });
  });

  it('is each turn’s own when two have spoken', () => {
    const { run, transcript } = streamRun();
    read(reading(run), text('One'), steering('And?'), text('Two'), steering('So?'), text('Three'), FINISH);
    expect(transcript()).toEqual([
      'user: Hi',
      'assistant: One',
      'user: And?',
      'assistant: Two',
      'user: So?',
      'assistant: Three',
    ]);
  });

  it('has the files of what the user said', () => {
    const on = streamRun();
    const content = [{ type: 'file', mediaType: 'image/png', data: 'AAAA' }];
    read(reading(on.run), text('One'), { type: 'steering-message', message: { content } });
    expect(on.users().at(-1)).toMatchObject({
      content: '[image: image/png]',
      attachments: [{ mediaType: 'image/png' }],
    });
  });

  it('is aborted by the app’s signal in its later turns, too', () => {
    const controller = new AbortController();
    const { run, transcript } = streamRun({ signal: controller.signal });
    read(reading(run), text('One'), steering('And?'), text('Two'));
    controller.abort();
    pass(GRACE_MS);
    expect(transcript().at(-1)).toBe('assistant (aborted): Two');
  });
});
