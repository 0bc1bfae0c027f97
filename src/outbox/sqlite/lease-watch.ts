import { isObject } from '../../internal/guards.js';
import type { LeaseRow } from './lease-row.js';
import type { OwnerLock, OwnerPlace, OwnerState } from './owner-lock.js';

/** Looks this often in the time of a lease are enough to see each renewal of its owner. */
const LOOKS = 3;

/** How often the owner's lock is tried at most, while it gives signs of life. */
const TRY_LOCK_MS = 250;

/**
 * Watches another's lease. It is over when its owner is gone, or when so much time went by without a renewal as it lasts: by
 * the clock of the one who watches, and only as far as that was awake.
 */
export class LeaseWatch {
  readonly #lock: OwnerLock;
  #seen = '';
  #lookedAt = 0;
  #triedAt = 0;
  #isGone = false;
  #waitedMs = 0;

  constructor(lock: OwnerLock) {
    this.#lock = lock;
  }

  /** For how long no renewal was seen. */
  get waitedMs(): number {
    return this.#waitedMs;
  }

  /** @param now by the monotonic clock */
  isOver(row: LeaseRow, now: number): boolean {
    const { leaseOwner, leaseUntil, leaseMs, leaseRenewals } = row;
    // A process of an earlier version changes the time only.
    const sign = `${leaseOwner} ${leaseRenewals} ${leaseUntil}`;
    if (sign !== this.#seen) {
      this.#seen = sign;
      this.#waitedMs = 0;
      this.#triedAt = Number.NEGATIVE_INFINITY;
      this.#isGone = false;
    } else {
      // After a longer pause, this process may have been suspended, and the owner with it.
      this.#waitedMs += Math.min(now - this.#lookedAt, leaseMs / LOOKS);
    }
    this.#lookedAt = now;
    if (!this.#isGone && now - this.#triedAt >= TRY_LOCK_MS) {
      this.#triedAt = now;
      this.#isGone = ownerState(this.#lock, row) === 'gone';
    }
    return this.#isGone || this.#waitedMs >= leaseMs;
  }
}

/** What the lock tells of the owner of a lease. */
function ownerState(lock: OwnerLock, { leaseOwner, leaseHost }: LeaseRow): OwnerState {
  const place = leaseHost === null ? undefined : readHost(leaseHost, leaseOwner);
  return place === undefined ? 'unknown' : lock.stateOf(place);
}

/** As far as one look can tell: where the lock of the owner does not, by the clock of the machine. */
export function isDelivering(lock: OwnerLock, lease: LeaseRow): boolean {
  if (lease.leaseOwner === null) return false;
  const state = ownerState(lock, lease);
  return state === 'unknown' ? lease.leaseUntil > Date.now() : state === 'here';
}

/** What is written down of an owner that has the lock: a process of an earlier version leaves what another has written. */
export function hostOf(leaseOwner: string | undefined, place: OwnerPlace): string {
  return JSON.stringify({ lease: leaseOwner, ...place });
}

function readHost(text: string, leaseOwner: string | null): OwnerPlace | undefined {
  try {
    const host: unknown = JSON.parse(text);
    if (!isObject(host) || host.lease !== leaseOwner) return undefined;
    const { kernel, namespace, pid, file } = host;
    if (typeof kernel !== 'string' || typeof namespace !== 'string' || typeof file !== 'string') return undefined;
    return Number.isSafeInteger(pid) ? { kernel, namespace, pid: pid as number, file } : undefined;
  } catch {
    return undefined;
  }
}
