import type { JsonObject, Role } from 'synap-recorder';
import { answerFacets, type Facets } from './facets.js';

/** A conversation as it was before a message. */
export interface Tallied {
  id: number;
  userId: string;
  customerId: string;
  /** The `turn_id` of its latest user message, if that had one. */
  lastTurn: string | null;
}

export interface TalliedMessage {
  role: Role;
  userId: string;
  customerId: string;
  metadata: JsonObject | undefined;
}

/**
 * Adds a message to what its conversation is filtered by, and counts whether it begins a turn. The writer does this with
 * each message, and the migration with all that came before.
 */
export function tally(
  facets: Facets,
  { id, userId, customerId, lastTurn }: Tallied,
  message: TalliedMessage,
  isFirst: boolean,
): { turns: 0 | 1; lastTurn: string | null } {
  if (isFirst || message.userId !== userId) facets.add(id, { kind: 'user', value: message.userId });
  if (isFirst || message.customerId !== customerId) facets.add(id, { kind: 'customer', value: message.customerId });
  if (message.role === 'assistant') {
    for (const facet of answerFacets(message.metadata)) facets.add(id, facet);
    return { turns: 0, lastTurn };
  }
  const turn = typeof message.metadata?.turn_id === 'string' ? message.metadata.turn_id : null;
  return { turns: turn !== null && turn === lastTurn ? 0 : 1, lastTurn: turn };
}
