import type { PageSource } from './page-source.js';
import { readRows, type Value } from './records.js';

const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });

/** In the order in which an entry goes through them: of two that say something else, the later one is newer. */
const STATES = ['waiting', 'ready', 'in_flight', 'expired', 'dead', 'delivered'];

// The columns of the tables of each version, see schema.ts.
const ENTRY_COLUMNS = 13;
const ENTRY_COLUMNS_1 = 10;
const ACCOUNT_COLUMNS = 20;
const OUTBOX_COLUMNS_1 = 16;

/** An entry as its row says, or, where that is damaged, as far as an index says. */
export interface FoundEntry {
  readonly accountId: number;
  readonly state: string;
  readonly key?: string | undefined;
  readonly conversationId?: string | undefined;
  readonly bytes?: number | undefined;
  readonly acceptedAt?: number | undefined;
  readonly attempts?: number | undefined;
  readonly maybeStored?: boolean | undefined;
  readonly error?: string | null | undefined;
  readonly diedAt?: number | null | undefined;
  readonly refusedAt?: number | null | undefined;
  readonly carriedAtMs?: number | undefined;
}

export interface FoundAccount {
  readonly name: string | undefined;
  readonly newest: number;
  readonly carriedMs: number;
  /** What its counters say is there. */
  readonly outstanding: number;
  readonly deadLetters: number;
}

/** What can be read of an outbox file, but for the messages. */
export interface FoundRows {
  readonly accounts: Map<number, FoundAccount>;
  readonly aliases: Map<string, string>;
  /** By position. */
  readonly entries: Map<number, FoundEntry>;
  damagedRows: number;
  unreadablePages: number;
}

export function findRows(source: PageSource): FoundRows {
  const found: FoundRows = {
    accounts: new Map(),
    aliases: new Map(),
    entries: new Map(),
    damagedRows: 0,
    unreadablePages: 0,
  };
  const hints = new Map<number, FoundEntry>();
  for (const number of usedPages(source)) {
    const { rows, keys, damaged, isUnreadable } = readRows(source, number);
    found.damagedRows += damaged;
    if (isUnreadable) found.unreadablePages++;
    for (const { rowid, values } of rows) addRow(found, rowid, values);
    for (const values of keys) addKey(found, hints, values);
  }
  // Where the row of an entry is damaged, the indexes may still have it.
  for (const [position, hint] of hints) if (!found.entries.has(position)) found.entries.set(position, hint);
  return found;
}

/** The JSON of each message, with its position. */
export function* findMessages(source: PageSource): Iterable<[position: number, json: string]> {
  for (const number of usedPages(source))
    for (const { rowid, values } of readRows(source, number).rows) {
      const [, message] = values;
      if (values.length === 2 && values[0] === null && Buffer.isBuffer(message) && message[0] === 0x7b)
        yield [rowid, utf8.decode(message)];
    }
}

function* usedPages(source: PageSource): Iterable<number> {
  const free = source.freePages();
  for (let number = 1; number <= source.count; number++) if (!free.has(number)) yield number;
}

function addRow(found: FoundRows, rowid: number, values: readonly Value[]): void {
  if (values[0] !== null) return;
  const number = (index: number) => (typeof values[index] === 'number' ? (values[index] as number) : 0);
  const maybe = (index: number) => (typeof values[index] === 'number' ? (values[index] as number) : null);
  switch (values.length) {
    case ACCOUNT_COLUMNS:
      found.accounts.set(rowid, {
        name: text(values[1]),
        newest: number(2),
        carriedMs: number(19),
        outstanding: number(4) + number(5),
        deadLetters: number(7) + number(8) - number(9),
      });
      break;
    case OUTBOX_COLUMNS_1:
      found.accounts.set(1, {
        name: undefined,
        newest: number(1),
        carriedMs: 0,
        outstanding: number(3) + number(4),
        deadLetters: number(6) + number(7) - number(8),
      });
      break;
    case ENTRY_COLUMNS:
    case ENTRY_COLUMNS_1: {
      // Version 1 had no account in its rows.
      const at = values.length === ENTRY_COLUMNS ? 0 : -1;
      const state = text(values[4 + at]);
      const key = text(values[2 + at]);
      if (key === undefined || state === undefined || !STATES.includes(state)) break;
      keepNewer(found.entries, rowid, {
        accountId: at === 0 ? number(1) : 1,
        state,
        key,
        conversationId: text(values[3 + at]),
        bytes: number(5 + at),
        acceptedAt: number(6 + at),
        attempts: number(7 + at),
        maybeStored: number(8 + at) === 1,
        error: text(values[9 + at]) ?? null,
        diedAt: maybe(10 + at),
        refusedAt: at === 0 ? maybe(11) : null,
        carriedAtMs: at === 0 ? number(12) : 0,
      });
    }
  }
}

/** Of the indexes that begin with the account, each ends in the position. */
function addKey(found: FoundRows, hints: Map<number, FoundEntry>, values: readonly Value[]): void {
  const [first, second, third, fourth] = values;
  if (values.length === 2 && Buffer.isBuffer(first) && Buffer.isBuffer(second)) {
    // The keys of version 1 end in a number.
    found.aliases.set(utf8.decode(first), utf8.decode(second));
    return;
  }
  if (typeof first !== 'number' || !Buffer.isBuffer(second)) return;
  const word = utf8.decode(second);
  if (values.length === 3 && typeof third === 'number') {
    const hint = STATES.includes(word) ? { accountId: first, state: word } : { accountId: first, key: word };
    addHint(hints, third, hint);
  } else if (values.length === 4 && Buffer.isBuffer(third) && typeof fourth === 'number') {
    const state = utf8.decode(third);
    if (STATES.includes(state)) addHint(hints, fourth, { accountId: first, conversationId: word, state });
  }
}

function addHint(hints: Map<number, FoundEntry>, position: number, hint: Partial<FoundEntry>): void {
  const known = hints.get(position);
  const state = [known?.state, hint.state].filter(state => state !== undefined).sort((a, b) => rank(b) - rank(a))[0];
  hints.set(position, { accountId: 1, ...known, ...hint, state: state ?? UNKNOWN_STATE });
}

/** Of an entry of which only the key is known: its message tells that it was not delivered. */
export const UNKNOWN_STATE = 'unknown';

function keepNewer(entries: Map<number, FoundEntry>, position: number, entry: FoundEntry): void {
  const known = entries.get(position);
  if (known === undefined || rank(entry.state) > rank(known.state)) entries.set(position, entry);
}

function rank(state: string): number {
  return STATES.indexOf(state);
}

function text(value: Value | undefined): string | undefined {
  return Buffer.isBuffer(value) ? utf8.decode(value) : undefined;
}
