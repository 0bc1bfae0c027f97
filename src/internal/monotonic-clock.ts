// Taken when this package is loaded: an app that stops the clock later, for a test, does not stop this one.
const { performance } = globalThis;
const sinceStart = performance.now;

/** So that 0 is long ago, in a process that has just begun, too. */
const BEGINNING = 1e12;

let latest = 0;
let ahead = 0;

/**
 * Milliseconds that never go back, and do not jump when the clock of the machine is set: for whatever takes its time. Where the
 * platform's clock does go back, this one goes on from where it was.
 */
export function monotonicNow(): number {
  const now = BEGINNING + sinceStart.call(performance) + ahead;
  if (now >= latest) {
    latest = now;
    return now;
  }
  ahead += latest - now;
  return latest;
}
