import { createHash } from 'node:crypto';
import type { Attachment, ConversationScope, Identity, RecordMessageInput, Role, Usage } from 'synap-recorder';
import {
  isUnknown,
  type MissingIdentity,
  readId,
  resolveIdentity,
  tagMetadata,
  truncateMessage,
  whatIsUnknown,
} from 'synap-recorder/content';
import { v5 as uuidv5 } from 'uuid';
import { VERSION } from '../../version.js';

/** Why a line can't be imported, in words that follow "line 7", and without any message text. */
export class BadRecord extends Error {
  override readonly name = 'BadRecord';
}

/** A message of a finished conversation, as far as its format says. */
export interface FinishedMessage {
  readonly role: Role;
  /** The app's own id of it. */
  readonly id?: string | undefined;
  readonly content: string;
  readonly attachments?: readonly Attachment[] | undefined;
  /** When it was said. */
  readonly saidAt?: Date | undefined;
  readonly model?: string | undefined;
  readonly provider?: string | undefined;
  readonly usage?: Usage | undefined;
  readonly finishReason?: string | undefined;
  readonly toolCalls?: readonly string[] | undefined;
  /** The app's own tags. */
  readonly tags?: Record<string, unknown> | undefined;
}

/** Why a message was no part of a transcript: its role, or that it has no text. */
export type LeftOut = 'system' | 'tool' | 'empty' | 'other';

/** A conversation that is over: what was said in it, oldest first. */
export interface FinishedConversation {
  readonly identity: Identity;
  readonly messages: readonly FinishedMessage[];
  readonly leftOut: readonly LeftOut[];
  readonly tags?: Record<string, unknown> | undefined;
}

/** A message, and the key that it has on every import of the same file. */
export interface KeyedMessage {
  readonly key: string;
  readonly message: RecordMessageInput;
  readonly bytes: number;
}

/** What was read from a line. */
export interface ReadRecord {
  readonly messages: readonly KeyedMessage[];
  readonly leftOut: readonly LeftOut[];
  /** Whether it is a whole conversation that has no id of its own. */
  readonly nameless: boolean;
}

/** What the command line says of all conversations; what a line says itself goes first. */
export interface ImportDefaults {
  readonly identity: Identity;
  readonly scope: ConversationScope;
}

// Generated once. Changing one of them would import again what was imported before.
const CONVERSATION_NAMESPACE = 'f2b5a1c4-7d0e-4c8b-9a56-31d0c6e87b10';
const MESSAGE_NAMESPACE = '3c9e1f7a-58b2-4d6e-8f04-a7c2b95d1e63';
const TURN_NAMESPACE = 'b8d4e6f0-2a17-4395-bc81-5e9f7a3d0c24';

/**
 * The messages of a conversation as they are recorded. Their keys name the conversation, the message's own id or else
 * its place, and what was said: the same conversation always has the same keys, and one that has grown adds its new
 * messages only. A conversation without an id is named by all that was said in it.
 *
 * @throws BadRecord it isn't known who was talking
 */
export function keyedMessages(conversation: FinishedConversation, defaults: ImportDefaults): KeyedMessage[] {
  const { messages, tags } = conversation;
  const identity = { ...defaults.identity, ...known(conversation.identity) };
  const resolved = resolveIdentity(identity, defaults.scope);
  if (typeof resolved === 'string') throw nobody(resolved, identity);
  const conversationId = resolved.fresh ? nameOf(conversation, identity) : resolved.conversationId;
  const { userId, customerId, sessionId, externalConversationId } = resolved;
  const seen = new Set<string>();
  let turnId: string | undefined;
  return messages.map((message, index) => {
    const name = [conversationId, message.role, message.id ?? index, digest(message.content)];
    let key = uuidv5(JSON.stringify(name), MESSAGE_NAMESPACE);
    // An id given to two messages that say the same: the place makes the key of the second.
    if (seen.has(key)) key = uuidv5(JSON.stringify([...name, index]), MESSAGE_NAMESPACE);
    seen.add(key);
    if (turnId === undefined || (message.role === 'user' && messages[index - 1]?.role !== 'user'))
      turnId = uuidv5(key, TURN_NAMESPACE);
    const metadata = {
      ...tagMetadata([message.tags, tags], () => {}),
      ...metadataOf(message, { key, turnId, externalConversationId }),
    };
    const { role, content } = message;
    return { key, ...truncateMessage({ conversationId, role, content, userId, customerId, sessionId, metadata }) };
  });
}

/** The error of a record without a user or customer, or with a value that stands for nobody. */
export function nobody(missing: MissingIdentity, identity: Identity): BadRecord {
  const { userId, customerId } = identity;
  const id = readId(missing === 'missing_user_id' ? userId : customerId);
  if (id !== undefined && isUnknown(id)) {
    const who = missing === 'missing_user_id' ? 'user' : 'customer';
    return new BadRecord(`names nobody: its ${who} ${whatIsUnknown(id)}`);
  }
  if (missing === 'missing_user_id') return new BadRecord('says no user: add user_id to it, or give --user');
  return new BadRecord('says no customer, which --scope customer needs: add customer_id to it, or give --customer');
}

function nameOf({ messages }: FinishedConversation, { userId, customerId }: Identity): string {
  const said = messages.map(({ role, id, content }) => [role, id ?? null, content]);
  return uuidv5(digest(JSON.stringify([customerId ?? null, userId ?? null, said])), CONVERSATION_NAMESPACE);
}

/** What is not known is absent. */
function metadataOf(
  { role, attachments = [], saidAt, model, provider, usage = {}, finishReason, toolCalls = [] }: FinishedMessage,
  { key, turnId, externalConversationId }: { key: string; turnId: string; externalConversationId: string | undefined },
): Record<string, unknown> {
  const answer = role === 'assistant' && {
    model,
    provider,
    input_tokens: usage.inputTokens,
    output_tokens: usage.outputTokens,
    total_tokens: usage.totalTokens,
    cached_input_tokens: usage.cachedInputTokens,
    reasoning_tokens: usage.reasoningTokens,
    finish_reason: finishReason,
    tool_calls: toolCalls.length > 0 ? [...toolCalls] : undefined,
  };
  const files = attachments.map(({ mediaType, filename, url }) => known({ media_type: mediaType, filename, url }));
  return known({
    message_key: key,
    turn_id: turnId,
    framework: 'import',
    ...answer,
    attachments: files.length > 0 ? files : undefined,
    started_at: saidAt?.toISOString(),
    external_conversation_id: externalConversationId,
    recorder_version: VERSION,
  });
}

function known<T extends object>(fields: T): Partial<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Partial<T>;
}

function digest(text: string): string {
  return createHash('sha256').update(text.toWellFormed()).digest('hex');
}
