/**
 * Positions as an outbox reports them, over its file and what has to wait in memory.
 *
 * What is in memory stands behind all that this process has put into the file. When it moves there, others may have put
 * more in the meantime, so its place in the file is a later one. From then on the positions of the file are reported
 * lower, by so much that each entry is covered by every position that covered it before. Some more may be.
 */
export class Positions {
  #fileOffset = 0;
  #memoryOffset = 0;
  #newest = 0;

  /** The newest that was reported, or could have been. */
  get newest(): number {
    return this.#newest;
  }

  ofFile(position: number): number {
    return position + this.#fileOffset;
  }

  inFile(reported: number): number {
    return reported - this.#fileOffset;
  }

  ofMemory(position: number): number {
    return position + this.#memoryOffset;
  }

  inMemory(reported: number): number {
    return reported - this.#memoryOffset;
  }

  /** There is an entry at this position. */
  note(reported: number): void {
    this.#newest = Math.max(this.#newest, reported);
  }

  /** From here on new entries go to memory, where nothing is outstanding now. */
  beginMemory(newestInMemory: number): void {
    this.#memoryOffset = this.#newest - newestInMemory;
  }

  moved(inMemory: number, inFile: number): void {
    this.#fileOffset = Math.min(this.#fileOffset, this.ofMemory(inMemory) - inFile);
  }
}
