import type { JsonValue } from '../internal/json.js';
import { namesSomebodyElse, type Scope } from '../recorder/scope.js';

/**
 * What `providerOptions.synap` may say of one call. It is assignable to that on every major of the SDK, also from a variable,
 * which is why it is a type: an interface may grow, and the SDK takes only what is JSON.
 *
 * @example
 * ```ts
 * const synap: SynapCallOptions = { conversationId: chat.id, messageId: message?.id };
 * streamText({ model, messages, providerOptions: { synap } });
 * ```
 */
export type SynapCallOptions = {
  /** The app's own chat id, of any form, or a UUID. */
  conversationId?: string | undefined;
  /** The app's own id of the user. */
  userId?: string | undefined;
  /** The tenant, on B2B instances. */
  customerId?: string | undefined;
  sessionId?: string | undefined;
  /** `false`: nothing of this call is recorded. */
  record?: boolean | undefined;
  /** The app's own id of the user's message: given twice in a conversation (regenerate), it is recorded once; with other words, it is an edit. */
  messageId?: string | undefined;
  /** The app's own tags, on both messages. */
  metadata?: { [name: string]: JsonValue } | undefined;
};

/**
 * Stands for options that can't be read. They may have said that nothing is to be recorded, or of whom; so nothing is, and
 * what is not is counted: an identity that throws is nobody's.
 */
const UNREADABLE: SynapCallOptions = Object.freeze({
  get userId(): string {
    throw new TypeError("providerOptions.synap can't be read");
  },
});

/** Reads `providerOptions.synap`, each part once. */
export function readCallOptions(providerOptions: unknown): SynapCallOptions {
  try {
    const synap = (providerOptions as { synap?: unknown } | null | undefined)?.synap;
    if (typeof synap !== 'object' || synap === null) return {};
    const { record, messageId, metadata, conversationId, userId, customerId, sessionId }: SynapCallOptions = synap;
    return { record, messageId, metadata, conversationId, userId, customerId, sessionId };
  } catch {
    return UNREADABLE;
  }
}

/**
 * The options of a call where its model's settings say more. Who is talking is not among it: what is ambient is nearer than a
 * model's settings.
 */
export function withSettings(call: SynapCallOptions, settings: SynapCallOptions | undefined): SynapCallOptions {
  if (!settings || call === UNREADABLE) return call;
  const { record = settings.record, messageId = settings.messageId, metadata } = call;
  return { ...call, record, messageId, metadata: settings.metadata ? { ...settings.metadata, ...metadata } : metadata };
}

/** Whether a call belongs to the one around it. One that can't be read may be anybody's: it is no turn. */
export function isInternal(call: SynapCallOptions, around: Scope): boolean {
  return call === UNREADABLE || !namesSomebodyElse(call, around);
}
