import type { Turn } from './turn.js';

// Turns that an app opens by hand and never ends would pile up; beyond this the oldest is no longer watched.
const MAX_TURNS = 10_000;
// However many turns go idle one after another, a sweep comes no more often than this.
const MIN_WAIT_MS = 20;

/**
 * The turns that are open. One that has an idle limit and was idle for longer is abandoned; so are all of them when the
 * recorder closes. Its one timer does not hold the process.
 */
export class OpenTurns {
  readonly #turns = new Set<Turn>();
  #timer: NodeJS.Timeout | undefined;
  #sweepAt = 0;

  add(turn: Turn): void {
    this.#turns.add(turn);
    if (this.#turns.size > MAX_TURNS) for (const oldest of this.#turns) return void this.#turns.delete(oldest);
    if (turn.idleMs === undefined || (this.#timer && this.#sweepAt <= performance.now() + turn.idleMs)) return;
    clearTimeout(this.#timer);
    this.#watch();
  }

  delete(turn: Turn): void {
    this.#turns.delete(turn);
  }

  abandonAll(): void {
    clearTimeout(this.#timer);
    for (const turn of this.#turns) turn.abandon();
  }

  #watch(): void {
    let wait = Number.POSITIVE_INFINITY;
    for (const turn of this.#turns) wait = Math.min(wait, turn.idleLeftMs);
    if (wait === Number.POSITIVE_INFINITY) return;
    this.#timer = setTimeout(() => this.#sweep(), Math.max(wait, MIN_WAIT_MS));
    this.#timer.unref?.();
    this.#sweepAt = performance.now() + wait;
  }

  #sweep(): void {
    this.#timer = undefined;
    for (const turn of this.#turns) if (turn.idleLeftMs <= 0) turn.abandon();
    this.#watch();
  }
}
