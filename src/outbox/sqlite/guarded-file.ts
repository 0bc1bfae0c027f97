import { type Logger, safeLogger } from '../../internal/logger.js';
import { checkSingleFileMount } from '../../internal/mountinfo.js';
import { patiently } from '../../internal/sqlite/database.js';
import { explain } from '../../internal/sqlite/errors.js';
import { NO_ROW, type OutboxRow, sumOf } from './counters.js';
import { FileHealth } from './file-health.js';
import type { Leases } from './lease.js';
import { BUSY_TIMEOUT_MS } from './open-file.js';
import { OutboxFile, type OutboxFileOptions } from './outbox-file.js';

/** Where a lock was waited for in vain, the app is not held up for so long again. */
const LOCKED_TIMEOUT_MS = 25;

const SILENT: Logger = { info() {}, warn() {}, error() {} };

/**
 * Stands between an outbox and its file: opens it, lets nothing through while it is not healthy ({@link FileHealth}),
 * and returns undefined then. It never throws because of the file.
 */
export class FileGuard {
  readonly #options: OutboxFileOptions;
  readonly #leases: Leases;
  readonly #health: FileHealth;
  readonly #inMemory: () => number;
  #logger: Logger = safeLogger(undefined);
  #file: OutboxFile | undefined;
  readonly #rows = new Map<string, OutboxRow>();
  #account: string | undefined;
  #isMountChecked = false;
  #isLastTry = false;
  #waitsForLocks = true;
  #isClosed = false;

  /** @param inMemory how many messages wait in memory for the file */
  constructor(options: OutboxFileOptions, leases: Leases, inMemory: () => number) {
    this.#options = options;
    this.#leases = leases;
    this.#health = new FileHealth(options.path);
    this.#inMemory = inMemory;
  }

  /** @param account of the recorder that it belongs to */
  belongsTo(logger: Logger, account: string | undefined): void {
    this.#logger = logger;
    this.#account = account;
  }

  /** As far as is known. */
  get isHealthy(): boolean {
    return this.#health.state === 'healthy';
  }

  /** Whether there is a file of which nobody here knows yet what is in it, since others hold it. */
  get isUnread(): boolean {
    return this.#file === undefined && this.#health.state === 'locked';
  }

  /** Whether the file may be tried now. */
  get isOpen(): boolean {
    return !this.#isClosed && (this.#health.mayTry || this.#isLastTry);
  }

  /** What the file counts of an account, or of all; while it can't be read, as it was when it could. */
  stats(account: string | undefined): OutboxRow {
    const rows = this.read(file =>
      account === undefined ? file.accounts().map(each => file.stats(each.account)) : [file.stats(account)],
    );
    return rows?.length === 1 && rows[0] ? rows[0] : sumOf(rows ?? this.#known(account));
  }

  /** What it counted of an account, or of all, when it could last be used. */
  known(account: string | undefined): OutboxRow {
    const rows = this.#known(account);
    return rows.length === 1 && rows[0] ? rows[0] : sumOf(rows);
  }

  progress(position: number, account: string | undefined): { outstanding: number; deadLetters: number } {
    const progress = this.read(file => file.progress(Math.min(Number.MAX_SAFE_INTEGER, position), account));
    if (progress) return progress;
    const { pending, inFlight, deadLettered, expired, purged } = this.known(account);
    return { outstanding: pending + inFlight, deadLetters: deadLettered + expired - purged };
  }

  /** The position given out last, as far as is known. */
  get newest(): number {
    return Math.max(0, ...[...this.#rows.values()].map(({ newest }) => newest));
  }

  /** What can be read while nothing can be written is not kept back. */
  read<T>(work: (file: OutboxFile) => T): T | undefined {
    return this.#file !== undefined || this.isOpen ? this.#attempt(work) : undefined;
  }

  /** As {@link read}, but not through a file that is closed. */
  peek<T>(work: (file: OutboxFile) => T): T | undefined {
    return this.#file && this.#attempt(work);
  }

  /** When this works, the file is healthy again. */
  write<T>(work: (file: OutboxFile) => T): T | undefined {
    if (!this.isOpen) return undefined;
    const answer = this.#attempt(work);
    if (answer !== undefined) this.#health.worked(this.#inMemory(), this.#logger);
    return answer;
  }

  /** Whether the file can't be written for a lock of others. */
  get isLocked(): boolean {
    return this.#health.state === 'locked';
  }

  /** From now on the file is tried each time, whatever its state. A lock of others is no news any more. */
  lastTry(): void {
    this.#isLastTry = true;
  }

  /** From now on nothing waits for a lock of others. */
  waitNoMore(): void {
    this.#waitsForLocks = false;
  }

  /** Puts back what is in flight, and lets go of the leases. @returns whether that is written */
  giveBack(): boolean {
    if (this.#file === undefined) return true;
    const isDone = this.write(file => {
      file.giveBack();
      return true;
    });
    return isDone ?? false;
  }

  /** For good. */
  close(): void {
    this.peek(file => file.close());
    this.#abandon();
    this.#isClosed = true;
    this.#leases.lock.release();
  }

  #known(account: string | undefined): OutboxRow[] {
    if (account !== undefined) return [this.#rows.get(account) ?? NO_ROW];
    // Two names may stand for one account.
    return [...new Map([...this.#rows.values()].map(row => [row.id, row])).values()];
  }

  #attempt<T>(work: (file: OutboxFile) => T): T | undefined {
    try {
      const file = this.#file ?? this.#open();
      return patiently(() => work(file), this.#patienceMs);
    } catch (error) {
      const reason = explain(error, this.#options.path);
      const isNews = !this.#isLastTry || reason.problem !== 'locked';
      this.#health.failed(reason, isNews ? this.#logger : SILENT);
      if (reason.problem !== 'full' && reason.problem !== 'locked') this.#abandon();
      return undefined;
    }
  }

  get #patienceMs(): number {
    if (!this.#waitsForLocks) return 0;
    return this.isLocked ? LOCKED_TIMEOUT_MS : BUSY_TIMEOUT_MS;
  }

  #open(): OutboxFile {
    const warn = (message: string) => this.#logger.warn(`outbox file ${message}`);
    const file = new OutboxFile(this.#options, this.#leases, this.#rows, this.#account, warn);
    this.#file = file;
    this.#checkMount();
    if (file.adopted)
      this.#logger.warn(
        `outbox file ${this.#options.path} was written by synap-recorder 0.1, which knew no accounts: the ${file.adopted} message${file.adopted === 1 ? '' : 's'} waiting in it now belong${file.adopted === 1 ? 's' : ''} to the account of this recorder, ${this.#account}`,
      );
    return file;
  }

  #checkMount(): void {
    if (this.#isMountChecked) return;
    this.#isMountChecked = true;
    const mount = checkSingleFileMount(this.#options.path);
    if (mount) this.#logger.warn(`outbox file ${mount.problem}: ${mount.advice}`);
  }

  /** It is opened again when it is tried again: somebody may have mended it, or put another in its place. */
  #abandon(): void {
    const file = this.#file;
    this.#file = undefined;
    try {
      file?.abandon();
    } catch {
      // There is nothing left to let go of.
    }
  }
}
