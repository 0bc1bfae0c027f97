/** What became of the messages of one or more epochs. */
export interface Tally {
  outstanding: number;
  delivered: number;
  deadLettered: number;
}

/**
 * Tells what was put before a flush from what came after, without a list of what that was: each flush begins an epoch,
 * and each epoch counts what was put in it.
 */
export class Epochs {
  #current = 0;
  readonly #tallies = new Map<number, Tally>();
  readonly #epochOf = new Map<string, number>();

  put(key: string): void {
    this.#epochOf.set(key, this.#current);
    this.#at(this.#current).outstanding++;
  }

  /** The message has come to its end. */
  settle(key: string, end: 'delivered' | 'deadLettered' | 'expired'): void {
    const tally = this.#tallies.get(this.#epochOf.get(key) ?? -1);
    this.#epochOf.delete(key);
    if (!tally) return;
    tally.outstanding--;
    if (end !== 'expired') tally[end]++;
  }

  /** Begins an epoch; answers with the last one before it. */
  next(): number {
    return this.#current++;
  }

  /** All that was put up to the end of an epoch. */
  upTo(epoch: number): Tally {
    const sum: Tally = { outstanding: 0, delivered: 0, deadLettered: 0 };
    for (const [at, tally] of this.#tallies) {
      if (at > epoch) continue;
      sum.outstanding += tally.outstanding;
      sum.delivered += tally.delivered;
      sum.deadLettered += tally.deadLettered;
    }
    return sum;
  }

  /** Forgets the epochs of which nothing is outstanding; no flush may be under way. */
  forget(): void {
    for (const [at, { outstanding }] of this.#tallies)
      if (at < this.#current && outstanding === 0) this.#tallies.delete(at);
  }

  #at(epoch: number): Tally {
    let tally = this.#tallies.get(epoch);
    if (!tally) {
      tally = { outstanding: 0, delivered: 0, deadLettered: 0 };
      this.#tallies.set(epoch, tally);
    }
    return tally;
  }
}
