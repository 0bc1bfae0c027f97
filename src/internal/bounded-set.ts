/** The newest strings of many; beyond `limit` the oldest are forgotten. */
export class BoundedSet {
  readonly #members = new Set<string>();
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  has(member: string): boolean {
    return this.#members.has(member);
  }

  /** @returns whether it is new */
  add(member: string): boolean {
    if (this.#members.has(member)) return false;
    this.#members.add(member);
    if (this.#members.size > this.#limit) for (const oldest of this.#members) return this.#members.delete(oldest);
    return true;
  }

  delete(member: string): void {
    this.#members.delete(member);
  }
}
