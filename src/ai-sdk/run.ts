import { safely } from '../internal/guards.js';
import { isAborted } from '../recorder/abort.js';
import type { Identity } from '../recorder/identity.js';
import { addUsage, type Usage } from '../recorder/metadata.js';
import type { Recorder } from '../recorder/recorder.js';
import { runIn, type ScopedRun, scopeFor } from '../recorder/scope.js';
import type { Turn } from '../recorder/turn.js';
import type { CompleteDetails } from '../recorder/turn-options.js';
import { InvalidInputError } from '../synap/errors.js';
import type { SynapCallOptions } from './call-options.js';
import {
  type AnyLanguageModel,
  type GenerateResult,
  readFinishReason,
  readUsage,
  type StreamPart,
} from './model-spec.js';
import type { CallListener } from './observe-model.js';
import { type ContinuedCalls, type PromptEnd, readContent } from './prompt.js';
import { type ToolCall, ToolCalls } from './tool-calls.js';

/** What is said of an error that the provider only mentions. */
export const UNKNOWN_PROVIDER_ERROR = new Error('the provider reported an error');

const MINUTE = 60_000;
const IDLE_MS = 5 * MINUTE;

/** What a wrapper is given: the identity to fall back to, and how to treat answers that nobody reads. */
export interface WrapOptions extends Identity {
  /** Milliseconds without a part after which an answer is recorded as `abandoned`. Default 300,000. */
  idleMs?: number | undefined;
}

/** @throws {@link InvalidInputError} `idleMs` is no time to wait */
export function checkWrapOptions({ idleMs }: WrapOptions): void {
  if (idleMs === undefined || (Number.isFinite(idleMs) && idleMs > 0)) return;
  throw new InvalidInputError(`idleMs must be a number of milliseconds above 0, but is ${idleMs}`, { field: 'idleMs' });
}

/** How one call of a model ended, as its tap saw it. */
export type CallEnd =
  | {
      readonly type: 'done';
      readonly finishReason: string | undefined;
      readonly error: unknown;
    }
  | { readonly type: 'failed'; readonly error: unknown }
  | { readonly type: 'cancelled'; readonly error: unknown }
  | { readonly type: 'rejected'; readonly error: unknown };

/**
 * One run: a call of a wrapped function, or a loop of model calls that belong together. It observes the calls of the model
 * that answer one prompt, and ends its turn once.
 *
 * The text comes from the model's tap (`model`), or from callbacks that tell what the user saw (`callbacks`): those come
 * after the app's own transforms, and after what the consumer did not read.
 */
export class Run implements ScopedRun {
  readonly turn: Turn;
  readonly identity: Identity | undefined;
  readonly #recorder: Recorder;
  readonly #textFrom: 'model' | 'callbacks';
  #usage: Usage = {};
  #steps = 0;
  readonly #tools: ToolCalls;
  #lastCallRejected = false;
  #unanswered = 0;
  #callStartedAt = 0;
  #rest: { readonly error?: unknown } | undefined;
  #unwatch: (() => void) | undefined;
  #whenEnded: (() => void) | undefined;

  constructor(
    recorder: Recorder,
    {
      call,
      wrappers,
      textFrom,
      continued,
    }: Omit<OpenRunOptions, 'prompt'> & { continued?: ContinuedCalls | undefined },
  ) {
    this.#recorder = recorder;
    this.#tools = new ToolCalls(continued?.ran);
    this.#textFrom = textFrom;
    this.identity = safely(() => recorder.identify(call, { fallback: wrappers }));
    this.turn = recorder.turn(call, {
      framework: 'ai-sdk',
      fallback: wrappers,
      metadata: call.metadata,
      idleMs: wrappers.find(options => options?.idleMs !== undefined)?.idleMs ?? IDLE_MS,
      // A call that has given no stream yet will give one, or fail: until then nobody can be reading.
      busy: () => this.#unanswered > 0,
      endsAs: () => this.#endsAs(),
      ended: () => {
        this.#unwatch?.();
        this.#whenEnded?.();
      },
    });
    if (continued) this.turn.describe({ toolCalls: continued.ran, continuesToolCalls: continued.toolCallIds });
  }

  /** Called once the run has ended, however it did. */
  whenEnded(act: () => void): void {
    this.#whenEnded = act;
  }

  get ended(): boolean {
    return this.turn.over;
  }

  /** Whether the last call of the model gave neither a stream nor a result: an error of the run is then its last word. */
  get lastCallRejected(): boolean {
    return this.#lastCallRejected;
  }

  /** The calls of tools that nobody has answered yet. */
  get waitingToolCalls(): readonly ToolCall[] {
    return this.#tools.waiting;
  }

  /** The results of these calls of tools are known. */
  toolsRan(toolCallIds: ReadonlySet<string>): void {
    this.#tools.ran(toolCallIds);
  }

