// The tables, and what each is for:
//
//   meta           one row a fact about the whole store: its tenancy, its generated API key
//   conversations  one row a conversation, with what a list of them shows. `session_id` is the session that was made up
//                  for it, if ever one had to be. `last_seq` orders conversations by their latest message.
//   messages       one row a message. `seq` is the order of acceptance; clocks can step back, it can't.
//
// AUTOINCREMENT keeps a `seq` from being given out twice, so that a cursor stays true after rows are deleted.

/** Marks the file as this program's: "SYNP" in ASCII. */
export const APPLICATION_ID = 0x53594e50;

/** Goes up by one with every change to the tables. */
export const SCHEMA_VERSION = 1;

export const CREATE_SCHEMA = `
  CREATE TABLE meta (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE conversations (
    id                INTEGER PRIMARY KEY,
    conversation_id   TEXT NOT NULL UNIQUE,
    user_id           TEXT NOT NULL,
    customer_id       TEXT NOT NULL,
    session_id        TEXT,
    message_count     INTEGER NOT NULL,
    first_recorded_at TEXT NOT NULL,
    last_recorded_at  TEXT NOT NULL,
    last_seq          INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX conversations_by_activity ON conversations (last_seq);

  CREATE TABLE messages (
    seq          INTEGER PRIMARY KEY AUTOINCREMENT,
    message_id   TEXT NOT NULL UNIQUE,
    conversation INTEGER NOT NULL REFERENCES conversations (id),
    session_id   TEXT NOT NULL,
    role         TEXT NOT NULL CHECK (role IN ('user', 'assistant')),
    content      TEXT NOT NULL,
    user_id      TEXT NOT NULL,
    customer_id  TEXT NOT NULL,
    metadata     TEXT,
    message_key  TEXT,
    recorded_at  TEXT NOT NULL
  ) STRICT;
  CREATE INDEX messages_by_conversation ON messages (conversation, seq);
  CREATE UNIQUE INDEX messages_by_key ON messages (conversation, message_key) WHERE message_key IS NOT NULL;
`;
