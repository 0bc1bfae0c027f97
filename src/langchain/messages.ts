import { isObject, safely, text } from '../internal/guards.js';

/**
 * Recognises messages. An app may hold several copies of LangChain's classes, plain objects, tuples, or what came back
 * from JSON, so nothing here asks for a class.
 */

export type Speaker = 'human' | 'ai' | 'system' | 'tool' | 'other';

/** A message in any of its forms, as far as a transcript looks at it. */
export interface Message {
  readonly speaker: Speaker;
  /** A string, or blocks. */
  readonly content: unknown;
  readonly id: string | undefined;
  /** Where tool calls, usage and response metadata stand. */
  readonly fields: Record<string, unknown>;
}

const SPEAKERS: Readonly<Record<string, Speaker>> = {
  human: 'human',
  user: 'human',
  HumanMessage: 'human',
  HumanMessageChunk: 'human',
  ai: 'ai',
  assistant: 'ai',
  AIMessage: 'ai',
  AIMessageChunk: 'ai',
  system: 'system',
  developer: 'system',
  SystemMessage: 'system',
  SystemMessageChunk: 'system',
  tool: 'tool',
  function: 'tool',
  ToolMessage: 'tool',
  ToolMessageChunk: 'tool',
  FunctionMessage: 'tool',
  FunctionMessageChunk: 'tool',
  remove: 'other',
};

/** Messages whose role tells who speaks; Python calls them `chat`. */
const OF_ANY_ROLE: readonly string[] = ['generic', 'chat', 'ChatMessage', 'ChatMessageChunk'];

/** One message, or undefined when the value is none. A plain string is no message by itself. */
export function readMessage(value: unknown): Message | undefined {
  if (Array.isArray(value)) return readTuple(value);
  if (!isObject(value)) return undefined;
  const type = messageType(value);
  if (type !== undefined) return typedMessage(type, value);
  // JSON of a message: LangChain's own form, then the one that chat histories are stored in.
  if (value.lc === 1 && Array.isArray(value.id) && isObject(value.kwargs))
    return serialisedMessage(String(value.id.at(-1)), value.kwargs);
  if (typeof value.type === 'string' && isObject(value.data) && 'content' in value.data)
    return typedMessage(value.type, value.data);
  if (!('content' in value)) return undefined;
  return message(text(value.role) ?? text(value.type), value);
}

/**
 * A list of messages, or undefined when the value is none. As LangChain does, a string among messages is a human's; a
 * list of nothing but strings is one only where `strings` says so, because it may as well be a list of documents.
 */
export function readMessages(value: unknown, { strings = false } = {}): Message[] | undefined {
  if (isObject(value) && typeof value.toChatMessages === 'function' && Array.isArray(value.messages))
    return readMessages(value.messages, { strings: true });
  if (!Array.isArray(value)) {
    const single = readMessage(value);
    return single ? [single] : undefined;
  }
  const messages: Message[] = [];
  let isConversation = strings;
  for (const element of value) {
    const read = typeof element === 'string' ? human(element) : readMessage(element);
    if (!read) return undefined;
    isConversation ||= typeof element !== 'string';
    messages.push(read);
  }
  return isConversation ? messages : undefined;
}

/** What the human said last: the run of human messages at the end. Instructions to the model don't break it. */
export function trailingHumans(messages: readonly Message[]): Message[] {
  const run: Message[] = [];
  for (const message of messages.toReversed()) {
    if (message.speaker === 'system') continue;
    if (message.speaker !== 'human') break;
    run.unshift(message);
  }
  return run;
}

/**
 * The names of the tools that a message calls, in order. Tools that the provider runs by itself are not among them, and no
 * calls that can't be read: nobody runs those.
 */
