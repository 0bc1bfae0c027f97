import { type Logger, safeLogger } from '../../internal/logger.js';
import { patiently } from '../../internal/sqlite/database.js';
import { explain } from '../../internal/sqlite/errors.js';
import { type Counters, noChange } from './counters.js';
import { FileHealth } from './file-health.js';
import type { Lease } from './lease.js';
import { BUSY_TIMEOUT_MS } from './open-file.js';
import { OutboxFile, type OutboxFileOptions } from './outbox-file.js';

/** Where a lock was waited for in vain, the app is not held up for so long again. */
const LOCKED_TIMEOUT_MS = 25;

/**
 * Stands between an outbox and its file: opens it, lets nothing through while it is not healthy ({@link FileHealth}),
 * and returns undefined then. It never throws because of the file.
 */
export class FileGuard {
  readonly #options: OutboxFileOptions;
  readonly #lease: Lease;
  readonly #health: FileHealth;
  readonly #inMemory: () => number;
  #logger: Logger = safeLogger(undefined);
  #file: OutboxFile | undefined;
  #counters: Counters = noChange();
  #isLastTry = false;
  #isClosed = false;

  /** @param inMemory how many messages wait in memory for the file */
  constructor(options: OutboxFileOptions, lease: Lease, inMemory: () => number) {
    this.#options = options;
    this.#lease = lease;
    this.#health = new FileHealth(options.path);
    this.#inMemory = inMemory;
  }

  set logger(logger: Logger) {
    this.#logger = logger;
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

  /** The counters in the file, as they were when it could last be used. */
  get counters(): Counters {
    return this.#counters;
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

  /** From now on the file is tried each time, whatever its state. */
  lastTry(): void {
    this.#isLastTry = true;
  }

  /** For good. */
  close(): void {
    this.peek(file => file.close());
    this.#abandon();
    this.#isClosed = true;
  }

  #attempt<T>(work: (file: OutboxFile) => T): T | undefined {
    try {
      const file = this.#file ?? new OutboxFile(this.#options, this.#lease);
      this.#file = file;
      const patienceMs = this.#health.state === 'locked' ? LOCKED_TIMEOUT_MS : BUSY_TIMEOUT_MS;
      const answer = patiently(() => work(file), patienceMs);
      this.#counters = file.counters;
      return answer;
    } catch (error) {
      const reason = explain(error, this.#options.path);
      this.#health.failed(reason, this.#logger);
      if (reason.problem !== 'full' && reason.problem !== 'locked') this.#abandon();
      return undefined;
    }
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
