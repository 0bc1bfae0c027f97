import { fstatSync, readSync } from 'node:fs';

const HEADER_BYTES = 32;
const FRAME_HEADER_BYTES = 24;
const MAGIC = 0x377f0682;

/** Where the newest committed state of each page stands in a write-ahead log. */
export interface LogPages {
  /** By the number of the page, from 1 on. */
  readonly offsets: ReadonlyMap<number, number>;
  /** How many pages the file had after the last commit; undefined where the log has none. */
  readonly pages: number | undefined;
}

/** Reads a log up to its last commit, or up to where it is damaged: as SQLite does. (https://sqlite.org/fileformat2.html#walformat) */
export function readLog(file: number, pageSize: number): LogPages {
  const offsets = new Map<number, number>();
  const header = Buffer.alloc(HEADER_BYTES);
  readSync(file, header, 0, HEADER_BYTES, 0);
  const magic = header.readUInt32BE(0);
  if ((magic & ~1) >>> 0 !== MAGIC || header.readUInt32BE(8) !== pageSize) return { offsets, pages: undefined };
  const isBigEndian = (magic & 1) === 1;
  let sum = checksum(header.subarray(0, 24), [0, 0], isBigEndian);
  if (!isSum(header, 24, sum)) return { offsets, pages: undefined };
  const frame = Buffer.alloc(FRAME_HEADER_BYTES + pageSize);
  const uncommitted = new Map<number, number>();
  let pages: number | undefined;
  const { size } = fstatSync(file);
  for (let at = HEADER_BYTES; at + frame.length <= size; at += frame.length) {
    readSync(file, frame, 0, frame.length, at);
    // Frames of an older run of the log have other salts.
    if (frame.compare(header, 16, 24, 8, 16) !== 0) break;
    sum = checksum(frame.subarray(FRAME_HEADER_BYTES), checksum(frame.subarray(0, 8), sum, isBigEndian), isBigEndian);
    if (!isSum(frame, 16, sum)) break;
    uncommitted.set(frame.readUInt32BE(0), at + FRAME_HEADER_BYTES);
    const pagesAfterCommit = frame.readUInt32BE(4);
    if (pagesAfterCommit === 0) continue;
    pages = pagesAfterCommit;
    for (const [page, offset] of uncommitted) offsets.set(page, offset);
    uncommitted.clear();
  }
  return { offsets, pages };
}

type Sum = readonly [number, number];

function checksum(bytes: Buffer, [first, second]: Sum, isBigEndian: boolean): Sum {
  let [a, b] = [first, second];
  for (let at = 0; at < bytes.length; at += 8) {
    const x = isBigEndian ? bytes.readUInt32BE(at) : bytes.readUInt32LE(at);
    const y = isBigEndian ? bytes.readUInt32BE(at + 4) : bytes.readUInt32LE(at + 4);
    a = (a + x + b) >>> 0;
    b = (b + y + a) >>> 0;
  }
  return [a, b];
}

function isSum(bytes: Buffer, at: number, [a, b]: Sum): boolean {
  return bytes.readUInt32BE(at) === a && bytes.readUInt32BE(at + 4) === b;
}
