import type { DatabaseSync } from 'node:sqlite';
import { inTransaction, patiently } from '../../internal/sqlite/database.js';
import type { DeadLetter } from '../outbox.js';
import { readEntry, readText } from './claim.js';
import { addToCounters, type CountersChange, noChange, readRow } from './counters.js';
import { newState } from './entry-moves.js';
import type { OutboxStatements } from './schema.js';

const BUSY_TIMEOUT_MS = 5000;

/** How many are moved in one transaction: other processes wait for it. */
const AT_ONCE = 200;

interface DeadRow {
  readonly position: number;
  readonly conversationId: string;
  readonly state: 'dead' | 'expired';
  readonly bytes: number;
}

/** Oldest first, from behind a position. */
export function listDeadLetters(statements: OutboxStatements, after: number, limit: number): DeadLetter[] {
  return deadPositions(statements, after, Number.MAX_SAFE_INTEGER, limit).flatMap(position => {
    const row = statements.get('deadLetter').get(position);
    if (row === undefined) return [];
    const { state, diedAt } = row as { state: 'dead' | 'expired'; diedAt: number };
    return { ...readEntry(row), state, error: readText(row.error), diedAt };
  });
}

/** Puts them at the end of the queue, in the order in which they stood. */
export function replayDeadLetters(db: DatabaseSync, statements: OutboxStatements, keys?: readonly string[]): number {
  return move(db, statements, keys, ({ position, conversationId, state, bytes }, change, newest) => {
    const to = newest + 1;
    statements.get('replayEntry').run(to, newState(statements, conversationId), Date.now(), position);
    statements.get('replayMessage').run(to, position);
    change.newest++;
    change.pending++;
    change.pendingBytes += bytes;
    change[state === 'dead' ? 'deadLettered' : 'expired']--;
  });
}

export function purgeDeadLetters(db: DatabaseSync, statements: OutboxStatements, keys?: readonly string[]): number {
  return move(db, statements, keys, ({ position, bytes }, change) => {
    statements.get('deleteEntry').run(position);
    statements.get('deleteMessage').run(position);
    change.purged++;
    change.bytes -= bytes;
  });
}

/** Calls `one` for each that is still a dead letter. `newest` is the newest position by then. */
function move(
  db: DatabaseSync,
  statements: OutboxStatements,
  keys: readonly string[] | undefined,
  one: (letter: DeadRow, change: CountersChange, newest: number) => void,
): number {
  let moved = 0;
  for (const positions of keys ? chunksOf(statements, keys) : allChunks(statements)) {
    const transaction = () => {
      const { newest } = readRow(statements);
      const change = noChange();
      let count = 0;
      for (const position of positions) {
        const letter = statements.get('deadLetter').get(position);
        if (letter === undefined) continue;
        one(letter as unknown as DeadRow, change, newest + change.newest);
        count++;
      }
      addToCounters(statements, change);
      return count;
    };
    // What was moved before would be forgotten if this failed for having to wait.
    moved += patiently(() => inTransaction(db, transaction), BUSY_TIMEOUT_MS);
  }
  return moved;
}

function* chunksOf(statements: OutboxStatements, keys: readonly string[]): Iterable<number[]> {
  const found = new Set(keys.map(key => statements.get('deadPosition').get(key)?.position as number | undefined));
  const positions = [...found].filter(position => position !== undefined).sort((a, b) => a - b);
  for (let start = 0; start < positions.length; start += AT_ONCE) yield positions.slice(start, start + AT_ONCE);
}

function* allChunks(statements: OutboxStatements): Iterable<number[]> {
  // What dies again while this runs has a newer position.
  const { newest } = readRow(statements);
  for (let after = 0; ; ) {
    const positions = deadPositions(statements, after, newest, AT_ONCE);
    const last = positions.at(-1);
    if (last === undefined) return;
    yield positions;
    after = last;
  }
}

function deadPositions(statements: OutboxStatements, after: number, upTo: number, limit: number): number[] {
  return statements
    .get('deadPositions')
    .all(after, upTo, after, upTo, limit)
    .map(row => row.position as number);
}
