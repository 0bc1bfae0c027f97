import type { ClaimLimits } from './outbox.js';

/** What an entry is to a batch. */
export interface Candidate {
  readonly bytes: number;
  readonly conversationId: string;
}

/**
 * Picks a batch from candidates that are in the order of the line: one of each conversation before a second of any, as
 * far as the limits allow, but always at least one. The batch is in the order of the line again.
 */
export function pick<T extends Candidate>(candidates: readonly T[], limits: ClaimLimits): T[] {
  const picked = new Set<T>();
  const conversations = new Set<string>();
  let bytes = 0;
  const fits = (candidate: T) => picked.size === 0 || bytes + candidate.bytes <= limits.maxBytes;

  let full = false;
  for (const first of [true, false]) {
    if (full || (!first && limits.onePerConversation)) break;
    for (const candidate of candidates) {
      if (picked.size >= limits.maxMessages) break;
      const { conversationId } = candidate;
      if (first ? conversations.has(conversationId) : picked.has(candidate)) continue;
      // Not to pass over a large one: a later one of its conversation could be picked before it.
      full = !fits(candidate);
      if (full) break;
      conversations.add(conversationId);
      bytes += candidate.bytes;
      picked.add(candidate);
    }
  }
  return candidates.filter(candidate => picked.has(candidate));
}
