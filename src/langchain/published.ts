import type { AnswerText } from './answer-context.js';
import { messageText } from './content.js';
import { callsTools, type Message, readMessage } from './messages.js';
import { eachMessage } from './node-messages.js';

// What a single node puts into the state is short; a whole history is not looked at farther back than this.
const MAX_MESSAGES = 100;
const MAX_ANSWERS = 100;

/** What LangGraph's nodes have put into the messages of the state as an answer, since a tool was called last. */
export class PublishedAnswers {
  #answers: AnswerText[] = [];
  #size = 0;

  get all(): readonly AnswerText[] {
    return this.#answers;
  }

  /** How many characters they have. */
  get size(): number {
    return this.#size;
  }

  /**
   * A node that may speak to the user has ended.
   *
   * @param output a part of the state, a Command, or a list of them
   * @param isNew whether a message is of this run, rather than of an earlier one
   * @returns whether the node has put an answer into the state; undefined where it calls tools first
   */
  add(output: unknown, isNew: (message: Message) => boolean): boolean | undefined {
    const own = newAnswers(output, isNew);
    const lastCall = own.findLastIndex(callsTools);
    if (lastCall >= 0) this.#answers = [];
    const answers = own
      .slice(lastCall + 1)
      .map(message => ({ text: messageText(message), messageId: message.id }))
      .filter(({ text }) => text.trim() !== '');
    // A graph in a node tells what its own nodes have told.
    const known = new Set(this.#answers.map(({ text }) => text));
    this.#answers.push(...answers.filter(({ text }) => !known.has(text)));
    if (this.#answers.length > MAX_ANSWERS) this.#answers.shift();
    this.#size = this.#answers.reduce((size, { text }) => size + text.length, 0);
    return lastCall >= 0 ? undefined : answers.length > 0;
  }
}

/** Several answers as the one that they are; undefined where there are none. */
export function joinedAnswer(answers: readonly AnswerText[]): AnswerText | undefined {
  const last = answers.at(-1);
  return last && { text: answers.map(({ text }) => text).join('\n\n'), messageId: last.messageId };
}

/** What the assistant says in it behind the last human, as far as it is new. */
function newAnswers(output: unknown, isNew: (message: Message) => boolean): Message[] {
  let messages: Message[] = [];
  eachMessage(output, given => {
    const message = readMessage(given);
    if (message) messages.push(message);
  });
  messages = messages.slice(-MAX_MESSAGES);
  const behind = messages.slice(messages.findLastIndex(({ speaker }) => speaker === 'human') + 1);
  return behind.filter(message => message.speaker === 'ai' && isNew(message));
}
