import { safely } from '../internal/guards.js';
import type { Identity } from '../recorder/identity.js';
import type { TurnDetails } from '../recorder/metadata.js';
import type { Turn } from '../recorder/turn.js';
import type { FollowedAnswer, StoredAnswer } from '../recorder/turn-options.js';
import { AbortWatch, type BrokenEnd, type CallSignal } from './abort-watch.js';
import { type Answer, type AnswerText, answerOfOutput, errorOfOutput, findCall } from './answer.js';
import { answeringCall } from './answering-call.js';
import { addTotals, NOTHING } from './first-half.js';
import type { HistoryEntry } from './history/history-updates.js';
import { type InterruptedAnswer, interruptedAnswer, isHiddenByStep } from './interrupted-answer.js';
import type { LlmCall } from './llm-call.js';
import { hiddenAnswer, unclearAnswer } from './notices.js';
import type { PromptMessage } from './prompt.js';
import { PublishedAnswers } from './published.js';
import { isInterrupt, Questions } from './questions.js';
import type { RootContext } from './root-context.js';
import { chosenAnswer } from './selectors.js';
import { StepOutputs, type StepStart } from './step-outputs.js';
import { StoppedCalls } from './stopped-calls.js';
import { UserWords } from './user-words.js';

// An agent may call its model thousands of times; the answer is among the last of them.
const MAX_CALLS = 500;

/** What a message says about an answer, and when it began, on the clock of `performance.now()`. */
type AnswerDetails = TurnDetails & Pick<FollowedAnswer, 'firstTokenAt'>;

