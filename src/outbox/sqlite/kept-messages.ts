import type { DatabaseSync } from 'node:sqlite';
import { inTransaction, patiently } from '../../internal/sqlite/database.js';
import { wallNow } from '../../internal/wall-clock.js';
import type { DeadLetter, PurgeableState } from '../outbox.js';
import { readEntry, readText } from './claim.js';
import { addToCounters, type CountersChange, noChange, type OutboxRow, readRow } from './counters.js';
import { newState, promote } from './entry-moves.js';
import type { OutboxStatements } from './statements.js';

const BUSY_TIMEOUT_MS = 5000;

/** How many are moved in one transaction: other processes wait for it. */
const AT_ONCE = 200;

const DEAD_LETTERS = ['dead', 'expired'] as const;

interface Moveable {
  readonly position: number;
  readonly conversationId: string;
  readonly state: string;
  readonly bytes: number;
  readonly refusedAt: number | null;
}

/** Which messages: of an account, or of all, with these keys, or all. */
export interface Selection {
  readonly account?: string | undefined;
  readonly keys?: readonly string[] | undefined;
}

/** Oldest first, from behind a position. */
export function listDeadLetters(
  statements: OutboxStatements,
  after: number,
  limit: number,
  account?: string,
): DeadLetter[] {
  const positions = accountsOf(statements, account).flatMap(name => {
    const { id } = readRow(statements, name);
    return positionsIn(statements, id, DEAD_LETTERS, after, Number.MAX_SAFE_INTEGER, limit);
  });
  return firstOf(positions, limit).flatMap(position => {
    const row = statements.get('deadLetter').get(position);
    if (row === undefined) return [];
    const { state, diedAt } = row as { state: 'dead' | 'expired'; diedAt: number };
    return { ...readEntry(row, row.account as string), state, error: readText(row.error), diedAt };
  });
}

/** Puts dead letters at the end of the queue, in the order in which they stood. */
export function replayDeadLetters(db: DatabaseSync, statements: OutboxStatements, selection: Selection): number {
  return move(db, statements, selection, DEAD_LETTERS, ({ position, conversationId, state, bytes }, change, row) => {
    const to = row.newest + change.newest + 1;
    const queued = newState(statements, row.id, conversationId);
    statements.get('replayEntry').run(to, queued, wallNow(), row.carriedMs, position);
    statements.get('replayMessage').run(to, position);
    change.newest++;
    change.pending++;
    change.pendingBytes += bytes;
    change[state === 'dead' ? 'deadLettered' : 'expired']--;
  });
}

/** Deletes messages. One that was pending counts as a dead letter that was purged: nothing is ever missing in the sum. */
export function purgeMessages(
  db: DatabaseSync,
  statements: OutboxStatements,
  selection: Selection,
  states: readonly PurgeableState[] = DEAD_LETTERS,
): number {
  return move(db, statements, selection, states, ({ position, conversationId, state, bytes }, change, row) => {
    statements.get('deleteEntry').run(position);
    statements.get('deleteMessage').run(position);
    change.purged++;
    change.bytes -= bytes;
    if (state === 'dead' || state === 'expired') return;
    change.pending--;
    change.pendingBytes -= bytes;
    change.deadLettered++;
    if (state === 'ready') promote(statements, row.id, conversationId);
  });
}

/** Calls `one` for each that is still in one of the states. */
function move(
  db: DatabaseSync,
  statements: OutboxStatements,
  { account, keys }: Selection,
  states: readonly PurgeableState[],
  one: (message: Moveable, change: CountersChange, row: OutboxRow) => void,
): number {
  let moved = 0;
  for (const name of accountsOf(statements, account)) {
    const { id, newest } = readRow(statements, name);
    // What gets into one of the states again while this runs has a newer position.
    const chunks = keys ? chunksOf(statements, id, keys) : allChunks(statements, id, states, newest);
    for (const positions of chunks) {
      const transaction = () => {
        const row = readRow(statements, name);
        const change = noChange();
        let count = 0;
        for (const position of positions) {
          const message = statements.get('moveable').get(position) as Moveable | undefined;
          if (message === undefined || !isIn(message, states)) continue;
          one(message, change, row);
          count++;
        }
        addToCounters(statements, row, change);
        return count;
      };
      // What was moved before would be forgotten if this failed for having to wait.
      moved += patiently(() => inTransaction(db, transaction), BUSY_TIMEOUT_MS);
    }
  }
  return moved;
}

function accountsOf(statements: OutboxStatements, account: string | undefined): string[] {
  if (account !== undefined) return [account];
  return statements
    .get('names')
    .all()
    .map(row => row.account as string);
}

function isIn({ state, refusedAt }: Moveable, states: readonly PurgeableState[]): boolean {
  if (state !== 'ready' && state !== 'waiting') return states.includes(state as PurgeableState);
  return states.includes('pending') || (states.includes('held') && refusedAt !== null);
}

function* chunksOf(statements: OutboxStatements, id: number, keys: readonly string[]): Iterable<number[]> {
  const found = new Set(keys.map(key => statements.get('positionOf').get(id, key)?.position as number | undefined));
  const positions = [...found].filter(position => position !== undefined).sort((a, b) => a - b);
  for (let start = 0; start < positions.length; start += AT_ONCE) yield positions.slice(start, start + AT_ONCE);
}

function* allChunks(
  statements: OutboxStatements,
  id: number,
  states: readonly PurgeableState[],
  newest: number,
): Iterable<number[]> {
  for (let after = 0; ; ) {
    const positions = positionsIn(statements, id, states, after, newest, AT_ONCE);
    const last = positions.at(-1);
    if (last === undefined) return;
    yield positions;
    after = last;
  }
}

function positionsIn(
  statements: OutboxStatements,
  id: number,
  states: readonly PurgeableState[],
  after: number,
  upTo: number,
  limit: number,
): number[] {
  const found = states.flatMap(state => {
    if (state === 'held') return statements.get('held').all(id, after, upTo, limit);
    const stored = state === 'pending' ? ['ready', 'waiting'] : [state];
    return stored.flatMap(each => statements.get('inState').all(id, each, after, upTo, limit));
  });
  return firstOf(new Set(found.map(row => row.position as number)), limit);
}

function firstOf(positions: Iterable<number>, limit: number): number[] {
  return [...positions].sort((a, b) => a - b).slice(0, limit);
}
