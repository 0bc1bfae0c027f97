import { outsideRequests } from '../internal/async-context.js';
import type { Turn, TurnObserver } from './turn.js';

// Turns that an app opens by hand and never ends would pile up; beyond this the oldest is abandoned.
const MAX_TURNS = 10_000;
// How exactly an idle time is kept: a fraction of it, but no more often than a machine with a crowd of turns can bear.
const MAX_TICK_MS = 1000;
const MIN_TICK_MS = 10;

/**
 * The turns that are open. One that has an idle limit and was idle for longer is abandoned; so are all of them when the
 * recorder closes. It looks at a turn now and then, so that a turn need not look at the clock for every chunk; its timer
 * does not hold the process.
 */
export class OpenTurns implements TurnObserver {
  readonly #turns = new Set<Turn>();
  readonly #observers: readonly TurnObserver[];
  #timer: NodeJS.Timeout | undefined;
  #tickMs = MAX_TICK_MS;
  #emptied: (() => void)[] = [];
  #isClosed = false;

  /** @param observers what the platform and the process do for a turn. They are not called for one that begins after the close. */
  constructor(observers: readonly TurnObserver[]) {
    this.#observers = observers;
  }

  get isEmpty(): boolean {
    return this.#turns.size === 0;
  }

  /** Resolves when the last of them has ended. */
  emptied(): Promise<void> {
    return this.isEmpty ? Promise.resolve() : new Promise(resolve => this.#emptied.push(resolve));
  }

  opened(turn: Turn): void {
    this.#turns.add(turn);
    if (this.#turns.size > MAX_TURNS) this.#turns.values().next().value?.abandon();
    if (turn.idleMs !== undefined) this.#tickFor(turn.idleMs);
    if (!this.#isClosed) for (const observer of this.#observers) observer.opened(turn);
  }

  ended(turn: Turn): void {
    this.#turns.delete(turn);
    for (const observer of this.#observers) observer.ended(turn);
    if (!this.isEmpty) return;
    this.#stop();
    for (const resolve of this.#emptied.splice(0)) resolve();
  }

  abandonAll(): void {
    for (const turn of this.#turns) turn.abandon();
    this.#stop();
  }

  close(): void {
    this.abandonAll();
    this.#isClosed = true;
  }

  #tickFor(idleMs: number): void {
    const tickMs = Math.max(MIN_TICK_MS, Math.min(MAX_TICK_MS, idleMs / 4));
    if (this.#timer && this.#tickMs <= tickMs) return;
    this.#tickMs = tickMs;
    clearInterval(this.#timer);
    this.#timer = outsideRequests(() => setInterval(() => this.#tick(), tickMs));
    this.#timer.unref?.();
  }

  #tick(): void {
    const now = performance.now();
    for (const turn of this.#turns) turn.tick(now);
  }

  #stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
