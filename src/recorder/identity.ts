import { v4 as uuidv4, v5 as uuidv5 } from 'uuid';
import { InvalidInputError } from '../synap/errors.js';
import { isUuid } from '../synap/messages.js';

/** Who is talking where. Every part may come from a farther layer; see {@link mergeIdentities}. */
export interface Identity {
  /** The app's own chat id, of any form, or a UUID. Without it a turn gets a conversation of its own. */
  conversationId?: string | undefined;
  /** The app's own id of the user. Without it nothing can be recorded. */
  userId?: string | undefined;
  /** The tenant, on B2B instances. */
  customerId?: string | undefined;
  sessionId?: string | undefined;
}

/**
 * Who shares a conversation id: with `user`, two users who both call their chat "default" have two conversations. A
 * chat with several people in it needs `customer` (one chat a tenant) or `app` (one chat everywhere).
 */
export type ConversationScope = 'user' | 'customer' | 'app';

/** Whose name a chat id is, for {@link conversationUuid}. */
export interface ConversationOwner {
  userId?: string | undefined;
  customerId?: string | undefined;
  /** Default `user`. Must be the recorder's `conversationScope`, for the two to agree. */
  scope?: ConversationScope | undefined;
}

/** An identity that a message can be recorded under. */
export interface ResolvedIdentity {
  readonly conversationId: string;
  readonly userId: string;
  readonly customerId: string | undefined;
  readonly sessionId: string | undefined;
  /** The app's own chat id, when it was no UUID. */
  readonly externalConversationId: string | undefined;
  /** Whether the conversation id was made up, because none was given. */
  readonly fresh: boolean;
}

// Part of every derived id: changing it would tear every app's transcripts in two.
const NAMESPACE = '5b0c9d0e-6a1f-4c59-9d53-0f7f3c1b8a42';

/**
 * The conversation UUID of a chat id: the same on every machine and after every restart.
 *
 * A UUID goes through, lower-cased. Anything else becomes a UUIDv5 of customer, user and id, so that two users who
 * both call their chat "default" never share a transcript.
 *
 * @throws {@link InvalidInputError} the id is empty, or `scope` needs a user or customer that is not given
 * @example
 * ```ts
 * conversationUuid('chat-42', { userId: 'ada' }); // 'faa212bd-…', always
 * conversationUuid('0190C6A5-7C5E-7E0F-8D1B-3F0A2B4C6D8E', { userId: 'ada' }); // itself, lower-cased
 * ```
 */
export function conversationUuid(id: string, owner: ConversationOwner = {}): string {
  const { userId, customerId } = clean(owner);
  const { scope = 'user' } = owner;
  if (typeof id !== 'string' || id.trim() === '')
    throw new InvalidInputError('conversationId must be a non-empty string', { field: 'conversationId' });
  if (isUuid(id)) return id.toLowerCase();
  if (scope === 'user' && !userId)
    throw new InvalidInputError(
      'userId is missing: a chat id that is no UUID is told apart by its user. For a chat of several people, set scope',
      { field: 'userId' },
    );
  if (scope === 'customer' && !customerId)
    throw new InvalidInputError('customerId is missing: with scope "customer" a chat id is told apart by it', {
      field: 'customerId',
    });
  const name = [scope === 'app' ? null : (customerId ?? null), scope === 'user' ? userId : null, id];
  return uuidv5(JSON.stringify(name), NAMESPACE);
}

/**
 * One identity of several layers, the nearest first: each part comes from the nearest layer that has it.
 *
 * A conversation and a session belong to the user and customer beside whom they were named. So a layer's conversation
 * is not taken when a nearer layer says that somebody else is talking; in a shared scope, a user's change is no bar.
 */
export function mergeIdentities(layers: readonly (Identity | undefined)[], scope: ConversationScope): Identity {
  const merged: Identity = {};
  for (const layer of layers) {
    if (!layer) continue;
    const { conversationId, userId, customerId, sessionId } = clean(layer);
    const anotherUser = userId !== undefined && merged.userId !== undefined && userId !== merged.userId;
    const anotherCustomer =
      customerId !== undefined && merged.customerId !== undefined && customerId !== merged.customerId;
    merged.userId ??= userId;
    merged.customerId ??= customerId;
    if ((anotherUser && scope === 'user') || (anotherCustomer && scope !== 'app')) continue;
    merged.conversationId ??= conversationId;
    if (!anotherUser) merged.sessionId ??= sessionId;
  }
  return merged;
}

/** What an identity lacks to be recorded under. */
export type MissingIdentity = 'missing_user_id' | 'missing_customer_id';

/** The identity a message is recorded under, or what is missing for it. Nothing is guessed. */
export function resolveIdentity(identity: Identity, scope: ConversationScope): ResolvedIdentity | MissingIdentity {
  const { conversationId, userId, customerId, sessionId } = identity;
  if (userId === undefined) return 'missing_user_id';
  const uuid = conversationId === undefined || isUuid(conversationId);
  if (!uuid && scope === 'customer' && customerId === undefined) return 'missing_customer_id';
  return {
    conversationId:
      conversationId === undefined ? uuidv4() : conversationUuid(conversationId, { userId, customerId, scope }),
    userId,
    customerId,
    sessionId,
    externalConversationId: uuid ? undefined : conversationId,
    fresh: conversationId === undefined,
  };
}

/** An identity without what says nothing: empty strings are absent, and numbers (database keys) are written out. */
function clean(identity: Identity): Identity {
  return {
    conversationId: idOf(identity.conversationId),
    userId: idOf(identity.userId),
    customerId: idOf(identity.customerId),
    sessionId: idOf(identity.sessionId),
  };
}

function idOf(value: unknown): string | undefined {
  if (typeof value === 'number' || typeof value === 'bigint') return String(value);
  return typeof value === 'string' && value.trim() !== '' ? value.toWellFormed() : undefined;
}
