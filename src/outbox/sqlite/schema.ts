// The tables, and what each is for:
//
//   outbox    one row: the counters, and who delivers. It changes in the same transaction as the entries, so the counters
//             balance over all processes and after every crash. `newest` is the position given out last. The owner of
//             the lease delivers, until `lease_until` and until another takes it.
//   entries   one row a message, small, so that moving it about costs little. What is pending is `ready` when it is the
//             oldest of its conversation and none of that is in flight, else it is `waiting`: a claim begins at the
//             ready ones, however long the lines behind them are. A delivered entry stays for a while for its key.
//   messages  the JSON of each message that is not delivered yet.
//
// Conversations are UUIDs. A key may be any text, and node:sqlite of Node 22 ends a text at its first NUL when it reads
// one; bytes it reads whole. JSON has no NUL.

import type { DatabaseFormat } from '../../internal/sqlite/database.js';
import type { Statements } from '../../internal/sqlite/statements.js';

const OUTSTANDING = "('ready', 'waiting', 'in_flight')";

const ENTRY = `position, CAST(key AS BLOB) AS key, message, bytes, accepted_at AS acceptedAt, attempts,
  maybe_stored AS maybeStored`;

export const FORMAT: DatabaseFormat = {
  // "SYNO" in ASCII.
  applicationId: 0x53594e4f,
  schemaVersion: 1,
  createSchema: `
    CREATE TABLE outbox (
      id              INTEGER PRIMARY KEY CHECK (id = 1),
      newest          INTEGER NOT NULL DEFAULT 0,
      accepted        INTEGER NOT NULL DEFAULT 0,
      pending         INTEGER NOT NULL DEFAULT 0,
      in_flight       INTEGER NOT NULL DEFAULT 0,
      delivered       INTEGER NOT NULL DEFAULT 0,
      dead_lettered   INTEGER NOT NULL DEFAULT 0,
      expired         INTEGER NOT NULL DEFAULT 0,
      purged          INTEGER NOT NULL DEFAULT 0, -- of the dead letters
      forgotten       INTEGER NOT NULL DEFAULT 0, -- of the delivered keys
      pending_bytes   INTEGER NOT NULL DEFAULT 0,
      in_flight_bytes INTEGER NOT NULL DEFAULT 0,
      bytes           INTEGER NOT NULL DEFAULT 0, -- of all messages
      lease_owner     TEXT,
      lease_until     INTEGER NOT NULL DEFAULT 0, -- milliseconds since 1970
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
    -- Every index ends in the position.
    CREATE INDEX entries_by_state ON entries (state);
    CREATE INDEX entries_by_conversation ON entries (conversation_id, state);

    CREATE TABLE messages (
      position INTEGER PRIMARY KEY,
      message  TEXT NOT NULL
    ) STRICT;
  `,
};

