// What waits for a redaction is not in the outbox yet, so that one's bounds do not hold for it.
const MAX_WAITING = 10_000;
const MAX_WAITING_CHARACTERS = 32 * 1024 * 1024;

/** The messages that wait for a redaction or the outbox. */
export class WaitingMessages<T extends { readonly message: { readonly content: string } }> implements Iterable<T> {
  readonly #waiting = new Set<T>();
  #characters = 0;

  get size(): number {
    return this.#waiting.size;
  }

  /** Whether there are so many of them, or so long ones, that no further turn is taken. */
  get isCrowded(): boolean {
    return this.#waiting.size >= MAX_WAITING || this.#characters >= MAX_WAITING_CHARACTERS;
  }

  add(pending: T): void {
    this.#waiting.add(pending);
    this.#characters += pending.message.content.length;
  }

  delete(pending: T): void {
    if (this.#waiting.delete(pending)) this.#characters -= pending.message.content.length;
  }

  [Symbol.iterator](): Iterator<T> {
    return this.#waiting.values();
  }
}
