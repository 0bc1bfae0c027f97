import { monotonicNow } from '../internal/monotonic-clock.js';
import { MAX_TIMER_MS } from '../internal/promises.js';
import { clearTimeout, setTimeout } from '../internal/timers.js';
import type { Outbox, Progress } from '../outbox/outbox.js';
import type { Decision } from './decide.js';

/** What a flush came to, of the messages accepted before it. */
export interface FlushResult {
  delivered: number;
  /** Still on their way. */
  pending: number;
  /** Refused by Synap, or given up. */
  deadLettered: number;
}

/** A flush that is under way. What it covers is known once all that was said before it has been put. */
interface Flush {
  position: number;
  /** Whether there is any time to send something in. */
  readonly canSend: boolean;
  readonly settled: { readonly position: number; readonly delivered: boolean }[];
}

export interface FlushHooks {
  /** Called when the flush is known to be {@link FlushTracker.isWaiting}. */
  begun(): void;
  /** Whether nothing will be sent until then, by {@link monotonicNow}. */
  cannotFinishBy(deadline: number): boolean;
  /** What may be on its way, when the store can't be asked its progress. */
  outstanding(): number;
}

/**
 * Waits for what was put before a flush, and returns what became of it. What this process settles is counted as it
 * happens; of a store that others share, its progress tells the rest.
 */
export class FlushTracker {
  readonly #outbox: Outbox;
  readonly #running = new Set<Flush>();
  #wake: (() => void) | undefined;
  #woken: Promise<void> | undefined;
  #stopped = false;

  constructor(outbox: Outbox) {
    this.#outbox = outbox;
  }

  /** Whether somebody waits: then nothing lingers. */
  get isWaiting(): boolean {
    for (const flush of this.#running) if (flush.canSend) return true;
    return false;
  }

  /** Notes what has been settled. */
  settled(decisions: readonly Decision[]): void {
    for (const { entry, settlement } of decisions) {
      if (settlement.to === 'pending') continue;
      const settled = { position: entry.position, delivered: settlement.to === 'delivered' };
      for (const flush of this.#running) if (entry.position <= flush.position) flush.settled.push(settled);
    }
  }

  /** Makes those who wait check again. */
  progress(): void {
    this.#wake?.();
    this.#wake = this.#woken = undefined;
  }

  /** The relay is closed: every flush ends now. */
  stop(): void {
    this.#stopped = true;
    this.progress();
  }

  /** Waits, at most `timeoutMs`, for what was put when `ready` resolves. */
  async flush(
    timeoutMs: number,
    ready: Promise<void> | undefined,
    { begun, cannotFinishBy, outstanding }: FlushHooks,
  ): Promise<FlushResult> {
    const deadlineAt = monotonicNow() + timeoutMs;
    let timer: NodeJS.Timeout | undefined;
    // This timer does hold the process: whoever flushes waits for it.
    const deadline = new Promise<'late'>(resolve => {
      timer = setTimeout(resolve, Math.min(timeoutMs, MAX_TIMER_MS), 'late');
    });
    const flush: Flush = { position: Number.POSITIVE_INFINITY, canSend: timeoutMs > 0, settled: [] };
    this.#running.add(flush);
    try {
      begun();
      if (ready) await Promise.race([ready, deadline]);
      const before = await Promise.race([this.#progress(), deadline]);
      if (before === undefined || before === 'late') return { delivered: 0, pending: outstanding(), deadLettered: 0 };
      flush.position = before.position;
      const early = flush.settled.length;
      // To be woken by what happens while the store answers, too.
      let next = this.#next();
      let now = before;
      while (!this.#stopped && now.outstanding > 0) {
        if (cannotFinishBy(deadlineAt)) break;
        if ((await Promise.race([next, deadline])) === 'late') break;
        next = this.#next();
        const progress = await Promise.race([this.#progress(before.position), deadline]);
        if (progress === 'late') break;
        now = progress ?? now;
      }
      return this.#result(flush, early, before, now);
    } finally {
      clearTimeout(timer);
      this.#running.delete(flush);
    }
  }

  #result(flush: Flush, early: number, before: Progress, now: Progress): FlushResult {
    const settled = flush.settled.filter(({ position }) => position <= before.position);
    const delivered = settled.filter(entry => entry.delivered).length;
    const deadLettered = settled.length - delivered;
    const left = Math.max(0, before.outstanding - flush.settled.slice(early).length);
    // A closed relay's memory is empty: what is left there is lost.
    if (this.#stopped) return { delivered, pending: left, deadLettered };
    // Of a store that others share, what is gone and was not settled here was settled by another process.
    const elsewhere = this.#outbox.pollMs === undefined ? 0 : Math.max(0, left - now.outstanding);
    const dead = Math.min(elsewhere, Math.max(0, now.deadLetters - before.deadLetters - deadLettered));
    return {
      delivered: delivered + elsewhere - dead,
      pending: now.outstanding,
      deadLettered: deadLettered + dead,
    };
  }

  async #progress(position?: number): Promise<Progress | undefined> {
    try {
      return await this.#outbox.progress(position);
    } catch {
      return undefined;
    }
  }

  /** Resolves when something was settled here, or when it is time to check what other processes have done. */
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