export const SQL = {
  row: `SELECT newest, accepted, pending, in_flight AS inFlight, delivered, dead_lettered AS deadLettered, expired,
    purged, forgotten, pending_bytes AS pendingBytes, in_flight_bytes AS inFlightBytes, bytes,
    lease_owner AS leaseOwner, lease_until AS leaseUntil, lease_ms AS leaseMs FROM outbox`,
  addToCounters: `UPDATE outbox SET newest = newest + ?, accepted = accepted + ?, pending = pending + ?,
    in_flight = in_flight + ?, delivered = delivered + ?, dead_lettered = dead_lettered + ?, expired = expired + ?,
    purged = purged + ?, forgotten = forgotten + ?, pending_bytes = pending_bytes + ?,
    in_flight_bytes = in_flight_bytes + ?, bytes = bytes + ?`,

  acquireLease: 'UPDATE outbox SET lease_owner = ?, lease_until = ?, lease_ms = ?',
  renewLease: 'UPDATE outbox SET lease_until = ? WHERE lease_owner = ?',
  releaseLease: 'UPDATE outbox SET lease_owner = NULL WHERE lease_owner = ?',

  find: 'SELECT 1 FROM entries WHERE key = ?',
  findOutstanding: `SELECT 1 FROM entries WHERE conversation_id = ? AND state IN ${OUTSTANDING} LIMIT 1`,
  insertEntry: `INSERT INTO entries
    (position, key, conversation_id, state, bytes, accepted_at, attempts, maybe_stored, error, died_at)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  insertMessage: 'INSERT INTO messages (position, message) VALUES (?, ?)',

  ready: `SELECT position, conversation_id AS conversationId, bytes FROM entries WHERE state = 'ready'
    ORDER BY position LIMIT ?`,
  waiting: `SELECT position, conversation_id AS conversationId, bytes FROM entries
    WHERE conversation_id = ? AND state = 'waiting' ORDER BY position LIMIT ?`,
  entry: `SELECT ${ENTRY} FROM entries JOIN messages USING (position) WHERE position = ?`,
  start: "UPDATE entries SET state = 'in_flight' WHERE position = ?",

  deliver: "UPDATE entries SET state = 'delivered' WHERE position = ?",
  putBack: "UPDATE entries SET state = 'waiting', attempts = ?, maybe_stored = ? WHERE position = ?",
  addDeadLetter: 'UPDATE entries SET state = ?, error = ?, died_at = ? WHERE position = ?',
  deleteMessage: 'DELETE FROM messages WHERE position = ?',
  forget: `DELETE FROM entries WHERE position IN
    (SELECT position FROM entries WHERE state = 'delivered' ORDER BY position LIMIT ?)`,

  inFlightConversations: "SELECT DISTINCT conversation_id AS conversationId FROM entries WHERE state = 'in_flight'",
  requeueInFlight: `UPDATE entries SET state = 'waiting', attempts = attempts + 1, maybe_stored = 1 WHERE state = 'in_flight'`,
  promote: `UPDATE entries SET state = 'ready' WHERE position =
      (SELECT position FROM entries WHERE conversation_id = ? AND state = 'waiting' ORDER BY position LIMIT 1)
    AND NOT EXISTS (SELECT 1 FROM entries WHERE conversation_id = ? AND state IN ('ready', 'in_flight'))`,

  // Counted from the end, because what was put since a flush began is less than what waits.
  progress: `SELECT newest,
    pending + in_flight - (SELECT count(*) FROM entries INDEXED BY entries_by_state
      WHERE state IN ${OUTSTANDING} AND position > ?) AS outstanding,
    CASE WHEN newest <= ? THEN dead_lettered + expired - purged
      ELSE (SELECT count(*) FROM entries INDEXED BY entries_by_state
        WHERE state IN ('dead', 'expired') AND position <= ?) END AS deadLetters
    FROM outbox`,

  deadPositions: `SELECT position FROM entries WHERE state = 'dead' AND position > ? AND position <= ?
    UNION ALL SELECT position FROM entries WHERE state = 'expired' AND position > ? AND position <= ?
    ORDER BY position LIMIT ?`,
  kept: `SELECT ${ENTRY}, state, CAST(error AS BLOB) AS error, died_at AS diedAt
    FROM entries JOIN messages USING (position) ORDER BY position`,
  oldest: `SELECT min(accepted_at) AS acceptedAt FROM
    (SELECT accepted_at FROM entries WHERE state = 'ready' ORDER BY position LIMIT 1)`,

  deadPosition: "SELECT position FROM entries WHERE key = ? AND state IN ('dead', 'expired')",
  deadLetter: `SELECT ${ENTRY}, conversation_id AS conversationId, state, CAST(error AS BLOB) AS error,
    died_at AS diedAt FROM entries JOIN messages USING (position)
    WHERE position = ? AND state IN ('dead', 'expired')`,
  replayEntry: `UPDATE entries SET position = ?, state = ?, accepted_at = ?, attempts = 0, error = NULL, died_at = NULL
    WHERE position = ?`,
  replayMessage: 'UPDATE messages SET position = ? WHERE position = ?',
  deleteEntry: 'DELETE FROM entries WHERE position = ?',
} as const;

export type OutboxStatements = Statements<keyof typeof SQL>;
