// The three majors of the AI SDK, a scripted model for each, and a recorder around them.

import { setImmediate, setTimeout } from 'node:timers/promises';
import * as ai7 from 'ai';
import { MockLanguageModelV4 } from 'ai/test';
import * as ai5 from 'ai5';
import { MockLanguageModelV2 } from 'ai5/test';
import * as ai6 from 'ai6';
import { MockLanguageModelV3 } from 'ai6/test';
import { type WrapAISDKOptions, wrapAISDK, wrapModel } from '../../src/ai-sdk/index.js';
import type { RecorderOptions } from '../../src/index.js';
import type { WireMessage } from '../../src/synap/messages.js';
import { recorderOn } from '../support/recorder.js';
import { runs } from '../support/runs.js';

/** One piece of a model's answer: text, or one of these. */
export type Piece =
  | string
  | { tool: string; id?: string; input?: object; providerExecuted?: boolean }
  | { reasoning: string }
  /** A file of this media type that the model has generated. */
  | { file: string }
  | { source: { url: string; title?: string } }
  | { errorPart: Error }
  /** The stream itself breaks. */
  | { breaks: Error }
  /** Nothing more comes before this has resolved. */
  | { waitsFor: Promise<unknown> }
  /** Nothing more ever comes, whatever is aborted. */
  | { hangs: true }
  | { finish: string }
  /** The stream ends without a finish part. */
  | { cut: true };

/** What the model does when it is called: an answer in pieces, or a refusal. */
export type Step = Piece[] | { refuses: Error };

/** What every major of the SDK offers to a test, under one type; the tests' own calls are typed by ai 7. */
export type SDK = typeof ai7;

interface Major {
  name: string;
  sdk: SDK;
  Mock: new (options: object) => { specificationVersion: string };
  nested: boolean;
  specification: 'v2' | 'v3' | 'v4';
  steps(count: number): unknown;
}

export const MAJORS: Major[] = [
  {
    name: 'ai 5',
    sdk: ai5 as never,
    Mock: MockLanguageModelV2 as never,
    nested: false,
    specification: 'v2',
    steps: ai5.stepCountIs,
  },
  {
    name: 'ai 6',
    sdk: ai6 as never,
    Mock: MockLanguageModelV3 as never,
    nested: true,
    specification: 'v3',
    steps: ai6.stepCountIs,
  },
  {
    name: 'ai 7',
    sdk: ai7 as never,
    Mock: MockLanguageModelV4 as never,
    nested: true,
    specification: 'v4',
    steps: ai7.isStepCount,
  },
];

export type Script = Step[] | ((prompt: never, call: number) => Step);

/** What goes by before each part of a stream. Faults of order hide behind a gap: without one, all of them show. */
export type Gap = 'no gap' | 'a microtask' | 'a turn of the event loop' | '1 ms';

/** Those that a table is run with. The two in the middle show faults that one of the others shows as well. */
export const GAPS: readonly Gap[] =
  runs(0, 1) === 1 ? ['no gap', 'a microtask', 'a turn of the event loop', '1 ms'] : ['no gap', '1 ms'];

const WAITS: Record<Exclude<Gap, 'no gap'>, () => Promise<unknown>> = {
  'a microtask': () => Promise.resolve(),
  'a turn of the event loop': () => setImmediate(),
  '1 ms': () => setTimeout(1),
};

/**
 * A model of the major's own specification that plays `script`, a step a call. It reads no further than it is read.
 *
 * @param gap what goes by before each part of its stream
 */
