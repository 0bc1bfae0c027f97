import { randomUUID } from 'node:crypto';
import type { OutboxStatements } from './schema.js';

/** Who carries, as the file says. */
export interface LeaseRow {
  readonly leaseOwner: string | null;
  /** In milliseconds since 1970. */
  readonly leaseUntil: number;
  readonly leaseMs: number;
}

/** An entry that this process has in flight. */
export interface Carried {
  readonly position: number;
  readonly conversationId: string;
  readonly bytes: number;
}

/**
 * One outbox's right to carry, of all the outboxes on a file. It lasts `ms` from the latest claim, settlement or renewal;
 * while anything is in flight it renews itself. One that has run out stays valid until another outbox takes it. Each
 * tenure has a token of its own, so a carrier that was suspended finds out that it has been replaced.
 */
export class Lease {
  readonly #ms: number;
  #token: string | undefined;
  #renewal: NodeJS.Timeout | undefined;
  /** What was claimed and is not settled, by key. */
  readonly carried = new Map<string, Carried>();

  constructor(ms: number) {
    this.#ms = ms;
  }

  isHeld({ leaseOwner }: LeaseRow): boolean {
    return leaseOwner !== null && leaseOwner === this.#token;
  }

  /** Whether another outbox has it, and this one had it before. */
  isLost({ leaseOwner }: LeaseRow): boolean {
    return this.#token !== undefined && leaseOwner !== null && leaseOwner !== this.#token;
  }

  /** Whether nobody has it, or it has run out. */
  isFree({ leaseOwner, leaseUntil, leaseMs }: LeaseRow, now: number): boolean {
    // A lease that lasts longer than it may was taken before the clock was set back.
    return leaseOwner === null || leaseUntil <= now || leaseUntil > now + 2 * leaseMs;
  }

  /** Whether this outbox may claim: after losing the lease, not before it has settled what it had in flight. */
  isWithinReach(row: LeaseRow, now: number): boolean {
    return this.isHeld(row) || (this.carried.size === 0 && this.isFree(row, now));
  }

  /** Takes or renews it. */
  take(statements: OutboxStatements, row: LeaseRow, now: number): void {
    if (!this.isHeld(row)) this.#token = randomUUID();
    statements.get('takeLease').run(this.#token ?? null, now + this.#ms, this.#ms);
  }

  /** Nothing, if another has it. */
  renew(statements: OutboxStatements): void {
    statements.get('renewLease').run(Date.now() + this.#ms, this.#token ?? null);
  }

  /** Nothing, if another has it. */
  release(statements: OutboxStatements): void {
    statements.get('releaseLease').run(this.#token ?? null);
  }

  /** Calls `renew`, which must not throw, again and again as long as anything is in flight. */
  keep(renew: () => void): void {
    if (this.carried.size === 0) {
      clearInterval(this.#renewal);
      this.#renewal = undefined;
    } else if (this.#renewal === undefined) {
      this.#renewal = setInterval(renew, this.#ms / 3);
      this.#renewal.unref();
    }
  }
}
