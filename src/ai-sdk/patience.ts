import { idleMsOf, type WrapOptions } from './wrap-options.js';

// In idle times.
const PATIENCE = 20;

/** How long one waits for somebody who may be at work, and may be gone without a word: a model, or a reader. */
export class Patience {
  readonly #ms: number;
  #hasSign = false;
  #since = performance.now();

  constructor(wrappers: readonly (WrapOptions | undefined)[]) {
    this.#ms = PATIENCE * idleMsOf(wrappers);
  }

  /** There was a sign of life. It is dated when somebody asks. */
  sign(): void {
    this.#hasSign = true;
  }

  /** @returns whether they may still be there */
  lasts(): boolean {
    const now = performance.now();
    if (this.#hasSign) this.#since = now;
    this.#hasSign = false;
    return now - this.#since < this.#ms;
  }
}
