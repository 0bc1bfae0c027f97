import type { ClaimedEntry, DeadLetter, OutboxEntry, Settlement } from '../outbox.js';
import { type Counters, type CountersChange, noChange } from './counters.js';
import type { Claimed } from './lease.js';
import type { OutboxStatements } from './schema.js';

/** An entry with its message as JSON. */
export interface WrittenEntry extends OutboxEntry {
  readonly json: string;
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

/** Adds an entry, or a dead letter, at a position. */
export function insertEntry(
  statements: OutboxStatements,
  position: number,
  entry: WrittenEntry | WrittenDeadLetter,
): void {
  const { key, message, json, bytes, acceptedAt, attempts, maybeStored } = entry;
  const { conversationId } = message;
  const letter = 'state' in entry ? entry : undefined;
  const state: EntryState = letter?.state ?? newState(statements, conversationId);
  const death = [letter?.error ?? null, letter?.diedAt ?? null];
  statements
    .get('insertEntry')
    .run(position, key, conversationId, state, bytes, acceptedAt, attempts, Number(maybeStored), ...death);
  statements.get('insertMessage').run(position, json);
}

/** Of an entry that is added to the end of the queue. */
export function newState(statements: OutboxStatements, conversationId: string): 'ready' | 'waiting' {
  return hasOutstanding(statements, conversationId) ? 'waiting' : 'ready';
}

export function hasOutstanding(statements: OutboxStatements, conversationId: string): boolean {
  return statements.get('findOutstanding').get(conversationId) !== undefined;
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
  for (const conversation of conversations) promote(statements, conversation);
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
    case 'pending':
      statements.get('putBack').run(settlement.attempts, Number(settlement.maybeStored), position);
      change.pending++;
      change.pendingBytes += bytes;
      break;
    case 'delivered':
      statements.get('deliver').run(position);
      statements.get('deleteMessage').run(position);
      change.delivered++;
      change.bytes -= bytes;
      break;
    default:
      statements.get('addDeadLetter').run(settlement.to, settlement.error, Date.now(), position);
      change[settlement.to === 'dead' ? 'deadLettered' : 'expired']++;
  }
}

/** Everything in flight is pending again: Synap may have it. @returns how the counters change */
export function requeueInFlight(
  statements: OutboxStatements,
  { inFlight, inFlightBytes }: Pick<Counters, 'inFlight' | 'inFlightBytes'>,
): Partial<CountersChange> {
  if (inFlight === 0) return {};
  const conversations = statements.get('inFlightConversations').all();
  statements.get('requeueInFlight').run();
  for (const { conversationId } of conversations) promote(statements, conversationId as string);
  return { pending: inFlight, inFlight: -inFlight, pendingBytes: inFlightBytes, inFlightBytes: -inFlightBytes };
}

/** The oldest that waits of a conversation is ready, if none of it is ready or in flight. */
function promote(statements: OutboxStatements, conversationId: string): void {
  statements.get('promote').run(conversationId, conversationId);
}

/** Forgets the keys of the oldest delivered entries. @returns how many */
export function forgetDelivered(statements: OutboxStatements, count: number): number {
  return count <= 0 ? 0 : Number(statements.get('forget').run(count).changes);
}
