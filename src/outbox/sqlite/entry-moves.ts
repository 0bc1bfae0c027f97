import { wallNow } from '../../internal/wall-clock.js';
import type { ClaimedEntry, DeadLetter, OutboxEntry, Settlement } from '../outbox.js';
import { type CountersChange, noChange, type OutboxRow } from './counters.js';
import type { Claimed } from './lease.js';
import type { OutboxStatements } from './statements.js';

/** An entry with its message as JSON. */
export interface WrittenEntry extends OutboxEntry {
  readonly json: string;
  /** How long it has waited in memory already. */
  readonly ageMs?: number | undefined;
  readonly refused?: string | undefined;
}

/** A dead letter with its message as JSON. */
export type WrittenDeadLetter = WrittenEntry & Pick<DeadLetter, 'state' | 'error' | 'diedAt'>;

/**
 * The states of an entry in the file. What the contract calls `pending` is `ready` or `waiting` here: at most one of a
 * conversation is `ready`, the oldest, and none while another of it is in flight.
 *
 * ```
 *   insert ──► waiting ──promote──► ready ──┐
 *     │           ▲   ╲                     ├──claim──► in_flight ──settle──► delivered ──forget──► (gone)
 *     │           │    ╲──(a follower)──────┘               │ │
 *     ├──► ready  └──────────settle, requeue────────────────┘ └──settle──► dead, expired ──purge──► (gone)
 *     └──► dead, expired (from memory)                                          │
 *                                                   ready, waiting ◄──replay────┘
 * ```
 * `ready` and `waiting` can be purged, too. What moves to another account is `waiting` first, then the oldest are `ready`.
 */
interface Moves {
  waiting: 'ready' | 'in_flight';
  ready: 'in_flight';
  in_flight: 'waiting' | 'delivered' | 'dead' | 'expired';
  delivered: never;
  dead: 'ready' | 'waiting';
  expired: 'ready' | 'waiting';
}

export type EntryState = keyof Moves;

/** An account of the file, as its row says. */
export type AccountRow = Pick<OutboxRow, 'id' | 'carriedMs'>;

/** Adds an entry, or a dead letter, at a position. */
export function insertEntry(
  statements: OutboxStatements,
  { id, carriedMs }: AccountRow,
  position: number,
  entry: WrittenEntry | WrittenDeadLetter,
): void {
  const { key, message, json, bytes, acceptedAt, attempts, maybeStored, refused, ageMs = 0 } = entry;
  const { conversationId } = message;
  const letter = 'state' in entry ? entry : undefined;
  const state: EntryState = letter?.state ?? newState(statements, id, conversationId);
  const trouble = [letter?.error ?? refused ?? null, letter?.diedAt ?? null, refused === undefined ? null : wallNow()];
  const attempted = [attempts, Number(maybeStored)];
  statements
    .get('insertEntry')
    .run(
      position,
      id,
      key,
      conversationId,
      state,
      bytes,
      acceptedAt,
      ...attempted,
      ...trouble,
      carriedMs - Math.round(ageMs),
    );
  statements.get('insertMessage').run(position, json);
}

/** Of an entry that is added to the end of the queue. */
export function newState(statements: OutboxStatements, accountId: number, conversationId: string): 'ready' | 'waiting' {
  return hasOutstanding(statements, accountId, conversationId) ? 'waiting' : 'ready';
}

export function hasOutstanding(statements: OutboxStatements, accountId: number, conversationId: string): boolean {
  return statements.get('findOutstanding').get(accountId, conversationId) !== undefined;
}

/** Puts entries in flight. @returns how the counters change */
export function startClaimed(statements: OutboxStatements, entries: readonly ClaimedEntry[]): Partial<CountersChange> {
  const bytes = entries.reduce((sum, entry) => sum + entry.bytes, 0);
  for (const { position } of entries) statements.get('start').run(position);
  return { pending: -entries.length, inFlight: entries.length, pendingBytes: -bytes, inFlightBytes: bytes };
}

/** Moves entries that are in flight to where their settlements say. @returns how the counters change */
export function settleClaimed(
  statements: OutboxStatements,
  accountId: number,
  settlements: readonly Settlement[],
  claimed: ReadonlyMap<string, Claimed>,
): CountersChange {
  const change = noChange();
  const conversations = new Set<string>();
  for (const settlement of settlements) {
    const entry = claimed.get(settlement.key);
    if (entry === undefined) continue;
    settleOne(statements, settlement, entry, change);
    conversations.add(entry.conversationId);
  }
  for (const conversation of conversations) promote(statements, accountId, conversation);
  return change;
}

function settleOne(
  statements: OutboxStatements,
  settlement: Settlement,
  { position, bytes }: Claimed,
  change: CountersChange,
): void {
  change.inFlight--;
  change.inFlightBytes -= bytes;
  switch (settlement.to) {
    case 'pending': {
      const { attempts, maybeStored, refused } = settlement;
      const refusedAt = refused === undefined ? null : wallNow();
      statements.get('putBack').run(attempts, Number(maybeStored), refused ?? null, refusedAt, position);
      change.pending++;
      change.pendingBytes += bytes;
      break;
    }
    case 'delivered':
      statements.get('deliver').run(position);
      statements.get('deleteMessage').run(position);
      change.delivered++;
      change.bytes -= bytes;
      break;
    default:
      statements.get('addDeadLetter').run(settlement.to, settlement.error, wallNow(), position);
      change[settlement.to === 'dead' ? 'deadLettered' : 'expired']++;
  }
}

/** Everything of an account that is in flight is pending again: Synap may have it. @returns how the counters change */
export function requeueInFlight(
  statements: OutboxStatements,
  { id, inFlight, inFlightBytes }: Pick<OutboxRow, 'id' | 'inFlight' | 'inFlightBytes'>,
): Partial<CountersChange> {
  if (inFlight === 0) return {};
  const conversations = statements.get('inFlightConversations').all(id);
  statements.get('requeueInFlight').run(id);
  for (const { conversationId } of conversations) promote(statements, id, conversationId as string);
  return { pending: inFlight, inFlight: -inFlight, pendingBytes: inFlightBytes, inFlightBytes: -inFlightBytes };
}

/** The oldest that waits of a conversation is ready, if none of it is ready or in flight. */
export function promote(statements: OutboxStatements, accountId: number, conversationId: string): void {
  statements.get('promote').run(accountId, conversationId, accountId, conversationId);
}

/** Forgets the keys of the oldest delivered entries of an account. @returns how many */
export function forgetDelivered(statements: OutboxStatements, accountId: number, count: number): number {
  return count <= 0 ? 0 : Number(statements.get('forget').run(accountId, count).changes);
}
