/** The newest entries of many, by a text; beyond `limit` the oldest are forgotten. */
export class BoundedMap<V> {
  readonly #entries = new Map<string, V>();
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get(key: string): V | undefined {
    return this.#entries.get(key);
  }

  set(key: string, value: V): void {
    this.#entries.delete(key);
    this.#entries.set(key, value);
    if (this.#entries.size > this.#limit) for (const oldest of this.#entries.keys()) return this.delete(oldest);
  }

  delete(key: string): void {
    this.#entries.delete(key);
  }
}