export function toolNames({ fields, content }: Pick<Message, 'fields' | 'content'>): string[] {
  const extra = isObject(fields.additional_kwargs) ? fields.additional_kwargs : {};
  const { tool_calls: calls, invalid_tool_calls: invalid } = fields;
  if (isFilled(calls)) return calls.flatMap(nameOf);
  if (isObject(extra.function_call)) return nameOf(extra.function_call);
  // LangChain has read them all: in the other places they stand as the provider has sent them.
  if (isFilled(invalid)) return [];
  for (const raw of [fields.tool_call_chunks, extra.tool_calls]) if (isFilled(raw)) return raw.flatMap(nameOf);
  return Array.isArray(content) ? content.filter(isToolBlock).flatMap(nameOf) : [];
}

/** The arguments of the tools that a message calls, in order, as far as they can be read. */
export function toolArguments({ fields }: Pick<Message, 'fields'>): unknown[] {
  const extra = isObject(fields.additional_kwargs) ? fields.additional_kwargs : {};
  if (Array.isArray(fields.tool_calls) && fields.tool_calls.length > 0) return fields.tool_calls.map(argumentsOf);
  return Array.isArray(extra.tool_calls)
    ? extra.tool_calls.map(argumentsOf)
    : isObject(extra.function_call)
      ? [argumentsOf(extra)]
      : [];
}

/** Whether a message asks for tools: then its text, if any, is talk on the way and not the answer. */
export function callsTools(message: Pick<Message, 'fields' | 'content'>): boolean {
  return toolNames(message).length > 0;
}

function isFilled(value: unknown): value is unknown[] {
  return Array.isArray(value) && value.length > 0;
}

function human(content: string): Message {
  return { speaker: 'human', content, id: undefined, fields: {} };
}

function message(type: string | undefined, fields: Record<string, unknown>): Message | undefined {
  const speaker = type !== undefined && Object.hasOwn(SPEAKERS, type) ? SPEAKERS[type] : undefined;
  if (speaker === undefined) return undefined;
  return { speaker, content: fields.content, id: text(fields.id), fields };
}

function typedMessage(type: string, fields: Record<string, unknown>): Message | undefined {
  if (!OF_ANY_ROLE.includes(type)) return message(type, fields);
  return message(text(fields.role), fields) ?? otherMessage(fields);
}

// One message of a class that is not known here does not make its whole conversation unreadable.
function serialisedMessage(name: string, fields: Record<string, unknown>): Message | undefined {
  return typedMessage(name, fields) ?? (/Message(Chunk)?$/.test(name) ? otherMessage(fields) : undefined);
}

function otherMessage(fields: Record<string, unknown>): Message {
  return { speaker: 'other', content: fields.content, id: text(fields.id), fields };
}

function readTuple(value: readonly unknown[]): Message | undefined {
  const [role, content] = value;
  if (value.length !== 2 || typeof role !== 'string') return undefined;
  return message(role, { content });
}

// getType since core 0.3.32, _getType before.
function messageType(value: Record<string, unknown>): string | undefined {
  const { getType, _getType } = value;
  const ask = typeof getType === 'function' ? getType : _getType;
  return typeof ask === 'function' ? text(ask.call(value)) : undefined;
}

function isToolBlock(block: unknown): boolean {
  return isObject(block) && ['tool_use', 'tool_call', 'tool_call_chunk', 'functionCall'].includes(String(block.type));
}

function argumentsOf(call: unknown): unknown {
  if (!isObject(call)) return undefined;
  const called = isObject(call.function) ? call.function : isObject(call.function_call) ? call.function_call : call;
  const given = called.args ?? called.arguments;
  return typeof given === 'string' ? safely(() => JSON.parse(given)) : given;
}

function nameOf(call: unknown): string[] {
  if (!isObject(call)) return [];
  const { name, function: called, functionCall } = call;
  const nested = isObject(called) ? called.name : isObject(functionCall) ? functionCall.name : undefined;
  const found = text(name) ?? text(nested);
  return found === undefined ? [] : [found];
}