/** What failed inside a run. */
interface FailedStep {
  /** Whether it is a tool, or part of one. */
  readonly internal: boolean;
  readonly step: StepStart | undefined;
  /** What a model was called with. */
  readonly signal: CallSignal | undefined;
}

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
  /** Who it is recorded for; undefined where that can't be read. */
  identity: Identity | undefined;
  /** Abandoned without a text: its end is still welcome. */
  dormant = false;
  /** How many characters it holds: what the user said, and what its models have said so far. */
  characters = 0;
  /** Called when nothing more belongs to it. */
  whenClosed: () => void = () => {};
  /** Called when it has ended by itself, because LangChain does not tell; `isFinal`: nothing more comes. */
  whenGivenUp: (isFinal: boolean) => void = () => {};
  /** Called when LangChain can't report its end any more. */
  whenUnread: () => void = () => {};
  readonly #name: string;
  readonly #turn: Turn;
  readonly #context: RootContext;
  readonly #history: HistoryEntry | undefined;
  readonly #calls: LlmCall[] = [];
  /** Of tools, and of steps that the app or its graph keeps to itself. */
  readonly #hiddenCalls: LlmCall[] = [];
  readonly #words: UserWords;
  readonly #stepOutputs = new StepOutputs();
  readonly #watch = new AbortWatch(() => this.#endBySignal());
  readonly #published = new PublishedAnswers();
  readonly #questions = new Questions();
  #measured = 0;
  #endedBySignal = false;
  #interrupted = false;
  /** Of the latest step of the graph that this is: whether another must follow. */
  #leadsOn: { readonly superstep: string | undefined; readonly isSure: boolean } | undefined;
  /** What its visible calls took. */
  #totals = NOTHING;

  /** @param isGraph whether it is LangGraph's own */
  constructor(
    id: string,
    name: string,
    turn: Turn,
    context: RootContext,
    history: HistoryEntry | undefined,
    isGraph = false,
  ) {
    this.id = id;
    this.#name = name;
    this.#turn = turn;
    this.#context = context;
    this.#history = history;
    this.#words = new UserWords(turn, context, history, isGraph);
  }

  /** The chain starts. A deferred input is still unknown. */
  begin(input: unknown, deferred: boolean): void {
    this.#words.begin(input, deferred);
  }

  /** The root is a model itself. */
  beginCall(messages: readonly PromptMessage[]): void {
    this.#words.beginCall(messages);
  }

  /** By how many characters it has grown since this was last asked, beside the texts of its models. */
  takeGrowth(): number {
    const size = this.#words.size + this.#stepOutputs.size + this.#published.size;
    const growth = size - this.#measured;
    this.#measured = size;
    return growth;
  }

  /** A chain inside starts. */
  chainStarted(input: unknown, metadata: unknown, internal: boolean): void {
    this.#words.stepStarted(input, metadata, internal);
  }

  /** A sign of life. */
  touch(): void {
    this.lastEventAt = performance.now();
    this.#turn.touch();
  }

  /** A model is called inside, whoever it works for. */
  signalled(call: LlmCall): void {
    this.#watch.add(call.signal);
  }

  /** `prompt` is read only where the root's input does not say what the user said. */
  callStarted(call: LlmCall, prompt: () => readonly PromptMessage[]): void {
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
    this.#totals = addTotals(this.#totals, { steps: 1, usage: call.usage, toolCalls: call.toolCalls });
  }

  /** A step of any kind starts inside. */
  stepStarted(): void {
    this.#watch.stepStarted();
  }

  /** What a step, or a model's call, gives may tell the answer; `isOwn`: the run itself has started it. */
  followStep(step: StepStart, isOwn: boolean): void {
    if (isOwn) this.#stepOutputs.started(step);
    if (step.isModel) this.#stepOutputs.decidedToEnd = false;
  }

  /** A step that is followed has ended. `inputs` is there when its input was streamed. */
  stepGave(step: StepStart, output: unknown, inputs: unknown): void {
    this.#stepOutputs.ended(step, output, inputs, this.#calls);
  }

  /** A step inside has failed. One that waits for a human ends so, too. */
  stepFailed(error: unknown, { internal, step, signal }: FailedStep): void {
    if (step) this.#stepOutputs.gave(step, { error });
    if (!isInterrupt(error)) return this.#watch.stepFailed(error, signal);
    this.#interrupted = true;
    this.#questions.add(error, { internal, lastMessage: this.#words.lastMessage });
  }

  /** A node of the graph that this is has ended; `isSure`: another one always follows. */
  nodeLedOn(isSure: boolean, superstep: string | undefined): void {
    const isSameStep = this.#leadsOn?.superstep === superstep;
    this.#leadsOn = { superstep, isSure: isSure || (isSameStep && this.#leadsOn?.isSure === true) };
  }

  /**
   * A node of LangGraph's that may speak to the user has ended.
   *
   * @returns whether it has put an answer into the state; undefined where it calls tools first
   */
  nodeEnded(output: unknown): boolean | undefined {
    return this.#published.add(output, message => this.#words.isNew(message));
  }

  /** The chain has ended. `input` is there when it was deferred. */
  complete(reported: unknown, input?: unknown): void {
    const output = safely(() => this.#stepOutputs.ownOutput(reported)) ?? reported;
    // A breakpoint is no error: the graph ends as if there were nothing more to do.
    if (this.#leadsOn?.isSure) this.#interrupted = true;
    this.#beforeEnd(input, output);
    const own = this.#answer(output);
    const answer = own === undefined || own === 'none' ? (this.#historyAnswer() ?? own) : own;
    if (answer === undefined || answer === 'none') {
      const error = safely(() => errorOfOutput(output));
      if (error !== undefined) return this.fail(error);
      if (answer === undefined) this.#warnOfUnclear(output);
      return this.#completeUnanswered();
    }
    for (const id of answer.messageIds ?? [answer.messageId]) if (id !== undefined) this.#context.answered.add(id);
    this.#context.answeredRuns.add(this.id);
    const answerId = this.#words.answerId(answer.messageIds?.at(-1) ?? answer.messageId);
    const call = answer.call ?? answeringCall(this.#calls, answer);
    const details = this.#details(call);
    // The tool that a model is made to call for a structured answer does nothing.
    const toolCalls = answer.isStructured && call ? without(details.toolCalls, call.toolCalls) : details.toolCalls;
    this.#turn.complete({ ...this.#final(answer.text, { ...details, toolCalls }), answerId });
  }

  /** A run in which nobody said anything is a step that an app takes by hand, unless it goes on with a conversation. */
  #warnOfUnclear(output: unknown): void {
    const hasPrompt = this.#words.prompt !== undefined;
    const calls = this.#calls.filter(call => call.visible);
    if (!hasPrompt && calls.length === 0 && !this.#words.isResumed) return;
    const chain = { name: this.#name, steps: this.#stepOutputs };
    unclearAnswer(this.#context.warnOnce, chain, { input: this.#words.input, output, calls, hasPrompt });
  }

  /** There is no answer, or none yet. A question of a tool's is what the user saw: it is the answer until then. */
  #completeUnanswered(): void {
    const question = this.#questions.first;
    const call = question && this.#calls.findLast(({ visible, forTools }) => visible && forTools);
    const details = this.#details(call);
    if (this.#interrupted && !question) {
      const { steps = 0, usage = {}, toolCalls = [] } = details;
      this.#context.firstHalves.keep(this.#words.tasks, { steps, usage, toolCalls });
    }
    const answerId = question?.id && this.#turn.conversationId && `interrupt:${question.id}`;
    this.#turn.complete({ ...this.#final(this.#questions.text, details), answerId });
  }

  /** The model that is the root has ended. */
  completeCall(call: LlmCall): void {
    this.#beforeEnd();
    if (call.answers) this.#context.answeredRuns.add(this.id);
    const answerId = this.#words.callAnswerId(call.messageId);
    this.#turn.complete({ ...this.#final(call.answers ? call.text : '', this.#details(call)), answerId });
  }

  /** The root has failed, was aborted, or lost its reader. */
  fail(error: unknown, input?: unknown): void {
    this.#beforeEnd(input);
    const isModelRunning = this.#calls.some(({ state }) => state === 'running');
    this.#break(this.#watch.endOf(error, isModelRunning), error);
  }

  /**
   * Nothing more comes of it.
   *
   * @returns whether something was recorded of the answer: then that is final
   */
  abandon(): boolean {
    if (this.#endedBySignal) return true;
    const { content, ...details } = this.soFar();
    this.#turn.abandon(this.#final(content, details));
    return content !== '';
  }

  /** The answer as far as it has come; the user's message is recorded first, if it was not yet. */
  soFar(): AnswerDetails & { content: string } {
    this.#words.settle();
    const answer = this.#interruptedAnswer();
    return { content: answer?.text ?? '', ...this.#details(answer && findCallOf(this.#calls, answer)) };
  }

  /** How it ends when the recorder closes, where that is known before LangChain tells it. */
  endsAs(): { aborted: unknown } | undefined {
    return this.#watch.isFinal && this.#watch.endOf(undefined) === 'aborted'
      ? { aborted: this.#watch.reason }
      : undefined;
  }

  /** Nothing more belongs to it. */
  close(): void {
    this.#watch.close();
    this.whenClosed();
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
  #final(content: string, details: AnswerDetails): AnswerDetails & StoredAnswer & { content: string } {
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
        published: this.#published.all,
        steps: this.#stepOutputs,
        nodesNamed: settings.assistantNodes !== undefined,
        interrupted: this.#interrupted,
        isResumed: this.#words.isResumed,
        isNew: message => this.#words.isNew(message),
        hasReplaced: message => this.#words.hasReplaced(message),
      }),
    );
  }

  #beforeEnd(input?: unknown, output?: unknown): void {
    this.#words.settle(input, output);
    // What LangChain reports in the end beats what its signals seemed to say.
    if (this.#endedBySignal) this.#turn.resume();
  }

  /** A signal is aborted, and LangChain says nothing. */
  #endBySignal(): void {
    const stopped = new StoppedCalls([...this.#calls, ...this.#hiddenCalls]);
    if (this.#endedBySignal || stopped.areCaught) return;
    this.#words.settle();
    const recorded = this.#break(this.#watch.endOf(undefined), this.#watch.failure ?? this.#watch.reason);
    this.#endedBySignal = true;
    this.whenGivenUp(recorded || (this.#watch.isFinal && !stopped.areReported));
  }

  /** Ends with what the reader may have got. Returns whether that was anything. */
  #break(end: BrokenEnd, error: unknown): boolean {
    const answer = this.#interruptedAnswer();
    if (!answer && isHiddenByStep(this.#calls)) hiddenAnswer(this.#context.warnOnce, this.#name);
    if (answer?.messageId !== undefined) this.#context.answered.add(answer.messageId);
    // What a node has put into the state is there when the run is tried again.
    const answerId = answer?.call ? undefined : this.#words.callAnswerId(answer?.messageId);
    const final = this.#final(answer?.text ?? '', this.#details(answer && findCallOf(this.#calls, answer)));
    const details = { ...final, answerId };
    if (end === 'error') this.#turn.fail(error, details);
    // LangGraph reports each abort in the same words. The signal has the app's reason, or a timeout's.
    else if (end === 'aborted') this.#turn.abort(this.#watch.reason ?? error, details);
    else this.#turn.abandon(details);
    return details.content !== '';
  }

  #interruptedAnswer(): InterruptedAnswer | undefined {
    const answer = interruptedAnswer(this.#published.all, this.#calls);
    if (answer) return answer;
    const kept = this.#historyAnswer();
    return kept && { ...kept, call: undefined };
  }

  #details(call: LlmCall | undefined): AnswerDetails {
    const isUnderWay = call !== undefined && call.state !== 'done';
    const own = isUnderWay ? addTotals(this.#totals, { ...NOTHING, steps: 1 }) : this.#totals;
    const { steps, usage, toolCalls } = addTotals(this.#words.firstHalf, own);
    return {
      ...call?.details,
      firstTokenAt: call?.firstTokenAt,
      usage,
      steps: steps === 0 ? undefined : steps,
      toolCalls,
    };
  }
}

function findCallOf(calls: readonly LlmCall[], answer: InterruptedAnswer): LlmCall | undefined {
  return answer.call ?? answeringCall(calls, answer);
}

function without(names: readonly string[] | undefined, removed: readonly string[]): string[] {
  const rest = [...(names ?? [])];
  for (const name of removed) {
    const index = rest.lastIndexOf(name);
    if (index >= 0) rest.splice(index, 1);
  }
  return rest;
}
