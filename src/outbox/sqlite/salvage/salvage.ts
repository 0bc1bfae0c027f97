import { existsSync, rmSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { closeDatabase } from '../../../internal/sqlite/database.js';
import { DatabaseFileError, explain } from '../../../internal/sqlite/errors.js';
import type { RecordMessageInput } from '../../../synap/messages.js';
import { openOutboxDatabase } from '../open-file.js';
import { FORMAT } from '../schema.js';
import { VERSION_1_ACCOUNT } from '../version-1.js';
import {
  type FoundAccount,
  type FoundEntry,
  type FoundRows,
  findMessages,
  findRows,
  UNKNOWN_STATE,
} from './found-rows.js';
import { PageSource } from './page-source.js';

/** What was read of a damaged file, and what is missing as far as that can be known. */
export interface Salvaged {
  /** Messages that are pending in the new file. What was in flight is, as what Synap may have. */
  readonly pending: number;
  readonly deadLetters: number;
  /** Of the pending ones: those of which only the message could be read. They may have been dead letters. */
  readonly unsure: number;
  /** Entries of which the message can't be read. */
  readonly lost: number;
  /** How many messages the counters of the damaged file say there were; undefined where they can't be read. */
  readonly expected: number | undefined;
  readonly unreadablePages: number;
  readonly missingPages: number;
  readonly damagedRows: number;
  /** How many pages came from the write-ahead log; undefined where there is none: what was written last may be missing. */
  readonly pagesFromLog: number | undefined;
}

interface Counts {
  pending: number;
  dead: number;
  expired: number;
  delivered: number;
  pendingBytes: number;
  bytes: number;
  newest: number;
}

const SQL = {
  entry: `INSERT OR IGNORE INTO entries (position, account_id, key, conversation_id, state, bytes, accepted_at, attempts,
    maybe_stored, error, died_at, refused_at, carried_at_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  message: 'INSERT OR IGNORE INTO messages (position, message) VALUES (?, ?)',
  account: `INSERT INTO accounts (id, account, newest, accepted, pending, delivered, dead_lettered, expired, pending_bytes,
    bytes, carried_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  alias: 'INSERT OR IGNORE INTO aliases (alias, account) VALUES (?, ?)',
  promote: `UPDATE entries SET state = 'ready' WHERE position IN (SELECT min(position) FROM entries
    WHERE state = 'waiting' GROUP BY account_id, conversation_id)`,
};

/**
 * Reads what can be read of a damaged outbox file, page by page, and writes it into a new one, in its order. The damaged file
 * and its log are only read. No process should have it open meanwhile.
 *
 * @param from the damaged file
 * @param to the new one, which must not be there
 * @throws DatabaseFileError there is no such file, it is another program's or of a newer version, nothing in it can be
 *   read, or the new one can't be written
 */
export function salvage(from: string, to: string): Salvaged {
  if (existsSync(to)) throw new DatabaseFileError('inaccessible', `${to} is there already: choose another file`);
  const source = openSource(from);
  try {
    checkOwner(source, from);
    const found = findRows(source);
    return write(source, found, to, from);
  } finally {
    source.close();
  }
}

function openSource(path: string): PageSource {
  try {
    return new PageSource(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT')
      throw new DatabaseFileError('inaccessible', `${path} does not exist: check the path`);
    throw explain(error, path);
  }
}

/** Where the head of the file is damaged, it says nothing. */
function checkOwner(source: PageSource, path: string): void {
  const head = source.page(1);
  if (head === undefined || head.toString('latin1', 0, 15) !== 'SQLite format 3') return;
  const [version, owner] = [head.readUInt32BE(60), head.readUInt32BE(68)];
  if (owner !== FORMAT.applicationId && owner !== 0)
    throw new DatabaseFileError('foreign', `${path} is a database of another program: choose another file`);
  if (version > FORMAT.schemaVersion)
    throw new DatabaseFileError('newer', `${path} was written by a newer synap-recorder: update synap-recorder`);
}

function write(source: PageSource, found: FoundRows, to: string, from: string): Salvaged {
  const db = openOutboxDatabase({ path: to, durability: 'full' });
  try {
    db.exec('BEGIN IMMEDIATE');
    const { counts, unsure, known } = copyEntries(db, source, found);
    const lost = [...found.entries].filter(
      ([position, { state }]) => isOutstanding(state) && !known.has(position),
    ).length;
    if (known.size === 0 && found.entries.size === 0 && found.accounts.size === 0)
      throw new DatabaseFileError('damaged', `nothing of an outbox can be read in ${from}`);
    copyAccounts(db, found, counts);
    db.exec(SQL.promote);
    db.exec('COMMIT');
    const all = [...counts.values()];
    const sum = (of: (count: Counts) => number) => all.reduce((total, count) => total + of(count), 0);
    const accounts = [...found.accounts.values()];
    closeDatabase(db);
    return {
      pending: sum(({ pending }) => pending),
      deadLetters: sum(({ dead, expired }) => dead + expired),
      unsure,
      lost,
      expected:
        accounts.length === 0
          ? undefined
          : accounts.reduce((total, { outstanding, deadLetters }) => total + outstanding + deadLetters, 0),
      unreadablePages: found.unreadablePages,
      missingPages: source.missing,
      damagedRows: found.damagedRows,
      pagesFromLog: source.fromLog,
    };
  } catch (error) {
    db.close();
    for (const end of ['', '-wal', '-shm']) rmSync(to + end, { force: true });
    throw explain(error, to);
  }
}

function copyEntries(db: DatabaseSync, source: PageSource, found: FoundRows) {
  const counts = new Map<number, Counts>();
  const known = new Set<number>();
  let unsure = 0;
  const [insertEntry, insertMessage] = [db.prepare(SQL.entry), db.prepare(SQL.message)];
  const add = (position: number, entry: FoundEntry, json: string | undefined): void => {
    const message = json === undefined ? undefined : parsed(json);
    if (json !== undefined && message === undefined) return;
    const key = entry.key ?? keyOf(message);
    const conversationId = entry.conversationId ?? message?.conversationId;
    if (key === undefined || conversationId === undefined) return;
    const state = newState(entry.state);
    const wasInFlight = entry.state === 'in_flight';
    const isUnsure = entry.state === UNKNOWN_STATE;
    const bytes = entry.bytes || Buffer.byteLength(json ?? '');
    const sent = [
      (entry.attempts ?? 0) + Number(wasInFlight),
      Number((entry.maybeStored ?? true) || wasInFlight || isUnsure),
    ];
    const isDead = state === 'dead' || state === 'expired';
    const trouble = [
      entry.error ?? (isDead ? 'salvaged from a damaged file, without the reason' : null),
      isDead ? (entry.diedAt ?? Date.now()) : null,
      state === 'waiting' && entry.error ? (entry.refusedAt ?? null) : null,
    ];
    const acceptedAt = entry.acceptedAt || Date.now();
    const { changes } = insertEntry.run(
      ...[position, entry.accountId, key, conversationId, state, bytes, acceptedAt],
      ...[...sent, ...trouble, entry.carriedAtMs ?? 0],
    );
    if (changes === 0) return;
    const count = counts.get(entry.accountId) ?? noCounts();
    counts.set(entry.accountId, count);
    count.newest = Math.max(count.newest, position);
    count[state === 'waiting' ? 'pending' : state]++;
    if (json === undefined) return;
    insertMessage.run(position, json);
    known.add(position);
    count.bytes += bytes;
    if (state === 'waiting') count.pendingBytes += bytes;
    if (isUnsure) unsure++;
  };
  for (const [position, json] of findMessages(source)) {
    const entry = found.entries.get(position) ?? { accountId: onlyAccount(found), state: UNKNOWN_STATE };
    // A page that is not in use any more may still have it.
    if (entry.state !== 'delivered' && !known.has(position)) add(position, entry, json);
  }
  for (const [position, entry] of found.entries) if (entry.state === 'delivered') add(position, entry, undefined);
  return { counts, unsure, known };
}

function copyAccounts(db: DatabaseSync, found: FoundRows, counts: ReadonlyMap<number, Counts>): void {
  const names = new Set<string>();
  for (const id of new Set([...found.accounts.keys(), ...counts.keys()])) {
    const account = found.accounts.get(id);
    const { pending, dead, expired, delivered, pendingBytes, bytes, newest } = counts.get(id) ?? noCounts();
    let name = account ? (account.name ?? VERSION_1_ACCOUNT) : `salvaged ${id}`;
    while (names.has(name)) name += ' again';
    names.add(name);
    db.prepare(SQL.account).run(
      ...[id, name, Math.max(newest, newestOf(account)), pending + dead + expired + delivered],
      ...[pending, delivered, dead, expired, pendingBytes, bytes, account?.carriedMs ?? 0],
    );
  }
  for (const [alias, account] of found.aliases) if (names.has(account)) db.prepare(SQL.alias).run(alias, account);
}

function newestOf(account: FoundAccount | undefined): number {
  return account !== undefined && Number.isSafeInteger(account.newest) && account.newest > 0 ? account.newest : 0;
}

/** Whose a message is that only stands by itself. */
function onlyAccount({ accounts, entries }: FoundRows): number {
  const ids =
    accounts.size > 0 ? [...accounts.keys()] : [...new Set([...entries.values()].map(({ accountId }) => accountId))];
  return ids.length === 1 && ids[0] !== undefined ? ids[0] : ids.length === 0 ? 1 : Math.max(...ids) + 1;
}

function newState(state: string): 'waiting' | 'dead' | 'expired' | 'delivered' {
  return state === 'dead' || state === 'expired' || state === 'delivered' ? state : 'waiting';
}

function isOutstanding(state: string): boolean {
  return state !== 'delivered' && state !== UNKNOWN_STATE;
}

function parsed(json: string): RecordMessageInput | undefined {
  try {
    const message = JSON.parse(json) as RecordMessageInput;
    return typeof message.conversationId === 'string' && typeof message.content === 'string' ? message : undefined;
  } catch {
    return undefined;
  }
}

function keyOf(message: RecordMessageInput | undefined): string | undefined {
  const key = message?.metadata?.message_key;
  return typeof key === 'string' ? key : undefined;
}

function noCounts(): Counts {
  return { pending: 0, dead: 0, expired: 0, delivered: 0, pendingBytes: 0, bytes: 0, newest: 0 };
}
