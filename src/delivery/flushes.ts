import type { Outbox, Progress } from './outbox.js';
import type { Verdict } from './verdict.js';

/** What a flush came to, of the messages accepted before it. */
export interface FlushResult {
  delivered: number;
  /** Still on their way. */
  pending: number;
  /** Refused by Synap, or given up. */
  deadLettered: number;
}

interface Flush {
  readonly position: number;
  delivered: number;
  deadLettered: number;
}

// Node's timers fire at once beyond this.
const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * Waits for what was put before a flush, and tells what became of it. What this process settles is counted as it
 * happens; of a store that others share, how far its line has come tells the rest.
 */
export class Flushes {
  readonly #outbox: Outbox;
  readonly #running = new Set<Flush>();
  #wake: (() => void) | undefined;
  #woken: Promise<void> | undefined;
  #stopped = false;

  constructor(outbox: Outbox) {
    this.#outbox = outbox;
  }

  /** Whether somebody waits: then nothing lingers. */
  get waiting(): boolean {
    return this.#running.size > 0;
  }

  /** Counts what has been settled. */
  settled(verdicts: readonly Verdict[]): void {
    for (const { entry, settlement } of verdicts) {
      if (settlement.to === 'pending') continue;
      for (const flush of this.#running)
        if (entry.position <= flush.position) flush[settlement.to === 'delivered' ? 'delivered' : 'deadLettered']++;
    }
  }

  /** Lets those who wait look again. */
  progress(): void {
    this.#wake?.();
    this.#wake = this.#woken = undefined;
  }

  /** The relay is closed: nobody waits any longer. */
  stop(): void {
    this.#stopped = true;
    this.progress();
  }

  /** Waits, at most `timeoutMs`. `begun` is called once the flush is known to {@link waiting}. */
  async flush(timeoutMs: number, begun: () => void): Promise<FlushResult> {
    let timer: NodeJS.Timeout | undefined;
    // This timer does hold the process: whoever flushes waits for it.
    const deadline = new Promise<'late'>(resolve => {
      timer = setTimeout(resolve, Math.min(timeoutMs, MAX_TIMER_MS), 'late');
    });
    let flush: Flush | undefined;
    try {
      const before = await Promise.race([this.#progress(), deadline]);
      if (before === undefined || before === 'late') return this.#unknown();
      flush = { position: before.position, delivered: 0, deadLettered: 0 };
      this.#running.add(flush);
      begun();
      // To be woken by what happens while the store answers, too.
      let next = this.#next();
      let now = before;
      while (!this.#stopped && now.outstanding > 0) {
        if ((await Promise.race([next, deadline])) === 'late') break;
        next = this.#next();
        now = (await this.#progress(before.position)) ?? now;
      }
      return this.#result(flush, before, now);
    } finally {
      clearTimeout(timer);
      if (flush) this.#running.delete(flush);
    }
  }

  #result({ delivered, deadLettered }: Flush, before: Progress, now: Progress): FlushResult {
    const left = before.outstanding - delivered - deadLettered;
    // What is gone and was not settled here was settled by another process, or lost when the relay was closed.
    const elsewhere = this.#outbox.pollMs === undefined || this.#stopped ? 0 : Math.max(0, left - now.outstanding);
    const dead = Math.min(elsewhere, Math.max(0, now.deadLetters - before.deadLetters - deadLettered));
    return {
      delivered: delivered + elsewhere - dead,
      pending: Math.max(0, left - elsewhere),
      deadLettered: deadLettered + dead,
    };
  }

  /** The store can't be asked: everything in it may be on its way. */
  #unknown(): FlushResult {
    const { pending, inFlight } = this.#outbox.books();
    return { delivered: 0, pending: pending + inFlight, deadLettered: 0 };
  }

  async #progress(position?: number): Promise<Progress | undefined> {
    try {
      return await this.#outbox.progress(position);
    } catch {
      return undefined;
    }
  }

  /** Resolves when something was settled here, or when it is time to look at what others have done. */
  #next(): Promise<void> {
    this.#woken ??= new Promise(resolve => {
      this.#wake = resolve;
    });
    const { pollMs } = this.#outbox;
    if (pollMs === undefined) return this.#woken;
    const woken = this.#woken;
    return new Promise(resolve => {
      const timer = setTimeout(resolve, pollMs);
      timer.unref?.();
      void woken.then(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }
}
