import { property, safely, text } from '../internal/guards.js';
import { isAborted } from '../recorder/abort.js';
import type { MessageContent } from '../recorder/attachments.js';
import { addUsage, type TurnDetails, type Usage } from '../recorder/metadata.js';
import type { Turn } from '../recorder/turn.js';
import { type Answer, type AnswerText, answerOfOutput, errorOfOutput, findCall } from './answer.js';
import type { HistoryEntry } from './history/history-updates.js';
import type { LlmCall } from './llm-call.js';
import { unclearAnswer } from './notices.js';
import type { RootContext } from './root-context.js';
import { chosenAnswer } from './selectors.js';
import { StepOutputs, type StepStart } from './step-outputs.js';
import { UserWords } from './user-words.js';

// An agent may call its model thousands of times; the answer is among the last of them.
const MAX_CALLS = 500;

/**
 * A run that no other run of this handler contains, and the turn it is.
 *
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
  /** Of tools, and of steps that the app or its graph keeps to itself. */
  readonly #hiddenCalls: LlmCall[] = [];
  readonly #words: UserWords;
  readonly #stepOutputs = new StepOutputs();
  #interrupted = false;
  #steps = 0;
  #usage: Usage = {};
  #toolCalls: string[] = [];

  constructor(id: string, name: string, turn: Turn, context: RootContext, history: HistoryEntry | undefined) {
    this.id = id;
    this.#name = name;
    this.#turn = turn;
    this.#context = context;
    this.#history = history;
    this.#words = new UserWords(turn, context, history);
  }

  /** The chain starts. A deferred input is still unknown. */
  begin(input: unknown, deferred: boolean): void {
    this.#words.begin(input, deferred);
  }

  /** The root is a model itself. */
  beginCall(messages: readonly MessageContent[]): void {
    this.#words.beginCall(messages);
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
    if (call.visible) this.#words.modelStarted(prompt);
  }

  hiddenCallStarted(call: LlmCall): void {
    this.#hiddenCalls.push(call);
    if (this.#hiddenCalls.length > MAX_CALLS) this.#hiddenCalls.shift();
  }

  callEnded(call: LlmCall, step?: StepStart): void {
    if (step) this.#stepOutputs.gave(step, { call });
    if (!call.visible) return;
    this.#steps += 1;
    this.#usage = addUsage(this.#usage, call.usage);
    this.#toolCalls.push(...call.toolCalls);
  }

  /** A step starts inside, a model's call as well; `isOwn`: the run itself has started it. */
  stepStarted(step: StepStart, isOwn: boolean): void {
    if (isOwn) this.#stepOutputs.started(step);
    if (step.kind === 'model') this.#stepOutputs.decidedToEnd = false;
  }

  /** A step inside has ended. `inputs` is there when its input was streamed. */
  stepEnded(step: StepStart, output: unknown, inputs: unknown): void {
    this.#stepOutputs.ended(step, output, inputs, this.#calls);
  }

  /** A step inside has failed. One that waits for a human ends so, too. */
  stepFailed(error: unknown, step?: StepStart): void {
    if (step) this.#stepOutputs.gave(step, { error });
    if (isInterrupt(error)) this.#interrupted = true;
  }

  /** The chain has ended. `input` is there when it was deferred. */
  complete(reported: unknown, input?: unknown): void {
    this.#words.settle(input);
    const output = safely(() => this.#stepOutputs.ownOutput(reported)) ?? reported;
    const own = this.#answer(output);
    const answer = own === undefined || own === 'none' ? (this.#historyAnswer() ?? own) : own;
    if (answer === undefined || answer === 'none') {
      const error = safely(() => errorOfOutput(output));
      if (error !== undefined) return this.fail(error);
      if (answer === undefined) this.#warnOfUnclear(output);
      return this.#turn.complete(this.#final('', this.#details(undefined)));
    }
    for (const id of answer.messageIds ?? [answer.messageId]) if (id !== undefined) this.#context.answered.add(id);
    const call = answer.call ?? findCall(this.#calls, answer);
    const details = this.#details(call);
    // The tool that a model is made to call for a structured answer does nothing.
    const toolCalls = answer.isStructured && call ? without(this.#toolCalls, call.toolCalls) : this.#toolCalls;
    this.#turn.complete(this.#final(answer.text, { ...details, toolCalls }));
  }

  /** A run in which nobody said anything is a step that an app takes by hand, unless it goes on with a conversation. */
  #warnOfUnclear(output: unknown): void {
    const hasPrompt = this.#words.prompt !== undefined;
    const calls = this.#calls.filter(call => call.visible);
    if (!hasPrompt && calls.length === 0 && !this.#words.isResumed) return;
    const chain = { name: this.#name, steps: this.#stepOutputs };
    unclearAnswer(this.#context.warnOnce, chain, { input: this.#words.input, output, calls, hasPrompt });
  }

  /** The model that is the root has ended. */
  completeCall(call: LlmCall): void {
    this.#turn.complete(this.#final(call.answers ? call.text : '', this.#details(call)));
  }

  /** The root has failed, or was aborted. */
  fail(error: unknown, input?: unknown): void {
    this.#words.settle(input);
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
    this.#words.settle();
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

  #answer(output: unknown): Answer {
    const { settings, warnOnce } = this.#context;
    const chosen = safely(() => chosenAnswer(output, settings, warnOnce));
    if (chosen !== undefined) return chosen;
    return safely(() =>
      answerOfOutput({
        output,
        input: this.#words.input,
        prompt: this.#words.prompt,
        calls: this.#calls,
        hiddenCalls: this.#hiddenCalls,
        steps: this.#stepOutputs,
        nodesNamed: settings.assistantNodes !== undefined,
        interrupted: this.#interrupted,
        isResumed: this.#words.isResumed,
        isNew: message => this.#words.isNew(message),
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

function without(names: readonly string[], removed: readonly string[]): string[] {
  const rest = [...names];
  for (const name of removed) {
    const index = rest.lastIndexOf(name);
    if (index >= 0) rest.splice(index, 1);
  }
  return rest;
}
