export { type SqliteOutboxOptions, sqliteOutbox } from './delivery/sqlite-outbox.js';
