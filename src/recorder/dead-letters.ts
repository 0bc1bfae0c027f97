import type { DeadLetter, Outbox } from '../outbox/outbox.js';

/**
 * The messages of the recorder's account that Synap did not take. Unlike the rest of the recorder, these methods reject when the outbox fails:
 * whoever calls them waits for the answer.
 *
 * @example
 * ```ts
 * for (const { key, error } of await recorder.deadLetters.list()) console.log(key, error);
 * await recorder.deadLetters.replay(); // send them again, at the end of the line
 * ```
 */
export class DeadLetters {
  readonly #outbox: Outbox;
  readonly #account: string | undefined;
  readonly #replayed: () => void;

  /** @internal They are a recorder's: those of its account. */
  constructor(outbox: Outbox, account: string | undefined, replayed: () => void) {
    this.#outbox = outbox;
    this.#account = account;
    this.#replayed = replayed;
  }

  /**
   * Lists them, oldest first.
   *
   * @param page.after only those behind this `position`, for the next page
   * @param page.limit how many at most. Default 100.
   */
  async list(page?: { after?: number | undefined; limit?: number | undefined }): Promise<readonly DeadLetter[]> {
    return this.#outbox.deadLetters({ ...page, account: this.#account });
  }

  /**
   * Sends those with these keys, or all, again: at the end of the line, under the same keys.
   *
   * @returns how many
   */
  async replay(keys?: readonly string[]): Promise<number> {
    const replayed = await this.#outbox.replay(keys, { account: this.#account });
    this.#replayed();
    return replayed;
  }

  /**
   * Forgets those with these keys, or all, for good. They stay counted.
   *
   * @returns how many
   */
  async purge(keys?: readonly string[]): Promise<number> {
    return this.#outbox.purge(keys, { account: this.#account });
  }
}
