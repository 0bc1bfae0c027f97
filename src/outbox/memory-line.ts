import { monotonicNow } from '../internal/monotonic-clock.js';
import { wallNow } from '../internal/wall-clock.js';
import type { RecordMessageInput } from '../synap/messages.js';
import type { ClaimedEntry, ClaimLimits, DeadLetter, MessageState, OutboxEntry, Settlement } from './outbox.js';
import { pick } from './pick-batch.js';

/** Keys of delivered messages that are remembered. */
const REMEMBERED_KEYS = 10_000;

/**
 * An entry without its message, of which the text is kept: as bytes, a message takes as much memory as it has bytes, and
 * gives the garbage collector nothing to look through.
 */
export interface Held extends Omit<ClaimedEntry, 'message' | 'json' | 'ageMs'> {
  readonly conversationId: string;
  readonly json: Uint8Array;
  /** When it was put, by the monotonic clock. */
  readonly since: number;
}

interface Waiting extends Held {
  state: Extract<MessageState, 'pending' | 'in_flight'>;
}

export type Dead = Held & Pick<DeadLetter, 'state' | 'error' | 'diedAt'>;

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

export function hold({ message, json = JSON.stringify(message), ...entry }: OutboxEntry, position: number): Held {
  return {
    ...entry,
    position,
    conversationId: message.conversationId,
    json: encoder.encode(json),
    since: monotonicNow(),
  };
}

/** The entry with its message, which is read when it is asked for: whoever takes thousands may not need them all at once. */
export function release<T extends Held>({ json, conversationId: _, since, ...entry }: T) {
  let message: RecordMessageInput | undefined;
  return {
    ...entry,
    ageMs: monotonicNow() - since,
    get message(): RecordMessageInput {
      message ??= JSON.parse(decoder.decode(json)) as RecordMessageInput;
      return message;
    },
  };
}

export const byPosition = (a: { position: number }, b: { position: number }) => a.position - b.position;

/** What a memory outbox has of one account, in the order of the line. */
export class MemoryLine {
  // A Map keeps the order of insertion, and an entry that is set again keeps its place.
  #waiting = new Map<string, Waiting>();
  #dead = new Map<string, Dead>();
  readonly #delivered = new Set<string>();
  // How many of a conversation are in flight.
  readonly #busy = new Map<string, number>();
  readonly stats = { accepted: 0, pending: 0, inFlight: 0, delivered: 0, deadLettered: 0, expired: 0, pendingBytes: 0 };

