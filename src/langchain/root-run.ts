import type { BoundedSet } from '../internal/bounded-set.js';
import { property, safely, text } from '../internal/guards.js';
import type { WarnOnce } from '../internal/warn-once.js';
import { isAborted } from '../recorder/abort.js';
import type { MessageContent } from '../recorder/attachments.js';
import { addUsage, type TurnDetails, type Usage } from '../recorder/metadata.js';
import type { Turn } from '../recorder/turn.js';
import { type Answer, type AnswerText, answerOfOutput, findCall } from './answer.js';
import { answeringCall } from './answering-call.js';
import type { HistoryEntry } from './history/history-updates.js';
import type { LlmCall } from './llm-call.js';
import type { HandlerSettings } from './options.js';
import { isResume, type Prompt, promptOfInput } from './prompt.js';
import { chosenAnswer, chosenPrompt } from './selectors.js';

// An agent may call its model thousands of times; the answer is among the last of them.
const MAX_CALLS = 500;

/** What the roots of a handler share. */
export interface RootContext {
  readonly settings: HandlerSettings;
  readonly warnOnce: WarnOnce;
  /** The ids of messages that were recorded as answers. */
  readonly answered: BoundedSet;
}

/**
 * A run that no other run of this handler contains, and the turn it is.
 *
 * What the user said:
 * ```
 *   deferred ─┐ the input comes at the end (streamed lambdas and maps)
 *   unclear  ─┼─► said      the input says it, or the first model's prompt
 *             └─► nobody    a resumed run, a list that ends with an answer
 * ```
 * It ends by one of complete(), fail() and abandon(). After an abandon() without a text, the other two still count.
 */
export class RootRun {
  readonly id: string;
  /** The runs inside it that have not ended, and itself. */
  readonly runIds = new Set<string>();
  lastEventAt = performance.now();
  /** Abandoned without a text: its end is still welcome. */
  dormant = false;
  /** Called when nothing more belongs to it. */
  whenClosed: () => void = () => {};
  readonly #name: string;
  readonly #turn: Turn;
  readonly #context: RootContext;
  readonly #history: HistoryEntry | undefined;
  readonly #calls: LlmCall[] = [];
  #input: unknown;
  #user: 'deferred' | 'unclear' | 'said' | 'nobody' = 'unclear';
  #prompt: string | undefined;
  /** What a human says in the first visible model's prompt: for want of anything better, that is what the user said. */
  #fallback: readonly MessageContent[] = [];
  #interrupted = false;
  #resumed = false;
  #steps = 0;
  #usage: Usage = {};
  #toolCalls: string[] = [];

  constructor(id: string, name: string, turn: Turn, context: RootContext, history: HistoryEntry | undefined) {
    this.id = id;
    this.#name = name;
    this.#turn = turn;
    this.#context = context;
    this.#history = history;
  }

  /** The chain starts. A deferred input is still unknown. */
  begin(input: unknown, deferred: boolean): void {
    if (deferred) this.#user = 'deferred';
    else this.#readInput(input);
  }

  /** The root is a model itself. */
  beginCall(messages: readonly MessageContent[]): void {
    this.#say(messages.length > 0 ? messages : 'none');
  }

  /** A sign of life. */
  touch(): void {
    this.lastEventAt = performance.now();
    this.#turn.touch();
  }

  firstToken(): void {
    this.#turn.firstToken();
  }

