import { isNumber, property, safely } from '../internal/guards.js';
import type { Role } from '../synap/messages.js';
import { AnswerSoFar, textAfter } from './answer-so-far.js';
import { readDetails } from './details.js';
import type { Pauses } from './pauses.js';
import { TurnClock } from './turn-clock.js';
import type { TurnDetails, TurnStatus } from './turn-details.js';
import type {
  AssistantMessage,
  BoundedText,
  PromptHistory,
  TurnFacts,
  TurnMessage,
  TurnSink,
  UserMessage,
} from './turn-message.js';
import {
  type CompleteDetails,
  type FollowedAnswer,
  readTurnOptions,
  type StoredAnswer,
  type StoredMessageOptions,
  type TurnOptions,
  type TurnOutcome,
  type UserMessageOptions,
} from './turn-options.js';
import { OutcomeCount } from './turn-outcome.js';
import type { Moves, ObserverOf, PlaceOf, TurnState } from './turn-state.js';

export type { TurnState } from './turn-state.js';
export type TurnObserver = ObserverOf<Turn>;

/**
 * One user prompt and the completion that answers it.
 *
 * ```
 *            complete()       ┌─► complete ◄─┐
 *            fail()           ├─► error    ◄─┤ complete(), fail(), abort(), while no text was recorded
 *   open ─────────────────────┤              │
 *    ▲       abort()          ├─► aborted  ◄─┤
 *    │       abandon(), idle  └─► abandoned ─┘
 *    │       for idleMs               │
 *    └────── append(), while no text was recorded; resume()
 * ```
 *
 * `complete`, `error`, `aborted`, and `abandoned` with a text are final; the first end counts. What is said after that
 * abandonment is counted as lost (`late`), unless an adapter resumes the turn: then it is a further message of the answer.
 * Every method may be called late, twice or in a broken order; none throws or waits. An answer without any text is no
 * message: the user's stands alone then.
 *
 * @example
 * ```ts
 * const turn = recorder.turn({ userId: 'ada', conversationId: 'chat-42' });
 * turn.user('What is a monad?');
 * try {
 *   for await (const token of answer) turn.append(token);
 *   turn.complete({ model: 'gpt-5', finishReason: 'stop' });
 * } catch (error) {
 *   turn.fail(error);
 *   throw error;
 * }
 * ```
 */
export class Turn {
  readonly id: string;
  readonly framework: string | undefined;
  /** The transcript's UUID; undefined when the identity does not allow recording. */
  readonly conversationId: string | undefined;
  /** After how many idle milliseconds the turn is abandoned; undefined: never. */
  readonly idleMs: number | undefined;

  readonly #sink: TurnSink;
  readonly #observer: TurnObserver | undefined;
  readonly #facts: TurnFacts;
  readonly #soFar: TurnOptions['soFar'];
  readonly #ended: TurnOptions['ended'];
  readonly #busy: TurnOptions['busy'];
  readonly #endsAs: TurnOptions['endsAs'];
  readonly #clock: TurnClock;
  readonly #text = new AnswerSoFar();
  #state: TurnState = 'open';
  #details: TurnDetails = {};
  // What was recorded when it was abandoned, and in how many messages.
  #recorded: BoundedText = new AnswerSoFar();
  #parts = 0;
  #isLate = false;
  readonly #outcome = new OutcomeCount();

  /** @internal Turns are made by `recorder.turn()`. */
  constructor(sink: TurnSink, { conversationId, observer }: PlaceOf<Turn>, options: TurnOptions = {}) {
    const settings = readTurnOptions(options);
    const { id, idMayRepeat, framework, idleMs, metadata, soFar, ended, busy, endsAs, timed, startedAt } = settings;
    // The platform has these in stock. To fetch random bytes for each would delay the first token (bench/, `triples`).
    this.id = id ?? crypto.randomUUID();
    this.framework = framework;
    this.conversationId = conversationId;
    this.idleMs = idleMs;
    this.#facts = { id: this.id, isNamedByApp: id !== undefined, idMayRepeat, framework, tags: metadata };
    this.#soFar = soFar;
    this.#ended = ended;
    this.#busy = busy;
    this.#endsAs = endsAs;
    this.#clock = new TurnClock(startedAt, timed ?? true);
    this.#sink = sink;
    this.#observer = conversationId === undefined ? undefined : observer;
    this.#observer?.opened(this);
  }

