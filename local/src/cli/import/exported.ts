import { createHash } from 'node:crypto';
import type { RecordMessageInput } from 'synap-recorder';
import { jsonBytes, resolveIdentity } from 'synap-recorder/content';
import { v5 as uuidv5 } from 'uuid';
import { leftOutRole } from './collect.js';
import { type Fields, fieldsOf, idField, textField } from './fields.js';
import { BadRecord, type ImportDefaults, nobody, type ReadRecord } from './messages.js';

const NAMESPACE = '6d17c0b2-93e4-4f58-a1c6-0b8e2f4d7a95';

/**
 * A message as `synap-recorder-local export` writes it. It keeps its key and
 * metadata. Without a key, its `message_id` is the key, and `recorded_at` the time it was said.
 *
 * @throws BadRecord a field is missing or wrong
 */
export function readExported(record: Fields, { identity, scope }: ImportDefaults, line: number): ReadRecord {
  const { role, content } = record;
  if (typeof role !== 'string') throw new BadRecord('is not an exported message');
  if (role !== 'user' && role !== 'assistant') return { messages: [], leftOut: [leftOutRole(role)], nameless: false };
  if (typeof content !== 'string') throw new BadRecord('has no text in its content');
  const named = {
    conversationId: idField(record, 'conversation_id'),
    userId: idField(record, 'user_id') ?? identity.userId,
    customerId: idField(record, 'customer_id') ?? identity.customerId,
    sessionId: idField(record, 'session_id') ?? identity.sessionId,
  };
  const resolved = resolveIdentity(named, scope);
  if (typeof resolved === 'string') throw nobody(resolved, named);
  if (resolved.fresh && named.conversationId !== undefined)
    throw new BadRecord(
      'names no conversation: its conversation_id, or its customer, was made from a value that is not there',
    );
  const { conversationId, userId, customerId, sessionId } = resolved;
  const metadata = fieldsOf(record, 'metadata');
  const known = textField(metadata, 'message_key');
  const key = known ?? textField(record, 'message_id') ?? keyOf(conversationId, role, content, line);
  const said = typeof record.recorded_at === 'string' ? { started_at: record.recorded_at } : {};
  const message: RecordMessageInput = {
    conversationId,
    role,
    content,
    userId,
    customerId,
    sessionId,
    metadata: known === undefined ? { ...said, ...metadata, message_key: key } : metadata,
  };
  return { messages: [{ key, message, bytes: jsonBytes(message) }], leftOut: [], nameless: false };
}

/** The line is part of it: two lines may say the same. */
function keyOf(conversationId: string, role: string, content: string, line: number): string {
  const digest = createHash('sha256').update(content.toWellFormed()).digest('hex');
  return uuidv5(JSON.stringify([conversationId, role, line, digest]), NAMESPACE);
}
