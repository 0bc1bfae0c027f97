import { safely } from '../internal/guards.js';
import type { MessageContent } from '../recorder/attachments.js';
import type { Turn } from '../recorder/turn.js';
import type { HistoryEntry } from './history/history-updates.js';
import { InputValues } from './input-values.js';
import type { Message } from './messages.js';
import { isResume, type Prompt, promptOfInput } from './prompt.js';
import type { RootContext } from './root-context.js';
import { chosenPrompt } from './selectors.js';

/**
 * What the user said in one run, and when it is known:
 *
 * ```
 *   deferred ─┐ the input comes at the end (streamed lambdas and maps)
 *   unclear  ─┼─► said      the input says it, or the first model's prompt
 *             └─► nobody    a resumed run, a list that ends with an answer
 * ```
 */
export class UserWords {
  readonly #turn: Turn;
  readonly #context: RootContext;
  readonly #history: HistoryEntry | undefined;
  #state: 'deferred' | 'unclear' | 'said' | 'nobody' = 'unclear';
  #input = new InputValues(undefined);
  #prompt: string | undefined;
  /** What a human says in the first visible model's prompt: for want of anything better, that is what the user said. */
  #fallback: readonly MessageContent[] = [];
  #isResumed = false;

  constructor(turn: Turn, context: RootContext, history: HistoryEntry | undefined) {
    this.#turn = turn;
    this.#context = context;
    this.#history = history;
  }

  /** What stood in the root's input; nothing while it is not known. */
  get input(): InputValues {
    return this.#input;
  }

  /** What the user said last in this turn. */
  get prompt(): string | undefined {
    return this.#prompt;
  }

  /** The chain starts. A deferred input is still unknown. */
  begin(input: unknown, deferred: boolean): void {
    if (deferred) this.#state = 'deferred';
    else this.#readInput(input);
  }

  /** The root is a model itself, and this is what humans say at the end of its prompt. */
  beginCall(messages: readonly MessageContent[]): void {
    this.#say(messages.length > 0 ? messages : 'none');
  }

  /** A visible model starts. Its prompt is read only where the root's input does not say what the user said. */
  modelStarted(prompt: () => readonly MessageContent[]): void {
    if (this.#isSettled() || this.#fallback.length > 0) return;
    this.#fallback = prompt();
    if (this.#state === 'unclear') this.settle();
  }

  /** Nothing more will be known. `input` is there when it was deferred. */
  settle(input?: unknown): void {
    if (!this.#isSettled() && input !== undefined) this.#readInput(input);
    const fromHistory = this.#history?.update.humans ?? [];
    const fallback = fromHistory.length > 0 ? fromHistory : this.#fallback;
    if (!this.#isSettled() && fallback.length > 0) this.#say(fallback);
  }

  /** @returns whether a message of the assistant's in the final state may be new, rather than of an earlier turn */
  isNew({ id }: Pick<Message, 'id'>): boolean {
    return !this.#isResumed || id === undefined || !this.#context.answered.has(id);
  }

  /** Whether the final state of this run may hold answers of earlier turns after the user's last message. */
  get isResumed(): boolean {
    return this.#isResumed;
  }

  #readInput(input: unknown): void {
    this.#input = new InputValues(input);
    const { settings, warnOnce } = this.#context;
    this.#isResumed = isResume(input);
    this.#say(safely(() => chosenPrompt(input, settings, warnOnce)) ?? safely(() => promptOfInput(input)));
  }

  #say(prompt: Prompt): void {
    if (prompt === undefined) return;
    this.#state = prompt === 'none' ? 'nobody' : 'said';
    if (prompt === 'none') return;
    this.#prompt = prompt.at(-1)?.content;
    const fresh = this.#history?.takePrompt(prompt) ?? prompt;
    if (fresh === prompt) this.#turn.trailing(prompt);
    else for (const { content, attachments } of fresh) this.#turn.user(content, { attachments });
  }

  #isSettled(): boolean {
    return this.#state === 'said' || this.#state === 'nobody';
  }
}
