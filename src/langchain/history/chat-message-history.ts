import { BaseListChatMessageHistory } from '@langchain/core/chat_history';
import { AIMessage, type BaseMessage, HumanMessage, SystemMessage } from '@langchain/core/messages';
import type { MessageContent } from '../../recorder/attachments.js';
import type { Identity } from '../../recorder/identity.js';
import { isUnknown, MAX_CONVERSATION_ID, readId } from '../../recorder/known-id.js';
import type { TurnDetails } from '../../recorder/metadata.js';
import type { Recorder } from '../../recorder/recorder.js';
import type { Turn } from '../../recorder/turn.js';
import { InvalidInputError } from '../../synap/errors.js';
import { isUuid } from '../../synap/messages.js';
import { humanContent } from '../content.js';
import { LlmCall } from '../llm-call.js';
import { readMessage } from '../messages.js';
import { type HistoryEntry, HistoryUpdates } from './history-updates.js';
import { mergePending } from './merge-pending.js';
import { NOTHING_READ, type ReadOptions, readTranscript } from './read-transcript.js';

/** What a {@link SynapChatMessageHistory} takes: who is talking where, and where that is read from. */
export interface SynapChatMessageHistoryOptions extends Identity {
  /** Where the conversation is read from. `false`: nowhere; then it is what this process has seen of it. */
  read?: ReadOptions | false | undefined;
}

/** A prompt and its answers, as they are added. */
interface Added {
  readonly humans: MessageContent[];
  readonly answers: { text: string; details: TurnDetails }[];
}

/**
 * The history of one conversation, in Synap: what is added is recorded, and what was recorded is read back.
 *
 * Messages of humans and answers are a transcript; system and tool messages, and drafts that call a tool, are not, and
 * don't come back. A message that is still on its way is there for this process already. Beside a `SynapCallbackHandler`
 * of the same recorder, on the same chain, each message is recorded once, with what the handler knows of it.
 *
 * It is read from `GET /v1/conversations/{id}/context-for-prompt`: the older part of a long conversation, which Synap has
 * compacted, is one system message, and after it stand the recent messages.
 *
 * @example
 * ```ts
 * const chain = new RunnableWithMessageHistory({
 *   runnable: prompt.pipe(model),
 *   getMessageHistory: sessionId => new SynapChatMessageHistory(recorder, { userId: 'ada', conversationId: sessionId }),
 *   inputMessagesKey: 'question',
 *   historyMessagesKey: 'history',
 * });
 * ```
 */
export class SynapChatMessageHistory extends BaseListChatMessageHistory {
  lc_namespace = ['synap-recorder', 'langchain'];
  readonly #recorder: Recorder;
  readonly #identity: Identity;
  readonly #read: ReadOptions | false;
  readonly #updates: HistoryUpdates;

  constructor(recorder: Recorder, options: SynapChatMessageHistoryOptions = {}) {
    super();
    const { read = {}, conversationId, userId, customerId, sessionId } = options;
    this.#recorder = recorder;
    this.#read = read;
    this.#updates = HistoryUpdates.of(recorder);
    this.#updates.hasHistory = true;
    const identity = { conversationId, userId, customerId, sessionId };
    const named = readId(conversationId, MAX_CONVERSATION_ID);
    // A history is of one conversation: one that the recorder names, or makes up, is kept.
    if (named === undefined) this.#identity = { ...identity, conversationId: this.#resolve(identity) };
    else this.#identity = isNobodys(named, customerId) ? this.#ofItsOwn(identity) : identity;
  }

