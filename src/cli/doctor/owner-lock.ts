import { accessSync, constants, lstatSync } from 'node:fs';
import { OWNER_SUFFIX } from '../../outbox/sqlite/owner-lock.js';
import { type Check, warning } from './check.js';

const MEANING = 'others notice its end only after its lease, not at once';

/** Checks the file by whose lock a process shows that it delivers from an outbox. Nothing is said while there is none. */
export function checkOwnerLock(path: string | undefined): Check[] {
  if (path === undefined) return [];
  const file = path + OWNER_SUFFIX;
  const stats = lstatSync(file, { throwIfNoEntry: false });
  if (stats === undefined) return [];
  if (!stats.isFile() || stats.size > 0)
    return [
      warning(
        'owner',
        `${file} is not the empty file that a process locks while it delivers: ${MEANING}`,
        'move it away',
      ),
    ];
  try {
    accessSync(file, constants.R_OK | constants.W_OK);
    return [];
  } catch {
    return [
      warning(
        'owner',
        `${file} can't be locked by this user: when a process of this user delivers, ${MEANING}`,
        'delete it: the next process that delivers makes it anew',
      ),
    ];
  }
}
