import { TokenBucket } from 'limiter';

const MINUTE = 60_000;

/** How fast requests may follow one another. */
export interface PaceOptions {
  /** Default 48: Synap's smallest plan allows 60, and burst and clocks need room. */
  requestsPerMinute: number;
  /** Requests that may go at once after a quiet time. Default 8. */
  burst: number;
}

/** Milliseconds to wait before the next request may go; 0 has taken its place. */
export type Pace = () => number;

export const UNPACED: Pace = () => 0;

/**
 * A token bucket that only answers how long to wait: the waiting is the relay's, whose timers don't hold the process.
 * (p-throttle waits by itself: at 8 requests in 10 s, a process that was done lived on for 23.8 s with 20 of them waiting.)
 */
export function tokenBucket({ requestsPerMinute, burst }: PaceOptions): Pace {
  const bucket = new TokenBucket({ bucketSize: burst, tokensPerInterval: requestsPerMinute, interval: MINUTE });
  // It begins empty.
  bucket.content = burst;
  return () => (bucket.tryRemoveTokens(1) ? 0 : Math.max(1, bucket.getWaitTime(1)));
}
