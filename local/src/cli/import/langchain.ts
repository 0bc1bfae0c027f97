import {
  humanContent,
  readLangChainMessage as readLangChain,
  readLangChainAnswer,
  toolNames,
} from 'synap-recorder/content';
import { collect, messageList } from './collect.js';
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
 * A conversation as LangChain stores it: messages as `{ type, data: { content } }`, or serialised with their class as
 * `{ lc: 1, id, kwargs }`; with the names of user and conversation beside them, or the list alone. As in LangChain, a
 * session names a conversation.
 */
export function readLangChainRecord(record: unknown): FinishedConversation {
  const around = isFields(record) ? record : {};
  return {
    identity: identityOf(around, ['session_id', 'sessionId']),
    tags: fieldsOf(around, 'metadata'),
    ...collect(messageList(record) ?? [], readMessage),
  };
}

function readMessage(value: Fields): FinishedMessage | LeftOut | undefined {
  const message = readLangChain(value);
  if (message === undefined) return undefined;
  const { speaker, content, id, fields } = message;
  if (speaker !== 'human' && speaker !== 'ai') return speaker;
  const answered = fieldsOf(fields, 'response_metadata');
  const usage = fieldsOf(fields, 'usage_metadata');
  const more = { ...answered, ...fieldsOf(fields, 'additional_kwargs'), ...fields };
  return {
    role: speaker === 'human' ? 'user' : 'assistant',
    id,
    saidAt: timeField(more, ...TIME_NAMES),
    model: textField(answered, 'model_name', 'model'),
    provider: textField(answered, 'model_provider'),
    finishReason: textField(answered, 'finish_reason', 'stop_reason'),
    usage: {
      inputTokens: numberField(usage, 'input_tokens'),
      outputTokens: numberField(usage, 'output_tokens'),
      totalTokens: numberField(usage, 'total_tokens'),
      cachedInputTokens: numberField(fieldsOf(usage, 'input_token_details'), 'cache_read'),
      reasoningTokens: numberField(fieldsOf(usage, 'output_token_details'), 'reasoning'),
    },
    toolCalls: toolNames(message),
    ...(speaker === 'human' ? humanContent(content) : readLangChainAnswer(message)),
  };
}
