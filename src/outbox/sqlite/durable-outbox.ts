import type { Logger } from '../../internal/logger.js';
import type {
  AccountStats,
  ClaimedEntry,
  ClaimLimits,
  DeadLetter,
  MaybePromise,
  Outbox,
  OutboxEntry,
  OutboxStats,
  Progress,
  PurgeableState,
  PutResult,
  Settlement,
} from '../outbox.js';
import { FileGuard } from './guarded-file.js';
import { Leases } from './lease.js';
import { MemoryFallback } from './memory-fallback.js';
import type { OutboxFile, OutboxFileOptions } from './outbox-file.js';
import { OwedSettlements } from './owed-settlements.js';
import { Positions } from './positions.js';
import { untilUnlocked } from './until-unlocked.js';

const MAX_POLL_MS = 1000;

/** Where new entries go: into the file, into memory, or through memory after what is moving into the file. */
type Mode = 'file' | 'memory' | 'moving';

/** How many entries move from memory into the file at once: it holds up the app for a few milliseconds. */
const MOVED_AT_ONCE = 100;

const CANT_CHANGE = 'the outbox file is locked or can not be used, so nothing in it was changed: try again';

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
  readonly location: string;
  readonly #file: FileGuard;
  readonly #leases: Leases;
  readonly #fallback: MemoryFallback;
  readonly #positions = new Positions();
  readonly #owed = new OwedSettlements();
  readonly #room: { readonly bytes: number; readonly messages: number };
  #isClosed = false;

  constructor(options: OutboxFileOptions) {
    this.#room = { bytes: options.maxBytes, messages: options.maxMessages };
    this.pollMs = Math.min(MAX_POLL_MS, Math.ceil(options.leaseMs / 4));
    this.location = options.path;
    this.#leases = new Leases(options);
    this.#fallback = new MemoryFallback(options);
    this.#file = new FileGuard(options, this.#leases, () => this.#fallback.progress().outstanding);
  }

  get #mode(): Mode {
    if (this.#fallback.isEmpty) return 'file';
    return this.#file.isHealthy ? 'moving' : 'memory';
  }

  open(logger: Logger, account?: string): void {
    this.#file.belongsTo(logger, account);
    this.stats(account);
  }

  put(entry: OutboxEntry, options: { admitted: boolean }): PutResult {
    this.#assertOpen();
    // A message that is no JSON is the caller's mistake, not the file's.
    const json = entry.json ?? JSON.stringify(entry.message);
    if (this.#mode === 'file') {
      const result = this.#file.write(file => file.put({ ...entry, json }, options));
      if (result !== undefined) return result;
    }
    if (this.#file.read(file => file.holds(entry.account ?? '', entry.key))) return 'duplicate';
    this.#beginMemory();
    const result = this.#fallback.put(entry, options);
    this.#move();
    return result;
  }

  claim(limits: ClaimLimits): ClaimedEntry[] {
    if (this.#isClosed) return [];
    this.#catchUp();
    const { account = '' } = limits;
    const except = new Set([...limits.except, ...this.#fallback.conversations(account)]);
    const claimed = this.#file.write(file => file.claim({ ...limits, account, except })) ?? [];
    this.#keepLeases();
    // What is in there may have to go before what is in memory.
    if (claimed.length === 0 && this.#file.isUnread) return [];
    const fromMemory = claimed.length === 0 && !this.#file.isHealthy;
    const entries = fromMemory
      ? this.#claimFromMemory(account, limits)
      : claimed.map(entry => ({ ...entry, position: this.#positions.ofFile(entry.position) }));
    return entries.map(entry => ({ ...entry, account: limits.account }));
  }

  settle(settlements: readonly Settlement[], account = ''): 'settled' | 'stale' {
    if (this.#isClosed) return 'stale';
    const { memory = [], file = [] } = Object.groupBy(settlements, ({ key }) =>
      this.#fallback.owns(key, account) ? 'memory' : 'file',
    );
    this.#fallback.settle(memory, account);
    this.#owed.add(account, file);
    const answer = this.#settleOwed(account);
    this.#keepLeases();
    return answer;
  }

  stats(account?: string): OutboxStats & { readonly pendingBytes: number; readonly foreign: number } {
    // Whoever polls asks for these.
    if (!this.#isClosed) this.#catchUp();
    const file = this.#file.stats(account);
    const memory = this.#fallback.stats(account);
    return {
      accepted: file.accepted + memory.accepted,
      pending: file.pending + memory.pending,
      inFlight: file.inFlight + memory.inFlight,
      delivered: file.delivered + memory.delivered,
      deadLettered: file.deadLettered + memory.deadLettered,
      expired: file.expired + memory.expired,
      pendingBytes: file.pendingBytes + memory.pendingBytes,
      foreign: account === undefined ? 0 : file.foreign + memory.foreign,
    };
  }

  fullness(account = ''): number {
    const { fileBytes, fileOutstanding } = this.#file.known(account);
    return Math.max(fileBytes / this.#room.bytes, fileOutstanding / this.#room.messages, this.#fallback.fullness);
  }

  oldestAgeMs(account = ''): number | undefined {
    const ages = [this.#file.read(file => file.oldestAgeMs(account)), this.#fallback.oldestAgeMs(account)];
    const oldest = Math.max(...ages.map(age => age ?? Number.NEGATIVE_INFINITY));
    return oldest === Number.NEGATIVE_INFINITY ? undefined : oldest;
  }

  progress(position?: number, account?: string): Progress {
    const upTo = position ?? Number.MAX_SAFE_INTEGER;
    const memory = this.#fallback.progress(this.#positions.inMemory(upTo), account);
    const file = this.#file.progress(this.#positions.inFile(upTo), account);
    const accounts = account === undefined ? this.#owed.accounts : [account];
    const ended = accounts.flatMap(name => this.#owed.of(name).filter(owed => this.#isEnded(name, owed, upTo)));
    return {
      position: position ?? this.#newest(),
      outstanding: Math.max(0, file.outstanding - ended.length) + memory.outstanding,
      deadLetters: file.deadLetters + ended.filter(({ to }) => to !== 'delivered').length + memory.deadLetters,
    };
  }

  deadLetters({ after = 0, limit = 100, account }: Parameters<Outbox['deadLetters']>[0] = {}): DeadLetter[] {
    this.#assertOpen();
    const positions = this.#positions;
    const behind = Math.max(0, positions.inFile(after));
    const inFile = this.#file.read(file => file.deadLetters(behind, limit, account)) ?? [];
    const inMemory = this.#fallback.deadLetters({ after: positions.inMemory(after), limit, account });
    return [
      ...inFile.map(letter => ({ ...letter, position: positions.ofFile(letter.position) })),
      ...inMemory.map(letter => ({ ...letter, position: positions.ofMemory(letter.position) })),
    ].slice(0, limit);
  }

  replay(...[keys, { account } = {}]: Parameters<Outbox['replay']>): number {
    this.#assertOpen();
    const inFile = this.#changeKept(file => file.replay({ keys, account }), account);
    this.#beginMemory();
    const replayed = inFile + this.#fallback.replay(keys, { account });
    this.#move();
    return replayed;
  }

  purge(...[keys, options = {}]: Parameters<Outbox['purge']>): number {
    this.#assertOpen();
    const { account, states } = options;
    const inFile = this.#changeKept(file => file.purge({ keys, account }, states), account, states);
    return inFile + this.#fallback.purge(keys, options);
  }

  accounts(): AccountStats[] {
    return this.#file.read(file => file.accounts()) ?? [];
  }

  adopt(from: string, to: string, { isAlias = false }: { isAlias?: boolean | undefined } = {}): number | 'busy' {
    this.#assertOpen();
    this.#catchUp();
    const moved = this.#file.write(file => file.adopt(from, to, isAlias));
    if (moved === undefined) throw new Error(CANT_CHANGE);
    return moved;
  }

  keepsLease(account = ''): boolean {
    // What was claimed from memory is nobody else's.
    if (this.#leases.of(account).claimed.size === 0) return true;
    return this.#file.peek(file => file.stillHolds(account)) ?? true;
  }

  /**
   * Puts back what is in flight, and tries once more to move what is in memory into the file. While others keep that locked,
   * it is tried again.
   */
  close({ isExit = false }: { isExit?: boolean | undefined } = {}): MaybePromise<OutboxEntry[]> {
    if (this.#isClosed) return [];
    this.#isClosed = true;
    this.#file.lastTry();
    this.#fallback.requeueInFlight();
    if (this.#finish() === 'done' || isExit) return this.#end();
    // From here on the app goes on beside it.
    this.#file.waitNoMore();
    return untilUnlocked(() => this.#finish()).then(() => this.#end());
  }

  /** Writes what is left to write, as far as no other program has the file locked. */
  #finish(): 'done' | 'locked' {
    this.#settleAllOwed();
    while (this.#move()) {}
    const isWritten = this.#file.giveBack() && this.#owed.accounts.length === 0 && this.#fallback.isIdle;
    return isWritten || !this.#file.isLocked ? 'done' : 'locked';
  }

  #end(): OutboxEntry[] {
    this.#file.close();
    for (const [, lease] of this.#leases.all) lease.claimed.clear();
    this.#keepLeases();
    return this.#fallback.close();
  }

  /** Whoever asks for this waits for the answer, so it does throw. */
  #changeKept(
    change: (file: OutboxFile) => number,
    account: string | undefined,
    states: readonly PurgeableState[] = ['dead'],
  ): number {
    const changed = this.#file.write(change);
    const { pending, deadLettered, expired, purged } = this.#file.known(account);
    const concerned = states.some(state => state === 'pending' || state === 'held') ? pending : 0;
    if (changed === undefined && deadLettered + expired - purged + concerned > 0) throw new Error(CANT_CHANGE);
    return changed ?? 0;
  }

  #assertOpen(): void {
    if (this.#isClosed) throw new Error('this outbox is closed');
  }

  /** The next entry goes to memory. */
  #beginMemory(): void {
    this.#positions.note(this.#positions.ofFile(this.#file.newest));
    if (this.#fallback.isEmpty) this.#positions.beginMemory(this.#fallback.progress().position);
  }

  #claimFromMemory(account: string, limits: ClaimLimits): ClaimedEntry[] {
    this.#fallback.stay();
    const except = new Set(limits.except);
    for (const [key, { conversationId }] of this.#leases.of(account).claimed)
      if (!this.#owed.has(account, key)) except.add(conversationId);
    for (;;) {
      const claimed = this.#fallback.claim({ ...limits, account, except });
      const conversations = new Set(claimed.map(entry => entry.message.conversationId));
      const waiting = [...conversations].filter(id => this.#file.peek(file => file.hasOutstanding(account, id)));
      if (waiting.length === 0)
        return claimed.map(entry => ({ ...entry, position: this.#positions.ofMemory(entry.position) }));
      this.#fallback.putBack(claimed);
      for (const conversation of waiting) except.add(conversation);
    }
  }

  /** Brings the file up to date, if it can be used. */
  #catchUp(): void {
    this.#settleAllOwed();
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

  #settleAllOwed(): void {
    for (const account of this.#owed.accounts) this.#settleOwed(account);
  }

  #settleOwed(account: string): 'settled' | 'stale' {
    const owed = this.#owed.of(account);
    if (owed.length === 0) return 'settled';
    const answer = this.#file.write(file => file.settle(account, owed));
    if (answer === undefined) return 'settled';
    this.#owed.written(account);
    return answer;
  }

  #keepLeases(): void {
    for (const [account, lease] of this.#leases.all)
      lease.keep(() => {
        if (!this.#isClosed) this.#file.peek(file => file.renew(account));
      });
  }

  #newest(): number {
    this.#positions.note(this.#positions.ofFile(this.#file.newest));
    if (!this.#fallback.isEmpty) this.#positions.note(this.#positions.ofMemory(this.#fallback.progress().position));
    return this.#positions.newest;
  }

  /** Whether an entry has come to its end, though the file does not know it yet. */
  #isEnded(account: string, { key, to }: Settlement, upTo: number): boolean {
    const claimed = this.#leases.of(account).claimed.get(key);
    return to !== 'pending' && claimed !== undefined && this.#positions.ofFile(claimed.position) <= upTo;
  }
}
