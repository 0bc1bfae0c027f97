import { safely } from '../internal/guards.js';
import type { Turn } from '../recorder/turn.js';
import { humanContent } from './content.js';
import { NOTHING, type Totals, totalsOfState } from './first-half.js';
import { graphStep, isOfUser, lastMessage, messagesOfState, StateBefore } from './graph-state.js';
import type { HistoryEntry } from './history/history-updates.js';
import { InputValues } from './input-values.js';
import { type Message, readMessage } from './messages.js';
import { humans, type Prompt, type PromptMessage, promptOfInput } from './prompt.js';
import { readResume, replyIn } from './resume.js';
import type { RootContext } from './root-context.js';
import { chosenPrompt } from './selectors.js';

// What a digest of an old message takes, with its place in a set.
const DIGEST_CHARACTERS = 25;

/**
 * What the user said in one run, and when it is known:
 *
 * ```
 *   deferred ─┐             the input comes at the end (streamed lambdas and maps)
 *   unclear  ─┼─► said      the input says it, or the first model's prompt
 *   waiting  ─┤             a graph has the words, and gives them their ids with its first node
 *             └─► nobody    a list that ends with an answer, a resumed run
 * ```
 * A resumed run has words where the state that it goes on from ends with them, and where a reply to an interrupt turns up
 * in the conversation: `nobody` becomes `said` then.
 */
export class UserWords {
  readonly #turn: Turn;
  readonly #context: RootContext;
  readonly #history: HistoryEntry | undefined;
  #state: 'deferred' | 'unclear' | 'waiting' | 'said' | 'nobody' = 'unclear';
  #input = new InputValues(undefined);
  #prompt: string | undefined;
  #promptId: string | undefined;
  /** What a human says in the first visible model's prompt: for want of anything better, that is what the user said. */
  #fallback: readonly PromptMessage[] = [];
  #waiting: readonly PromptMessage[] = [];
  #isResumed = false;
  #isBareResume = false;
  #replies: readonly string[] = [];
  readonly #isGraph: boolean;
  #before: StateBefore | undefined;
  /** Where the messages of the output stand in it. */
  readonly #places = new WeakMap<object, number>();
  /** The messages of the final state. */
  #final: readonly Message[] = [];
  #firstStep: string | undefined;
  #step: string | undefined;
  /** The graph holds it while it works on it. */
  #lastMessage: WeakRef<object> | undefined;
  #tasks: string[] = [];
  #firstTask: string | undefined;
  #firstHalf = NOTHING;

  /** @param isGraph whether the root is LangGraph's own, so that its messages have ids */
  constructor(turn: Turn, context: RootContext, history: HistoryEntry | undefined, isGraph: boolean) {
    this.#turn = turn;
    this.#context = context;
    this.#history = history;
    this.#isGraph = isGraph;
  }

  /** What stood in the root's input; nothing while it is not known. */
  get input(): InputValues {
    return this.#input;
  }

  /** What the user said last in this turn. */
  get prompt(): string | undefined {
    return this.#prompt;
  }

