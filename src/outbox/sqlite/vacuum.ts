import { statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';

const MiB = 1024 * 1024;

/** A VACUUM copies what is left in a file, about 8 ms for each MiB, and holds up the app meanwhile. */
export const VACUUM_AT_ONCE = 16 * MiB;

/** Pages that are given back at once: a few milliseconds. */
const PAGES_AT_ONCE = 64;

/** What a file has of pages, in bytes. */
interface FileSize {
  /** What is in use. */
  readonly live: number;
  readonly free: number;
  /** Whether room can be given back step by step. A file of version 0.1 can't, before its first VACUUM. */
  readonly isIncremental: boolean;
}

export function sizeOf(db: DatabaseSync): FileSize {
  const read = (name: string) => Number(Object.values(db.prepare(`PRAGMA ${name}`).get() ?? {})[0]);
  const [page, pages, free] = [read('page_size'), read('page_count'), read('freelist_count')];
  return { live: page * (pages - free), free: page * free, isIncremental: read('auto_vacuum') !== 0 };
}

/**
 * Writes the file anew, without what was deleted from it, and so that it can give back room step by step from then on. What
 * it needs for that is in memory, not in a file that others might read.
 *
 * @throws what SQLite throws: others write, the disk is full; nothing has changed then
 */
export function vacuum(db: DatabaseSync): void {
  db.exec('PRAGMA temp_store = MEMORY; PRAGMA auto_vacuum = INCREMENTAL; VACUUM');
}

/** Whether the disk has room for a VACUUM: the log gets a copy of what is left, and then the file. */
export function hasRoomForVacuum(path: string, { live }: FileSize): boolean {
  try {
    const { bavail, bsize } = statfsSync(dirname(path));
    return bavail * bsize > 2 * live + 16 * MiB;
  } catch {
    return true;
  }
}

/** Gives some of the file's room back, with the next checkpoint. @returns whether there is more */
export function giveBackRoom(db: DatabaseSync): boolean {
  if (sizeOf(db).free === 0) return false;
  db.exec(`PRAGMA incremental_vacuum(${PAGES_AT_ONCE})`);
  return sizeOf(db).free > 0;
}

/**
 * Moves the write-ahead log into the file, and cuts it to nothing: it holds pages with what was deleted since.
 *
 * @returns whether it is done; false while another process reads or writes
 */
export function truncateLog(db: DatabaseSync): boolean {
  const { busy } = db.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get() as { busy: number };
  return busy === 0;
}
