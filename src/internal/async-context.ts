import { AsyncLocalStorage } from 'node:async_hooks';

/** Runs a function in an async context that was kept. */
export type InContext = <R, A extends unknown[]>(fn: (...args: A) => R, ...args: A) => R;

/** Keeps the async context of here and now. Next.js's edge runtime has no snapshot: there nothing is kept. */
function keepContext(): InContext {
  return typeof AsyncLocalStorage.snapshot === 'function' ? AsyncLocalStorage.snapshot() : (fn, ...args) => fn(...args);
}

/**
 * Runs a function in the context in which this package was loaded, and so in none of an app's requests. What is started
 * in a request stays in it for good otherwise: its spans would be parts of that request's trace, and a timer would hold
 * what the app keeps for it.
 */
export const outsideRequests: InContext = keepContext();
