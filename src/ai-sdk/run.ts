import { property, safely } from '../internal/guards.js';
import { isAborted } from '../recorder/abort.js';
import type { Identity } from '../recorder/identity.js';
import type { Recorder } from '../recorder/recorder.js';
import { runIn, type ScopedRun, scopeFor } from '../recorder/scope.js';
import type { Turn } from '../recorder/turn.js';
import type { CompleteDetails, FollowedAnswer } from '../recorder/turn-options.js';
import { ModelAnswer } from './model-answer.js';
import {
  type AnyLanguageModel,
  type GenerateResult,
  readFinishReason,
  type StreamPart,
  UNKNOWN_PROVIDER_ERROR,
} from './model-spec.js';
import type { CallEnd, CallListener } from './observe-model.js';
import { type CallIdentity, openNextTurn, openTurn, recordPrompt } from './open-turn.js';
import { Patience } from './patience.js';
import { type PromptEnd, readContent } from './prompt.js';
import { StepTotals } from './step-totals.js';
import { saysNothing } from './stream-hints.js';
import { type ToolCall, ToolCalls } from './tool-calls.js';

/**
 * One run: a call of a wrapped function, or a loop of model calls that belong together. It observes the calls of the model
 * that answer one prompt, and ends its turn once. The text is what the models gave.
 */
export class Run implements ScopedRun {
  readonly identity: Identity | undefined;
  readonly #recorder: Recorder;
  readonly #call: CallIdentity;
  #turn: Turn;
  #steps = new StepTotals();
  #tools: ToolCalls;
  #lastCallRejected = false;
  // How many things are under way that will bring a sign or an end by themselves.
  #working = 0;
  #callStartedAt = 0;
  // How it ends if nothing follows; undefined while something of it is under way.
  #rest: { readonly error?: unknown } | undefined;
  #isLoopOver = false;
  #answer = new ModelAnswer();
  readonly #hooks = {
    // A call that has given no stream yet will give one, or fail: until then nobody can be reading.
    busy: () => this.#working > 0 || this.#isModelAtWork(),
    endsAs: () => this.#endsAs(),
    ended: () => {
      if (!this.#turn.over && this.#turn.state !== 'abandoned') return;
      this.#unwatch?.();
      this.#whenEnded?.();
    },
  };
  #lastPartAt: number | undefined;
  #isWaiting = false;
  readonly #patience: Patience;
  #unwatch: (() => void) | undefined;
  #whenEnded: (() => void) | undefined;

