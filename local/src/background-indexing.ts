import type { Store } from './store.js';

// The index is written in short spells between requests: it may lag behind, requests may not wait for it.
const AFTER_COMMIT_MS = 100;
const SPELL_MS = 8;
const PAUSE_MS = 12;

/** Keeps a store's search index up with what is stored. Its timers hold no process. */
export class BackgroundIndexing {
  readonly #store: Store;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(store: Store) {
    this.#store = store;
    this.wake();
  }

  /** To be called when there may be something to index. */
  wake(): void {
    this.#schedule(AFTER_COMMIT_MS);
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  #schedule(ms: number): void {
    if (this.#stopped || this.#timer !== undefined) return;
    this.#timer = setTimeout(() => this.#run(), ms);
    this.#timer.unref();
  }

  #run(): void {
    this.#timer = undefined;
    try {
      if (!this.#store.advanceSearch(SPELL_MS)) this.#schedule(PAUSE_MS);
    } catch {
      // A full disk, for one: the next write fails with the same error, and its caller gets it.
    }
  }
}