  /**
   * The conversation, the oldest message first; of what Synap has compacted, a summary in its place.
   *
   * @throws {@link InvalidInputError} the conversation's id is no UUID, and there is no `userId` to tell it apart by
   * @throws {@link AuthenticationError} the key to read with is missing or refused
   * @throws {@link NetworkError} Synap can't be reached, or takes too long
   * @throws any other {@link SynapError}, by the status Synap answers
   */
  async getMessages(): Promise<BaseMessage[]> {
    const conversationId = this.#conversationId();
    const { pending, inFlight } = this.#recorder.stats();
    const before = this.#updates.in(conversationId).filter(({ state }) => state === 'ended');
    const read = this.#read === false ? NOTHING_READ : await readTranscript(conversationId, this.#read);
    const arrived = pending + inFlight === 0 && this.#read !== false ? before : [];
    return mergePending(read, this.#updates.in(conversationId), arrived).map(({ role, content }) => {
      if (role === 'context') return new SystemMessage(content);
      return role === 'user' ? new HumanMessage(content) : new AIMessage(content);
    });
  }

  /** Records a message; see {@link addMessages}. */
  async addMessage(message: BaseMessage): Promise<void> {
    await this.addMessages([message]);
  }

  /**
   * Records messages, in their order. Resolves when the recorder has taken them, and never rejects because of what it
   * records or where it sends: what is lost is counted and reported by the recorder.
   */
  override async addMessages(messages: BaseMessage[]): Promise<void> {
    for (const added of groups(messages)) await this.#add(added)?.accepted;
  }

  /** @throws Error always: Synap keeps what was recorded. Start another conversation instead. */
  override async clear(): Promise<void> {
    throw new Error('Synap keeps what was recorded: start another conversation instead');
  }

  /** A conversation whose id names nobody is nobody else's: it gets an id of its own, and the log says so. */
  #ofItsOwn(identity: Identity): Identity {
    this.#resolve(identity);
    return this.#recorder.newConversation(identity);
  }

  #add({ humans, answers }: Added): Turn | undefined {
    const conversationId = this.#resolve(this.#identity);
    const answer = answers.at(-1);
    const update = { humans, answer: answer?.text };
    const handlers = conversationId === undefined ? undefined : this.#updates.find(conversationId, update);
    if (!handlers) return this.#record(humans, answers);
    handlers.add(update);
    if (!answer || handlers.state === 'open' || handlers.answer !== undefined) return undefined;
    // The run has ended, and could not tell what its answer was.
    handlers.answeredElsewhere = answer.text;
    return this.#record([], [answer]);
  }

  #record(humans: Added['humans'], answers: Added['answers']): Turn {
    const conversationId = this.#resolve(this.#identity);
    const waiting = conversationId === undefined ? undefined : this.#updates.unanswered(conversationId);
    const goesOn = waiting !== undefined && !humans.some(({ content }) => waiting.user.includes(content));
    let turn = goesOn ? waiting.turn : undefined;
    let entry: HistoryEntry | undefined = goesOn ? waiting : undefined;
    const open = () => {
      turn = this.#recorder.turn(this.#identity, { framework: 'langchain', timed: false });
      entry = this.#updates.open(turn);
      return turn;
    };
    turn ??= open();
    entry?.addPrompt(humans);
    for (const { content, attachments } of humans) turn.user(content, { attachments });
    for (const { text, details } of answers) {
      if (turn.state !== 'open') turn = open();
      turn.complete({ content: text, ...details });
      entry?.close(text);
    }
    return turn;
  }

  #conversationId(): string {
    const id = this.#resolve(this.#identity) ?? this.#identity.conversationId;
    if (id !== undefined && isUuid(id)) return id.toLowerCase();
    throw new InvalidInputError('SynapChatMessageHistory: userId is missing: give one to it or to the recorder', {
      field: 'userId',
    });
  }

  /** The conversation of an identity, with what is ambient and the recorder's defaults. */
  #resolve(identity: Identity): string | undefined {
    return this.#recorder.resolveConversationId(identity);
  }
}

/** Whether a conversation's id names nothing, or nobody knows whose it is. */
function isNobodys(conversationId: string, customerId: unknown): boolean {
  return isUnknown(conversationId) || (!isUuid(conversationId) && isUnknown(readId(customerId) ?? ''));
}

/** Messages as updates: an answer ends one, and the next thing a human says begins another. */
function groups(messages: readonly BaseMessage[]): Added[] {
  const all: Added[] = [];
  for (const message of messages) {
    const read = readMessage(message);
    const said = read?.speaker === 'human' ? humanContent(read.content) : undefined;
    const answer = read?.speaker === 'ai' ? answerOf(message) : undefined;
    const last = all.at(-1);
    if (said && said.content !== '') {
      if (last && last.answers.length === 0) last.humans.push(said);
      else all.push({ humans: [said], answers: [] });
    } else if (answer) {
      if (last) last.answers.push(answer);
      else all.push({ humans: [], answers: [answer] });
    }
  }
  return all;
}

/** What an answer says, and what it tells of its model; undefined for a draft that calls tools. */
function answerOf(message: BaseMessage): Added['answers'][number] | undefined {
  const call = new LlmCall({ metadata: {}, extraParams: {}, visible: true, reaches: 'reader' });
  call.end({ generations: [[{ message }]] });
  return call.answers ? { text: call.text, details: { ...call.details, usage: call.usage } } : undefined;
}
