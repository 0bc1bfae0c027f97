import { v4 as uuidv4, v5 as uuidv5 } from 'uuid';
import { InvalidInputError } from '../synap/errors.js';
import { isUuid, type Tenancy } from '../synap/messages.js';
import { isUnknown, MAX_CONVERSATION_ID, readId, whatIsUnknown } from './known-id.js';

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
  /**
   * `synap`: the UUIDv5 that Synap's own clients make of a chat id alone, in the URL namespace, for an app whose Python half
   * names its chats so. Two users who both call their chat "default" share one transcript then.
   */
  recipe?: 'synap' | undefined;
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
  /** Whether the conversation id was made up, because there was none. */
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
 * @throws {@link InvalidInputError} the id is empty, `scope` needs a user or customer that is missing, or one of them
 * names nobody: it was made from a value that is not there (`NaN`, `"undefined"`, `"[object Object]"`)
 * @example
 * ```ts
 * conversationUuid('chat-42', { userId: 'ada' }); // 'faa212bd-…', always
 * conversationUuid('0190C6A5-7C5E-7E0F-8D1B-3F0A2B4C6D8E', { userId: 'ada' }); // itself, lower-cased
 * ```
 */
export function conversationUuid(id: string, owner: ConversationOwner = {}): string {
  const read = readIdentity({ conversationId: id, userId: owner.userId, customerId: owner.customerId });
  const { conversationId, userId, customerId } = read;
  const { scope = 'user', recipe } = owner;
  if (typeof id !== 'string' || conversationId === undefined)
    throw new InvalidInputError('conversationId must be a non-empty string: pass the id of the chat, e.g. chat.id', {
      field: 'conversationId',
    });
  refuseUnknown('conversationId', conversationId);
  if (recipe !== undefined && recipe !== 'synap')
    throw new InvalidInputError('recipe must be "synap", or left out', { field: 'recipe' });
  if (isUuid(id)) return id.toLowerCase();
  if (recipe === 'synap') return uuidv5(conversationId, uuidv5.URL);
  if (scope === 'user' && !userId)
    throw new InvalidInputError(
      `userId is missing: a chat id that is no UUID belongs to its user. Pass { userId: session.user.id }, or, for a chat of several people, { scope: 'customer' } or { scope: 'app' }`,
      { field: 'userId' },
    );
  if (scope === 'customer' && !customerId)
    throw new InvalidInputError(
      'customerId is missing: with scope "customer" a chat id belongs to its customer. Pass { customerId: org.id }',
      {
        field: 'customerId',
      },
    );
  if (scope === 'user') refuseUnknown('userId', userId);
  if (scope !== 'app') refuseUnknown('customerId', customerId);
  const name = [scope === 'app' ? null : (customerId ?? null), scope === 'user' ? userId : null, conversationId];
  return uuidv5(JSON.stringify(name), NAMESPACE);
}

function refuseUnknown(field: keyof Identity, id: string | undefined): void {
  if (id !== undefined && isUnknown(id)) throw new InvalidInputError(`${field} ${whatIsUnknown(id)}`, { field });
}

/**
 * One identity of several layers, the nearest first: each part comes from the nearest layer that has it.
 *
 * A conversation and a session belong to the user and customer beside whom they were named. So a layer's conversation
 * is not taken when a nearer layer says that somebody else is talking; in a shared scope, a user's change is no bar.
 *
 * A part that names nobody ({@link isUnknown}) is a part that this layer has: it stands, and no farther layer's takes
 * its place. Whoever wrote `userId: String(user.id)` meant somebody, and the recorder's default is somebody else. Only
 * what is absent is asked of the next layer.
 */
export function mergeIdentities(layers: readonly (Identity | undefined)[], scope: ConversationScope): Identity {
  const merged: Identity = {};
  for (const layer of layers) {
    if (!layer) continue;
    const { conversationId, userId, customerId, sessionId } = readIdentity(layer);
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

/** An identity without the parts that name nobody. */
export function knownIdentity(identity: Identity): Identity {
  const known = (id: string | undefined) => (id === undefined || isUnknown(id) ? undefined : id);
  const { conversationId, userId, customerId, sessionId } = readIdentity(identity);
  return {
    conversationId: known(conversationId),
    userId: known(userId),
    customerId: known(customerId),
    sessionId: known(sessionId),
  };
}

/** What an identity lacks to be recorded under. */
export type MissingIdentity = 'missing_user_id' | 'missing_customer_id';

/**
 * The identity a message is recorded under, or what is missing for it. Nothing is guessed.
 *
 * A part that names nobody is missing: without a user nothing is recorded; without a conversation it is a fresh one.
 * Where it is the customer who is unknown, a chat id that belongs to it is missing, too: two tenants may both have a
 * user "1" with a chat "default".
 */
export function resolveIdentity(identity: Identity, scope: ConversationScope): ResolvedIdentity | MissingIdentity {
  const { customerId: namedCustomer } = readIdentity(identity);
  const { conversationId: named, userId, customerId, sessionId } = knownIdentity(identity);
  if (userId === undefined) return 'missing_user_id';
  const uuid = named === undefined || isUuid(named);
  if (!uuid && scope === 'customer' && customerId === undefined) return 'missing_customer_id';
  const strangers = !uuid && scope !== 'app' && namedCustomer !== undefined && customerId === undefined;
  const conversationId = strangers ? undefined : named;
  return {
    conversationId:
      conversationId === undefined ? uuidv4() : conversationUuid(conversationId, { userId, customerId, scope }),
    userId,
    customerId,
    sessionId,
    externalConversationId: uuid ? undefined : named,
    fresh: conversationId === undefined,
  };
}

/** Whom a turn is recorded for, or what is missing for it; and what is wrong with each part that names nobody. */
export interface Resolution {
  readonly resolved: ResolvedIdentity | MissingIdentity;
  readonly unknown: UnknownParts;
}

/** As {@link resolveIdentity}, where the instance may want a customer of every message. */
export function resolve(identity: Identity, scope: ConversationScope, tenancy: Tenancy | undefined): Resolution {
  const resolved = resolveIdentity(identity, scope);
  const lacksCustomer = tenancy === 'b2b' && typeof resolved !== 'string' && resolved.customerId === undefined;
  return { resolved: lacksCustomer ? 'missing_customer_id' : resolved, unknown: unknownParts(identity) };
}

const PARTS: readonly (keyof Identity)[] = ['userId', 'conversationId', 'customerId', 'sessionId'];

/** What is wrong with each part of an identity that names nobody. */
export type UnknownParts = Partial<Record<keyof Identity, string>>;

function unknownParts(identity: Identity): UnknownParts {
  const read = readIdentity(identity);
  const said: UnknownParts = {};
  for (const part of PARTS) {
    const id = read[part];
    if (id !== undefined && isUnknown(id)) said[part] = `${part} ${whatIsUnknown(id)}`;
  }
  return said;
}

/**
 * Reads each part once. What is absent is undefined; what names nobody is a text that {@link isUnknown} knows. Something
 * else in an identity's place, such as a promise of one, means somebody, and nobody knows whom.
 */
function readIdentity(identity: Identity): Identity {
  if (isNoIdentity(identity)) return { userId: readId(Object(identity)) };
  return {
    conversationId: readId(identity.conversationId, MAX_CONVERSATION_ID),
    userId: readId(identity.userId),
    customerId: readId(identity.customerId),
    sessionId: readId(identity.sessionId),
  };
}

function isNoIdentity(identity: unknown): boolean {
  return typeof identity !== 'object' || Array.isArray(identity) || identity instanceof Promise;
}
