/**
 * The times within a turn that are no part of its latency: an attempt that failed and was made again, the time that a person
 * took to answer for a tool.
 *
 * ```
 *   running ──begin()──► paused ──resume()──► running
 *                          └─────close()────► over: the answer ended where the pause began
 * ```
 */
export class Pauses {
  #excludedMs = 0;
  #open: { readonly from: number; readonly at: number } | undefined;

  /** Milliseconds that are no part of the latency so far. */
  get excludedMs(): number {
    return this.#excludedMs;
  }

  /** @param from since when what is under way does not count; before now for an attempt that has just failed */
  begin(from = performance.now()): void {
    this.#open ??= { from, at: performance.now() };
  }

  /** The answer goes on. `counts`: something of it was under way all the same, such as a tool. */
  resume({ counts = false }: { counts?: boolean } = {}): void {
    if (this.#open && !counts) this.#excludedMs += performance.now() - this.#open.from;
    this.#open = undefined;
  }

  /** @returns when the answer stopped, if it ends in a pause */
  close(): number | undefined {
    const open = this.#open;
    this.#open = undefined;
    if (open) this.#excludedMs += open.at - open.from;
    return open?.at;
  }
}