  get waiting(): readonly Held[] {
    return [...this.#waiting.values()];
  }

  get dead(): readonly Dead[] {
    return [...this.#dead.values()];
  }

  /** How many are pending or in flight. */
  get size(): number {
    return this.#waiting.size;
  }

  /** When the first of the line was put, by the monotonic clock. */
  get oldestSince(): number | undefined {
    return this.#waiting.values().next().value?.since;
  }

  get deadCount(): number {
    return this.#dead.size;
  }

  has(key: string): boolean {
    return this.#waiting.has(key) || this.#dead.has(key) || this.#delivered.has(key);
  }

  append(entry: Held): void {
    this.#waiting.set(entry.key, { ...entry, state: 'pending' });
    this.stats.pending++;
    this.stats.pendingBytes += entry.bytes;
  }

  claim(limits: ClaimLimits): Held[] {
    const free = [...this.#waiting.values()].filter(
      ({ state, conversationId }) =>
        state === 'pending' && !this.#busy.has(conversationId) && !limits.except.has(conversationId),
    );
    const claimed = pick(free, limits);
    for (const entry of claimed) this.#begin(entry);
    return claimed.map(({ state: _, ...entry }) => entry);
  }

  /** @returns what has left the line: an entry that is in flight no more, and not pending again */
  settle(settlement: Settlement): Held | undefined {
    const entry = this.#waiting.get(settlement.key);
    if (entry?.state !== 'in_flight') return undefined;
    this.#end(entry);
    if (settlement.to === 'pending') {
      const { attempts, maybeStored, refused } = settlement;
      this.#waiting.set(entry.key, { ...entry, attempts, maybeStored, refused, state: 'pending' });
      this.stats.pending++;
      this.stats.pendingBytes += entry.bytes;
      return undefined;
    }
    this.#waiting.delete(settlement.key);
    const { state: _, refused: __, ...left } = entry;
    if (settlement.to === 'delivered') {
      this.stats.delivered++;
      this.#remember(settlement.key);
    } else {
      const { to, error } = settlement;
      this.stats[to === 'dead' ? 'deadLettered' : 'expired']++;
      this.#dead.set(left.key, { ...left, state: to, error, diedAt: wallNow() });
    }
    return left;
  }

  /** Takes a dead letter out. Its counter stays. */
  removeDead(key: string): Dead | undefined {
    const letter = this.#dead.get(key);
    this.#dead.delete(key);
    return letter;
  }

  /** Takes a pending entry out, which then counts as a dead letter. */
  removePending(key: string, { onlyHeld }: { onlyHeld: boolean }): Held | undefined {
    const entry = this.#waiting.get(key);
    if (entry?.state !== 'pending' || (onlyHeld && entry.refused === undefined)) return undefined;
    this.#forget(entry);
    this.stats.deadLettered++;
    return entry;
  }

  /** Puts what `other` has pending and dead in its place here. Nothing of it is in flight. @returns what was dropped, too */
  absorb(other: MemoryLine, account: string, { all }: { all: boolean }): { moved: number; dropped: Held[] } {
    const waiting = [...other.#waiting.values()];
    const dead = other.dead;
    const isNew = ({ key }: Held) => !this.has(key);
    const mine = <T extends Held>(entry: T) => [entry.key, { ...entry, account }] as const;
    const dropped: Held[] = [...waiting, ...dead].filter(entry => !isNew(entry));
    const [moving, letters] = [waiting.filter(isNew), dead.filter(isNew)];
    for (const entry of waiting) {
      other.#forget(entry);
      other.stats.accepted--;
    }
    for (const { key, state } of dead) {
      other.#dead.delete(key);
      other.stats[state === 'dead' ? 'deadLettered' : 'expired']--;
      other.stats.accepted--;
    }
    for (const entry of moving) {
      this.stats.pending++;
      this.stats.pendingBytes += entry.bytes;
    }
    for (const { state } of letters) this.stats[state === 'dead' ? 'deadLettered' : 'expired']++;
    this.stats.accepted += moving.length + letters.length;
    this.#waiting = new Map([...this.#waiting.values(), ...moving].sort(byPosition).map(mine));
    this.#dead = new Map([...this.#dead.values(), ...letters].sort(byPosition).map(mine));
    if (all) {
      const counters = ['accepted', 'delivered', 'deadLettered', 'expired'] as const;
      for (const name of counters) {
        this.stats[name] += other.stats[name];
        other.stats[name] = 0;
      }
      for (const key of other.#delivered) this.#remember(key);
      other.#delivered.clear();
    }
    return { moved: moving.length + letters.length, dropped };
  }

  clear(): void {
    this.#waiting.clear();
    this.#busy.clear();
    this.stats.pending = this.stats.inFlight = this.stats.pendingBytes = 0;
  }

  #begin(entry: Waiting): void {
    entry.state = 'in_flight';
    this.stats.pending--;
    this.stats.pendingBytes -= entry.bytes;
    this.stats.inFlight++;
    this.#busy.set(entry.conversationId, (this.#busy.get(entry.conversationId) ?? 0) + 1);
  }

  #end({ conversationId }: Waiting): void {
    const left = (this.#busy.get(conversationId) ?? 1) - 1;
    if (left === 0) this.#busy.delete(conversationId);
    else this.#busy.set(conversationId, left);
    this.stats.inFlight--;
  }

  #forget({ key, bytes }: Held): void {
    this.#waiting.delete(key);
    this.stats.pending--;
    this.stats.pendingBytes -= bytes;
  }

  #remember(key: string): void {
    this.#delivered.add(key);
    if (this.#delivered.size > REMEMBERED_KEYS)
      for (const oldest of this.#delivered) return void this.#delivered.delete(oldest);
  }
}
