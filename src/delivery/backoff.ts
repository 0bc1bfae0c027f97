/** Wait after the n-th failure in a row: a random time up to `min(maxMs, baseMs · 2ⁿ)`. */
export interface BackoffOptions {
  baseMs: number;
  maxMs: number;
}

/** Milliseconds to wait after so many failures before this one. Full jitter: many apps don't come back at the same moment. */
export function backoffMs(failures: number, { baseMs, maxMs }: BackoffOptions): number {
  return Math.random() * Math.min(maxMs, baseMs * 2 ** failures);
}

/** So many requests in a row may get no answer before they slow down. */
const UNANSWERED_BEFORE_SLOW = 5;
/** The longest wait between two of them. */
const MAX_UNANSWERED_MS = 5 * 60_000;

/**
 * Milliseconds to wait after so many requests in a row that were sent and got no answer. Each may have been stored, so from
 * the fifth on the wait doubles beyond `maxMs`, up to five minutes: a server that stores everything and always drops the
 * connection gets at most 9 copies in the first quarter of an hour by default, and 13 in each hour after that.
 */
export function unansweredBackoffMs(unanswered: number, options: BackoffOptions): number {
  const slow = unanswered - UNANSWERED_BEFORE_SLOW;
  if (slow < 0) return backoffMs(unanswered - 1, options);
  // Jitter only shortens it a little: a wait near 0 would be a copy more.
  return Math.min(MAX_UNANSWERED_MS, options.maxMs * 2 ** slow) * (1 - Math.random() * 0.1);
}