  /** `open`, or how the turn ended. */
  get state(): TurnState {
    return this.#state;
  }

  /** Whether nothing more can come of it: it has ended, and was not merely abandoned without a text. */
  get over(): boolean {
    return this.#state !== 'open' && (this.#state !== 'abandoned' || this.#parts > 0);
  }

  /** @internal Looks at the clock for the turn: dates its latest sign of life, and abandons it when that is too old. */
  tick(now: number): void {
    const idleMs = this.#clock.idleMs(now, () => safely(() => this.#busy?.()) ?? false);
    if (this.idleMs !== undefined && idleMs >= this.idleMs) this.abandon();
  }

  /** @internal What is no part of the latency. */
  get pauses(): Pauses {
    return this.#clock.pauses;
  }

  /** Resolves when everything said so far is accepted or counted as lost, and says which; never rejects. */
  get accepted(): Promise<TurnOutcome> {
    return this.#outcome.settled();
  }

  /**
   * What the user said. Latency counts from the first call. Called again with other text, it is a further message of the
   * user; the same text without a `messageId` is taken for a repetition.
   */
  user(content: string, options?: UserMessageOptions | StoredMessageOptions): void {
    this.#user(content, options, undefined);
  }

  /**
   * The user's messages at the end of a prompt. The last is always recorded, and before it each that this recorder has
   * not recorded in the conversation since its last answer: what was said to no answer stands in the next prompt again.
   */
  trailing(messages: readonly (StoredMessageOptions & { content: string })[], history?: PromptHistory): void {
    const contents = messages.map(message => property(message, 'content'));
    const newestId = property(messages.at(-1), 'messageId');
    messages.forEach((message, index) => {
      this.#user(contents[index], message, { index, contents, history, newestId });
    });
  }

