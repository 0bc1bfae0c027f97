import { closeSync, existsSync, fstatSync, openSync, readSync } from 'node:fs';
import { type LogPages, readLog } from './write-ahead-log.js';

const PAGE_SIZES = [4096, 512, 1024, 2048, 8192, 16_384, 32_768, 65_536];
const DEFAULT_PAGE_SIZE = 4096;
const HEADER_BYTES = 100;

/**
 * The pages of a SQLite file that may be damaged, as its readers would see them: what its write-ahead log has of a page stands
 * for it. The files are only ever read, and by a process that has no outbox open on them: to close one would let go of all locks
 * that SQLite has on it there, as POSIX has it. (https://sqlite.org/fileformat2.html)
 */
export class PageSource {
  readonly pageSize: number;
  /** How many bytes at the end of each page are not used. */
  readonly reserved: number;
  /** How many pages there are, or should be. */
  readonly count: number;
  /** How many there should be by the header that are not there: the file was cut off. */
  readonly missing: number;
  /** How many pages come from the log; undefined where there is no log. */
  readonly fromLog: number | undefined;
  readonly #file: number;
  readonly #logFile: number | undefined;
  readonly #log: LogPages | undefined;
  readonly #inFile: number;

  constructor(path: string) {
    this.#file = openSync(path, 'r');
    const header = this.#bytes(this.#file, 0, HEADER_BYTES);
    const size = header.readUInt16BE(16) === 1 ? 65_536 : header.readUInt16BE(16);
    const isHeaderSound = header.toString('latin1', 0, 15) === 'SQLite format 3' && PAGE_SIZES.includes(size);
    this.pageSize = isHeaderSound ? size : DEFAULT_PAGE_SIZE;
    this.reserved = isHeaderSound ? (header[20] ?? 0) : 0;
    const log = `${path}-wal`;
    this.#logFile = existsSync(log) ? openSync(log, 'r') : undefined;
    this.#log = this.#logFile === undefined ? undefined : readLog(this.#logFile, this.pageSize);
    this.fromLog = this.#log?.offsets.size;
    // A page that is cut off counts as one: the cells at its head may be whole.
    this.#inFile = Math.ceil(fstatSync(this.#file).size / this.pageSize);
    const told = this.#log?.pages ?? (isHeaderSound ? header.readUInt32BE(28) : 0);
    this.count = Math.max(this.#inFile, ...(this.#log?.offsets.keys() ?? []));
    this.missing = Math.max(0, told - this.count);
  }

  /** @param number from 1 on @returns undefined where there is no such page */
  page(number: number): Buffer | undefined {
    const inLog = this.#log?.offsets.get(number);
    if (inLog !== undefined && this.#logFile !== undefined) return this.#bytes(this.#logFile, inLog, this.pageSize);
    if (number < 1 || number > this.#inFile) return undefined;
    return this.#bytes(this.#file, (number - 1) * this.pageSize, this.pageSize);
  }

  /** The pages that are in use by nobody, as far as their list can be read. */
  freePages(): Set<number> {
    const free = new Set<number>();
    const first = this.page(1)?.readUInt32BE(32) ?? 0;
    for (let trunk = first; trunk > 1 && !free.has(trunk); ) {
      const page = this.page(trunk);
      if (page === undefined) break;
      free.add(trunk);
      const count = Math.min(page.readUInt32BE(4), this.pageSize / 4 - 2);
      for (let index = 0; index < count; index++) {
        const leaf = page.readUInt32BE(8 + 4 * index);
        if (leaf > 1) free.add(leaf);
      }
      trunk = page.readUInt32BE(0);
    }
    return free;
  }

  close(): void {
    closeSync(this.#file);
    if (this.#logFile !== undefined) closeSync(this.#logFile);
  }

  /** What is not there is zero. */
  #bytes(file: number, offset: number, length: number): Buffer {
    const bytes = Buffer.alloc(length);
    try {
      readSync(file, bytes, 0, length, offset);
    } catch {
      // A disk may fail in the middle of a file.
    }
    return bytes;
  }
}
