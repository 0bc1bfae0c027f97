import type { Logger } from '../../internal/logger.js';
import type {
  ClaimedEntry,
  ClaimLimits,
  DeadLetter,
  Outbox,
  OutboxEntry,
  OutboxStats,
  Progress,
  PutResult,
  Settlement,
} from '../outbox.js';
import { FileGuard } from './guarded-file.js';
import { Lease } from './lease.js';
import { MemoryFallback } from './memory-fallback.js';
import type { OutboxFile, OutboxFileOptions } from './outbox-file.js';
import { Positions } from './positions.js';

const MAX_POLL_MS = 1000;

/** What memory takes at most while the file can't be used. */
const MAX_IN_MEMORY = 10_000;
const MAX_BYTES_IN_MEMORY = 32 * 1024 * 1024;

/** Where new entries go: into the file, into memory, or through memory after what is moving into the file. */
type Mode = 'file' | 'memory' | 'moving';

/** How many entries move from memory into the file at once: it holds up the app for a few milliseconds. */
const MOVED_AT_ONCE = 100;

export interface DurableOutboxOptions extends OutboxFileOptions {
  readonly leaseMs: number;
}

/**
 * An outbox in a file, with memory to fall back on. No method throws because of the file. Its {@link Mode}:
 *
 * ```
 *            the file can't be used           it can again            nothing is left in memory
 *   file ───────────────────────────► memory ─────────────► moving ────────────────────────────► file
 *                                         ▲                   │
 *                                         └───────────────────┘
 *                                          the file can't be used
 * ```
 *
 * As long as anything is in memory, new entries go there, too, so that they keep their order; while it is moving, they
 * follow at once. Memory is claimed from only while the file can't be used, and never what must wait for entries of its
 * conversation that can still be read in the file.
 */
export class DurableOutbox implements Outbox {
  readonly durable = true;
  readonly pollMs: number;
  readonly #file: FileGuard;
  readonly #lease: Lease;
  readonly #fallback: MemoryFallback;
  readonly #positions = new Positions();
  /** Settlements that could not be written to the file yet. */
  readonly #owed = new Map<string, Settlement>();
  #isClosed = false;

