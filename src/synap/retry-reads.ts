import { monotonicNow } from '../internal/monotonic-clock.js';
import { clearTimeout, setTimeout } from '../internal/timers.js';
import { RateLimitError, ServiceUnavailableError, SynapError } from './errors.js';

/** How often a read is sent at most. */
const MAX_ATTEMPTS = 3;
/** Before the second attempt, and twice as long before the third. */
const FIRST_WAIT_MS = 100;

export interface ReadLimits {
  /** Milliseconds for all attempts and the waits between them. */
  readonly timeoutMs: number;
  /** Ends the waiting, each as soon as it aborts. */
  readonly signals: readonly (AbortSignal | undefined)[];
}

/**
 * Sends a request that changes nothing, and sends it again where that may help: Synap was not reached, the connection broke,
 * a 5xx, a 429 that says when. No wait goes beyond the deadline: then the error comes at once.
 */
export async function retryReads<T>(read: () => Promise<T>, { timeoutMs, signals }: ReadLimits): Promise<T> {
  const ends = monotonicNow() + timeoutMs;
  for (let attempt = 1; ; attempt++) {
    try {
      return await read();
    } catch (error) {
      const waitMs = waitAfter(error, attempt);
      if (waitMs === undefined || monotonicNow() + waitMs >= ends) throw error;
      if (await isAbortedWithin(waitMs, signals)) throw error;
    }
  }
}

function waitAfter(error: unknown, attempt: number): number | undefined {
  if (attempt >= MAX_ATTEMPTS || !SynapError.is(error) || !error.retryable) return undefined;
  if (RateLimitError.is(error)) return error.retryAfterMs;
  const backoffMs = FIRST_WAIT_MS * 2 ** (attempt - 1) * (1 + Math.random());
  return ServiceUnavailableError.is(error) ? Math.max(error.retryAfterMs ?? 0, backoffMs) : backoffMs;
}

/** Next.js's edge runtime has no AbortSignal.any. */
function isAbortedWithin(ms: number, signals: ReadLimits['signals']): Promise<boolean> {
  if (signals.some(signal => signal?.aborted)) return Promise.resolve(true);
  return new Promise(resolve => {
    const end = (aborted: boolean) => {
      clearTimeout(timer);
      for (const signal of signals) signal?.removeEventListener('abort', abort);
      resolve(aborted);
    };
    const abort = () => end(true);
    const timer = setTimeout(() => end(false), ms);
    for (const signal of signals) signal?.addEventListener('abort', abort);
  });
}
