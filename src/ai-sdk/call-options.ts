import type { Identity } from '../recorder/identity.js';

/** What `providerOptions.synap` may say of one call. */
export interface SynapCallOptions extends Identity {
  /** `false`: nothing of this call is recorded. */
  record?: boolean | undefined;
  /** The app's own id of the user's message: given twice in a conversation (regenerate), it is recorded once. */
  messageId?: string | undefined;
  /** The app's own tags, on both messages. */
  metadata?: Record<string, unknown> | undefined;
}

/** Reads `providerOptions.synap`. */
export function readCallOptions(providerOptions: unknown): SynapCallOptions {
  const synap = (providerOptions as { synap?: unknown } | null | undefined)?.synap;
  return typeof synap === 'object' && synap !== null ? (synap as SynapCallOptions) : {};
}

/** Whether a call says by itself who is talking where: then it is a turn, even inside another. */
export function hasIdentity({ conversationId, userId }: SynapCallOptions): boolean {
  return [conversationId, userId].some(id => id !== undefined && id !== null && String(id).trim() !== '');
}
