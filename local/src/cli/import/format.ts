import { readAISDK } from './ai-sdk.js';
import { messageList } from './collect.js';
import { readExported } from './exported.js';
import { isFields } from './fields.js';
import { readLangChainRecord } from './langchain.js';
import { BadRecord, type ImportDefaults, keyedMessages, type ReadRecord } from './messages.js';
import { readOpenAI } from './openai.js';

/** The formats that are read: `synap` is what `synap-recorder-local export` writes. */
export const IMPORT_FORMATS = ['synap', 'openai', 'ai-sdk', 'langchain'] as const;

export type ImportFormat = (typeof IMPORT_FORMATS)[number];

const CONVERSATIONS = { openai: readOpenAI, 'ai-sdk': readAISDK, langchain: readLangChainRecord } as const;

/** The records in a line, or in a whole file: itself, or the elements of a list of them. */
export function recordsIn(value: unknown): readonly unknown[] {
  return Array.isArray(value) && value.some(isRecord) ? value : [value];
}

/**
 * The messages of a record: of a conversation, or the one message of an export.
 *
 * @param format auto-detected by default
 * @param place distinguishes records that say the same and have no id
 * @throws BadRecord it can't be read, or lacks a user or a conversation
 */
export function readRecord(
  record: unknown,
  format: ImportFormat | undefined,
  defaults: ImportDefaults,
  place: number,
): ReadRecord {
  const found = format ?? detectFormat(record);
  if (found === 'synap') {
    if (!isFields(record)) throw new BadRecord('is not an exported message');
    return readExported(record, defaults, place);
  }
  if (messageList(record) === undefined) throw new BadRecord('contains no list of messages');
  const conversation = CONVERSATIONS[found](record);
  const { leftOut, identity } = conversation;
  return { messages: keyedMessages(conversation, defaults), leftOut, nameless: identity.conversationId === undefined };
}

/** @returns whether a value is a record by itself, and not a message of a conversation */
function isRecord(value: unknown): boolean {
  return Array.isArray(value) || (isFields(value) && (Array.isArray(messageList(value)) || isExported(value)));
}

function isExported(value: unknown): boolean {
  return isFields(value) && typeof value.conversation_id === 'string' && typeof value.role === 'string';
}

function detectFormat(value: unknown): ImportFormat {
  if (isExported(value) && messageList(value) === undefined) return 'synap';
  const messages = messageList(value)?.filter(isFields) ?? [];
  if (messages.some(({ parts }) => Array.isArray(parts))) return 'ai-sdk';
  if (messages.some(({ lc, type, data }) => lc === 1 || (typeof type === 'string' && isFields(data))))
    return 'langchain';
  if (messages.some(({ role }) => typeof role === 'string')) return 'openai';
  if (messageList(value)?.length === 0) return 'openai';
  throw new BadRecord(`is in none of the formats ${IMPORT_FORMATS.join(', ')}`);
}
