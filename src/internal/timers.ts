// The timers of the platform, as they were when this package was loaded: what an app puts in their place later, the fake
// timers of a test, does not stop delivery, and a flush or a close still comes to its end.
//
// They are called without an object, as Workers want it.

const real = globalThis;

export const setTimeout = real.setTimeout;
export const clearTimeout = real.clearTimeout;
export const setInterval = real.setInterval;
export const clearInterval = real.clearInterval;

const { setImmediate } = real;

/** Whether somebody has replaced the platform's immediates since, and most likely all of its timers. */
export function areReplaced(): boolean {
  return globalThis.setImmediate !== setImmediate;
}
