import { monotonicNow } from '../internal/monotonic-clock.js';
import { isPromise, MAX_TIMER_MS } from '../internal/promises.js';
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

/** A flush that is under way. */
interface Flush {
  /** Whether there is any time to send something in. */
  readonly canSend: boolean;
  /** Where what was settled since begins in the log. */
  readonly from: number;
}

interface Settled {
  readonly position: number;
  readonly delivered: boolean;
}

/** Flushes that begin within so many milliseconds, with nothing put or settled in between, are one. */
const SAME_MS = 10;

/** Flushes that began last, for those that follow at once. */
interface Shared {
  readonly begunAt: number;
  readonly answer: Promise<FlushResult>;
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
  readonly #shared = new Map<string, Shared>();
  // What was settled while any flush is running.
  #log: Settled[] = [];
  // Since those who wait were woken: the first position up to which something is still outstanding.
  #outstandingFrom = Number.POSITIVE_INFINITY;
  #wake: (() => void) | undefined;
  #woken: Promise<void> | undefined;
  #poll: NodeJS.Timeout | undefined;
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
      if (this.#running.size > 0)
        this.#log.push({ position: entry.position, delivered: settlement.to === 'delivered' });
    }
    this.changed();
  }

  /** Something was put, or settled: a flush that begins now covers other messages than the one before. */
  changed(): void {
    this.#shared.clear();
  }

  /** Begins a flush, unless another one like it began just now, with nothing put or settled since: then that one's answer counts. */
  once(kind: string, begin: () => Promise<FlushResult>): Promise<FlushResult> {
    const shared = this.#shared.get(kind);
    if (shared && monotonicNow() - shared.begunAt <= SAME_MS) return shared.answer;
    const answer = begin();
    this.#shared.set(kind, { begunAt: monotonicNow(), answer });
    return answer;
  }

  /** Makes those who wait check again. */
  progress(): void {
    this.#outstandingFrom = Number.POSITIVE_INFINITY;
    clearTimeout(this.#poll);
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
    const flush: Flush = { canSend: timeoutMs > 0, from: this.#log.length };
    this.#running.add(flush);
    try {
      begun();
      const isReady = (await Promise.race([ready, deadline])) !== 'late';
      const before = isReady ? await Promise.race([this.#progress(), deadline]) : 'late';
      if (before === undefined || before === 'late') return { delivered: 0, pending: outstanding(), deadLettered: 0 };
      const early = this.#log.length;
      // To be woken by what happens while the store answers, too.
      let next = this.#next();
      let now = before;
      while (!this.#stopped && now.outstanding > 0) {
        if (cannotFinishBy(deadlineAt)) break;
        if ((await Promise.race([next, deadline])) === 'late') break;
        next = this.#next();
        // What is outstanding up to an earlier position is so up to this one, too: of many flushes, the first asks.
        if (before.position >= this.#outstandingFrom) continue;
        const progress = await Promise.race([this.#progress(before.position), deadline]);
        if (progress === 'late') break;
        now = progress ?? now;
      }
      return this.#result(flush, early, before, now);
    } finally {
      clearTimeout(timer);
      this.#running.delete(flush);
      if (this.#running.size === 0) this.#log = [];
    }
  }

  #result(flush: Flush, early: number, before: Progress, latest: Progress): FlushResult {
    const isCovered = ({ position }: Settled) => position <= before.position;
    const settled = this.#log.slice(flush.from).filter(isCovered);
    const delivered = settled.filter(entry => entry.delivered).length;
    const deadLettered = settled.length - delivered;
    const left = Math.max(0, before.outstanding - this.#log.slice(early).filter(isCovered).length);
    const now = latest.outstanding === 0 ? latest : this.#newest(latest, left);
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

  /** While others were asked for, this one's progress may have gone on. */
  #newest(latest: Progress, left: number): Progress {
    try {
      const now = this.#outbox.progress(latest.position);
      if (!isPromise(now)) return now;
    } catch {
      // What was known before stands.
    }
    return this.#outbox.pollMs === undefined ? { ...latest, outstanding: Math.min(latest.outstanding, left) } : latest;
  }

  async #progress(position?: number): Promise<Progress | undefined> {
    try {
      const asked = this.#outbox.progress(position);
      const progress = isPromise(asked) ? await asked : asked;
      if (position !== undefined && progress.outstanding > 0)
        this.#outstandingFrom = Math.min(this.#outstandingFrom, position);
      return progress;
    } catch {
      return undefined;
    }
  }

  /** Resolves when something was settled here, or when it is time to check what other processes have done: for all at once. */
  #next(): Promise<void> {
    this.#woken ??= new Promise(resolve => {
      this.#wake = resolve;
      const { pollMs } = this.#outbox;
      if (pollMs === undefined) return;
      this.#poll = setTimeout(() => this.progress(), pollMs);
      this.#poll.unref?.();
    });
    return this.#woken;
  }
}
