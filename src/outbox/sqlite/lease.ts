import { randomUUID } from 'node:crypto';
import { clearInterval, setInterval } from '../../internal/timers.js';
import type { OutboxStats } from '../outbox.js';
import type { OutboxStatements } from './statements.js';

/** Who delivers for an account, as the file says. */
export interface LeaseRow {
  readonly leaseOwner: string | null;
  /** In milliseconds since 1970. */
  readonly leaseUntil: number;
  readonly leaseMs: number;
}

/** An entry that this process has in flight. */
export interface Claimed {
  readonly position: number;
  readonly conversationId: string;
  readonly bytes: number;
}

/**
 * Whose the lease is: `mine`, this outbox's; `free`, nobody's, or one that has run out; `theirs`, another outbox's.
 *
 * ```
 *            acquire                  acquire (by another)
 *   free ──────────────► mine    free ──────────────► theirs
 *    ▲  ▲                 │                              │
 *    │  └─────release─────┘                              │
 *    └──────released, or ran out─────────────────────────┘
 * ```
 *
 * `mine` that has run out stays mine until another takes it: then it is `theirs`, and what this outbox had in flight is
 * pending again.
 */
export type LeaseState = 'mine' | 'free' | 'theirs';

/** @param token the token of this outbox's tenure; undefined before the first */
export function leaseState(row: LeaseRow, token: string | undefined, now: number): LeaseState {
  const { leaseOwner, leaseUntil, leaseMs } = row;
  if (leaseOwner === null) return 'free';
  if (leaseOwner === token) return 'mine';
  // A lease that lasts longer than it may was taken before the clock was set back.
  return leaseUntil <= now || leaseUntil > now + 2 * leaseMs ? 'free' : 'theirs';
}

/**
 * One outbox's right to deliver for an account, of all the outboxes on a file. It lasts `ms` from the latest claim, settlement or renewal;
 * while anything is in flight it renews itself. Each tenure has a token of its own, so a process that was suspended finds
 * out that it has been replaced.
 */
export class Lease {
  readonly #ms: number;
  #token: string | undefined;
  #renewal: NodeJS.Timeout | undefined;
  /** What was claimed and is not settled, by key. */
  readonly claimed = new Map<string, Claimed>();

  constructor(ms: number) {
    this.#ms = ms;
  }

  stateOf(row: LeaseRow, now: number): LeaseState {
    return leaseState(row, this.#token, now);
  }

  isHeld({ leaseOwner }: LeaseRow): boolean {
    return leaseOwner !== null && leaseOwner === this.#token;
  }

  /** Whether this outbox had it, and another has taken it since. */
  isLost(row: LeaseRow): boolean {
    return this.#token !== undefined && row.leaseOwner !== null && !this.isHeld(row);
  }

  /** Whether this outbox may claim: after losing the lease, not before it has settled what it had in flight. */
  canAcquire(row: LeaseRow, now: number): boolean {
    const state = this.stateOf(row, now);
    return state === 'mine' || (state === 'free' && this.claimed.size === 0);
  }

  /** Whether there is something that this outbox may claim. */
  mayClaim(row: LeaseRow & Pick<OutboxStats, 'pending' | 'inFlight'>, now: number): boolean {
    const left = this.isHeld(row) ? row.pending : row.pending + row.inFlight;
    return left > 0 && this.canAcquire(row, now);
  }

  /** Takes or renews it. */
  acquire(statements: OutboxStatements, row: LeaseRow & { readonly id: number }, now: number): void {
    if (!this.isHeld(row)) this.#token = randomUUID();
    statements.get('acquireLease').run(this.#token ?? null, now + this.#ms, this.#ms, row.id);
  }

  /** Does nothing, if another has it. */
  renew(statements: OutboxStatements): void {
    statements.get('renewLease').run(Date.now() + this.#ms, this.#token ?? null);
  }

  /** Does nothing, if another has it. */
  release(statements: OutboxStatements): void {
    statements.get('releaseLease').run(this.#token ?? null);
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
}

/** The leases of one outbox, one for each account that it delivers for. */
export class Leases {
  readonly #ms: number;
  readonly #leases = new Map<string, Lease>();

  constructor(ms: number) {
    this.#ms = ms;
  }

  get all(): Iterable<[account: string, Lease]> {
    return this.#leases;
  }

  of(account: string): Lease {
    const lease = this.#leases.get(account) ?? new Lease(this.#ms);
    this.#leases.set(account, lease);
    return lease;
  }
}
