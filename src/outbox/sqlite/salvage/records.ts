import type { PageSource } from './page-source.js';

const TABLE_LEAF = 0x0d;
const INDEX_LEAF = 0x0a;
const MAX_CELLS = 32_768;
// A message is 256 KiB at most; a length beyond this one is damage.
const MAX_PAYLOAD = 64 * 1024 * 1024;

export type Value = number | Buffer | null;

/** A row of some table: which one, only its columns tell. */
interface TableRow {
  readonly rowid: number;
  readonly values: readonly Value[];
}

export interface PageRows {
  readonly rows: TableRow[];
  /** Of tables without a rowid, and of indexes. */
  readonly keys: (readonly Value[])[];
  /** How many rows of the page can't be read. */
  readonly damaged: number;
  /** Whether it is nothing that could be a page, and not empty. */
  readonly isUnreadable: boolean;
}

const NOTHING: PageRows = { rows: [], keys: [], damaged: 0, isUnreadable: false };

/** Reads what rows a page holds, whichever table it belongs to, and whether or not the tree above it can be read. */
export function readRows(source: PageSource, number: number): PageRows {
  const page = source.page(number);
  if (page === undefined) return NOTHING;
  const start = number === 1 ? 100 : 0;
  const type = page[start];
  if (type !== TABLE_LEAF && type !== INDEX_LEAF) return { ...NOTHING, isUnreadable: !isOtherPage(page, start) };
  const cells = page.readUInt16BE(start + 3);
  if (cells > MAX_CELLS || start + 8 + 2 * cells > page.length) return { ...NOTHING, isUnreadable: true };
  const [rows, keys]: [TableRow[], (readonly Value[])[]] = [[], []];
  let damaged = 0;
  for (let index = 0; index < cells; index++) {
    try {
      const cell = readCell(source, page, page.readUInt16BE(start + 8 + 2 * index), type === TABLE_LEAF);
      if (cell.rowid === undefined) keys.push(cell.values);
      else rows.push({ rowid: cell.rowid, values: cell.values });
    } catch {
      damaged++;
    }
  }
  return { rows, keys, damaged, isUnreadable: false };
}

/** Inner pages of a tree, pages of long texts and of the list of free ones begin with a small number; an empty page has only zeros. */
function isOtherPage(page: Buffer, start: number): boolean {
  return (page[start] ?? 0) <= 5;
}

function readCell(source: PageSource, page: Buffer, at: number, isTable: boolean) {
  let [length, offset] = varint(page, at);
  let rowid: number | undefined;
  if (isTable) [rowid, offset] = varint(page, offset);
  if (length > MAX_PAYLOAD) throw new RangeError('too long');
  return { rowid, values: readRecord(payload(source, page, offset, length, isTable)) };
}

/** The bytes of a row: what does not fit into its page goes on in a chain of others. */
function payload(source: PageSource, page: Buffer, at: number, length: number, isTable: boolean): Buffer {
  const usable = source.pageSize - source.reserved;
  const most = isTable ? usable - 35 : Math.floor(((usable - 12) * 64) / 255) - 23;
  if (length <= most) return slice(page, at, length);
  const least = Math.floor(((usable - 12) * 32) / 255) - 23;
  const fitting = least + ((length - least) % (usable - 4));
  const here = fitting <= most ? fitting : least;
  const parts = [slice(page, at, here)];
  let [left, next] = [length - here, slice(page, at + here, 4).readUInt32BE(0)];
  while (left > 0) {
    const more = source.page(next);
    if (more === undefined) throw new RangeError('its end is missing');
    const part = slice(more, 4, Math.min(left, usable - 4));
    parts.push(part);
    left -= part.length;
    next = more.readUInt32BE(0);
  }
  return Buffer.concat(parts);
}

function readRecord(bytes: Buffer): Value[] {
  const [headerLength, first] = varint(bytes, 0);
  if (headerLength > bytes.length) throw new RangeError('no record');
  const values: Value[] = [];
  let body = headerLength;
  for (let at = first; at < headerLength; ) {
    const [type, next] = varint(bytes, at);
    at = next;
    const length = lengthOf(type);
    const raw = slice(bytes, body, length);
    body += length;
    values.push(
      type === 0 ? null : type === 8 ? 0 : type === 9 ? 1 : type >= 12 ? raw : type === 7 ? null : integer(raw),
    );
  }
  return values;
}

function lengthOf(type: number): number {
  if (type >= 12) return Math.floor((type - 12) / 2);
  const length = [0, 1, 2, 3, 4, 6, 8, 8, 0, 0][type];
  if (length === undefined) throw new RangeError('no such type');
  return length;
}

function integer(raw: Buffer): number {
  return raw.length === 8 ? Number(raw.readBigInt64BE(0)) : raw.readIntBE(0, raw.length);
}

function slice(bytes: Buffer, at: number, length: number): Buffer {
  if (at < 0 || length < 0 || at + length > bytes.length) throw new RangeError('beyond the page');
  return bytes.subarray(at, at + length);
}

/** @returns the number, and where the next byte is */
function varint(bytes: Buffer, at: number): [value: number, next: number] {
  let value = 0n;
  for (let index = 0; index < 9; index++) {
    const byte = bytes[at + index];
    if (byte === undefined) throw new RangeError('beyond the page');
    if (index === 8) return [Number(BigInt.asIntN(64, (value << 8n) | BigInt(byte))), at + 9];
    value = (value << 7n) | BigInt(byte & 0x7f);
    if (byte < 0x80) return [Number(value), at + index + 1];
  }
  throw new RangeError('no number');
}
