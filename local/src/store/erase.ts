import type { DatabaseSync } from 'node:sqlite';
import { isBusy, isFull } from '../database.js';

// Nothing else is answered while it waits for a reader of the file.
const PATIENCE_MS = 1000;

/**
 * Makes a file hold nothing of what was deleted from it: the pages are written anew, and the write-ahead log, which holds
 * older ones, is cut to nothing. It takes as long as copying the file, and for a while as much room.
 *
 * @returns whether it is done; false while another program reads or writes the file, or the disk is full
 */
export function eraseDeleted(db: DatabaseSync): boolean {
  const { timeout } = db.prepare('PRAGMA busy_timeout').get() as { timeout: number };
  try {
    db.exec(`PRAGMA busy_timeout = ${PATIENCE_MS}`);
    db.exec('VACUUM');
    const { busy } = db.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get() as { busy: number };
    return busy === 0;
  } catch (error) {
    if (isBusy(error) || isFull(error)) return false;
    throw error;
  } finally {
    db.exec(`PRAGMA busy_timeout = ${timeout}`);
  }
}
