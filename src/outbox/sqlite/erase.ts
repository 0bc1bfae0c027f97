import { monotonicNow } from '../../internal/monotonic-clock.js';
import { patiently } from '../../internal/sqlite/database.js';
import { isBusy } from '../../internal/sqlite/errors.js';
import { openOutboxDatabase } from './open-file.js';
import { giveBackRoom, sizeOf, truncateLog, vacuum } from './vacuum.js';

const PATIENCE_MS = 5000;
const PAUSE_MS = 50;

/**
 * Makes an outbox file hold nothing of what was deleted from it, now, and however long that takes: for a command that was told
 * to forget something.
 *
 * @returns whether it is done; false while another process reads or writes the file. Then its housekeeping does it later
 * @throws DatabaseFileError the file can't be used
 */
export async function eraseNow(path: string): Promise<boolean> {
  const db = openOutboxDatabase({ path, durability: 'normal' });
  try {
    const until = monotonicNow() + PATIENCE_MS;
    for (;;) {
      try {
        if (!sizeOf(db).isIncremental) patiently(() => vacuum(db), PATIENCE_MS);
        while (giveBackRoom(db)) {}
        if (truncateLog(db)) return true;
      } catch (error) {
        if (!isBusy(error)) throw error;
      }
      if (monotonicNow() > until) return false;
      await new Promise(resolve => setTimeout(resolve, PAUSE_MS));
    }
  } finally {
    db.close();
  }
}