  complete(details?: CompleteDetails): void {
    this.turn.complete({ ...details, ...this.#waitingDetails() });
  }

  fail(error: unknown): void {
    this.turn.fail(error);
  }

  abort(reason?: unknown): void {
    this.turn.abort(reason);
  }

  /** Ends the run as the stream or the promise of its last call ended. */
  end(end: CallEnd, signal: AbortSignal | undefined): void {
    if (end.type === 'done') {
      if (end.error !== undefined || end.finishReason === 'error') this.fail(end.error ?? UNKNOWN_PROVIDER_ERROR);
      else this.complete();
    } else if (end.type === 'cancelled' && end.error === undefined) {
      if (isAborted(undefined, { own: [signal] })) this.abort(signal?.reason);
      else this.turn.abandon();
    } else if (isAborted(end.error, { own: [signal] })) this.abort(signal?.reason);
    else this.fail(end.error);
  }

  /**
   * Nothing is under way until the model is called again, if it is. Of a refused call this is how the run ends unless it is
   * tried again; that attempt counts for no latency.
   */
  rest(end: { readonly error?: unknown } = {}): void {
    this.#rest = end;
    this.turn.pauses.begin('error' in end ? this.#callStartedAt : undefined);
  }

  /** It goes on. `counts`: the time until now is a part of the answer's latency. */
  resume(options: { counts: boolean }): void {
    this.#rest = undefined;
    this.turn.pauses.resume(options);
  }

  /** Nothing more comes: it ends as it stands. */
  conclude(): void {
    this.turn.abandon();
  }

  /** How the run ends when nobody ends it: between two calls of the model that is known. */
  #endsAs(): { readonly error?: unknown } | undefined {
    if (this.#rest && !('error' in this.#rest)) this.turn.describe(this.#waitingDetails());
    return this.#rest;
  }

  #waitingDetails(): CompleteDetails {
    const pendingToolCalls = this.#tools.waiting.map(({ id }) => id);
    return pendingToolCalls.length === 0 ? {} : { pendingToolCalls, toolCalls: this.#tools.names({ ran: true }) };
  }

  /** Ends the run when `signal` aborts: a source may ignore it, and a consumer that went away pulls no more. */
  watch(signal: AbortSignal | undefined): void {
    this.#unwatch?.();
    this.#unwatch = undefined;
    if (!signal || this.ended) return;
    const abort = () => this.abort(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    this.#unwatch = () => signal.removeEventListener('abort', abort);
  }

  /** Observes one call of the model. `onEnd` is given how it ended. */
  listen(model: AnyLanguageModel, onEnd: (end: CallEnd) => void = () => {}): CallListener {
    this.turn.describe({ model: model.modelId, provider: model.provider });
    const fromModel = this.#textFrom === 'model';
    const { turn } = this;
    let error: unknown;
    let finishReason: string | undefined;
    return {
      run: call => {
        this.#lastCallRejected = false;
        this.#callStartedAt = performance.now();
        this.#tools.answered();
        this.#unanswered++;
        return runIn(scopeFor(this.#recorder, this, true), call);
      },
      streaming: () => void this.#unanswered--,
      part: part => {
        // Nearly every part is one of these.
        if (part.type === 'text-delta') {
          if (fromModel) turn.append(part.delta as string);
          else turn.touch();
          return;
        }
        if (part.type === 'error') error = part.error;
        if (part.type === 'finish') finishReason = readFinishReason(part.finishReason);
        this.#part(part);
      },
      done: () => onEnd({ type: 'done', finishReason, error }),
      failed: error => onEnd({ type: 'failed', error }),
      cancelled: () => onEnd({ type: 'cancelled', error }),
      collected: () => turn.abandon(),
      generated: result => {
        this.#unanswered--;
        this.#generated(result);
        onEnd({ type: 'done', finishReason: readFinishReason(result.finishReason), error: undefined });
      },
      rejected: error => {
        this.#unanswered--;
        this.#lastCallRejected = true;
        onEnd({ type: 'rejected', error });
      },
    };
  }

  #part(part: StreamPart): void {
    this.turn.touch();
    switch (part.type) {
      case 'tool-call':
        this.#tools.add(part);
        break;
      case 'response-metadata':
        this.#responseModel(part.modelId);
        break;
      case 'finish':
        this.#step(part);
        break;
    }
  }

  #generated(result: GenerateResult): void {
    for (const part of result.content ?? []) {
      if (part.type === 'text') this.turn.append(part.text as string, { streamed: false });
      if (part.type === 'tool-call') this.#tools.add(part);
    }
    this.#responseModel(result.response?.modelId);
    this.#step(result);
  }

  #responseModel(modelId: unknown): void {
    if (typeof modelId === 'string') this.turn.describe({ responseModel: modelId });
  }

  #step({ usage, finishReason }: { usage?: unknown; finishReason?: unknown }): void {
    this.#steps++;
    this.#usage = addUsage(this.#usage, readUsage(usage));
    this.turn.describe({
      usage: this.#usage,
      finishReason: readFinishReason(finishReason),
      steps: this.#steps,
      toolCalls: this.#tools.names(),
    });
  }
}

/** What a run is opened with. `wrappers` are what the model and the namespace were wrapped with, the nearest first. */
export interface OpenRunOptions {
  readonly prompt: PromptEnd;
  readonly call: SynapCallOptions;
  readonly wrappers: readonly (WrapOptions | undefined)[];
  readonly textFrom: 'model' | 'callbacks';
}

/** Opens the run of a prompt, and records what the user said. */
export function openRun(recorder: Recorder, { prompt, ...options }: OpenRunOptions): Run {
  const { user, prefill, earlier, continued } = prompt;
  const run = new Run(recorder, { ...options, continued });
  // The app's id of a message is that of the newest.
  const newest = user.length - 1;
  run.turn.trailing(
    user.map((said, index) => (index === newest ? { ...said, messageId: options.call.messageId } : said)),
    { place: earlier.length, earlier: () => earlier.map(content => readContent(content).content), prefill },
  );
  return run;
}
