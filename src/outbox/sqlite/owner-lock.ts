import { closeSync, lstatSync, openSync, statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { isBusy } from '../../internal/sqlite/errors.js';
import { checkFileAccess } from '../../internal/sqlite/file-access.js';
import { isRunning, type ProcessPlace, thisProcess } from './this-process.js';

/** Beside the file of an outbox, under its name. It stays empty. */
export const OWNER_SUFFIX = '-owner';

/** Who holds the lock, and of which file: a name may come to mean another one. */
export interface OwnerPlace extends ProcessPlace {
  /** Device and inode of the lock's file. */
  readonly file: string;
}

/** `gone`: the process has ended, or let go. `unknown`: the lock does not tell. */
export type OwnerState = 'here' | 'gone' | 'unknown';

/**
 * File systems that may let go of a lock while its process lives, or do not share it between containers, by the number that
 * statfs(2) gives: NFS, SMB, CIFS, SMB2, AFS (twice), Coda, Ceph, FUSE, 9P, Lustre, GFS2, OCFS2, GPFS.
 */
const NETWORK_FILE_SYSTEMS = new Set([
  0x6969, 0x517b, 0xff534d42, 0xfe534d42, 0x5346414f, 0x6b414653, 0x73757245, 0x00c36400, 0x65735546, 0x01021997,
  0x0bd00bd0, 0x01161970, 0x7461636f, 0x47504653,
]);

interface HeldLock {
  readonly db: DatabaseSync;
  readonly place: OwnerPlace;
  readonly users: Set<OwnerLock>;
}

/** What this process holds, by {@link OwnerPlace.file}. All its outboxes on a file have the lock together. */
const heldHere = new Map<string, HeldLock>();

/**
 * Shows others on this machine that a process lives: an exclusive transaction on an empty SQLite file, which the kernel ends
 * with the process, however that ends. One process at a time has it.
 *
 * Where it can't be had (a network file system, a folder that is read-only, a file of another user's), nothing is lost but
 * this sign.
 */
export class OwnerLock {
  readonly #path: string;
  #held: HeldLock | undefined;
  /** Whether another had it when it was tried last. */
  #isTaken = false;

  /** @param file of the outbox */
  constructor(file: string) {
    this.#path = file + OWNER_SUFFIX;
  }

  /** Takes the lock, or keeps it. @returns where it is held; undefined if it can't be had now */
  take(): OwnerPlace | undefined {
    this.#isTaken = false;
    if (this.#held !== undefined && this.#held.place.file === fileId(this.#path)) return this.#held.place;
    // Somebody has moved or deleted the file.
    this.release();
    const here = thisProcess();
    if (here === undefined) return undefined;
    try {
      if (NETWORK_FILE_SYSTEMS.has(statfsSync(dirname(this.#path)).type)) return undefined;
      createFile(this.#path);
      checkFileAccess(this.#path);
      const file = fileId(this.#path);
      if (file === undefined) return undefined;
      const held = heldHere.get(file) ?? this.#lock({ ...here, file });
      held?.users.add(this);
      this.#held = held;
      return held?.place;
    } catch (error) {
      this.#isTaken = isBusy(error);
      return undefined;
    }
  }

  /** Lets go of it: another outbox of this process may still have it. */
  release(): void {
    const held = this.#held;
    this.#held = undefined;
    held?.users.delete(this);
    if (held === undefined || held.users.size > 0) return;
    heldHere.delete(held.place.file);
    close(held.db);
  }

  /** @returns undefined where the file was moved or deleted meanwhile */
  #lock(place: OwnerPlace): HeldLock | undefined {
    const db = new DatabaseSync(this.#path);
    try {
      // Without a journal in memory, a journal of its own would stand beside it.
      db.exec('PRAGMA busy_timeout = 0; PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
    } catch (error) {
      close(db);
      throw error;
    }
    if (place.file !== fileId(this.#path)) {
      close(db);
      return undefined;
    }
    const held = { db, place, users: new Set<OwnerLock>() };
    heldHere.set(place.file, held);
    return held;
  }

  /**
   * Whether the process that held the lock there still does.
   *
   * A process of the same namespace must be gone by its id, too: a program that reads the lock's file and closes it lets go of
   * its own lock without knowing, as POSIX has it.
   */
  stateOf(owner: OwnerPlace): OwnerState {
    const here = thisProcess();
    if (here === undefined || owner.kernel !== here.kernel || owner.file !== fileId(this.#path)) return 'unknown';
    const isNeighbour = owner.namespace === here.namespace && owner.pid !== here.pid;
    if (isNeighbour && isRunning(owner.pid)) return 'here';
    const isMine = this.#held !== undefined;
    // It may be another lease, of this outbox or of another one.
    if (heldHere.has(owner.file) && owner.namespace === here.namespace && owner.pid === here.pid) return 'here';
    if (this.take() === undefined) return this.#isTaken ? 'here' : 'unknown';
    if (!isMine) this.release();
    return 'gone';
  }
}

/** Of an empty file; undefined if there is none, or something else in its place. */
function fileId(path: string): string | undefined {
  // Not opened: to close a file lets go of all locks that this process has on it.
  try {
    const stats = lstatSync(path, { bigint: true });
    return stats.isFile() && stats.size === 0n ? `${stats.dev}:${stats.ino}` : undefined;
  } catch {
    return undefined;
  }
}

function close(db: DatabaseSync): void {
  try {
    db.close();
  } catch {
    // There is nothing left to let go of.
  }
}

function createFile(path: string): void {
  try {
    closeSync(openSync(path, 'ax', 0o600));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}
