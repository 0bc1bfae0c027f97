import { v7 as uuidv7 } from 'uuid';
import { checkedObject, isNumber, isStreamed, isText } from '../internal/guards.js';
import type { Role } from '../synap/messages.js';
import type { ResolvedIdentity } from './identity.js';
import { knownMessageId } from './message-id.js';
import {
  assistantMetadata,
  errorText,
  type MessageFacts,
  type TurnDetails,
  type TurnStatus,
  userMetadata,
} from './metadata.js';
import type { CompleteDetails, TurnOptions, TurnOutcome, UserMessageOptions } from './turn-options.js';

/** A message as a turn hands it to the recorder. */
export interface TurnMessage {
  readonly turn: Turn;
  readonly role: Role;
  readonly content: string;
  readonly key: string;
  /** How the turn ended; undefined for a user's message. */
  readonly status: TurnStatus | undefined;
  /** What the message says about itself, and the tags of its own. */
  readonly metadata: Record<string, unknown>;
  readonly tags: Record<string, unknown> | undefined;
}

/** What a turn needs of its recorder. */
export interface TurnHost {
  record(message: TurnMessage): void;
  opened(turn: Turn): void;
  settled(turn: Turn): Promise<TurnOutcome>;
  ended(turn: Turn): void;
  /** Whether a user said this in the turn's conversation since its last whole answer, as far as the recorder knows. */
  isUnanswered(turn: Turn, content: string): boolean;
  unreadable(turn: Turn, role: Role, error: unknown): void;
}

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
  readonly #tags: Record<string, unknown> | undefined;
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
  #text = '';
  #details: TurnDetails = {};
  #answered = false;

  /** @internal Turns are made by `recorder.turn()`. */
  constructor(host: TurnHost, identity: ResolvedIdentity | undefined, options: TurnOptions = {}) {
    this.id = isText(options.id) ? options.id : uuidv7();
    this.framework = options.framework;
    this.conversationId = identity?.conversationId;
    this.#name = isText(options.id) ? `${this.conversationId}:${this.id}` : this.id;
    this.#external = identity?.externalConversationId;
    this.idleMs = options.idleMs;
    this.#tags = options.metadata;
    this.#soFar = options.soFar;
    this.#ended = options.ended;
    this.#busy = options.busy;
    this.#timed = options.timed ?? true;
    const { startedAt } = options;
    this.#startIsKnown = isNumber(startedAt);
    if (isNumber(startedAt)) {
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
    if (this.#alive || this.#busy?.()) {
      this.#alive = false;
      this.#lastSignAt = now;
    } else if (this.idleMs !== undefined && now - this.#lastSignAt >= this.idleMs) this.abandon();
  }

  /** Resolves when everything said so far is accepted or counted as lost, and says which; never rejects. */
  get settled(): Promise<TurnOutcome> {
    return this.#host.settled(this);
  }

  /**
   * What the user said. Latency counts from the first call. Called again with other text, it is a further message of the
   * user; the same text without a `messageId` is taken for a repetition.
   */
  user(content: string, options: UserMessageOptions = {}): void {
    this.#user(content, options, '');
  }

  /** `place` tells apart two messages of the same words in one prompt. */
  #user(content: string, options: UserMessageOptions, place: string): void {
    try {
      if (typeof content !== 'string') throw new TypeError('a message must be a string');
      const { attachments, metadata } = options;
      const messageId = knownMessageId(options.messageId);
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
      this.#record('user', content, key, userMetadata({ ...this.#facts(key), attachments }), metadata);
    } catch (error) {
      this.#host.unreadable(this, 'user', error);
    }
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
    if (this.#firstTokenAt === undefined && isStreamed(options)) this.#firstTokenAt = performance.now();
    this.#text += text;
  }

  /** A sign of life that says nothing else: the turn is not idle. */
  touch(): void {
    this.#alive = true;
  }

  /** What is known of the answer before it ends. Later details stand over earlier ones. */
  describe(details: TurnDetails): void {
    this.touch();
    try {
      this.#details = { ...this.#details, ...checkedObject(details) };
    } catch {
      // What a getter or a proxy does not tell stays unknown.
    }
  }

  /** The answer is whole. */
  complete(details?: CompleteDetails): void {
    this.#end('complete', details);
  }

  /** The answer failed. The text so far is recorded with the status `error`. */
  fail(error: unknown, details?: CompleteDetails): void {
    this.#end('error', details, error);
  }

  /** Somebody stopped the answer. The text so far is recorded with the status `aborted`. */
  abort(reason?: unknown, details?: CompleteDetails): void {
    this.#end('aborted', details, isAbortError(reason) ? undefined : reason);
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
      const details = checkedObject(given) ?? (status === 'abandoned' ? this.#soFar?.() : undefined);
      const content = details?.content ?? this.#text;
      if (typeof content !== 'string') throw new TypeError('a message must be a string');
      if (content !== '') this.#answer(status, content, { ...this.#details, ...details }, error);
    } catch (error) {
      this.#host.unreadable(this, 'assistant', error);
    }
    this.#text = '';
    this.#host.ended(this);
  }

  /** An answer that was given up before its first word has come after all. */
  #revive(): void {
    this.#state = 'open';
    this.#host.opened(this);
  }

  #answer(status: TurnStatus, content: string, details: TurnDetails, error: unknown): void {
    this.#answered = true;
    const latencyMs = this.#lastSignAt - this.#clock;
    const key = `${this.#name}:assistant`;
    const metadata = assistantMetadata(this.#facts(key), {
      ...details,
      status,
      error: error === undefined ? undefined : errorText(error),
      endedAt: new Date(this.#startedAt.getTime() + latencyMs),
      latencyMs: this.#timed ? latencyMs : undefined,
      timeToFirstTokenMs: this.#firstTokenAt === undefined ? undefined : this.#firstTokenAt - this.#clock,
    });
    this.#record('assistant', content, key, metadata, details.metadata);
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
    tags: Record<string, unknown> | undefined,
  ): void {
    const status = this.#state === 'open' || role === 'user' ? undefined : this.#state;
    const allTags = tags ? { ...checkedObject(this.#tags), ...checkedObject(tags) } : this.#tags;
    this.#host.record({ turn: this, role, content, key, status, metadata, tags: allTags });
  }
}

function isAbortError(reason: unknown): boolean {
  try {
    return reason instanceof Error && reason.name === 'AbortError';
  } catch {
    return false;
  }
}
