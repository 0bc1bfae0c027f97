// The tables, and what each is for:
//
//   meta                 one row a fact about the whole store: its tenancy, its generated API key
//   conversations        one row a conversation, with what a list of them shows. `session_id` is the session that was
//                        made up for it, if ever one had to be. `last_seq` orders conversations by their latest
//                        message. `last_turn` is the `turn_id` of the latest user message.
//   messages             one row a message. `seq` is the order of acceptance; clocks can step back, it can't.
//   facets               one row a user, customer, model or status that occurs anywhere
//   conversation_facets  which of them occur in which conversation: what lists are filtered by
//   ingestions           which conversations came in one piece, and a hash of what came
//   search_index         the trigrams of each message's text, and of the ids that are new with it; its rowid is the
//                        `seq`. It contains no text of its own, and no places (`detail=none`): a third of the size, and a
//                        match is looked up in the message anyway, to be shown. It is filled after the fact, in the
//                        order of `seq` (search-index.ts); its largest rowid says how far.
//
// AUTOINCREMENT keeps a `seq` from being given out twice, and SQLite remembers the largest one there ever was: a cursor
// stays true after rows are deleted. `last_seq` keeps its value, too, when the message it belonged to is deleted.

/** Marks the file as this program's: "SYNP" in ASCII. */
export const APPLICATION_ID = 0x53594e50;

/** Goes up by one with every change to the tables. What leads from one to the next is in migrate.ts. */
export const SCHEMA_VERSION = 3;

/** What version 2 has and version 1 had not, but for the columns it added to `conversations`. */
export const CREATE_VIEWS_OF_CONVERSATIONS = `
  CREATE TABLE facets (
    id    INTEGER PRIMARY KEY,
    kind  TEXT NOT NULL,
    value TEXT NOT NULL,
    UNIQUE (kind, value)
  ) STRICT;

  CREATE TABLE conversation_facets (
    facet        INTEGER NOT NULL REFERENCES facets (id),
    conversation INTEGER NOT NULL REFERENCES conversations (id),
    PRIMARY KEY (facet, conversation)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX conversation_facets_by_conversation ON conversation_facets (conversation);

  CREATE VIRTUAL TABLE search_index USING fts5 (
    text, content = '', contentless_delete = 1, tokenize = 'trigram', detail = none
  );
`;

/** What version 3 has and version 2 had not. */
export const CREATE_INGESTIONS = `
  CREATE TABLE ingestions (
    conversation INTEGER PRIMARY KEY REFERENCES conversations (id),
    ingestion_id TEXT NOT NULL,
    digest       TEXT NOT NULL
  ) STRICT;
`;

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
    last_seq          INTEGER NOT NULL,
    turn_count        INTEGER NOT NULL DEFAULT 0,
    last_turn         TEXT
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

  ${CREATE_VIEWS_OF_CONVERSATIONS}
  ${CREATE_INGESTIONS}
`;
