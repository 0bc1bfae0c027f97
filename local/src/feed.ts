import type { Store } from './store.js';

// A burst of messages wakes those who wait once.
const GATHER_MS = 40;
// What another process stores into the same file is seen this much later.
const POLL_MS = 500;

interface Waiter {
  seq: number;
  forgettings: number | undefined;
  resolve(seq: number | undefined): void;
}

/** Wakes those who wait for what changes: by this process, or another one on the same file. */
export class Feed {
  readonly #store: Store;
  readonly #waiters = new Set<Waiter>();
  #gathering: NodeJS.Timeout | undefined;
  #polling: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(store: Store) {
    this.#store = store;
  }

  /**
   * Resolves with the latest `seq` once that is above `seq`, or somebody was forgotten; with undefined when `signal` aborts
   * or the feed closes.
   */
  newerThan(seq: number, signal: AbortSignal): Promise<number | undefined> {
    if (this.#closed || signal.aborted) return Promise.resolve(undefined);
    return new Promise(resolve => {
      const waiter: Waiter = {
        seq,
        forgettings: this.#read(() => this.#store.forgettings()),
        resolve: newest => {
          signal.removeEventListener('abort', abort);
          this.#waiters.delete(waiter);
          if (this.#waiters.size === 0) this.#stopPolling();
          resolve(newest);
        },
      };
      const abort = () => waiter.resolve(undefined);
      signal.addEventListener('abort', abort);
      this.#waiters.add(waiter);
      this.#polling ??= setInterval(() => this.#look(), POLL_MS).unref();
      this.wake();
    });
  }

  /** To be called when something may be new. */
  wake(): void {
    if (this.#closed || this.#waiters.size === 0) return;
    this.#gathering ??= setTimeout(() => {
      this.#gathering = undefined;
      this.#look();
    }, GATHER_MS).unref();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#gathering);
    for (const waiter of [...this.#waiters]) waiter.resolve(undefined);
  }

  /** What can't be read, because the file is gone, ends every wait. */
  #look(): void {
    const newest = this.#read(() => this.#store.lastSeq());
    const forgettings = this.#read(() => this.#store.forgettings());
    for (const waiter of [...this.#waiters])
      if (newest === undefined || newest > waiter.seq || forgettings !== waiter.forgettings) waiter.resolve(newest);
  }

  #read(what: () => number): number | undefined {
    try {
      return what();
    } catch {
      return undefined;
    }
  }

  #stopPolling(): void {
    clearInterval(this.#polling);
    this.#polling = undefined;
  }
}
