// Makes a database file of version 1.

import { randomUUID } from 'node:crypto';
import { DatabaseSync } from 'node:sqlite';
import { tempDatabase } from './support.js';

/** The tables as version 1 made them. */
const TABLES = `
  PRAGMA journal_mode = WAL;
  PRAGMA application_id = 0x53594e50;
  PRAGMA user_version = 1;
  CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE conversations (
    id INTEGER PRIMARY KEY, conversation_id TEXT NOT NULL UNIQUE, user_id TEXT NOT NULL, customer_id TEXT NOT NULL,
    session_id TEXT, message_count INTEGER NOT NULL, first_recorded_at TEXT NOT NULL, last_recorded_at TEXT NOT NULL,
    last_seq INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX conversations_by_activity ON conversations (last_seq);
  CREATE TABLE messages (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, message_id TEXT NOT NULL UNIQUE,
    conversation INTEGER NOT NULL REFERENCES conversations (id), session_id TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('user', 'assistant')), content TEXT NOT NULL, user_id TEXT NOT NULL,
    customer_id TEXT NOT NULL, metadata TEXT, message_key TEXT, recorded_at TEXT NOT NULL
  ) STRICT;
  CREATE INDEX messages_by_conversation ON messages (conversation, seq);
  CREATE UNIQUE INDEX messages_by_key ON messages (conversation, message_key) WHERE message_key IS NOT NULL;
  INSERT INTO meta VALUES ('tenancy', 'b2c'), ('api_key', 'synap_local_of_version_1');
`;

export interface OldMessage {
  conversation: number;
  role: 'user' | 'assistant';
  content: string;
  user?: string;
  customer?: string;
  metadata?: object;
}

/** A file as version 1 left it, and the ids of its conversations. */
export function versionOne(messages: readonly OldMessage[]): { database: string; ids: string[] } {
  const database = tempDatabase();
  const db = new DatabaseSync(database);
  db.exec(TABLES);
  const at = '2026-01-01T00:00:00.000Z';
  const ids: string[] = [];
  const open = db.prepare("INSERT INTO conversations VALUES (?, ?, ?, ?, 's', 0, ?, ?, 0)");
  const insert = db.prepare("INSERT INTO messages VALUES (NULL, ?, ?, 's', ?, ?, ?, ?, ?, NULL, ?)");
  const touch = db.prepare('UPDATE conversations SET message_count = message_count + 1, last_seq = ? WHERE id = ?');
  db.exec('BEGIN');
  for (const { conversation, role, content, user = 'ada', customer = 'acme', metadata } of messages) {
    ids[conversation] ??= randomUUID();
    if (!db.prepare('SELECT 1 FROM conversations WHERE id = ?').get(conversation + 1))
      open.run(conversation + 1, ids[conversation] ?? '', user, customer, at, at);
    const json = metadata === undefined ? null : JSON.stringify(metadata);
    const row = insert.run(randomUUID(), conversation + 1, role, content, user, customer, json, at);
    touch.run(row.lastInsertRowid, conversation + 1);
  }
  db.exec('COMMIT');
  db.close();
  return { database, ids };
}
