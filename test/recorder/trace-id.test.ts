import { AsyncLocalStorage } from 'node:async_hooks';
import * as openTelemetry from '@opentelemetry/api';
import { afterEach, describe, expect, it } from 'vitest';
import { createRecorder } from '../../src/index.js';
import { activeTraceId } from '../../src/recorder/trace-id.js';
import { recorderOn } from '../support/recorder.js';

const { context, trace, ROOT_CONTEXT } = openTelemetry;
const traceId = '0af7651916cd43dd8448eb211c80319c';

/** A context manager as an app registers one, the smallest. */
class Contexts implements openTelemetry.ContextManager {
  readonly #contexts = new AsyncLocalStorage<openTelemetry.Context>();
  active = () => this.#contexts.getStore() ?? ROOT_CONTEXT;
  with: openTelemetry.ContextManager['with'] = (context, fn, receiver, ...args) =>
    this.#contexts.run(context, () => fn.call(receiver as never, ...args));
  bind = <T>(_: openTelemetry.Context, target: T) => target;
  enable = () => this;
  disable = () => this;
}

/** Runs a function within a span of the trace. */
function inSpan<T>(fn: () => T, id = traceId): T {
  const span = trace.wrapSpanContext({ traceId: id, spanId: 'b7ad6b7169203331', traceFlags: 1 });
  return context.with(trace.setSpan(context.active(), span), fn);
}

afterEach(() => context.disable());

describe('the trace of a message', () => {
  it.each([
    ['what the app has registered', undefined],
    ['the module that the app hands over', openTelemetry],
  ])('is known from %s', async (_, api) => {
    context.setGlobalContextManager(new Contexts());
    await using on = await recorderOn(undefined, { openTelemetry: api });
    inSpan(() => {
      const turn = on.recorder.turn({ conversationId: 'c' });
      turn.user('Hi');
      turn.complete({ content: 'Ho' });
    });
    on.recorder.turn({ conversationId: 'c' }).user('Outside');
    await on.recorder.flush();
    expect(on.synap.stored.map(({ metadata }) => metadata?.trace_id)).toEqual([traceId, traceId, undefined]);
  });

  it('is left out when the app wants none', () => {
    context.setGlobalContextManager(new Contexts());
    expect(inSpan(() => activeTraceId(undefined))).toBe(traceId);
    expect(inSpan(() => activeTraceId(false))).toBeUndefined();
  });

  it('is unknown where nothing is registered, and where the id is none', () => {
    expect(inSpan(() => activeTraceId(undefined))).toBeUndefined();
    context.setGlobalContextManager(new Contexts());
    for (const id of ['0'.repeat(32), 'x', '']) expect(inSpan(() => activeTraceId(undefined), id)).toBeUndefined();
  });

  it('is unknown where asking for it throws', () => {
    const getActiveSpan = () => {
      throw new Error('no');
    };
    expect(activeTraceId({ trace: { getActiveSpan } })).toBeUndefined();
  });

  it('is asked of nothing else than the module', () => {
    expect(() => createRecorder({ apiKey: 'k', openTelemetry: {} as never })).toThrow(
      /openTelemetry: must be the module/,
    );
  });
});
