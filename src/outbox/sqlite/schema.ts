// The tables, and what each is for:
//
//   accounts  one row an account: its counters, and who delivers for it. It changes in the same transaction as the entries,
//             so the counters balance over all processes and after every crash. The owner of the lease delivers, until
//             another takes it: when `lease_renewals` has not gone up for `lease_ms`, or when the lock that `lease_host`
//             names is free. Versions without those two go by `lease_until`. Positions are unique over the file: the one given out last is the
//             greatest `newest` of all accounts.
//   aliases   other names of an account. That of a recorder which knows its key only (the key's fingerprint is in it) stands
//             for the account that the key turned out to belong to: so a rotated key goes on where the old one stopped.
//   entries   one row a message, small, so that moving it about costs little. What is pending is `ready` when it is the
//             oldest of its conversation and none of that is in flight, else it is `waiting`: a claim begins at the
//             ready ones, however long the lines behind them are. What is pending and has a `refused_at` is held.
//             A delivered entry stays for a while for its key.
//   messages  the JSON of each message that is not delivered yet. Whose message it is stands in there only.
//
// An entry's age is `carried_ms` of its account (how long carriers have held the lease with something outstanding, by their own
// clocks in all) without `carried_at_ms` (what that was when it was put): so no row is written for entries to age.
//
// Version 1 had one line, in a table `outbox`. There must never be a table of that name again: an older process that has
// the file open stops at it (no such table), keeps its messages in memory, and says so.
//
// Conversations are UUIDs, and account names are checked. A key may be any text, and node:sqlite of Node 22 ends a text at its
// first NUL when it reads one; bytes it reads whole. JSON has no NUL.

import type { DatabaseFormat } from '../../internal/sqlite/database.js';
import { migrateFrom1 } from './version-1.js';

const TABLES = `
  CREATE TABLE accounts (
    id              INTEGER PRIMARY KEY,
    account         TEXT NOT NULL UNIQUE,
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
    lease_ms        INTEGER NOT NULL DEFAULT 0,
    lease_renewals  INTEGER NOT NULL DEFAULT 0,
    lease_host      TEXT,
    carried_ms      INTEGER NOT NULL DEFAULT 0
  ) STRICT;

  CREATE TABLE aliases (
    alias   TEXT PRIMARY KEY,
    account TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE entries (
    position        INTEGER PRIMARY KEY,
    account_id      INTEGER NOT NULL,
    key             TEXT NOT NULL,
    conversation_id TEXT NOT NULL,
    state           TEXT NOT NULL
      CHECK (state IN ('ready', 'waiting', 'in_flight', 'delivered', 'dead', 'expired')),
    bytes           INTEGER NOT NULL,
    accepted_at     INTEGER NOT NULL,
    attempts        INTEGER NOT NULL,
    maybe_stored    INTEGER NOT NULL,
    error           TEXT,    -- of a dead letter, or of what is held: why
    died_at         INTEGER,
    refused_at      INTEGER, -- of what is held: when Synap refused it singly, the last time
    carried_at_ms   INTEGER NOT NULL DEFAULT 0,
    UNIQUE (account_id, key)
  ) STRICT;
  -- Every index ends in the position.
  CREATE INDEX entries_by_state ON entries (account_id, state);
  CREATE INDEX entries_by_conversation ON entries (account_id, conversation_id, state);
  CREATE INDEX entries_held ON entries (account_id) WHERE refused_at IS NOT NULL;
`;

const MESSAGES = `
  CREATE TABLE messages (
    position INTEGER PRIMARY KEY,
    message  TEXT NOT NULL
  ) STRICT;
`;

export const FORMAT: DatabaseFormat = {
  // "SYNO" in ASCII.
  applicationId: 0x53594e4f,
  schemaVersion: 2,
  createSchema: TABLES + MESSAGES,
  migrate: db => migrateFrom1(db, TABLES),
};
