import { property, text } from '../internal/guards.js';
import type { Source, TurnDetails } from '../recorder/metadata.js';
import { Marks } from './answer-text.js';
import { readFinishReason } from './model-spec.js';
import { readContent } from './prompt.js';
import { StepTotals } from './step-totals.js';
import { isToolResult, ToolCalls } from './tool-calls.js';

const VAGUE = new Set<string | undefined>([undefined, 'error', 'other', 'unknown']);

/** Whether a finish reason says nothing of how a step ended: an error in it was its end then. */
export function saysNothing(finishReason: string | undefined): boolean {
  return VAGUE.has(finishReason);
}

const MAX_NAMES = 200;

/** What the SDK's callbacks say of the answer to one message of the user. */
export interface AnswerHints {
  readonly tools: ToolCalls;
  readonly sources: Source[];
  readonly steps: StepTotals;
}

/**
 * What the SDK's callbacks say of an answer: what kind of end it comes to, what it took, and where its steps part. They
 * run before the app's readers have what they tell of, so they say neither its text nor that it has ended.
 */
export class StreamHints {
  /** Where the steps of the text part, and what stands in it beside text. */
  readonly marks = new Marks();
  /** The error that ended the answer, unless it went on after it. */
  error: { readonly error: unknown } | undefined;
  isAborted = false;
  /** Whether the SDK has come to the end of the answer by itself. */
  isWhole = false;
  abortReason: unknown;
  finishReason: string | undefined;
  /** Is given every part that comes by the callback for chunks. */
  parts: ((part: unknown) => void) | undefined;
  /** Is told when the user has spoken into the answer. */
  steered: (() => void) | undefined;
  #steps = 0;
  // One more each time that the user speaks into the answer.
  readonly #answers: AnswerHints[];
  #current: AnswerHints;
  #model: string | undefined;
  #provider: string | undefined;
  #responseModel: string | undefined;
  #length = 0;

  /** @param ran the names of the tools that ran before: the answer has waited for them */
  constructor(ran?: readonly string[]) {
    this.#current = { tools: new ToolCalls(ran), sources: [], steps: new StepTotals() };
    this.#answers = [this.#current];
  }

  /** How many characters the finished steps have. */
  get length(): number {
    return this.#length;
  }

  get steps(): number {
    return this.#steps;
  }

  /** @param index how often the user had spoken into the answer before */
  answerTo(index: number): AnswerHints {
    return this.#answers[index] ?? this.#current;
  }

  /** Which model answers, as far as it is known. */
  get model(): TurnDetails {
    const details: Record<string, unknown> = {};
    if (this.#responseModel !== undefined) details.responseModel = this.#responseModel;
    if (this.#model !== undefined) details.model = this.#model;
    if (this.#provider !== undefined) details.provider = this.#provider;
    return details;
  }

  /** @param model one that will answer, as far as it is known */
  modelIs(model: unknown): void {
    if (typeof model === 'string') this.#model = model;
    this.#model = text(property(model, 'modelId')) ?? this.#model;
    this.#provider = text(property(model, 'provider')) ?? this.#provider;
  }

  /** `onStepFinish`: a step with its content, in order. */
  readonly step = (step: unknown): void => {
    this.#current.tools.answered();
    const content = property(step, 'content');
    for (const part of Array.isArray(content) ? content : [{ type: 'text', text: property(step, 'text') }])
      this.#part(part, property(part, 'text'));
    this.#finishStep(step);
    this.marks.step(this.#length);
  };

  /** `onChunk`, where the SDK must not be made to keep steps, or the user may speak into the answer (ai 7). */
  readonly chunk = (event: unknown): void => {
    const part = property(event, 'chunk');
    this.parts?.(part);
    switch (property(part, 'type')) {
      case 'text-delta':
        this.#said(property(part, 'text'));
        return;
      case 'start-step':
        this.#current.tools.answered();
        this.marks.step(this.#length);
        return;
      case 'finish-step':
        return this.#finishStep(part);
      case 'steering-message':
        this.#current = { tools: new ToolCalls(), sources: [], steps: new StepTotals() };
        this.#answers.push(this.#current);
        this.marks.steered(this.#length, readContent(property(property(part, 'message'), 'content')));
        this.steered?.();
        return;
      case 'abort':
        this.isAborted = true;
        return;
      case 'error':
        return this.failed(property(part, 'error'));
      default:
        this.#part(part, undefined);
    }
  };

  failed(error: unknown): void {
    this.error = { error };
  }

  readonly aborted = (event: unknown): void => {
    this.isAborted = true;
    this.abortReason = property(event, 'reason');
  };

  #part(part: unknown, words: unknown): void {
    switch (property(part, 'type')) {
      case 'text':
        this.#said(words);
        return;
      case 'tool-call': {
        this.marks.step(this.#length);
        const [toolCallId, toolName, providerExecuted] = [
          property(part, 'toolCallId'),
          property(part, 'toolName'),
          property(part, 'providerExecuted'),
        ];
        this.#current.tools.add({ toolCallId, toolName, providerExecuted });
        return;
      }
      case 'tool-result':
      case 'tool-error':
        if (isToolResult(part)) this.#current.tools.ran(new Set([String(property(part, 'toolCallId'))]));
        return;
      case 'file':
        this.marks.file(this.#length, { mediaType: text(property(property(part, 'file'), 'mediaType')) });
        return;
      case 'source':
        if (this.#current.sources.length < MAX_NAMES)
          this.#current.sources.push({ url: text(property(part, 'url')), title: text(property(part, 'title')) });
    }
  }

  #said(words: unknown): void {
    if (typeof words === 'string') this.#length += words.length;
  }

  #finishStep(step: unknown): void {
    this.#steps++;
    const finishReason = property(step, 'finishReason');
    this.#current.steps.add({ usage: property(step, 'usage'), finishReason });
    this.finishReason = readFinishReason(finishReason);
    if (!saysNothing(this.finishReason)) this.error = undefined;
    // ai 6 and 7 say which model a step asked.
    this.modelIs(property(step, 'model'));
    // Where the provider does not say which model answered, the SDK gives the name of the one that was asked.
    const responseModel = text(property(property(step, 'response'), 'modelId'));
    if (responseModel !== undefined && responseModel !== this.#model) this.#responseModel = responseModel;
  }
}
