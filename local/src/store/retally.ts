import type { JsonObject } from 'synap-recorder';
import type { Facets } from './facets.js';
import type { Statements } from './statements.js';
import { tally } from './tally.js';

const SQL = {
  said: 'SELECT role, user_id AS userId, customer_id AS customerId, metadata FROM messages WHERE conversation = ? ORDER BY seq',
  save: 'UPDATE conversations SET turn_count = ?, last_turn = ? WHERE id = ?',
} as const;

/** Counts the turns of a conversation, and adds what it is filtered by, from all of its messages. */
export function retally(
  statements: Statements,
  facets: Facets,
  conversation: { id: number; userId: string; customerId: string },
): void {
  let turns = 0;
  let lastTurn: string | null = null;
  let isFirst = true;
  for (const { metadata, ...said } of statements.of(SQL.said).all(conversation.id)) {
    const message = said as { role: 'user' | 'assistant'; userId: string; customerId: string };
    const parsed = typeof metadata === 'string' ? (JSON.parse(metadata) as JsonObject) : undefined;
    const counted = tally(facets, { ...conversation, lastTurn }, { ...message, metadata: parsed }, isFirst);
    turns += counted.turns;
    lastTurn = counted.lastTurn;
    isFirst = false;
  }
  statements.of(SQL.save).run(turns, lastTurn, conversation.id);
}
