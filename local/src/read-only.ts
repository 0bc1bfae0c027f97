import { DatabaseFileError, openReadOnly } from 'synap-recorder/node-sqlite';
import { LocalSynapError } from './errors.js';
import { MessageLog } from './message-log.js';
import { APPLICATION_ID, CREATE_SCHEMA, SCHEMA_VERSION } from './schema.js';

const BUSY_TIMEOUT_MS = 5000;

/** The messages in the file of a local Synap. */
export interface StoredLog {
  readonly log: MessageLog;
  /** Whether there is a conversation with this id. */
  has(conversationId: string): boolean;
  close(): void;
}

/**
 * Opens the file of a local Synap for reading only, whether a server has it open or not.
 *
 * @throws LocalSynapError the file can't be read, or is no local Synap's; the message says why and what to do
 */
export function openStoredLog(path: string): StoredLog {
  try {
    const db = openReadOnly({
      path,
      applicationId: APPLICATION_ID,
      schemaVersion: SCHEMA_VERSION,
      createSchema: CREATE_SCHEMA,
      busyTimeoutMs: BUSY_TIMEOUT_MS,
    });
    const find = db.prepare('SELECT 1 FROM conversations WHERE conversation_id = ?');
    return { log: new MessageLog(db), has: id => find.get(id) !== undefined, close: () => db.close() };
  } catch (error) {
    throw error instanceof DatabaseFileError ? new LocalSynapError(error.message, { cause: error.cause }) : error;
  }
}
