/** The keys of the newest messages, so that one said twice is recorded once. Forgets the oldest beyond `limit`. */
export class RecentKeys {
  readonly #keys = new Set<string>();
  readonly #limit: number;

  constructor(limit = 10_000) {
    this.#limit = limit;
  }

  /** Remembers a key; false when it was known. */
  add(key: string): boolean {
    if (this.#keys.has(key)) return false;
    this.#keys.add(key);
    if (this.#keys.size > this.#limit) for (const oldest of this.#keys) return this.#keys.delete(oldest);
    return true;
  }

  delete(key: string): void {
    this.#keys.delete(key);
  }
}
