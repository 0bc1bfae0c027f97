import { type MemoryOutbox, memoryOutbox } from '../memory-outbox.js';
import type {
  ClaimedEntry,
  ClaimLimits,
  DeadLetter,
  OutboxEntry,
  OutboxStats,
  Progress,
  PutResult,
  Settlement,
} from '../outbox.js';

export interface FallbackOptions {
  readonly maxMessages: number;
  readonly maxBytes: number;
}

/** What is to move into the file next. */
export interface Moving {
  readonly entries: readonly ClaimedEntry[];
  readonly letters: readonly (DeadLetter & ClaimedEntry)[];
}

/**
 * Holds in memory what the file of an outbox can't take for now. It serves as an outbox until then; when the file is
 * healthy again, everything moves into it, in order. To the memory, the file is the place where entries are delivered.
 */
export class MemoryFallback {
  readonly #memory: MemoryOutbox;
  /** What the relay has in flight. */
  readonly #claimed = new Map<string, ClaimedEntry>();
  /** What is on its way into the file. */
  #moving: ClaimedEntry[] = [];
  #moved = { accepted: 0, delivered: 0, deadLettered: 0, expired: 0 };

  constructor({ maxMessages, maxBytes }: FallbackOptions) {
    this.#memory = memoryOutbox({ maxMessages, maxBytes });
  }

  /** Whether no entry waits in here; a dead letter may. */
  get isEmpty(): boolean {
    const { pending, inFlight } = this.#memory.stats();
    return pending + inFlight === 0;
  }

  /** Whether nothing is in here that could move. */
  get isIdle(): boolean {
    const { outstanding, deadLetters } = this.#memory.progress();
    return outstanding + deadLetters === 0;
  }

  put(entry: OutboxEntry, options: { admitted: boolean }): PutResult {
    return this.#memory.put(entry, options);
  }

  claim(limits: ClaimLimits): ClaimedEntry[] {
    const claimed = this.#memory.claim(limits);
    for (const entry of claimed) this.#claimed.set(entry.key, entry);
    return claimed;
  }

  /** Whether it was claimed from here. */
  owns(key: string): boolean {
    return this.#claimed.has(key);
  }

  /** Of what is in flight. */
  conversations(): ReadonlySet<string> {
    return new Set([...this.#claimed.values()].map(entry => entry.message.conversationId));
  }

  settle(settlements: readonly Settlement[]): void {
    this.#memory.settle(settlements);
    for (const { key } of settlements) this.#claimed.delete(key);
  }

  /** Puts claimed entries back as they were. */
  putBack(entries: readonly ClaimedEntry[]): void {
    this.settle(entries.map(({ key, attempts, maybeStored }) => ({ key, to: 'pending', attempts, maybeStored })));
  }

  /** Puts back what is in flight, as what Synap may have. */
  requeueInFlight(): void {
    const claimed = [...this.#claimed.values()];
    this.putBack(claimed.map(entry => ({ ...entry, attempts: entry.attempts + 1, maybeStored: true })));
  }

  /** What is to move next; nothing of a conversation that is in flight. {@link moved} or {@link stay} must follow. */
  next(count: number): Moving {
    if (this.#moving.length === 0)
      this.#moving = this.#memory.claim({
        maxMessages: Number.POSITIVE_INFINITY,
        maxBytes: Number.POSITIVE_INFINITY,
        onePerConversation: false,
        except: new Set(),
      });
    return { entries: this.#moving.slice(0, count), letters: this.#memory.deadLetters({ limit: count }) };
  }

  moved({ entries, letters }: Moving): void {
    this.#memory.settle(entries.map(({ key }) => ({ key, to: 'delivered' })));
    this.#moving = this.#moving.slice(entries.length);
    this.#memory.purge(letters.map(({ key }) => key));
    this.#moved.accepted += entries.length + letters.length;
    this.#moved.delivered += entries.length;
    for (const { state } of letters) this.#moved[state === 'dead' ? 'deadLettered' : 'expired']++;
  }

  /** Nothing can be moved now. */
  stay(): void {
    this.putBack(this.#moving);
    this.#moving = [];
  }

  /** Without what has moved. */
  stats(): OutboxStats & { readonly pendingBytes: number } {
    const stats = this.#memory.stats();
    const { accepted, delivered, deadLettered, expired } = this.#moved;
    const moving = this.#moving.length;
    const movingBytes = this.#moving.reduce((sum, entry) => sum + entry.bytes, 0);
    return {
      accepted: stats.accepted - accepted,
      pending: stats.pending + moving,
      inFlight: stats.inFlight - moving,
      delivered: stats.delivered - delivered,
      deadLettered: stats.deadLettered - deadLettered,
      expired: stats.expired - expired,
      pendingBytes: stats.pendingBytes + movingBytes,
    };
  }

  progress(position?: number): Progress {
    return this.#memory.progress(position);
  }

  deadLetters(page: { after: number; limit: number }): DeadLetter[] {
    return this.#memory.deadLetters(page);
  }

  replay(keys?: readonly string[]): number {
    return this.#memory.replay(keys);
  }

  purge(keys?: readonly string[]): number {
    return this.#memory.purge(keys);
  }

  /** @returns what is lost */
  close(): OutboxEntry[] {
    this.#claimed.clear();
    this.#moving = [];
    return this.#memory.close();
  }
}
