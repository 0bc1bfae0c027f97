import type { DatabaseSync } from 'node:sqlite';
import type { JsonObject } from 'synap-recorder';
import { CREATE_VIEWS_OF_CONVERSATIONS, SCHEMA_VERSION } from './schema.js';
import { Facets } from './store/facets.js';
import { Statements } from './store/statements.js';
import { tally } from './store/tally.js';

/**
 * Brings the tables of an older version up to this one. The caller has a transaction open: after a crash in the middle
 * the file is as it was before.
 */
export function migrate(db: DatabaseSync): void {
  const from = Number(db.prepare('PRAGMA user_version').get()?.user_version);
  if (from === SCHEMA_VERSION) return;
  if (from < 2) addFacetsAndSearch(db);
  db.exec(`PRAGMA user_version = ${SCHEMA_VERSION}`);
}

/** 1 → 2: what conversations are filtered by, and a search index, which is empty and fills up while the server runs. */
function addFacetsAndSearch(db: DatabaseSync): void {
  db.exec(`
    ALTER TABLE conversations ADD COLUMN turn_count INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE conversations ADD COLUMN last_turn TEXT;
    ${CREATE_VIEWS_OF_CONVERSATIONS}
  `);
  const statements = new Statements(db);
  const facets = new Facets(statements);
  const save = db.prepare('UPDATE conversations SET turn_count = ?, last_turn = ? WHERE id = ?');
  const conversations = db.prepare('SELECT id, user_id AS userId, customer_id AS customerId FROM conversations');
  const messages = db.prepare(`SELECT role, user_id AS userId, customer_id AS customerId, metadata
    FROM messages WHERE conversation = ? ORDER BY seq`);
  for (const row of conversations.all()) {
    const conversation = row as { id: number; userId: string; customerId: string };
    let turns = 0;
    let lastTurn: string | null = null;
    let isFirst = true;
    for (const { metadata, ...said } of messages.iterate(conversation.id)) {
      const message = said as { role: 'user' | 'assistant'; userId: string; customerId: string };
      const parsed = typeof metadata === 'string' ? (JSON.parse(metadata) as JsonObject) : undefined;
      const counted = tally(facets, { ...conversation, lastTurn }, { ...message, metadata: parsed }, isFirst);
      turns += counted.turns;
      lastTurn = counted.lastTurn;
      isFirst = false;
    }
    save.run(turns, lastTurn, conversation.id);
  }
}