  constructor(options: DurableOutboxOptions) {
    this.pollMs = Math.min(MAX_POLL_MS, Math.ceil(options.leaseMs / 4));
    this.#lease = new Lease(options.leaseMs);
    this.#fallback = new MemoryFallback({
      maxMessages: Math.min(options.maxMessages, MAX_IN_MEMORY),
      maxBytes: Math.min(options.maxBytes, MAX_BYTES_IN_MEMORY),
    });
    this.#file = new FileGuard(options, this.#lease, () => this.#fallback.progress().outstanding);
  }

  get #mode(): Mode {
    if (this.#fallback.isEmpty) return 'file';
    return this.#file.isHealthy ? 'moving' : 'memory';
  }

  open(logger: Logger): void {
    this.#file.logger = logger;
    this.stats();
  }

  put(entry: OutboxEntry, options: { admitted: boolean }): PutResult {
    this.#assertOpen();
    // A message that is no JSON is the caller's mistake, not the file's.
    const json = entry.json ?? JSON.stringify(entry.message);
    if (this.#mode === 'file') {
      const result = this.#file.write(file => file.put({ ...entry, json }, options));
      if (result !== undefined) return result;
    }
    if (this.#file.read(file => file.holds(entry.key))) return 'duplicate';
    this.#beginMemory();
    const result = this.#fallback.put(entry, options);
    this.#move();
    return result;
  }

  claim(limits: ClaimLimits): ClaimedEntry[] {
    if (this.#isClosed) return [];
    this.#catchUp();
    const inMemory = this.#fallback.conversations();
    const except = inMemory.size === 0 ? limits.except : new Set([...limits.except, ...inMemory]);
    const claimed = this.#file.write(file => file.claim({ ...limits, except })) ?? [];
    this.#keepLease();
    // What is in there may have to go before what is in memory.
    if (claimed.length === 0 && this.#file.isUnread) return [];
    if (claimed.length > 0 || this.#file.isHealthy)
      return claimed.map(entry => ({ ...entry, position: this.#positions.ofFile(entry.position) }));
    return this.#claimFromMemory(limits);
  }

  settle(settlements: readonly Settlement[]): 'settled' | 'stale' {
    if (this.#isClosed) return 'stale';
    const { memory = [], file = [] } = Object.groupBy(settlements, ({ key }) =>
      this.#fallback.owns(key) ? 'memory' : 'file',
    );
    this.#fallback.settle(memory);
    for (const settlement of file) this.#owed.set(settlement.key, settlement);
    const answer = this.#settleOwed();
    this.#keepLease();
    return answer;
  }

  stats(): OutboxStats & { readonly pendingBytes: number } {
    // Whoever polls asks for these.
    if (!this.#isClosed) this.#catchUp();
    const file = this.#file.read(file => file.stats()) ?? this.#file.counters;
    const memory = this.#fallback.stats();
    return {
      accepted: file.accepted + memory.accepted,
      pending: file.pending + memory.pending,
      inFlight: file.inFlight + memory.inFlight,
      delivered: file.delivered + memory.delivered,
      deadLettered: file.deadLettered + memory.deadLettered,
      expired: file.expired + memory.expired,
      pendingBytes: file.pendingBytes + memory.pendingBytes,
    };
  }

  progress(position?: number): Progress {
    const upTo = position ?? Number.MAX_SAFE_INTEGER;
    const memory = this.#fallback.progress(this.#positions.inMemory(upTo));
    const file = this.#fileProgress(upTo);
    const ended = [...this.#owed.values()].filter(settlement => this.#isEnded(settlement, upTo));
    return {
      position: position ?? this.#newest(),
      outstanding: Math.max(0, file.outstanding - ended.length) + memory.outstanding,
      deadLetters: file.deadLetters + ended.filter(({ to }) => to !== 'delivered').length + memory.deadLetters,
    };
  }

  deadLetters({
    after = 0,
    limit = 100,
  }: {
    after?: number | undefined;
    limit?: number | undefined;
  } = {}): DeadLetter[] {
    this.#assertOpen();
    const positions = this.#positions;
    const inFile = this.#file.read(file => file.deadLetters(Math.max(0, positions.inFile(after)), limit)) ?? [];
    const inMemory = this.#fallback.deadLetters({ after: positions.inMemory(after), limit });
    return [
      ...inFile.map(letter => ({ ...letter, position: positions.ofFile(letter.position) })),
      ...inMemory.map(letter => ({ ...letter, position: positions.ofMemory(letter.position) })),
    ].slice(0, limit);
  }

  replay(keys?: readonly string[]): number {
    this.#assertOpen();
    const inFile = this.#moveLetters(file => file.replay(keys));
    this.#beginMemory();
    const inMemory = this.#fallback.replay(keys);
    this.#move();
    return inFile + inMemory;
  }

  purge(keys?: readonly string[]): number {
    this.#assertOpen();
    return this.#moveLetters(file => file.purge(keys)) + this.#fallback.purge(keys);
  }

  /** Puts back what is in flight, and tries once more to move what is in memory into the file. */
  close(): OutboxEntry[] {
    if (this.#isClosed) return [];
    this.#isClosed = true;
    this.#file.lastTry();
    this.#fallback.requeueInFlight();
    this.#settleOwed();
    while (this.#move()) {}
    this.#file.close();
    this.#lease.claimed.clear();
    this.#keepLease();
    return this.#fallback.close();
  }

  /** Whoever asks for this waits for the answer, so it does throw. */
  #moveLetters(move: (file: OutboxFile) => number): number {
    const moved = this.#file.write(move);
    const { deadLettered, expired, purged } = this.#file.counters;
    if (moved === undefined && deadLettered + expired > purged)
      throw new Error(
        'the outbox file is locked or can not be used, so its dead letters were left as they are: try again',
      );
    return moved ?? 0;
  }

  #assertOpen(): void {
    if (this.#isClosed) throw new Error('this outbox is closed');
  }

  /** The next entry goes to memory. */
  #beginMemory(): void {
    this.#positions.note(this.#positions.ofFile(this.#file.counters.newest));
    if (this.#fallback.isEmpty) this.#positions.beginMemory(this.#fallback.progress().position);
  }

  #claimFromMemory(limits: ClaimLimits): ClaimedEntry[] {
    this.#fallback.stay();
    const except = new Set(limits.except);
    for (const [key, { conversationId }] of this.#lease.claimed) if (!this.#owed.has(key)) except.add(conversationId);
    for (;;) {
      const claimed = this.#fallback.claim({ ...limits, except });
      const conversations = new Set(claimed.map(entry => entry.message.conversationId));
      const waiting = [...conversations].filter(id => this.#file.peek(file => file.hasOutstanding(id)));
      if (waiting.length === 0)
        return claimed.map(entry => ({ ...entry, position: this.#positions.ofMemory(entry.position) }));
      this.#fallback.putBack(claimed);
      for (const conversation of waiting) except.add(conversation);
    }
  }

  /** Brings the file up to date, if it can be used. */
  #catchUp(): void {
    this.#settleOwed();
    this.#move();
  }

  /** @returns whether something was moved */
  #move(): boolean {
    if (!this.#file.isOpen || this.#fallback.isIdle) return false;
    const moving = this.#fallback.next(MOVED_AT_ONCE);
    if (moving.entries.length + moving.letters.length === 0) return false;
    const written = <T extends OutboxEntry>(entry: T) => ({ ...entry, json: JSON.stringify(entry.message) });
    const positions = this.#file.write(file =>
      file.insertFromMemory(moving.entries.map(written), moving.letters.map(written)),
    );
    if (positions === undefined) {
      this.#fallback.stay();
      return false;
    }
    this.#fallback.moved(moving);
    moving.entries.forEach((entry, index) => {
      const inFile = positions[index];
      if (inFile !== undefined) this.#positions.moved(entry.position, inFile);
    });
    return true;
  }

  #settleOwed(): 'settled' | 'stale' {
    if (this.#owed.size === 0) return 'settled';
    const answer = this.#file.write(file => file.settle([...this.#owed.values()]));
    if (answer === undefined) return 'settled';
    this.#owed.clear();
    return answer;
  }

  #keepLease(): void {
    this.#lease.keep(() => {
      this.#file.peek(file => file.renew());
    });
  }

  #fileProgress(upTo: number): { outstanding: number; deadLetters: number } {
    const inFile = Math.min(Number.MAX_SAFE_INTEGER, this.#positions.inFile(upTo));
    const progress = this.#file.read(file => file.progress(inFile));
    if (progress) return progress;
    const { pending, inFlight, deadLettered, expired, purged } = this.#file.counters;
    return { outstanding: pending + inFlight, deadLetters: deadLettered + expired - purged };
  }

  #newest(): number {
    this.#positions.note(this.#positions.ofFile(this.#file.counters.newest));
    if (!this.#fallback.isEmpty) this.#positions.note(this.#positions.ofMemory(this.#fallback.progress().position));
    return this.#positions.newest;
  }

  /** Whether an entry has come to its end, though the file does not know it yet. */
  #isEnded({ key, to }: Settlement, upTo: number): boolean {
    const claimed = this.#lease.claimed.get(key);
    return to !== 'pending' && claimed !== undefined && this.#positions.ofFile(claimed.position) <= upTo;
  }
}
