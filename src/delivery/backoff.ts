/** Wait after the n-th failure in a row: a random time up to `min(maxMs, baseMs · 2ⁿ)`. */
export interface BackoffOptions {
  baseMs: number;
  maxMs: number;
}

/** Milliseconds to wait after so many failures before this one. Full jitter: many apps don't come back at the same moment. */
export function backoffMs(failures: number, { baseMs, maxMs }: BackoffOptions): number {
  return Math.random() * Math.min(maxMs, baseMs * 2 ** failures);
}
