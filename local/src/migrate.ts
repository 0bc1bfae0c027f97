import type { DatabaseSync } from 'node:sqlite';
import { CREATE_INGESTIONS, CREATE_VIEWS_OF_CONVERSATIONS, SCHEMA_VERSION } from './schema.js';
import { Facets } from './store/facets.js';
import { retally } from './store/retally.js';
import { Statements } from './store/statements.js';

/**
 * Brings the tables of an older version up to this one. The caller has a transaction open: after a crash in the middle
 * the file is as it was before.
 */
export function migrate(db: DatabaseSync): void {
  const from = Number(db.prepare('PRAGMA user_version').get()?.user_version);
  if (from === SCHEMA_VERSION) return;
  if (from < 2) addFacetsAndSearch(db);
  // 2 → 3: which transcripts came in one piece.
  if (from < 3) db.exec(CREATE_INGESTIONS);
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
  const conversations = db.prepare('SELECT id, user_id AS userId, customer_id AS customerId FROM conversations');
  for (const row of conversations.all())
    retally(statements, facets, row as { id: number; userId: string; customerId: string });
}
