import { Pauses } from './pauses.js';
import type { AssistantMessage } from './turn-message.js';

/** When a turn began, when its answer began, and when it gave its last sign of life. */
export class TurnClock {
  /** What is no part of the latency. */
  readonly pauses = new Pauses();
  readonly #timed: boolean;
  #isStarted: boolean;
  #startedAt = new Date();
  #start = performance.now();
  #firstTokenAt: number | undefined;
  // A sign of life is only noted; looking at the clock for each would cost more than the rest of a chunk.
  #isAlive = false;
  #lastSignAt = this.#start;

  /**
   * @param startedAt when the turn began, where that is known; on the clock of `performance.now()`
   * @param timed whether how long it takes says anything
   */
  constructor(startedAt: number | undefined, timed: boolean) {
    this.#timed = timed;
    this.#isStarted = startedAt !== undefined;
    if (startedAt === undefined) return;
    this.#startedAt = new Date(Date.now() - (this.#start - startedAt));
    this.#start = startedAt;
  }

  get startedAt(): Date {
    return this.#startedAt;
  }

  /** The user has said something: time counts from the first message on, unless the answer was there before it. */
  prompted({ isOpen }: { isOpen: boolean }): void {
    if (!this.#isStarted && this.#firstTokenAt === undefined && isOpen) {
      this.#startedAt = new Date();
      this.#start = performance.now();
    }
    this.#isStarted = true;
    this.#isAlive = true;
  }

  sign(): void {
    this.#isAlive = true;
  }

  /** The answer has begun. Only the first call counts. */
  firstToken(): void {
    this.firstTokenAt(performance.now());
  }

  /** The answer began at this time. */
  firstTokenAt(at: number): void {
    this.#firstTokenAt ??= at - this.pauses.excludedMs;
  }

  /** @returns milliseconds since the last sign of life; being busy is one */
  idleMs(now: number, isBusy: () => boolean): number {
    if (this.#isAlive || isBusy()) this.#lastSignAt = now;
    this.#isAlive = false;
    return now - this.#lastSignAt;
  }

  /** The answer has ended. Nobody saw an abandoned one end: its last sign of life is as far as it went. */
  end({ isAbandoned }: { isAbandoned: boolean }): void {
    const pausedAt = this.pauses.close();
    if (pausedAt !== undefined) this.#lastSignAt = pausedAt;
    else if (!isAbandoned || this.#isAlive) this.#lastSignAt = performance.now();
  }

  /** Its last part was read at this time. */
  lastPart(at: number): void {
    this.#lastSignAt = at;
  }

  get times(): Pick<AssistantMessage, 'startedAt' | 'endedAt' | 'latencyMs' | 'timeToFirstTokenMs'> {
    const elapsedMs = this.#lastSignAt - this.#start;
    return {
      startedAt: this.#startedAt,
      endedAt: new Date(this.#startedAt.getTime() + elapsedMs),
      latencyMs: this.#timed ? elapsedMs - this.pauses.excludedMs : undefined,
      timeToFirstTokenMs: this.#firstTokenAt === undefined ? undefined : this.#firstTokenAt - this.#start,
    };
  }
}
