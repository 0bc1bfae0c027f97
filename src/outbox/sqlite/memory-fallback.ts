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

/** What it takes at most, whatever the file would. */
const MAX_MESSAGES = 10_000;
const MAX_BYTES = 32 * 1024 * 1024;

export interface FallbackOptions {
  readonly maxMessages: number;
  readonly maxBytes: number;
}

/** What is to move into the file next. */
export interface Moving {
  readonly entries: readonly ClaimedEntry[];
  readonly letters: readonly (DeadLetter & ClaimedEntry)[];
}

const EVERYTHING: ClaimLimits = {
  maxMessages: Number.POSITIVE_INFINITY,
  maxBytes: Number.POSITIVE_INFINITY,
  onePerConversation: false,
  except: new Set(),
};

const STATES_MOVED = ['delivered', 'deadLettered', 'expired'] as const;

const nameOf = ({ key, account = '' }: Pick<OutboxEntry, 'key' | 'account'>) => `${account}\0${key}`;

/**
 * Holds in memory what the file of an outbox can't take for now. It serves as an outbox until then; when the file is
 * healthy again, everything moves into it, in order. To the memory, the file is the place where entries are delivered.
 */
export class MemoryFallback {
  readonly #memory: MemoryOutbox;
  /** What relays have in flight, by account and key. */
  readonly #claimed = new Map<string, ClaimedEntry>();
  /** What is on its way into the file. */
  #moving: ClaimedEntry[] = [];
  /** What has moved into the file, by account: to the memory, entries were delivered then. */
  readonly #moved = new Map<string, Record<(typeof STATES_MOVED)[number], number>>();

  constructor({ maxMessages, maxBytes }: FallbackOptions) {
    this.#memory = memoryOutbox({
      maxMessages: Math.min(maxMessages, MAX_MESSAGES),
      maxBytes: Math.min(maxBytes, MAX_BYTES),
    });
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
    for (const entry of claimed) this.#claimed.set(nameOf(entry), entry);
    return claimed;
  }

  /** Whether it was claimed from here. */
  owns(key: string, account: string): boolean {
    return this.#claimed.has(nameOf({ key, account }));
  }

  /** Of what is in flight of an account. */
  conversations(account: string): ReadonlySet<string> {
    const claimed = [...this.#claimed.values()].filter(entry => (entry.account ?? '') === account);
    return new Set(claimed.map(entry => entry.message.conversationId));
  }

  settle(settlements: readonly Settlement[], account: string): void {
    this.#memory.settle(settlements, account);
    for (const { key } of settlements) this.#claimed.delete(nameOf({ key, account }));
  }

  /** Puts claimed entries back as they were. */
  putBack(entries: readonly ClaimedEntry[]): void {
    for (const { key, account = '', attempts, maybeStored, refused } of entries)
      this.settle([{ key, to: 'pending', attempts, maybeStored, refused }], account);
  }

  /** Puts back what is in flight, as what Synap may have. */
  requeueInFlight(): void {
    const claimed = [...this.#claimed.values()];
    this.putBack(claimed.map(entry => ({ ...entry, attempts: entry.attempts + 1, maybeStored: true })));
  }

  /** What is to move next; nothing of a conversation that is in flight. {@link moved} or {@link stay} must follow. */
  next(count: number): Moving {
    if (this.#moving.length === 0)
      this.#moving = this.#memory
        .accounts()
        .flatMap(({ account }) => this.#memory.claim({ ...EVERYTHING, account }))
        .sort((a, b) => a.position - b.position);
    return { entries: this.#moving.slice(0, count), letters: this.#memory.deadLetters({ limit: count }) };
  }

  moved({ entries, letters }: Moving): void {
    for (const { key, account } of entries) this.#memory.settle([{ key, to: 'delivered' }], account);
    this.#moving = this.#moving.slice(entries.length);
    for (const { key, account = '' } of letters) this.#memory.purge([key], { account });
    for (const { account = '' } of entries) this.#movedOf(account).delivered++;
    for (const { account = '', state } of letters)
      this.#movedOf(account)[state === 'dead' ? 'deadLettered' : 'expired']++;
  }

  /** Nothing can be moved now. */
  stay(): void {
    this.putBack(this.#moving);
    this.#moving = [];
  }

  get fullness(): number {
    return this.#memory.fullness();
  }

  oldestAgeMs(account?: string): number | undefined {
    return this.#memory.oldestAgeMs?.(account);
  }

  /** Without what has moved. */
  stats(account?: string): OutboxStats & { readonly pendingBytes: number; readonly foreign: number } {
    const { foreign = 0, ...stats } = this.#memory.stats(account);
    const isAsked = (name: string) => account === undefined || account === name;
    const moved = { delivered: 0, deadLettered: 0, expired: 0 };
    for (const [name, counts] of this.#moved)
      if (isAsked(name)) for (const state of STATES_MOVED) moved[state] += counts[state];
    const moving = this.#moving.filter(entry => isAsked(entry.account ?? ''));
    return {
      accepted: stats.accepted - moved.delivered - moved.deadLettered - moved.expired,
      pending: stats.pending + moving.length,
      inFlight: stats.inFlight - moving.length,
      delivered: stats.delivered - moved.delivered,
      deadLettered: stats.deadLettered - moved.deadLettered,
      expired: stats.expired - moved.expired,
      pendingBytes: stats.pendingBytes + moving.reduce((sum, entry) => sum + entry.bytes, 0),
      foreign,
    };
  }

  progress(position?: number, account?: string): Progress {
    return this.#memory.progress(position, account);
  }

  deadLetters(page: { after: number; limit: number; account?: string | undefined }): DeadLetter[] {
    return this.#memory.deadLetters(page);
  }

  replay(keys: readonly string[] | undefined, options: { account?: string | undefined }): number {
    return this.#memory.replay(keys, options);
  }

  purge(keys: readonly string[] | undefined, options: Parameters<MemoryOutbox['purge']>[1]): number {
    return this.#memory.purge(keys, options);
  }

  #movedOf(account: string): Record<(typeof STATES_MOVED)[number], number> {
    const moved = this.#moved.get(account) ?? { delivered: 0, deadLettered: 0, expired: 0 };
    this.#moved.set(account, moved);
    return moved;
  }

  /** @returns what is lost */
  close(): OutboxEntry[] {
    this.#claimed.clear();
    this.#moving = [];
    return this.#memory.close();
  }
}
