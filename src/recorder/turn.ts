import { v7 as uuidv7 } from 'uuid';
import { property } from '../internal/guards.js';
import type { Role } from '../synap/messages.js';
import { AnswerSoFar } from './answer-so-far.js';
import { readDetails } from './details.js';
import { endText } from './error-text.js';
import type { ResolvedIdentity } from './identity.js';
import { isUnknownMessageId, knownMessageId, UNKNOWN_MESSAGE_ID } from './message-id.js';
import { assistantMetadata, type MessageFacts, type TurnDetails, type TurnStatus, userMetadata } from './metadata.js';
import type { TurnHost, Words } from './turn-host.js';
import {
  type CompleteDetails,
  readTurnOptions,
  type TurnOptions,
  type TurnOutcome,
  type UserMessageOptions,
} from './turn-options.js';

export type { TurnHost, TurnMessage } from './turn-host.js';

/**
 * One user prompt and the completion that answers it.
 *
 * ```
 *            complete()  ┌─► complete
 *            fail()      ├─► error
 *   open ────────────────┤
 *            abort()     ├─► aborted
 *            abandon()   └─► abandoned
 * ```
 *
 * The four ends are final, and the first one counts; but an answer that was abandoned without a text may still come.
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

  readonly #host: TurnHost;
  /** Its name in the keys of its messages. An id of the app's may stand for another turn elsewhere. */
  readonly #name: string;
  readonly #external: string | undefined;
  readonly #tags: unknown;
  readonly #soFar: TurnOptions['soFar'];
  readonly #ended: TurnOptions['ended'];
  readonly #busy: TurnOptions['busy'];
  readonly #timed: boolean;
  readonly #startIsKnown: boolean;
  readonly #said: { place: string; text: string }[] = [];
  #state: 'open' | TurnStatus = 'open';
  #startedAt = new Date();
  #clock = performance.now();
  #firstTokenAt: number | undefined;
  // A sign of life is only noted; looking at the clock for each would cost more than the rest of a chunk.
  #alive = false;
  #lastSignAt = this.#clock;
  readonly #text = new AnswerSoFar();
  #details: TurnDetails = {};
  #answered = false;

  /** @internal Turns are made by `recorder.turn()`. */
  constructor(host: TurnHost, identity: ResolvedIdentity | undefined, options: TurnOptions = {}) {
    const { id, framework, idleMs, metadata, soFar, ended, busy, timed, startedAt } = readTurnOptions(options);
    this.id = id ?? uuidv7();
    this.framework = framework;
    this.conversationId = identity?.conversationId;
    this.#name = id === undefined ? this.id : `${this.conversationId}:${id}`;
    this.#external = identity?.externalConversationId;
    this.idleMs = idleMs;
    this.#tags = metadata;
    this.#soFar = soFar;
    this.#ended = ended;
    this.#busy = busy;
    this.#timed = timed ?? true;
    this.#startIsKnown = startedAt !== undefined;
    if (startedAt !== undefined) {
      this.#startedAt = new Date(Date.now() - (this.#clock - startedAt));
      this.#clock = startedAt;
    }
    this.#host = host;
    if (identity) host.opened(this);
  }

  /** `open`, or how the turn ended. */
  get state(): 'open' | TurnStatus {
    return this.#state;
  }

  /** Whether nothing more can come of it: it has ended, and was not merely abandoned without a text. */
  get over(): boolean {
    return this.#state !== 'open' && (this.#state !== 'abandoned' || this.#answered);
  }

  /** @internal Looks at the clock for the turn: dates its latest sign of life, and abandons it when that is too old. */
  tick(now: number): void {
    if (this.#alive || this.#isBusy()) {
      this.#alive = false;
      this.#lastSignAt = now;
    } else if (this.idleMs !== undefined && now - this.#lastSignAt >= this.idleMs) this.abandon();
  }

  #isBusy(): boolean {
    try {
      return this.#busy?.() ?? false;
    } catch {
      return false;
    }
  }

  /** Resolves when everything said so far is accepted or counted as lost, and says which; never rejects. */
  get accepted(): Promise<TurnOutcome> {
    return this.#host.settled(this);
  }

  /**
   * What the user said. Latency counts from the first call. Called again with other text, it is a further message of the
   * user; the same text without a `messageId` is taken for a repetition.
   */
  user(content: string, options?: UserMessageOptions): void {
    this.#user(content, options, '');
  }

  /** `place` tells apart two messages of the same words in one prompt. */
  #user(content: string, options: UserMessageOptions | undefined, place: string): void {
    try {
      if (typeof content !== 'string') throw new TypeError('a message must be a string');
      const { attachments } = readDetails(options);
      const messageId = this.#messageId(property(options, 'messageId'));
      const said = messageId === undefined ? { place, text: content } : { place: 'id', text: messageId };
      if (content === '' || this.#said.some(({ place, text }) => place === said.place && text === said.text)) return;
      const first = this.#said.length === 0;
      if (first && !this.#startIsKnown && this.#firstTokenAt === undefined && this.#state === 'open') {
        this.#startedAt = new Date();
        this.#clock = performance.now();
      }
      const key =
        messageId === undefined
          ? `${this.#name}:user:${this.#said.length}`
          : `${this.conversationId}:user:${messageId}`;
      this.#said.push(said);
      this.touch();
      this.#record('user', content, key, userMetadata({ ...this.#facts(key), attachments }), {
        tags: property(options, 'metadata'),
      });
    } catch (error) {
      this.#host.unreadable(this, 'user', error);
    }
  }

  #messageId(value: unknown): string | undefined {
    if (isUnknownMessageId(value)) this.#host.notice('messageId', UNKNOWN_MESSAGE_ID);
    return knownMessageId(value);
  }

  /**
   * The user's messages at the end of a prompt. The last is always recorded, and before it each that this recorder has
   * not recorded in the conversation since its last answer: what was said to no answer stands in the next prompt again.
   */
  trailing(messages: readonly (UserMessageOptions & { content: string })[]): void {
    const repeated = messages.map(({ content }) => this.#host.isUnanswered(this, content));
    messages.forEach(({ content, ...options }, index) => {
      if (index === messages.length - 1 || !repeated[index]) this.#user(content, options, `${index}:`);
    });
  }

  /** The answer has begun. Only the first call counts; `append` makes it by itself. */
  firstToken(): void {
    this.#alive = true;
    if (this.#state === 'open') this.#firstTokenAt ??= performance.now();
  }

  /** A piece of the answer's text. One that was not streamed (`streamed: false`) says nothing about the first token. */
  append(text: string, options?: { streamed?: boolean | undefined }): void {
    if (this.over || typeof text !== 'string' || text === '') return;
    if (this.#state !== 'open') this.#revive();
    this.#alive = true;
    if (this.#firstTokenAt === undefined && property(options, 'streamed') !== false)
      this.#firstTokenAt = performance.now();
    this.#text.append(text);
  }

  /** A sign of life that says nothing else: the turn is not idle. */
  touch(): void {
    this.#alive = true;
  }

  /** What is known of the answer before it ends. Later details stand over earlier ones. */
  describe(details: TurnDetails): void {
    this.touch();
    this.#details = { ...this.#details, ...readDetails(details) };
  }

  /** The answer is whole. */
  complete(details?: CompleteDetails): void {
    this.#end('complete', details);
  }

  /** The answer failed. The text so far is recorded with the status `error`. */
  fail(error: unknown, details?: CompleteDetails): void {
    this.#end('error', details, error);
  }

  /**
   * Somebody stopped the answer. The text so far is recorded with the status `aborted`, and with an `error` only where the
   * app has given a reason of its own.
   */
  abort(reason?: unknown, details?: CompleteDetails): void {
    this.#end('aborted', details, reason);
  }

  /** Nobody will ever end the answer. The text so far is recorded with the status `abandoned`. */
  abandon(details?: CompleteDetails): void {
    this.#end('abandoned', details);
  }

  #end(status: TurnStatus, given: CompleteDetails | undefined, error?: unknown): void {
    if (this.over || this.#state === status) return;
    this.#state = status;
    // Nobody saw an abandoned answer end: its last sign of life is as far as it went.
    if (status !== 'abandoned' || this.#alive) this.#lastSignAt = performance.now();
    try {
      this.#ended?.();
    } catch {
      // An adapter's own trouble costs no words.
    }
    try {
      const details = given ?? (status === 'abandoned' ? this.#soFar?.() : undefined);
      const { content, missing } = this.#text.or(details);
      if (content !== '')
        this.#answer(status, { content, missing }, { ...this.#details, ...readDetails(details) }, error);
    } catch (error) {
      this.#host.unreadable(this, 'assistant', error);
    }
    this.#text.clear();
    this.#host.ended(this);
  }

  /** An answer that was given up before its first word has come after all. */
  #revive(): void {
    this.#state = 'open';
    this.#host.opened(this);
  }

  #answer(status: TurnStatus, said: Words, details: TurnDetails, error: unknown): void {
    this.#answered = true;
    const latencyMs = this.#lastSignAt - this.#clock;
    const key = `${this.#name}:assistant`;
    const metadata = assistantMetadata(this.#facts(key), {
      ...details,
      status,
      error: endText(status, error, this.#host.secrets),
      endedAt: new Date(this.#startedAt.getTime() + latencyMs),
      latencyMs: this.#timed ? latencyMs : undefined,
      timeToFirstTokenMs: this.#firstTokenAt === undefined ? undefined : this.#firstTokenAt - this.#clock,
    });
    this.#record('assistant', said.content, key, metadata, { missing: said.missing, tags: details.metadata });
  }

  #facts(messageKey: string): MessageFacts {
    return {
      messageKey,
      turnId: this.id,
      framework: this.framework,
      externalConversationId: this.#external,
      startedAt: this.#startedAt,
    };
  }

  #record(
    role: Role,
    content: string,
    key: string,
    metadata: Record<string, unknown>,
    { missing = 0, tags }: { missing?: number; tags: unknown },
  ): void {
    const status = this.#state === 'open' || role === 'user' ? undefined : this.#state;
    this.#host.record({ turn: this, role, content, missing, key, status, metadata, tags: [tags, this.#tags] });
  }
}