export function mockModel({ Mock, nested, specification }: Major, script: Script, gap: Gap = 'no gap') {
  let calls = 0;
  const seen: { pulled: number; cancelled: unknown[]; params: Record<string, unknown>[] } = {
    pulled: 0,
    cancelled: [],
    params: [],
  };
  const usage = nested
    ? {
        inputTokens: { total: 10, noCache: 8, cacheRead: 2, cacheWrite: 0 },
        outputTokens: { total: 5, text: 4, reasoning: 1 },
      }
    : { inputTokens: 10, outputTokens: 5, totalTokens: 15, cachedInputTokens: 2, reasoningTokens: 1 };
  const finish = (reason: string) => (nested ? { unified: reason, raw: reason } : reason);
  const next = (params: { prompt: never } & Record<string, unknown>): Piece[] => {
    seen.params.push(params);
    const step =
      typeof script === 'function' ? script(params.prompt, calls) : script[Math.min(calls, script.length - 1)];
    calls++;
    if (!step) throw new Error('the script has no step');
    if ('refuses' in step) throw step.refuses;
    return step;
  };
  const reasonOf = (step: Piece[]) =>
    step.find((piece): piece is { finish: string } => typeof piece === 'object' && 'finish' in piece)?.finish ??
    (step.some(piece => typeof piece === 'object' && 'tool' in piece && !piece.providerExecuted)
      ? 'tool-calls'
      : 'stop');
  const toolCall = (piece: Extract<Piece, { tool: string }>) => ({
    type: 'tool-call',
    toolCallId: piece.id ?? 'call-1',
    toolName: piece.tool,
    input: JSON.stringify(piece.input ?? {}),
    ...(piece.providerExecuted && { providerExecuted: true }),
  });
  const toolResult = (piece: Extract<Piece, { tool: string }>) => ({
    type: 'tool-result',
    toolCallId: piece.id ?? 'call-1',
    toolName: piece.tool,
    result: { ok: true },
    providerExecuted: true,
  });

  // Its bytes are no image's, and never looked at.
  const file = (mediaType: string) => {
    const data = 'AAAA';
    return { type: 'file', mediaType, data: specification === 'v4' ? { type: 'data', data } : data };
  };
  const source = (piece: Extract<Piece, { source: object }>) => ({
    type: 'source',
    sourceType: 'url',
    id: piece.source.url,
    ...piece.source,
  });

  function* parts(step: Piece[]): Generator<object> {
    yield { type: 'stream-start', warnings: [] };
    yield { type: 'response-metadata', id: 'r1', modelId: 'answering-model', timestamp: new Date(0) };
    let id = 0;
    for (const piece of step) {
      if (typeof piece === 'string') {
        yield { type: 'text-start', id: `${id}` };
        yield { type: 'text-delta', id: `${id}`, delta: piece };
        yield { type: 'text-end', id: `${id++}` };
      } else if ('tool' in piece) {
        yield toolCall(piece);
        if (piece.providerExecuted) yield toolResult(piece);
      } else if ('reasoning' in piece) {
        yield { type: 'reasoning-start', id: `${id}` };
        yield { type: 'reasoning-delta', id: `${id}`, delta: piece.reasoning };
        yield { type: 'reasoning-end', id: `${id++}` };
      } else if ('file' in piece) yield file(piece.file);
      else if ('source' in piece) yield source(piece);
      else if ('errorPart' in piece) yield { type: 'error', error: piece.errorPart };
      else if ('breaks' in piece) throw piece.breaks;
      else if ('hangs' in piece || 'waitsFor' in piece) yield piece;
      else if ('cut' in piece) return;
    }
    yield { type: 'finish', finishReason: finish(reasonOf(step)), usage };
  }

  const model = new Mock({
    provider: 'mock',
    modelId: 'asked-model',
    doGenerate: async (params: never) => {
      const step = next(params);
      const content = step.flatMap((piece): object[] => {
        if (typeof piece === 'string') return [{ type: 'text', text: piece }];
        if ('tool' in piece) return piece.providerExecuted ? [toolCall(piece), toolResult(piece)] : [toolCall(piece)];
        if ('reasoning' in piece) return [{ type: 'reasoning', text: piece.reasoning }];
        if ('file' in piece) return [file(piece.file)];
        if ('source' in piece) return [source(piece)];
        return [];
      });
      return {
        content,
        finishReason: finish(reasonOf(step)),
        usage,
        warnings: [],
        response: { id: 'r1', modelId: 'answering-model', timestamp: new Date(0) },
      };
    },
    doStream: async (params: never) => {
      const all = parts(next(params));
      const play = (controller: ReadableStreamDefaultController<object>): void | Promise<void> => {
        const { done, value } = all.next();
        if (done) return controller.close();
        if ('hangs' in value) return new Promise<void>(() => {});
        if ('waitsFor' in value) return Promise.resolve(value.waitsFor).then(() => play(controller));
        seen.pulled++;
        controller.enqueue(value);
      };
      const stream = new ReadableStream(
        {
          pull: controller => (gap === 'no gap' ? play(controller) : WAITS[gap]().then(() => play(controller))),
          cancel: reason => void seen.cancelled.push(reason),
        },
        { highWaterMark: 0 },
      );
      return { stream };
    },
  });
  return { model: model as never, seen };
}

/** A recorder, and a major of the SDK wrapped one way or the other around a model that plays `script`. */
export async function recording(
  major: Major,
  way: 'wrapAISDK' | 'wrapModel',
  script: Script,
  options: WrapAISDKOptions = {},
  { gap, ...recorderOptions }: RecorderOptions & { gap?: Gap } = {},
) {
  const on = await recorderOn(undefined, recorderOptions);
  const identity = { userId: 'ada', conversationId: '00000000-0000-0000-0000-000000000001', ...options };
  const { model, seen } = mockModel(major, script, gap);
  const wrapped =
    way === 'wrapAISDK'
      ? { sdk: wrapAISDK(major.sdk, on.recorder, identity), model }
      : { sdk: major.sdk, model: wrapModel(model as object, on.recorder, identity) as never };
  return {
    ...on,
    ...wrapped,
    /** The model as the app made it, below any wrapper. */
    inner: model as object,
    seen,
    transcript: async () => {
      await on.recorder.flush();
      return on.synap.stored.map(line);
    },
    [Symbol.asyncDispose]: () => on[Symbol.asyncDispose](),
  };
}

export function line({ role, content, metadata }: WireMessage): string {
  const status = metadata?.status && metadata.status !== 'complete' ? ` (${metadata.status})` : '';
  return `${role}${status}: ${content}`;
}

export type { Major };
