import type { DatabaseSync } from 'node:sqlite';
import { outsideRequests } from '../../internal/async-context.js';
import { monotonicNow } from '../../internal/monotonic-clock.js';
import { explain, isBusy } from '../../internal/sqlite/errors.js';
import { clearTimeout, setTimeout } from '../../internal/timers.js';
import { giveBackRoom, hasRoomForVacuum, sizeOf, truncateLog, VACUUM_AT_ONCE, vacuum } from './vacuum.js';

/** Nothing is cleared away as long as messages are delivered all the time, but at the latest after so long. */
const QUIET_MS = 1000;
const LATEST_MS = 30_000;
/** Between two steps, for the app. */
const PAUSE_MS = 20;
const RETRY_BUSY_MS = 2000;
const RETRY_MS = 60_000;
/** What the end of a process may wait for it. */
const AT_CLOSE_MS = 100;
/** How often others may be in the way before it is said. */
const BUSY_TIMES = 10;

export interface HousekeepingOptions {
  readonly path: string;
  /** Whether another process delivers from the file: then it is that one's to clear away, too. */
  isDeliveredByOthers(): boolean;
  warn(message: string): void;
}

/**
 * Clears away what was deleted from a file, in small steps when nothing else is to do: room is given back, and the log, which
 * still holds older pages, is cut to nothing. (SQLite overwrites by itself what is deleted.) It never throws, and never
 * holds the process.
 *
 * ```
 *            deleted()               quiet for 1 s, or 30 s have passed
 *   clean ──────────────► dirty ───────────────────────────────────────► clearing ──► clean
 *                           ▲                                                │
 *                           └── others are in the way, or it fails: later ───┘
 * ```
 */
export class Housekeeping {
  readonly #db: DatabaseSync;
  readonly #options: HousekeepingOptions;
  #timer: NodeJS.Timeout | undefined;
  #dirtySince: number | undefined;
  #deletedAt = 0;
  #failures = 0;
  #isSaid = false;

  constructor(db: DatabaseSync, options: HousekeepingOptions) {
    this.#db = db;
    this.#options = options;
  }

  /** Something was deleted, or may have been before. */
  deleted(): void {
    this.#deletedAt = monotonicNow();
    if (this.#dirtySince === undefined) {
      this.#dirtySince = this.#deletedAt;
      this.#later(QUIET_MS);
    }
  }

  /** What can be done in a short time, before the file is closed. */
  finish(): void {
    this.stop();
    if (this.#dirtySince === undefined) return;
    try {
      if (this.#vacuumed())
        for (const until = monotonicNow() + AT_CLOSE_MS; monotonicNow() < until && giveBackRoom(this.#db); );
    } catch (error) {
      this.#say(error);
    }
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #later(ms: number): void {
    this.stop();
    this.#timer = outsideRequests(() => setTimeout(() => this.#run(), ms));
    this.#timer.unref();
  }

  #run(): void {
    this.#timer = undefined;
    if (!this.#db.isOpen || this.#dirtySince === undefined) return;
    const now = monotonicNow();
    const quietAt = Math.min(this.#deletedAt + QUIET_MS, this.#dirtySince + LATEST_MS);
    if (now < quietAt) return this.#later(quietAt - now);
    try {
      // What is deleted all the time needs the room again.
      const isQuiet = now >= this.#deletedAt + QUIET_MS;
      const isVacuumed = isQuiet && this.#vacuumed();
      if (isVacuumed && giveBackRoom(this.#db)) return this.#later(PAUSE_MS);
      if (!truncateLog(this.#db)) return this.#later(RETRY_BUSY_MS);
      this.#failures = 0;
      this.#dirtySince = isQuiet ? undefined : now;
      if (!isVacuumed) {
        this.#dirtySince = now;
        this.#later(isQuiet ? RETRY_MS : QUIET_MS);
      }
    } catch (error) {
      this.#say(error);
      this.#later(isBusy(error) ? RETRY_BUSY_MS : RETRY_MS);
    }
  }

  /** Whether room can be given back step by step: in a file of version 0.1, after one VACUUM. */
  #vacuumed(): boolean {
    const size = sizeOf(this.#db);
    if (size.isIncremental) return true;
    // More than that has to wait until it is delivered, or for the commands of the command line.
    if (size.live > VACUUM_AT_ONCE || this.#options.isDeliveredByOthers()) return false;
    if (!hasRoomForVacuum(this.#options.path, size)) {
      this.#say(new Error('the disk has not enough room for a copy'));
      return false;
    }
    vacuum(this.#db);
    return true;
  }

  #say(error: unknown): void {
    this.#failures++;
    if (this.#isSaid || (isBusy(error) && this.#failures < BUSY_TIMES)) return;
    this.#isSaid = true;
    const { path } = this.#options;
    const why =
      error instanceof Error && error.name === 'Error' && !('errcode' in error)
        ? error.message
        : explain(error, path).message;
    this.#options.warn(
      `${path} still holds what was deleted from it: clearing it away failed (${why}). Delivery goes on, and it is tried again`,
    );
  }
}
