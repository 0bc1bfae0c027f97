import { type Fields, isFields } from './fields.js';
import { BadRecord, type FinishedMessage, type LeftOut } from './messages.js';

/**
 * The messages of a transcript, and why others are left out. An answer without text, which only called tools, is left out,
 * too; the next answer of its turn names the tools.
 *
 * @throws BadRecord one of them is not a message
 */
export function collect(
  list: readonly unknown[],
  read: (message: Fields) => FinishedMessage | LeftOut | undefined,
): { messages: FinishedMessage[]; leftOut: LeftOut[] } {
  const messages: FinishedMessage[] = [];
  const leftOut: LeftOut[] = [];
  let called: readonly string[] = [];
  for (const [index, value] of list.entries()) {
    const message = isFields(value) ? read(value) : undefined;
    if (message === undefined)
      throw new BadRecord(`contains something that is not a message, at position ${index + 1}`);
    if (typeof message === 'string') {
      leftOut.push(message);
      continue;
    }
    const toolCalls = [...called, ...(message.toolCalls ?? [])];
    called = message.content === '' && message.role === 'assistant' ? toolCalls : [];
    if (message.content === '') leftOut.push('empty');
    else messages.push({ ...message, toolCalls: message.role === 'assistant' ? toolCalls : [] });
  }
  return { messages, leftOut };
}

/** The list of messages that a record is, or contains. */
export function messageList(record: unknown): readonly unknown[] | undefined {
  if (Array.isArray(record)) return record;
  if (!isFields(record)) return undefined;
  return [record.messages, record.history].find(Array.isArray);
}

/** Why messages of other roles are no part of a transcript. */
export function leftOutRole(role: string): LeftOut {
  if (role === 'system' || role === 'developer') return 'system';
  return role === 'tool' || role === 'function' || role === 'data' ? 'tool' : 'other';
}