  /** `prompt` is read only where the root's input does not say what the user said. */
  callStarted(call: LlmCall, prompt: () => readonly MessageContent[]): void {
    this.#calls.push(call);
    if (this.#calls.length > MAX_CALLS) this.#calls.shift();
    if (!call.visible || this.#isSettled() || this.#fallback.length > 0) return;
    this.#fallback = prompt();
    if (this.#user === 'unclear') this.#settleUser();
  }

  callEnded(call: LlmCall): void {
    if (!call.visible) return;
    this.#steps += 1;
    this.#usage = addUsage(this.#usage, call.usage);
    this.#toolCalls.push(...call.toolCalls);
  }

  /** A step inside has failed. One that waits for a human ends so, too. */
  stepFailed(error: unknown): void {
    if (isInterrupt(error)) this.#interrupted = true;
  }

  /** The chain has ended. `input` is there when it was deferred. */
  complete(output: unknown, input?: unknown): void {
    this.#settleUser(input);
    const own = this.#answer(output);
    const answer = own === undefined || own === 'none' ? (this.#historyAnswer() ?? own) : own;
    if (answer === undefined && (this.#prompt !== undefined || this.#calls.some(call => call.visible)))
      this.#context.warnOnce.warn(
        `ambiguous:${this.#name}`,
        `no part of the output of ${JSON.stringify(this.#name)} is clearly the answer, so only the user's message is recorded. Set outputKey, selectOutput or assistantNodes`,
      );
    if (answer === undefined || answer === 'none')
      return this.#turn.complete(this.#final('', this.#details(undefined)));
    if (answer.messageId !== undefined) this.#context.answered.add(answer.messageId);
    this.#turn.complete(this.#final(answer.text, this.#details(answeringCall(this.#calls, answer))));
  }

  /** The model that is the root has ended. */
  completeCall(call: LlmCall): void {
    this.#turn.complete(this.#final(call.answers ? call.text : '', this.#details(call)));
  }

  /** The root has failed, or was aborted. */
  fail(error: unknown, input?: unknown): void {
    this.#settleUser(input);
    const aborted = this.#isAborted(error);
    const call = this.#partial(aborted);
    const details = this.#final(call?.text ?? this.#historyAnswer()?.text ?? '', this.#details(call));
    if (aborted) this.#turn.abort(error, details);
    else this.#turn.fail(error, details);
  }

  /**
   * Nothing more comes of it.
   *
   * @returns whether something was recorded of the answer: then that is final
   */
  abandon(): boolean {
    const { content, ...details } = this.soFar();
    this.#turn.abandon(this.#final(content, details));
    return content !== '';
  }

  /** The answer as far as it has come; the user's message is recorded first, if it was not yet. */
  soFar(): TurnDetails & { content: string } {
    this.#settleUser();
    const call = this.#partial(true);
    return { content: call?.text ?? this.#historyAnswer()?.text ?? '', ...this.#details(call) };
  }

  /** Whether one of its models said this. */
  said(text: string): boolean {
    return findCall(this.#calls, { text }) !== undefined;
  }

  /** The answer that a message history was given, where the run itself does not tell it. */
  #historyAnswer(): AnswerText | undefined {
    const answer = this.#history?.update.answer;
    return answer === undefined ? undefined : { text: answer };
  }

  /** What the turn ends with; empty where a message history has recorded the answer of a run that was given up. */
  #final(content: string, details: TurnDetails): TurnDetails & { content: string } {
    const kept = this.#history?.answeredElsewhere === undefined ? content : '';
    this.#history?.close(kept);
    return { content: kept, ...details };
  }

  #readInput(input: unknown): void {
    this.#input = input;
    const { settings, warnOnce } = this.#context;
    this.#resumed = isResume(input);
    const prompt = safely(() => chosenPrompt(input, settings, warnOnce)) ?? safely(() => promptOfInput(input));
    this.#say(prompt);
  }

  #say(prompt: Prompt): void {
    if (prompt === undefined) return;
    this.#user = prompt === 'none' ? 'nobody' : 'said';
    if (prompt === 'none') return;
    this.#prompt = prompt.at(-1)?.content;
    const fresh = this.#history?.takePrompt(prompt) ?? prompt;
    if (fresh === prompt) this.#turn.trailing(prompt);
    else for (const { content, attachments } of fresh) this.#turn.user(content, { attachments });
  }

  #settleUser(input?: unknown): void {
    if (!this.#isSettled() && input !== undefined) this.#readInput(input);
    const fromHistory = this.#history?.update.humans ?? [];
    const fallback = fromHistory.length > 0 ? fromHistory : this.#fallback;
    if (!this.#isSettled() && fallback.length > 0) this.#say(fallback);
  }

  #isSettled(): boolean {
    return this.#user === 'said' || this.#user === 'nobody';
  }

  #answer(output: unknown): Answer {
    const { settings, warnOnce, answered } = this.#context;
    const chosen = safely(() => chosenAnswer(output, settings, warnOnce));
    if (chosen !== undefined) return chosen;
    return safely(() =>
      answerOfOutput({
        output,
        input: this.#input,
        prompt: this.#prompt,
        calls: this.#calls,
        nodesNamed: settings.assistantNodes !== undefined,
        interrupted: this.#interrupted,
        isOld: this.#resumed ? id => id !== undefined && answered.has(id) : undefined,
      }),
    );
  }

  /** By the signals that its models were given; before there is one, by what LangChain throws where it was aborted. */
  #isAborted(error: unknown): boolean {
    const signals = this.#calls.flatMap(({ signal }) => (signal === undefined ? [] : [signal]));
    const of = (derived: boolean) => signals.filter(signal => signal.derived === derived).map(({ signal }) => signal);
    const byError = signals.length === 0 || this.#calls.some(({ signal }) => signal === undefined);
    return isAborted(error, { own: of(false), derived: of(true), byError });
  }

  /** The call whose text was on its way to the user. Of several side by side, none is known to be the answer. */
  #partial(stopped: boolean): LlmCall | undefined {
    const visible = this.#calls.filter(call => call.visible);
    const unfinished = visible.filter(
      call => call.state !== 'done' && call.text !== '' && !visible.some(other => other.startedAfter(call)),
    );
    if (unfinished.length > 0) return unfinished.length === 1 ? unfinished[0] : undefined;
    const last = visible.at(-1);
    // Whoever stops reading may do so after the model's last token: then the whole text has come.
    return stopped && visible.length === 1 && last?.answers && last.streamed ? last : undefined;
  }

  #details(call: LlmCall | undefined): TurnDetails {
    const steps = this.#steps + (call && call.state !== 'done' ? 1 : 0);
    return {
      ...call?.details,
      usage: this.#usage,
      steps: steps === 0 ? undefined : steps,
      toolCalls: this.#toolCalls,
    };
  }
}

// LangGraph stops a step with these where a human is to decide; the root ends without an error.
function isInterrupt(error: unknown): boolean {
  return ['GraphInterrupt', 'NodeInterrupt'].includes(text(property(error, 'name')) ?? '');
}
