import { hashOf } from '../internal/text-hash.js';

// What starts inside a run that has ended does so within minutes. By then a busy server may have closed very many others.
const MAX_IDS = 250_000;

/**
 * The runs that have ended lately. Of an id its hash is kept: so a quarter of a million takes a tenth of the memory that the texts
 * would.
 */
export class ClosedRuns {
  #newer = new Set<number>();
  #older = new Set<number>();

  has(id: string): boolean {
    const number = hashOf(id);
    return this.#newer.has(number) || this.#older.has(number);
  }

  add(id: string): void {
    this.#newer.add(hashOf(id));
    if (this.#newer.size < MAX_IDS / 2) return;
    this.#older = this.#newer;
    this.#newer = new Set();
  }
}
