import type { RecordMessageInput } from '../synap/messages.js';
import type {
  ClaimedEntry,
  ClaimLimits,
  DeadLetter,
  MessageState,
  Outbox,
  OutboxEntry,
  Progress,
  PutResult,
  Settlement,
} from './outbox.js';
import { pick } from './pick-batch.js';

const MiB = 1024 * 1024;

const MAX_DEAD_LETTERS = 1000;
const MAX_DEAD_LETTER_BYTES = 4 * MiB;

/** Keys of delivered messages that are remembered. */
const REMEMBERED_KEYS = 10_000;

export interface MemoryOutboxOptions {
  /** Messages it holds at most, in flight included. Default 10,000. */
  maxMessages?: number | undefined;
  /** Bytes that they take at most, in flight included. Default 32 MiB. */
  maxBytes?: number | undefined;
}

/** An outbox that answers at once. */
export interface MemoryOutbox extends Outbox {
  put(entry: OutboxEntry, options: { admitted: boolean }): PutResult;
  claim(limits: ClaimLimits): ClaimedEntry[];
  settle(settlements: readonly Settlement[]): 'settled';
  progress(position?: number): Progress;
  deadLetters(page?: { after?: number | undefined; limit?: number | undefined }): (DeadLetter & ClaimedEntry)[];
  replay(keys?: readonly string[]): number;
  purge(keys?: readonly string[]): number;
  close(): OutboxEntry[];
}

/**
 * An entry without its message, of which the text is kept: as bytes, a message takes as much memory as it has bytes, and
 * gives the garbage collector nothing to look through.
 */
interface Held extends Omit<ClaimedEntry, 'message' | 'json'> {
  readonly conversationId: string;
  readonly json: Uint8Array;
}

interface Waiting extends Held {
  state: Extract<MessageState, 'pending' | 'in_flight'>;
}

type Dead = Held & Pick<DeadLetter, 'state' | 'error' | 'diedAt'>;

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

function hold({ message, json = JSON.stringify(message), ...entry }: OutboxEntry, position: number): Held {
  return {
    ...entry,
    position,
    conversationId: message.conversationId,
    json: encoder.encode(json),
  };
}

/** The entry with its message, which is read when it is asked for: whoever takes thousands may not need them all at once. */
function release<T extends Held>({ json, conversationId: _, ...entry }: T) {
  let message: RecordMessageInput | undefined;
  return {
    ...entry,
    get message(): RecordMessageInput {
      message ??= JSON.parse(decoder.decode(json)) as RecordMessageInput;
      return message;
    },
  };
}

/**
 * An outbox in memory: the default. It refuses the newest turn when it is full, because dropping the oldest would tear a
 * hole in a conversation already begun. What it holds is lost with the process; `recorder.close()` empties it first.
 * Of its dead letters it keeps the newest 1,000, and 4 MiB at most.
 */
