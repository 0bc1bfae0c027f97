import type { DatabaseSync } from 'node:sqlite';

/**
 * The account that entries of a version 1 file are given, until a recorder opens it: version 1 knew one account only, so
 * they are that recorder's.
 */
export const VERSION_1_ACCOUNT = 'version-0.1';

const COUNTERS = `newest, accepted, pending, in_flight, delivered, dead_lettered, expired, purged, forgotten,
  pending_bytes, in_flight_bytes, bytes, lease_owner, lease_until, lease_ms`;

const ENTRY = `position, key, conversation_id, state, bytes, accepted_at, attempts, maybe_stored, error, died_at`;

/**
 * Brings a file of version 1 to the tables of version 2, within the transaction that is under way. Messages stay where they
 * are. The lease stays, too: what its owner has in flight is not sent again before it has run out.
 */
export function migrateFrom1(db: DatabaseSync, tables: string): void {
  if (versionOf(db) !== 1) return;
  db.exec('ALTER TABLE entries RENAME TO entries_1; DROP INDEX entries_by_state; DROP INDEX entries_by_conversation');
  db.exec(tables);
  db.exec(`
    INSERT INTO accounts (id, account, ${COUNTERS}) SELECT 1, '${VERSION_1_ACCOUNT}', ${COUNTERS} FROM outbox;
    INSERT INTO entries (account_id, ${ENTRY}) SELECT 1, ${ENTRY} FROM entries_1 ORDER BY position;
    DROP TABLE entries_1;
    DROP TABLE outbox;
    PRAGMA user_version = 2;
  `);
}

/** Lets the statements of version 2 read a file of version 1 that must not be changed. */
export function readAsVersion2(db: DatabaseSync): void {
  if (versionOf(db) !== 1) return;
  db.exec(`
    CREATE TEMP VIEW accounts AS SELECT 1 AS id, '${VERSION_1_ACCOUNT}' AS account, ${COUNTERS},
      0 AS lease_renewals, NULL AS lease_host, 0 AS carried_ms FROM main.outbox;
    CREATE TEMP VIEW aliases AS SELECT NULL AS alias, NULL AS account WHERE 0;
    CREATE TEMP VIEW entries AS SELECT 1 AS account_id, ${ENTRY}, NULL AS refused_at, 0 AS carried_at_ms FROM main.entries;
  `);
}

function versionOf(db: DatabaseSync): number {
  return Number(db.prepare('PRAGMA user_version').get()?.user_version);
}
