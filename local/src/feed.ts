import type { Store } from './store.js';

// A burst of messages wakes those who wait once.
const GATHER_MS = 40;
// So many of those who wait are woken at once; requests have their turn before the next.
const WOKEN_AT_ONCE = 50;
// Readers that are behind ask for other things than those who keep up.
const MAX_SHARED = 32;
// What another process stores into the same file is seen this much later.
const POLL_MS = 500;

interface Waiter {
  seq: number;
  forgettings: number | undefined;
  resolve(seq: number | undefined): void;
}

/**
 * Wakes those who wait for what changes: by this process, or another one on the same file. What they read then is read once for
 * all of them.
 */
export class Feed {
  readonly #store: Store;
  readonly #waiters = new Set<Waiter>();
  #gathering: NodeJS.Timeout | undefined;
  #polling: NodeJS.Timeout | undefined;
  #closed = false;
  // What was read since the last change.
  readonly #shared = new Map<string, unknown>();
  #turn: NodeJS.Immediate | undefined;

  constructor(store: Store) {
    this.#store = store;
  }

  /** What `read` gives, which is read once for all who ask for it until something may have changed. */
  shared<T>(key: string, read: () => T): T {
    if (this.#shared.has(key)) return this.#shared.get(key) as T;
    const value = read();
    if (this.#shared.size < MAX_SHARED) this.#shared.set(key, value);
    return value;
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
        forgettings: this.shared('forgettings', () => this.#read(() => this.#store.forgettings())),
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
      this.#gather();
    });
  }

  /** To be called when something may be new. */
  wake(): void {
    this.#shared.clear();
    this.#gather();
  }

  #gather(): void {
    if (this.#closed || this.#waiters.size === 0) return;
    this.#gathering ??= setTimeout(() => {
      this.#gathering = undefined;
      this.#look();
    }, GATHER_MS).unref();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#gathering);
    clearImmediate(this.#turn);
    for (const waiter of [...this.#waiters]) waiter.resolve(undefined);
  }

  /** What can't be read, because the file is gone, ends every wait. */
  #look(): void {
    this.#shared.clear();
    const newest = this.#read(() => this.#store.lastSeq());
    const forgettings = this.shared('forgettings', () => this.#read(() => this.#store.forgettings()));
    const woken = [...this.#waiters].filter(
      waiter => newest === undefined || newest > waiter.seq || forgettings !== waiter.forgettings,
    );
    clearImmediate(this.#turn);
    const wakeSome = () => {
      for (const waiter of woken.splice(0, WOKEN_AT_ONCE)) waiter.resolve(newest);
      if (woken.length > 0) this.#turn = setImmediate(wakeSome);
    };
    wakeSome();
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
