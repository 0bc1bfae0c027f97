import { clearTimeout, setTimeout } from './timers.js';
export type MaybePromise<T> = T | Promise<T>;

/** Node's timers fire at once beyond this. */
export const MAX_TIMER_MS = 2 ** 31 - 1;

/** Whether an answer is still to come; it need not be a promise of this realm. */
export function isPromise<T>(value: MaybePromise<T>): value is Promise<T> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === 'function';
}

/** Rejects when the answer takes longer. This timer does hold the process: somebody waits for it. */
export async function within<T>(ms: number, answer: MaybePromise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`timed out after ${ms} ms`)), Math.min(ms, MAX_TIMER_MS));
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}