  /** About how many characters it holds. */
  get size(): number {
    let size = (this.#prompt?.length ?? 0) + (this.#before?.size ?? 0) * DIGEST_CHARACTERS;
    for (const { content } of this.#fallback) if (content !== this.#prompt) size += content.length;
    for (const { content } of this.#waiting) if (content !== this.#prompt) size += content.length;
    for (const reply of this.#replies) size += reply.length;
    return size;
  }

  /** Whether the final state of this run may hold answers of earlier turns after the user's last message. */
  get isResumed(): boolean {
    return this.#isResumed;
  }

  /** The tasks of the latest step: those that an interrupt has stopped are among them. */
  get tasks(): readonly string[] {
    return this.#tasks;
  }

  /** What the state ends with that the latest step was given. */
  get lastMessage(): Message | undefined {
    return readMessage(this.#lastMessage?.deref());
  }

  /** What the run took before it was interrupted, where its answer is the second half of that. */
  get firstHalf(): Totals {
    if (!this.isResumed || this.#state === 'said') return NOTHING;
    return this.#context.firstHalves.of(this.#firstTask, this.#firstHalf);
  }

  /** The chain starts. A deferred input is still unknown. */
  begin(input: unknown, deferred: boolean): void {
    if (deferred) this.#state = 'deferred';
    else this.#readInput(input);
  }

  /** The root is a model itself, and this is what humans say at the end of its prompt. */
  beginCall(messages: readonly PromptMessage[]): void {
    if (messages.length > 0) this.#say(this.#isGraph ? messages.map(asStored) : messages);
    else this.#state = 'nobody';
  }

  /**
   * A step inside starts. The first one of a graph is given the state before it, where each message has its id. What is
   * `internal`, as a graph in a tool, says only how a reply went on.
   */
  stepStarted(input: unknown, metadata: unknown, internal = false): void {
    const at = graphStep(metadata);
    if (at === undefined) return;
    if (internal) {
      const inner = this.#replies.length > 0 ? safely(() => messagesOfState(input)) : undefined;
      return this.#findReplies(inner?.filter(({ id }) => id !== undefined));
    }
    if (at.step !== this.#step) this.#tasks = [];
    this.#step = at.step;
    const last = safely(() => lastMessage(input));
    if (last) this.#lastMessage = new WeakRef(last);
    if (at.task !== undefined) this.#tasks.push(at.task);
    const isFirst = this.#firstStep === undefined;
    this.#firstStep ??= at.step;
    if (isFirst) this.#firstTask = at.task;
    if (this.#before === undefined && at.step === this.#firstStep)
      this.#readFirst(safely(() => messagesOfState(input)));
    else if (this.#replies.length > 0) this.#findReplies(safely(() => messagesOfState(input)));
  }

  /** A visible model starts. Its prompt is read only where the root's input does not say what the user said. */
  modelStarted(prompt: () => readonly PromptMessage[]): void {
    this.#sayWaiting([]);
    if (this.#replies.length > 0) this.#findReply(prompt());
    if (this.#isSettled() || this.#fallback.length > 0) return;
    this.#fallback = prompt();
    if (this.#state === 'unclear') this.settle();
  }

  /** Nothing more will be known. `input` is there when it was deferred, `output` when the chain has ended well. */
  settle(input?: unknown, output?: unknown): void {
    if (!this.#isSettled() && input !== undefined) this.#readInput(input);
    const state = output === undefined ? undefined : safely(() => messagesOfState(output));
    this.#final = state ?? [];
    state?.forEach(({ fields }, place) => {
      this.#places.set(fields, place);
    });
    // Of a node whose result is cached, LangGraph reports nothing.
    this.#sayWaiting(state ?? []);
    if (this.#replies.length > 0) this.#findReplies(state);
    const fromHistory = this.#history?.update.humans ?? [];
    const fallback = fromHistory.length > 0 ? fromHistory : this.#fallback;
    if (!this.#isSettled() && fallback.length > 0) this.#say(this.#isGraph ? fallback.map(asStored) : fallback);
  }

  /** @returns whether a message of the final state may be of this run, rather than of an earlier one */
  isNew(message: Message): boolean {
    if (this.#before) return this.#before.isNew(message, this.#places.get(message.fields));
    // A thread that has ended goes on with nothing.
    if (this.isResumed && this.#isGraph && this.#firstStep === undefined) return false;
    return !this.isResumed || message.id === undefined || !this.#context.answered.has(message.id);
  }

  /** @returns whether a message of the final state stands in the place of an earlier one, whose id it has */
  hasReplaced(message: Message): boolean {
    return this.#before?.hasReplaced(message) ?? false;
  }

  /**
   * The name under which an answer is known in every process: the message's id, and that of the user's message before it,
   * since a provider may use an id again. Undefined where LangGraph keeps no ids.
   */
  answerId(messageId: string | undefined): string | undefined {
    if (messageId === undefined || !(this.#isGraph || this.#before)) return undefined;
    const messages = this.#final;
    const place = messages.findLastIndex(({ id }) => id === messageId);
    if (place < 0) return undefined;
    const own = messages.findLastIndex(({ id }) => id !== undefined && id === this.#promptId);
    const asked = own > place ? own : messages.slice(0, place).findLastIndex(({ speaker }) => speaker === 'human');
    const askedId = messages[asked]?.id;
    return askedId === undefined ? undefined : `${askedId}/${messageId}`;
  }

  /** The same of the answer of a model that a node of LangGraph's calls: it may become a message of the state. */
  callAnswerId(messageId: string | undefined): string | undefined {
    const isKept = this.#isGraph && messageId !== undefined && this.#promptId !== undefined;
    return isKept ? `${this.#promptId}/${messageId}` : undefined;
  }

  #readInput(input: unknown): void {
    this.#input = new InputValues(input);
    const { settings, warnOnce } = this.#context;
    const resume = safely(() => readResume(input));
    this.#isResumed = resume !== undefined;
    this.#isBareResume = resume?.isBare ?? false;
    const chosen = safely(() => chosenPrompt(input, settings, warnOnce));
    const added = humans(resume?.update ?? []);
    if (chosen === undefined && added.length > 0) this.#hear(added);
    else this.#hear(chosen ?? safely(() => promptOfInput(input)));
    if (chosen === undefined)
      this.#replies = (resume?.replies ?? []).filter(reply => !added.some(({ content }) => content === reply));
  }

  #hear(prompt: Prompt): void {
    if (prompt === undefined) return;
    if (prompt === 'none') this.#state = 'nobody';
    else if (this.#isGraph && prompt.some(({ messageId }) => messageId === undefined)) {
      this.#state = 'waiting';
      this.#waiting = prompt;
      this.#prompt = prompt.at(-1)?.content;
    } else this.#say(prompt);
  }

  #readFirst(messages: readonly Message[] | undefined): void {
    if (messages) this.#before = new StateBefore(messages);
    if (this.#state === 'waiting') return this.#sayWaiting(messages ?? []);
    if (!messages || !this.isResumed) return;
    this.#firstHalf = totalsOfState(messages);
    if (this.#isBareResume && this.#state !== 'said') {
      const last = humans(messages.filter(message => message.speaker !== 'human' || isOfUser(message, messages)));
      if (last.length > 0) this.#say(last.map(asStored));
    }
  }

  /** Says what waits for its ids, with those that it has in a state. */
  #sayWaiting(state: readonly Message[]): void {
    if (this.#state !== 'waiting') return;
    let end = state.length;
    const named = this.#waiting.toReversed().map(said => {
      if (said.messageId !== undefined) return said;
      const place = state
        .slice(0, end)
        .findLastIndex(({ speaker, content }) => speaker === 'human' && humanContent(content).content === said.content);
      if (place < 0) return said;
      end = place;
      return { ...said, storedId: state[place]?.id };
    });
    this.#waiting = [];
    this.#say(named.toReversed());
  }

  /** Replies to an interrupt that a later state has as messages: of a human, or as the result of the tool that asked. */
  #findReplies(messages: readonly Message[] | undefined): void {
    const added = messages === undefined ? undefined : this.#before?.newIn(messages);
    for (const message of added ?? []) {
      const { speaker, content, id } = message;
      if (speaker !== 'tool' && !isOfUser(message, messages ?? [])) continue;
      const said = humanContent(content);
      const reply = replyIn(said.content, this.#replies);
      if (reply === undefined) continue;
      const isWhole = speaker === 'human' && said.content.trim() === reply.trim();
      this.#sayReply(reply, { ...(isWhole ? said : { content: reply, attachments: [] }), storedId: id });
    }
  }

  /** A reply that a model is told of as a human's words, where it is in no state. */
  #findReply(prompt: readonly PromptMessage[]): void {
    for (const { content, messageId } of prompt) {
      const reply = replyIn(content, this.#replies);
      if (reply === undefined || (content.trim() !== reply.trim() && !/\s/.test(reply.trim()))) continue;
      this.#sayReply(reply, { content: reply, attachments: [], storedId: messageId ?? this.#firstTask });
    }
  }

  #sayReply(reply: string, message: PromptMessage): void {
    this.#replies = this.#replies.filter(other => other !== reply);
    this.#say([message]);
  }

  #say(prompt: readonly PromptMessage[]): void {
    this.#state = 'said';
    const last = prompt.at(-1);
    this.#prompt = last?.content;
    this.#promptId = last?.messageId ?? last?.storedId;
    const fresh = this.#history?.takePrompt(prompt) ?? prompt;
    if (fresh === prompt) this.#turn.trailing(prompt);
    else for (const { content, ...ids } of fresh) this.#turn.user(content, ids);
  }

  #isSettled(): boolean {
    return this.#state === 'said' || this.#state === 'nobody';
  }
}

/** A message of a state: its id names it, unless the app has another one for it. */
function asStored({ messageId, ...said }: PromptMessage): PromptMessage {
  return { ...said, storedId: messageId };
}