  constructor(recorder: Recorder, { prompt, ...identity }: OpenRunOptions) {
    this.#recorder = recorder;
    this.identity = safely(() => recorder.identify(identity.call, { fallback: identity.wrappers }));
    this.#call = identity;
    this.#patience = new Patience(identity.wrappers);
    this.#tools = new ToolCalls(prompt.continued?.ran);
    this.#turn = openTurn(recorder, identity, this.#hooks);
    recordPrompt(this.#turn, prompt, identity.call);
  }

  /** The turn that is under way: another one each time that the user speaks into the answer. */
  get turn(): Turn {
    return this.#turn;
  }

  /** The user has spoken into the answer (ai 7): what came before is a turn, and what comes now is the answer to that. */
  steered(messages: unknown): void {
    if (!Array.isArray(messages)) return;
    for (const message of messages) {
      const { content, attachments } = readContent(property(message, 'content'));
      const before = this.#turn;
      const next = openNextTurn(this.#recorder, this.#call, { before, known: this.identity }, this.#hooks);
      this.#turn = next;
      before.complete();
      next.user(content, { attachments });
      this.#answer = new ModelAnswer();
      this.#steps = new StepTotals();
      this.#tools = new ToolCalls();
    }
  }

  /** Called once the run has ended, however it did. */
  whenEnded(act: () => void): void {
    this.#whenEnded = act;
  }

  /** Whether it has ended, or the SDK's own loop is over: what the app starts then is not inside of the call. */
  get ended(): boolean {
    return this.#isLoopOver || this.turn.over;
  }

  /** The SDK's own loop is over. */
  leave(): void {
    this.#isLoopOver = true;
  }

  /** Something is under way from now on, such as the call's promise. Returns what ends that. */
  working(): () => void {
    let isWorking = true;
    this.#working++;
    return () => {
      if (isWorking) this.#working--;
      isWorking = false;
    };
  }

  /** Whether the last call of the model gave neither a stream nor a result: an error of the run is then its last word. */
  get lastCallRejected(): boolean {
    return this.#lastCallRejected;
  }

  /** The calls of tools that nobody has answered yet. */
  get waitingToolCalls(): readonly ToolCall[] {
    return this.#tools.waiting;
  }

  /** These calls of tools will never run. */
  toolsDenied(toolCallIds: readonly string[]): void {
    this.#tools.denied(toolCallIds);
  }

  /** The results of these calls of tools are known. */
  toolsRan(toolCallIds: ReadonlySet<string>): void {
    this.#tools.ran(toolCallIds);
  }

  complete(details?: CompleteDetails): void {
    const answer: FollowedAnswer = { lastPartAt: this.#lastPartAt, ...details, ...this.#tools.waitingDetails };
    this.turn.complete(answer);
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
    this.#isWaiting = false;
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
    if (this.#rest && !('error' in this.#rest)) this.turn.describe(this.#tools.waitingDetails);
    return this.#rest;
  }

  /** Ends the run when `signal` aborts: a source may ignore it, and a consumer that went away pulls no more. */
  watch(signal: AbortSignal | undefined): void {
    this.#unwatch?.();
    this.#unwatch = undefined;
    if (!signal || this.ended) return;
    const abort = () => this.abort(signal.reason);
    if (signal.aborted) return abort();
    signal.addEventListener('abort', abort, { once: true });
    this.#unwatch = () => signal.removeEventListener('abort', abort);
  }

  /** Observes one call of the model. `onEnd` is given how it ended. */
  listen(model: AnyLanguageModel, onEnd: (end: CallEnd) => void = () => {}): CallListener {
    this.turn.describe({ model: model.modelId, provider: model.provider });
    const { turn } = this;
    let answered = () => {};
    this.#answer.apart();
    let error: unknown;
    let finishReason: string | undefined;
    return {
      run: call => {
        this.#lastCallRejected = false;
        this.#callStartedAt = performance.now();
        this.#tools.answered();
        answered = this.working();
        return runIn(scopeFor(this.#recorder, this, true), call);
      },
      streaming: () => answered(),
      asked: () => {
        this.#isWaiting = true;
      },
      part: part => {
        this.#isWaiting = false;
        this.#patience.sign();
        // Nearly every part is one of these.
        if (part.type === 'text-delta') {
          this.#answer.said(this.turn, part.delta);
          return;
        }
        if (part.type === 'error') error = part.error;
        if (part.type === 'finish') finishReason = readFinishReason(part.finishReason);
        this.#part(part);
      },
      // An answer that came to an end of its own went on after the error.
      done: () => onEnd({ type: 'done', finishReason, error: saysNothing(finishReason) ? error : undefined }),
      failed: error => onEnd({ type: 'failed', error }),
      cancelled: () => onEnd({ type: 'cancelled', error }),
      collected: () => turn.abandon(),
      generated: result => {
        answered();
        this.#generated(result);
        onEnd({ type: 'done', finishReason: readFinishReason(result.finishReason), error: undefined });
      },
      rejected: error => {
        answered();
        this.#lastCallRejected = true;
        onEnd({ type: 'rejected', error });
      },
    };
  }

  /** While a part of its stream is asked for, the model is at work, unless it says nothing for much too long. */
  #isModelAtWork(): boolean {
    if (!this.#isWaiting) this.#patience.sign();
    return this.#patience.lasts() && this.#isWaiting;
  }

  #part(part: StreamPart): void {
    this.turn.touch();
    switch (part.type) {
      case 'tool-call':
        this.#toolCall(part);
        break;
      case 'file':
        this.#answer.file(this.turn, part);
        break;
      case 'source':
        this.#answer.source(this.turn, part);
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
      if (part.type === 'text') this.#answer.said(this.turn, part.text, { streamed: false });
      if (part.type === 'tool-call') this.#toolCall(part);
      if (part.type === 'file') this.#answer.file(this.turn, part);
      if (part.type === 'source') this.#answer.source(this.turn, part);
    }
    this.#responseModel(result.response?.modelId);
    this.#step(result);
  }

  #toolCall(part: StreamPart): void {
    this.#answer.apart();
    this.#tools.add(part);
    // The step may never come to its end.
    this.turn.describe({ toolCalls: this.#tools.names() });
  }

  #responseModel(modelId: unknown): void {
    if (typeof modelId === 'string') this.turn.describe({ responseModel: modelId });
  }

  #step(step: { usage?: unknown; finishReason?: unknown }): void {
    this.#lastPartAt = performance.now();
    this.#steps.add(step);
    this.turn.describe({ ...this.#steps.details, toolCalls: this.#tools.names() });
  }
}

/** What a run is opened with. */
export interface OpenRunOptions extends CallIdentity {
  readonly prompt: PromptEnd;
}
