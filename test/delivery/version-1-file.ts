// A file of an outbox as version 0.1 of this package wrote it, and a process of that version which has it open.

import { closeSync, openSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { anEntry } from './outbox-support.js';

const SCHEMA = `
  CREATE TABLE outbox (
    id              INTEGER PRIMARY KEY CHECK (id = 1),
    newest          INTEGER NOT NULL DEFAULT 0,
    accepted        INTEGER NOT NULL DEFAULT 0,
    pending         INTEGER NOT NULL DEFAULT 0,
    in_flight       INTEGER NOT NULL DEFAULT 0,
    delivered       INTEGER NOT NULL DEFAULT 0,
    dead_lettered   INTEGER NOT NULL DEFAULT 0,
    expired         INTEGER NOT NULL DEFAULT 0,
    purged          INTEGER NOT NULL DEFAULT 0,
    forgotten       INTEGER NOT NULL DEFAULT 0,
    pending_bytes   INTEGER NOT NULL DEFAULT 0,
    in_flight_bytes INTEGER NOT NULL DEFAULT 0,
    bytes           INTEGER NOT NULL DEFAULT 0,
    lease_owner     TEXT,
    lease_until     INTEGER NOT NULL DEFAULT 0,
    lease_ms        INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  INSERT INTO outbox (id) VALUES (1);
  CREATE TABLE entries (
    position        INTEGER PRIMARY KEY,
    key             TEXT NOT NULL UNIQUE,
    conversation_id TEXT NOT NULL,
    state           TEXT NOT NULL
      CHECK (state IN ('ready', 'waiting', 'in_flight', 'delivered', 'dead', 'expired')),
    bytes           INTEGER NOT NULL,
    accepted_at     INTEGER NOT NULL,
    attempts        INTEGER NOT NULL,
    maybe_stored    INTEGER NOT NULL,
    error           TEXT,
    died_at         INTEGER
  ) STRICT;
  CREATE INDEX entries_by_state ON entries (state);
  CREATE INDEX entries_by_conversation ON entries (conversation_id, state);
  CREATE TABLE messages (position INTEGER PRIMARY KEY, message TEXT NOT NULL) STRICT;
  PRAGMA application_id = 0x53594e4f;
  PRAGMA user_version = 1;
`;

const COUNTER = {
  ready: 'pending',
  waiting: 'pending',
  in_flight: 'in_flight',
  delivered: 'delivered',
  dead: 'dead_lettered',
  expired: 'expired',
} as const;

/** The process: each method is the transaction that version 0.1 makes. */
export function version1(path: string) {
  // As version 0.1 made it: for its owner only.
  closeSync(openSync(path, 'a', 0o600));
  const db = new DatabaseSync(path);
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL');
  db.exec(SCHEMA);
  const row = db.prepare('SELECT newest, pending, in_flight AS inFlight FROM outbox');
  const insertEntry = db.prepare(`INSERT INTO entries
    (position, key, conversation_id, state, bytes, accepted_at, attempts, maybe_stored, error, died_at)
    VALUES (?, ?, ?, ?, 100, 1700000000000, 0, 0, ?, ?)`);
  const insertMessage = db.prepare('INSERT INTO messages (position, message) VALUES (?, ?)');
  const settle = db.prepare("UPDATE entries SET state = 'delivered' WHERE key = ?");
  const renew = db.prepare('UPDATE outbox SET lease_until = ? WHERE lease_owner = ?');

  function transaction<T>(work: () => T): T {
    db.exec('BEGIN IMMEDIATE');
    try {
      const answer = work();
      db.exec('COMMIT');
      return answer;
    } catch (error) {
      if (db.isTransaction) db.exec('ROLLBACK');
      throw error;
    }
  }

  return {
    put(key: string, conversation: string, state: keyof typeof COUNTER): void {
      transaction(() => {
        const position = Number(row.get()?.newest) + 1;
        const isDead = state === 'dead' || state === 'expired';
        insertEntry.run(
          position,
          key,
          conversation,
          state,
          isDead ? `no ${key}` : null,
          isDead ? 1_700_000_000_001 : null,
        );
        if (state !== 'delivered') insertMessage.run(position, JSON.stringify(anEntry(key, conversation).message));
        const isPending = COUNTER[state] === 'pending';
        db.exec(`UPDATE outbox SET newest = newest + 1, accepted = accepted + 1, ${COUNTER[state]} = ${COUNTER[state]} + 1,
          pending_bytes = pending_bytes + ${isPending ? 100 : 0},
          in_flight_bytes = in_flight_bytes + ${state === 'in_flight' ? 100 : 0},
          bytes = bytes + ${state === 'delivered' ? 0 : 100}`);
      });
    },
    deliver: (key: string) =>
      transaction(() => {
        row.get();
        settle.run(key);
      }),
    takeLease: (ms: number) =>
      db.exec(`UPDATE outbox SET lease_owner = 'version-1', lease_until = ${Date.now() + ms}, lease_ms = ${ms}`),
    renew: () => renew.run(Date.now() + 60_000, 'version-1'),
    close: () => db.close(),
  };
}
