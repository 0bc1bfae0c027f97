import { randomUUID } from 'node:crypto';
import { monotonicNow } from '../../internal/monotonic-clock.js';
import { clearInterval, setInterval } from '../../internal/timers.js';
import { wallNow } from '../../internal/wall-clock.js';
import type { OutboxStats } from '../outbox.js';
import type { LeaseRow } from './lease-row.js';
import { hostOf, LeaseWatch } from './lease-watch.js';
import { OwnerLock } from './owner-lock.js';
import type { OutboxStatements } from './statements.js';

/** An entry that this process has in flight. */
export interface Claimed {
  readonly position: number;
  readonly conversationId: string;
  readonly bytes: number;
}

/**
 * Whose the lease is: `mine`, this outbox's; `free`, nobody's, or one that is over; `theirs`, another outbox's.
 *
 * ```
 *            acquire                  acquire (by another)
 *   free ──────────────► mine    free ──────────────► theirs
 *    ▲  ▲                 │                              │
 *    │  └─────release─────┘                              │
 *    └──────released, or over (LeaseWatch)───────────────┘
 * ```
 *
 * `mine` that has not been renewed in time stays mine until another takes it: then it is `theirs`, and what this outbox had
 * in flight is pending again.
 */
export type LeaseState = 'mine' | 'free' | 'theirs';

/**
 * One outbox's right to deliver for an account, of all the outboxes on a file. It lasts `ms` from the latest claim, settlement or renewal;
 * while anything is in flight it renews itself. Each tenure has a token of its own, so a process that was suspended finds
 * out that it has been replaced.
 */
export class Lease {
  readonly #ms: number;
  readonly #lock: OwnerLock;
  readonly #watch: LeaseWatch;
  #token: string | undefined;
  #isHeld = false;
  /** Up to when the time of this tenure has been added to the account's. */
  #countedAt = 0;
  #renewal: NodeJS.Timeout | undefined;
  /** What was claimed and is not settled, by key. */
  readonly claimed = new Map<string, Claimed>();

  constructor(ms: number, lock: OwnerLock) {
    this.#ms = ms;
    this.#lock = lock;
    this.#watch = new LeaseWatch(lock);
  }

  /** Whether this outbox had it when it last looked. */
  get wasHeld(): boolean {
    return this.#isHeld;
  }

  stateOf(row: LeaseRow): LeaseState {
    if (this.isHeld(row)) return 'mine';
    return row.leaseOwner === null || this.#watch.isOver(row, monotonicNow()) ? 'free' : 'theirs';
  }

  isHeld({ leaseOwner }: LeaseRow): boolean {
    this.#isHeld = leaseOwner !== null && leaseOwner === this.#token;
    return this.#isHeld;
  }

  /** Whether this outbox had it, and another has taken it since. */
  isLost(row: LeaseRow): boolean {
    return this.#token !== undefined && row.leaseOwner !== null && !this.isHeld(row);
  }

  /** Whether this outbox may claim: after losing the lease, not before it has settled what it had in flight. */
  canAcquire(row: LeaseRow): boolean {
    const state = this.stateOf(row);
    return state === 'mine' || (state === 'free' && this.claimed.size === 0);
  }

  /** Whether there is something that this outbox may claim. */
  mayClaim(row: LeaseRow & Pick<OutboxStats, 'pending' | 'inFlight'>): boolean {
    const left = this.isHeld(row) ? row.pending : row.pending + row.inFlight;
    return left > 0 && this.canAcquire(row);
  }

  /** Takes or renews it. @returns by how much the account's time goes on */
  acquire(statements: OutboxStatements, row: LeaseRow & { readonly id: number }): number {
    const isNew = !this.isHeld(row);
    // Of one that is taken over, what went by since its owner's last sign of life.
    const carriedMs = isNew ? this.#takenOverMs(row) : this.uncountedMs;
    if (isNew) this.#token = randomUUID();
    const place = this.#lock.take();
    const host = place === undefined ? null : hostOf(this.#token, place);
    statements.get('acquireLease').run(this.#token ?? null, this.#until(), this.#ms, host, carriedMs, row.id);
    this.#countedAt = isNew ? monotonicNow() : this.#countedAt + carriedMs;
    this.#isHeld = true;
    return carriedMs;
  }

  /** Does nothing, if another has it. @returns whether this outbox has it */
  renew(statements: OutboxStatements): boolean {
    if (this.#token === undefined) return false;
    const { uncountedMs } = this;
    const { changes } = statements.get('renewLease').run(this.#until(), uncountedMs, this.#token);
    this.#countedAt += uncountedMs;
    this.#isHeld = changes > 0;
    return this.#isHeld;
  }

  /** Does nothing, if another has it. */
  release(statements: OutboxStatements): void {
    statements.get('releaseLease').run(this.#token ?? null);
    this.#isHeld = false;
  }

  /** For how long the account's time has gone on since it was written down, as far as this outbox knows. */
  get uncountedMs(): number {
    return this.#isHeld ? Math.floor(monotonicNow() - this.#countedAt) : 0;
  }

  /** Calls `renew`, which must not throw, again and again as long as anything is in flight. */
  keep(renew: () => void): void {
    if (this.claimed.size === 0) {
      clearInterval(this.#renewal);
      this.#renewal = undefined;
    } else if (this.#renewal === undefined) {
      this.#renewal = setInterval(renew, this.#ms / 3);
      this.#renewal.unref();
    }
  }

  #until(): number {
    return wallNow() + this.#ms;
  }

  #takenOverMs({ leaseOwner }: LeaseRow): number {
    return leaseOwner === null ? 0 : Math.floor(this.#watch.waitedMs);
  }
}

/** The leases of one outbox, one for each account that it delivers for. */
export class Leases {
  readonly #ms: number;
  readonly #leases = new Map<string, Lease>();
  /** While it has any of them, other processes on this machine can tell that it lives. */
  readonly lock: OwnerLock;

  constructor({ leaseMs, path }: { readonly leaseMs: number; readonly path: string }) {
    this.#ms = leaseMs;
    this.lock = new OwnerLock(path);
  }

  get all(): Iterable<[account: string, Lease]> {
    return this.#leases;
  }

  of(account: string): Lease {
    const lease = this.#leases.get(account) ?? new Lease(this.#ms, this.lock);
    this.#leases.set(account, lease);
    return lease;
  }

  /** To be called after the transaction that has changed a lease. */
  releaseUnusedLock(): void {
    for (const lease of this.#leases.values()) if (lease.wasHeld) return;
    this.lock.release();
  }
}
