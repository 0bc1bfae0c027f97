import { BoundedMap } from '../internal/bounded-map.js';
import type { JsonObject } from '../internal/json.js';
import { type AppMessage, AppMessages, isThatMessage, standsBefore } from './app-messages.js';
import { readMessageId } from './message-id.js';
import { type MessageName, messageKey } from './message-key.js';
import { RepeatedPrompts } from './repeated-prompts.js';
import { textDigest } from './text-digest.js';
import type { AssistantMessage, UserMessage } from './turn-message.js';

const MAX_CALLS = 10_000;

/** What is known of a turn beside its messages. */
export interface TurnMemory {
  /** The app's id of what the user says in it, as it was handed over. */
  readonly messageId?: unknown;
  /** The message with an id of the app's that it answers. */
  asked?: AppMessage | undefined;
  /** The key of the answer that its own goes on with; the message whose latest answer that is. */
  continues?: string | AppMessage | undefined;
}

/** A message that is new: its name, and what its metadata say of those before it. */
export interface Noted {
  readonly name: MessageName;
  readonly metadata: JsonObject;
}

/**
 * What was said before, and what an answer goes on with. All of it is known within one process; what holds over processes is
 * in the keys of the messages.
 */
export class SaidBefore {
  readonly #prompts = new RepeatedPrompts();
  readonly #messages = new AppMessages();
  // The keys of the answers that wait for calls of tools.
  readonly #waiting = new BoundedMap<string>(MAX_CALLS);

  /** @returns whether nobody says it now: it was said before, or the app has made it under the id of what was */
  isRepeated(turn: TurnMemory, conversationId: string, message: UserMessage, messageId: string | undefined): boolean {
    const { content, trailing } = message;
    if (trailing?.history?.prefill)
      turn.continues ??= this.#prompts.continued(conversationId, trailing.history.prefill);
    const newestId = messageId ?? readMessageId(trailing && (trailing.newestId ?? turn.messageId)).id;
    const known = newestId === undefined ? undefined : this.#messages.get(conversationId, newestId);
    if (known && trailing && known.digest !== textDigest(content) && standsBefore(known, trailing)) {
      turn.asked = known;
      turn.continues ??= known;
      return true;
    }
    if (messageId !== undefined) {
      turn.asked = known;
      // The same words have the same key.
      return false;
    }
    if (!trailing) return false;
    return (
      (known !== undefined && isThatMessage(known, trailing)) || this.#prompts.isRepeated(conversationId, trailing)
    );
  }

  /** Notes what is said now. */
  note(turn: TurnMemory, conversationId: string, message: UserMessage | AssistantMessage, name: MessageName): Noted {
    return message.role === 'user'
      ? this.#noteUser(turn, conversationId, message, name)
      : this.#noteAnswer(turn, conversationId, message, name);
  }

  #noteUser(turn: TurnMemory, conversationId: string, message: UserMessage, name: MessageName): Noted {
    const { content, trailing } = message;
    const { messageId } = name;
    const place = trailing?.history && trailing.history.place + trailing.index;
    this.#prompts.note(conversationId, message, { place });
    if (messageId === undefined) return { name, metadata: {} };
    const asked = this.#messages.note(conversationId, messageId, content, trailing);
    turn.asked = asked;
    const { earlier, digest } = asked;
    // What a framework keeps is the very same message when it comes again.
    const isStored = message.storedId !== undefined && message.messageId === undefined;
    const wording = !isStored && earlier.includes(digest) ? earlier.length : 0;
    return { name: { ...name, wording }, metadata: earlier.length > 0 ? { edited: true } : {} };
  }

  #noteAnswer(turn: TurnMemory, conversationId: string, message: AssistantMessage, name: MessageName): Noted {
    const { pendingToolCalls = [], continuesToolCalls = [] } = message.details;
    const key = messageKey({ conversationId, role: message.role }, name);
    const first = typeof turn.continues === 'object' ? turn.continues.answerKey : turn.continues;
    const continues =
      first ?? continuesToolCalls.map(id => this.#waiting.get(`${conversationId}\0${id}`)).find(Boolean);
    this.#prompts.note(conversationId, message, { key });
    for (const id of pendingToolCalls) this.#waiting.set(`${conversationId}\0${id}`, key);
    if (turn.asked) turn.asked.answerKey = key;
    return { name, metadata: continues === undefined ? {} : { continues } };
  }

  /** What a user said was not recorded: said again, it is new. */
  forgetUser({ asked }: TurnMemory, conversationId: string, messageId: string | undefined): void {
    if (asked && messageId !== undefined) this.#messages.forget(conversationId, messageId, asked);
  }
}
