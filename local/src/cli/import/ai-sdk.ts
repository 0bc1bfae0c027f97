import { readAISDKAnswer as readAnswer, readAISDKContent as readContent } from 'synap-recorder/content';
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
 * A conversation in the AI SDK's UI messages, 5 to 7, as `useChat` keeps them and apps store them:
 * `{ id, messages: [{ id, role, parts }] }`, or the list alone.
 */
export function readAISDK(record: unknown): FinishedConversation {
  const around = isFields(record) ? record : {};
  return {
    identity: identityOf(around),
    tags: fieldsOf(around, 'metadata'),
    ...collect(messageList(record) ?? [], readMessage),
  };
}

function readMessage(message: Fields): FinishedMessage | LeftOut | undefined {
  const role = textField(message, 'role');
  if (role === undefined) return undefined;
  if (role !== 'user' && role !== 'assistant') return leftOutRole(role);
  // Apps choose these names; the names here are those of the SDK's own examples.
  const metadata = fieldsOf(message, 'metadata');
  const usage = { ...metadata, ...fieldsOf(metadata, 'usage'), ...fieldsOf(metadata, 'totalUsage') };
  const parts = Array.isArray(message.parts) ? message.parts.filter(isFields) : [];
  return {
    role,
    id: textField(message, 'id'),
    saidAt: timeField({ ...message, ...metadata }, ...TIME_NAMES),
    model: textField(metadata, 'model', 'modelId'),
    provider: textField(metadata, 'provider'),
    finishReason: textField(metadata, 'finishReason'),
    usage: {
      inputTokens: numberField(usage, 'inputTokens'),
      outputTokens: numberField(usage, 'outputTokens'),
      totalTokens: numberField(usage, 'totalTokens'),
    },
    toolCalls: parts.flatMap(toolName),
    tags: metadata,
    ...content(message, parts, role),
  };
}

/** The parts of an answer in the order in which its reader saw them come; those of a prompt as the recorder reads them. */
function content(message: Fields, parts: readonly Fields[], role: 'user' | 'assistant') {
  if (parts.length === 0) return readContent(message.content);
  const withData = parts.map(part => (part.type === 'file' ? { ...part, data: part.url ?? part.data } : part));
  return role === 'assistant' ? readAnswer(withData) : readContent(withData);
}

function toolName({ type, toolName, toolInvocation }: Fields): string[] {
  if (type === 'dynamic-tool' && typeof toolName === 'string') return [toolName];
  // In chats that were stored by version 4.
  if (type === 'tool-invocation')
    return [textField(isFields(toolInvocation) ? toolInvocation : {}, 'toolName') ?? []].flat();
  return typeof type === 'string' && type.startsWith('tool-') ? [type.slice('tool-'.length)] : [];
}
