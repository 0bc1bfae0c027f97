import { isObject } from '../internal/guards.js';
import type { AnswerText } from './answer.js';
import { answerText } from './content.js';
import { callsTools, type Message, readMessages } from './messages.js';

// What a single node puts into the state is short; a whole history is not looked at farther back than this.
const MAX_MESSAGES = 100;

/** What a node of LangGraph's has put into the messages of the state. */
export interface Published {
  /** The answers among them. */
  readonly answers: readonly AnswerText[];
  /** Whether it calls tools, so that what was said before was talk on the way. */
  readonly callsTools: boolean;
}

/**
 * Reads the output of a node: a part of the state, a Command, or a list of them.
 *
 * @param isNew whether a message is of this run, rather than of an earlier one
 */
export function publishedBy(output: unknown, isNew: (message: Message) => boolean): Published {
  const messages = messagesOf(output, 0).slice(-MAX_MESSAGES);
  const after = messages.slice(messages.findLastIndex(({ speaker }) => speaker === 'human') + 1);
  const own = after.filter(message => message.speaker === 'ai' && isNew(message));
  const lastCall = own.findLastIndex(callsTools);
  const answers = own
    .slice(lastCall + 1)
    .map(message => ({ text: answerText(message.content), messageId: message.id }))
    .filter(({ text }) => text.trim() !== '');
  return { answers, callsTools: lastCall >= 0 };
}

function messagesOf(output: unknown, depth: number): readonly Message[] {
  if (depth > 3) return [];
  if (Array.isArray(output)) return output.flatMap(part => messagesOf(part, depth + 1));
  if (!isObject(output)) return [];
  const messages = readMessages(output.messages);
  if (messages) return messages;
  // A Command, and LangChain's wrapper around what is no plain state.
  const inner =
    output.lg_name === 'Command' ? output.update : Object.keys(output).length === 1 ? output.output : undefined;
  return inner === undefined ? [] : messagesOf(inner, depth + 1);
}
