/** How fast requests may follow one another. */
export interface PaceOptions {
  /** Default 48: Synap's smallest plan allows 60, and burst and clocks need room. */
  requestsPerMinute: number;
  /** Requests that may go at once after a quiet time. Default 8. */
  burst: number;
}

/** A token bucket: `take()` is the milliseconds to wait before the next request; 0 has taken a token. */
export interface Pace {
  take(now: number): number;
}

export const UNPACED: Pace = { take: () => 0 };

export function tokenBucket({ requestsPerMinute, burst }: PaceOptions): Pace {
  const msPerToken = 60_000 / requestsPerMinute;
  let tokens = burst;
  let countedAt = Number.NEGATIVE_INFINITY;
  return {
    take(now) {
      tokens = Math.min(burst, tokens + Math.max(0, now - countedAt) / msPerToken);
      countedAt = now;
      if (tokens >= 1) {
        tokens--;
        return 0;
      }
      return Math.ceil((1 - tokens) * msPerToken);
    },
  };
}
