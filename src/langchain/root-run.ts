import { safely } from '../internal/guards.js';
import { isAborted } from '../recorder/abort.js';
import type { Identity } from '../recorder/identity.js';
import { addUsage, type TurnDetails, type Usage } from '../recorder/metadata.js';
import type { Turn } from '../recorder/turn.js';
import type { StoredAnswer } from '../recorder/turn-options.js';
import { type Answer, type AnswerText, answerOfOutput, findCall } from './answer.js';
import { addTotals } from './first-half.js';
import type { HistoryEntry } from './history/history-updates.js';
import type { LlmCall } from './llm-call.js';
import type { PromptMessage } from './prompt.js';
import { asksUser, isInterrupt, type Question, questionsOf } from './questions.js';
import type { RootContext } from './root-context.js';
import { chosenAnswer } from './selectors.js';
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
  /** Who it is recorded for; undefined where that can't be read. */
  identity: Identity | undefined;
  /** Abandoned without a text: its end is still welcome. */
  dormant = false;
  /** Called when nothing more belongs to it. */
  whenClosed: () => void = () => {};
  readonly #name: string;
  readonly #turn: Turn;
  readonly #context: RootContext;
  readonly #history: HistoryEntry | undefined;
  readonly #calls: LlmCall[] = [];
  readonly #words: UserWords;
  #interrupted = false;
  #questions: Question[] = [];
  #steps = 0;
  #usage: Usage = {};
  #toolCalls: string[] = [];

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

  /** A chain inside starts. */
  chainStarted(input: unknown, metadata: unknown, internal: boolean): void {
    this.#words.stepStarted(input, metadata, internal);
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
  callStarted(call: LlmCall, prompt: () => readonly PromptMessage[]): void {
    this.#calls.push(call);
    if (this.#calls.length > MAX_CALLS) this.#calls.shift();
    if (call.visible) this.#words.modelStarted(prompt);
  }

  callEnded(call: LlmCall): void {
    if (!call.visible) return;
    this.#steps += 1;
    this.#usage = addUsage(this.#usage, call.usage);
    this.#toolCalls.push(...call.toolCalls);
  }

  /** A step inside has failed. One that waits for a human ends so, too; `internal`: it is a tool, or part of one. */
  stepFailed(error: unknown, internal = false): void {
    if (!isInterrupt(error)) return;
    this.#interrupted = true;
    for (const question of questionsOf(error)) {
      const { id, text } = question;
      const isKnown = this.#questions.some(known => known.id === id && known.text === text);
      if (!isKnown && (internal || asksUser(this.#words.lastMessage, text))) this.#questions.push(question);
    }
  }

  /** The chain has ended. `input` is there when it was deferred. */
  complete(output: unknown, input?: unknown): void {
    this.#words.settle(input, output);
    const own = this.#answer(output);
    const answer = own === undefined || own === 'none' ? (this.#historyAnswer() ?? own) : own;
    if (answer === undefined && (this.#words.prompt !== undefined || this.#calls.some(call => call.visible)))
      this.#context.warnOnce.warn(
        `ambiguous:${this.#name}`,
        `no part of the output of ${JSON.stringify(this.#name)} is clearly the answer, so only the user's message is recorded. Set outputKey, selectOutput or assistantNodes`,
      );
    if (answer === undefined || answer === 'none') return this.#completeUnanswered();
    if (answer.messageId !== undefined) this.#context.answered.add(answer.messageId);
    const answerId = this.#words.answerId(answer.messageId, output);
    this.#turn.complete({ ...this.#final(answer.text, this.#details(findCall(this.#calls, answer))), answerId });
  }

  /** There is no answer, or none yet. A question of a tool's is what the user saw: it is the answer until then. */
  #completeUnanswered(): void {
    const [question] = this.#questions;
    const call = question && this.#calls.findLast(({ visible, forTools }) => visible && forTools);
    const details = this.#details(call);
    if (this.#interrupted && !question) {
      const { steps = 0, usage = {}, toolCalls = [] } = details;
      this.#context.firstHalves.keep(this.#words.tasks, { steps, usage, toolCalls });
    }
    const asked = this.#questions.map(({ text }) => text).join('\n\n');
    const answerId = question?.id && this.#turn.conversationId && `interrupt:${question.id}`;
    this.#turn.complete({ ...this.#final(asked, details), answerId });
  }

  /** The model that is the root has ended. */
  completeCall(call: LlmCall): void {
    const answerId = this.#words.callAnswerId(call.messageId);
    this.#turn.complete({ ...this.#final(call.answers ? call.text : '', this.#details(call)), answerId });
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
  #final(content: string, details: TurnDetails): StoredAnswer & { content: string } {
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
    const own = this.#steps + (call && call.state !== 'done' ? 1 : 0);
    const second = { steps: own, usage: this.#usage, toolCalls: this.#toolCalls };
    const { steps, usage, toolCalls } = addTotals(this.#words.firstHalf, second);
    return { ...call?.details, usage, steps: steps === 0 ? undefined : steps, toolCalls };
  }
}