export function memoryOutbox({ maxMessages = 10_000, maxBytes = 32 * MiB }: MemoryOutboxOptions = {}): MemoryOutbox {
  // A Map keeps the order of insertion, and an entry that is set again keeps its place.
  const line = new Map<string, Waiting>();
  const dead = new Map<string, Dead>();
  const delivered = new Set<string>();
  const stats = { accepted: 0, pending: 0, inFlight: 0, delivered: 0, deadLettered: 0, expired: 0, pendingBytes: 0 };
  const busy = new Map<string, number>();
  let bytes = 0;
  let deadBytes = 0;
  let newest = 0;
  let isClosed = false;

  function append(entry: Held): void {
    line.set(entry.key, { ...entry, state: 'pending' });
    bytes += entry.bytes;
    stats.pending++;
    stats.pendingBytes += entry.bytes;
  }

  function begin(held: Waiting): void {
    held.state = 'in_flight';
    stats.pending--;
    stats.pendingBytes -= held.bytes;
    stats.inFlight++;
    busy.set(held.conversationId, (busy.get(held.conversationId) ?? 0) + 1);
  }

  function end({ conversationId }: Waiting): void {
    const left = (busy.get(conversationId) ?? 1) - 1;
    if (left === 0) busy.delete(conversationId);
    else busy.set(conversationId, left);
    stats.inFlight--;
  }

  function addDeadLetter(entry: Waiting, { to, error }: Extract<Settlement, { error: string }>): void {
    stats[to === 'dead' ? 'deadLettered' : 'expired']++;
    dead.set(entry.key, { ...entry, state: to, error, diedAt: Date.now() });
    deadBytes += entry.bytes;
    for (const [key, oldest] of dead) {
      if (dead.size <= MAX_DEAD_LETTERS && deadBytes <= MAX_DEAD_LETTER_BYTES) break;
      removeDeadLetter(key, oldest);
    }
  }

  function remember(key: string): void {
    delivered.add(key);
    if (delivered.size > REMEMBERED_KEYS) for (const oldest of delivered) return void delivered.delete(oldest);
  }

  function removeDeadLetter(key: string, letter: { bytes: number }): void {
    dead.delete(key);
    deadBytes -= letter.bytes;
  }

  return {
    durable: false,

    put(entry, { admitted }): PutResult {
      if (line.has(entry.key) || dead.has(entry.key) || delivered.has(entry.key)) return 'duplicate';
      if (!admitted && (line.size >= maxMessages || bytes + entry.bytes > maxBytes)) return 'full';
      append(hold(entry, ++newest));
      stats.accepted++;
      return 'accepted';
    },

    claim(limits: ClaimLimits): ClaimedEntry[] {
      const free = [...line.values()].filter(
        ({ state, conversationId }) =>
          state === 'pending' && !busy.has(conversationId) && !limits.except.has(conversationId),
      );
      const claimed = pick(free, limits);
      claimed.forEach(begin);
      return claimed.map(({ state: _, ...entry }) => release(entry));
    },

    settle(settlements: readonly Settlement[]): 'settled' {
      for (const settlement of settlements) {
        const held = line.get(settlement.key);
        if (held?.state !== 'in_flight') continue;
        end(held);
        if (settlement.to === 'pending') {
          const { attempts, maybeStored } = settlement;
          line.set(held.key, { ...held, attempts, maybeStored, state: 'pending' });
          stats.pending++;
          stats.pendingBytes += held.bytes;
          continue;
        }
        line.delete(settlement.key);
        bytes -= held.bytes;
        if (settlement.to === 'delivered') {
          stats.delivered++;
          remember(settlement.key);
        } else addDeadLetter(held, settlement);
      }
      return 'settled';
    },

    stats: () => ({ ...stats }),

    progress(position = newest) {
      const upTo = (entries: Iterable<{ position: number }>) => {
        let count = 0;
        for (const entry of entries) if (entry.position <= position) count++;
        return count;
      };
      const waiting = position >= newest ? line.size : upTo(line.values());
      return { position, outstanding: waiting, deadLetters: upTo(dead.values()) };
    },

    deadLetters({ after = 0, limit = 100 } = {}) {
      const letters = [...dead.values()].filter(letter => letter.position > after);
      return letters
        .sort((a, b) => a.position - b.position)
        .slice(0, limit)
        .map(release);
    },

    replay(keys = [...dead.keys()]): number {
      if (isClosed) throw new Error('this outbox is closed');
      const wanted = new Set(keys);
      const letters = [...dead.values()].filter(({ key }) => wanted.has(key)).sort((a, b) => a.position - b.position);
      for (const { state, error: _, diedAt: __, ...entry } of letters) {
        removeDeadLetter(entry.key, entry);
        stats[state === 'dead' ? 'deadLettered' : 'expired']--;
        append({ ...entry, position: ++newest, acceptedAt: Date.now(), attempts: 0 });
      }
      return letters.length;
    },

    purge(keys = [...dead.keys()]): number {
      let purged = 0;
      for (const key of keys) {
        const letter = dead.get(key);
        if (!letter) continue;
        removeDeadLetter(key, letter);
        purged++;
      }
      return purged;
    },

    close(): OutboxEntry[] {
      isClosed = true;
      const lost = [...line.values()].map(({ state: _, ...entry }) => release(entry));
      line.clear();
      busy.clear();
      stats.pending = stats.inFlight = stats.pendingBytes = bytes = 0;
      return lost;
    },
  };
}
