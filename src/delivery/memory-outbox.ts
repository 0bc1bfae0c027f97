import type { Outbox, OutboxEntry, OutboxSize, PutResult, Settlement } from './outbox.js';

const MiB = 1024 * 1024;

export interface MemoryOutboxOptions {
  /** Messages it holds at most, in flight included. Default 10,000. */
  maxMessages?: number | undefined;
  /** Bytes of JSON it holds at most, in flight included. Default 32 MiB. */
  maxBytes?: number | undefined;
}

/**
 * An outbox in memory: the default. It refuses the newest turn when it is full, because dropping the oldest would tear a
 * hole in a conversation already begun. What it holds is lost with the process; `recorder.close()` empties it first.
 */
export function memoryOutbox({ maxMessages = 10_000, maxBytes = 32 * MiB }: MemoryOutboxOptions = {}): Outbox {
  // A Map keeps the order of insertion, and an entry that is set again keeps its place.
  const entries = new Map<string, { entry: OutboxEntry; inFlight: boolean }>();
  let inFlight = 0;
  let bytes = 0;
  let bytesInFlight = 0;

  return {
    durable: false,

    put(entry, { admitted }): PutResult {
      if (entries.has(entry.key)) return 'duplicate';
      if (!admitted && (entries.size >= maxMessages || bytes + entry.bytes > maxBytes)) return 'full';
      entries.set(entry.key, { entry, inFlight: false });
      bytes += entry.bytes;
      return 'accepted';
    },

    claim(limits): OutboxEntry[] {
      const claimed: OutboxEntry[] = [];
      const busy = new Set<string>();
      let claimedBytes = 0;
      for (const held of entries.values()) {
        const { entry } = held;
        const { conversationId } = entry.message;
        if (held.inFlight) {
          busy.add(conversationId);
          continue;
        }
        if (busy.has(conversationId)) continue;
        if (claimed.length >= limits.maxMessages) break;
        if (claimed.length > 0 && claimedBytes + entry.bytes > limits.maxBytes) break;
        held.inFlight = true;
        claimedBytes += entry.bytes;
        claimed.push(entry);
      }
      inFlight += claimed.length;
      bytesInFlight += claimedBytes;
      return claimed;
    },

    settle(settlements: readonly Settlement[]): void {
      for (const settlement of settlements) {
        const held = entries.get(settlement.key);
        if (!held?.inFlight) continue;
        inFlight--;
        bytesInFlight -= held.entry.bytes;
        if (settlement.outcome === 'released') {
          held.inFlight = false;
          held.entry = { ...held.entry, attempts: settlement.attempts };
        } else {
          entries.delete(settlement.key);
          bytes -= held.entry.bytes;
        }
      }
    },

    size: (): OutboxSize => ({
      pending: entries.size - inFlight,
      pendingBytes: bytes - bytesInFlight,
      inFlight,
    }),

    close(): void {
      entries.clear();
      inFlight = bytes = bytesInFlight = 0;
    },
  };
}
