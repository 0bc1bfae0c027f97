/** Who delivers for an account, as the file says. */
export interface LeaseRow {
  readonly leaseOwner: string | null;
  /** In milliseconds since 1970, by the clock of the owner's machine: versions before the next two columns go by it. */
  readonly leaseUntil: number;
  readonly leaseMs: number;
  /** Goes up with each sign of life. */
  readonly leaseRenewals: number;
  /** Where the owner holds its lock (owner-lock.ts). */
  readonly leaseHost: string | null;
}
