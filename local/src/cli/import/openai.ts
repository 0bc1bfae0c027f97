import { answerText, humanContent, toolNames } from 'synap-recorder/content';
import { collect, leftOutRole, messageList } from './collect.js';
import {
  type Fields,
  fieldsOf,
  identityOf,
  isFields,
  numberField,
  TIME_NAMES,
  textField,
  timeField,
} from './fields.js';
import type { FinishedConversation, FinishedMessage, LeftOut } from './messages.js';

/**
 * A conversation in the messages of OpenAI's API, which many others use, too: `{ messages: [{ role, content }] }`
 * with the names of user and conversation beside them, or the list alone.
 */
export function readOpenAI(record: unknown): FinishedConversation {
  const around = isFields(record) ? record : {};
  const model = textField(around, 'model');
  return {
    identity: identityOf(around),
    tags: fieldsOf(around, 'metadata'),
    ...collect(messageList(record) ?? [], message => readMessage(message, model)),
  };
}

function readMessage(message: Fields, model: string | undefined): FinishedMessage | LeftOut | undefined {
  const role = textField(message, 'role');
  if (role === undefined) return undefined;
  if (role !== 'user' && role !== 'assistant') return leftOutRole(role);
  const usage = fieldsOf(message, 'usage');
  return {
    role,
    id: textField(message, 'id'),
    saidAt: timeField(message, ...TIME_NAMES),
    model: textField(message, 'model') ?? model,
    finishReason: textField(message, 'finish_reason'),
    usage: {
      inputTokens: numberField(usage, 'input_tokens', 'prompt_tokens'),
      outputTokens: numberField(usage, 'output_tokens', 'completion_tokens'),
      totalTokens: numberField(usage, 'total_tokens'),
    },
    toolCalls: toolNames({ fields: message, content: message.content }),
    tags: fieldsOf(message, 'metadata'),
    ...(role === 'user' ? humanContent(message.content) : { content: answer(message) }),
  };
}

/** The text of an answer; a refusal counts as one. */
function answer({ content, refusal }: Fields): string {
  const parts = Array.isArray(content) ? content : [];
  const refused = [...parts.map(part => (isFields(part) ? part.refusal : undefined)), refusal];
  return answerText(content) || refused.filter(text => typeof text === 'string').join('');
}