  #user(content: unknown, options: unknown, trailing: UserMessage['trailing']) {
    if (content === '') return;
    if (typeof content !== 'string') return this.#unreadable('user', new TypeError('a message must be a string'));
    this.#clock.prompted({ isOpen: this.#state === 'open' });
    const { attachments } = readDetails(options);
    const messageId = property(options, 'messageId');
    const tags = property(options, 'metadata');
    const { startedAt } = this.#clock;
    const said = { content, messageId, storedId: property(options, 'storedId'), attachments, tags };
    this.#accept({ role: 'user', turn: this.#facts, ...said, startedAt, trailing });
  }

  /** The answer has begun. Only the first call counts; `append` makes it by itself. */
  firstToken(): void {
    this.touch();
    if (this.#state === 'open') this.#clock.firstToken();
  }

  /** A piece of the answer's text. One that was not streamed (`streamed: false`) says nothing about the first token. */
  append(text: string, options?: { streamed?: boolean | undefined }): void {
    if (typeof text !== 'string' || text === '') return;
    if (this.over) return this.#late();
    if (this.#state !== 'open') this.#reopen();
    this.touch();
    if (options === undefined || property(options, 'streamed') !== false) this.#clock.firstToken();
    this.#text.append(text);
  }

  /** A sign of life that says nothing else: the turn is not idle. */
  touch(): void {
    this.#clock.sign();
  }

  /** What is known of the answer before it ends. Later details stand over earlier ones. */
  describe(details: TurnDetails): void {
    this.touch();
    this.#details = { ...this.#details, ...readDetails(details) };
  }

  /** The answer is whole. */
  complete(details?: CompleteDetails | StoredAnswer): void {
    this.#end('complete', details);
  }

  /** The answer failed. The text so far is recorded with the status `error`. */
  fail(error: unknown, details?: CompleteDetails): void {
    this.#end('error', details, error);
  }

  /**
   * Somebody stopped the answer. The text so far is recorded with the status `aborted`, and with an `error` only where the
   * app has a reason of its own.
   */
  abort(reason?: unknown, details?: CompleteDetails): void {
    this.#end('aborted', details, reason);
  }

  /** Nobody will ever end the answer. The text so far is recorded with the status `abandoned`. */
  abandon(details?: CompleteDetails): void {
    const end = safely(() => this.#endsAs?.());
    if (!end) this.#end('abandoned', details);
    else if ('aborted' in end) this.#end('aborted', details ?? safely(() => this.#soFar?.()), end.aborted);
    else this.#end('error' in end ? 'error' : 'complete', details, end.error);
  }

  /** @internal The answer goes on after it was abandoned, or after an abort that its adapter did not wait for. */
  resume(): void {
    if (this.#state === 'abandoned' || this.#state === 'aborted') this.#reopen();
  }

  /** Counts, once, that something was said after the turn was abandoned. */
  #late(): void {
    if (this.#isLate || this.#state !== 'abandoned') return;
    this.#isLate = true;
    this.#sink.late?.(this.#facts);
  }

  #end(status: Moves['open'], details: CompleteDetails | undefined, error?: unknown): void {
    if (this.over) {
      const content = property(details, 'content');
      if (typeof content === 'string' && textAfter({ content, missing: 0 }, this.#recorded).content !== '')
        this.#late();
      return;
    }
    if (this.#state === status) return;
    this.#state = status;
    this.#clock.end({ isAbandoned: status === 'abandoned' });
    // An adapter's own failure costs no words.
    safely(() => this.#ended?.());
    try {
      const last: FollowedAnswer | undefined = details ?? (status === 'abandoned' ? this.#soFar?.() : undefined);
      const text = this.#text.or(last);
      const lastPartAt = property(last, 'lastPartAt');
      if (isNumber(lastPartAt)) this.#clock.lastPart(lastPartAt);
      const firstTokenAt = property(last, 'firstTokenAt');
      if (isNumber(firstTokenAt)) this.#clock.firstTokenAt(firstTokenAt);
      // What was appended since is all new; what somebody else has kept is the whole answer.
      const news = text === this.#text ? text : textAfter(text, this.#recorded);
      const answer = () => ({
        ...this.#answer(status, news, { ...this.#details, ...readDetails(last) }, error),
        answerId: property(last, 'answerId'),
      });
      if (news.content !== '') {
        this.#accept(answer());
        this.#recorded = { content: text.content, missing: text.missing };
        this.#parts++;
      } else if ((status === 'error' || status === 'aborted') && this.#parts === 0 && this.#sink.empty)
        this.#outcome.add(this.#sink.empty(answer()));
    } catch (error) {
      this.#unreadable('assistant', error);
    }
    this.#text.clear();
    this.#observer?.ended(this);
  }

  #reopen(): void {
    this.#isLate = false;
    this.#state = 'open' satisfies Moves['abandoned'] & Moves['aborted'];
    this.#observer?.opened(this);
  }

  #answer(
    status: TurnStatus,
    { content, missing }: BoundedText,
    details: TurnDetails,
    error: unknown,
  ): AssistantMessage {
    return {
      role: 'assistant',
      turn: this.#facts,
      content,
      missing,
      status,
      part: this.#parts,
      error,
      details,
      ...this.#clock.times,
    };
  }

  #unreadable(role: Role, unreadable: unknown): void {
    this.#accept({ role, turn: this.#facts, unreadable });
  }

  #accept(message: TurnMessage): void {
    this.#outcome.add(this.#sink.accept(message));
  }
}
