let latest = 0;
let ahead = 0;

/**
 * Milliseconds that never go back, whatever is done to the clock of the machine: for what must be over after a time. When
 * the clock is set back, this one goes on from where it was.
 */
export function monotonicNow(): number {
  const now = Date.now() + ahead;
  if (now >= latest) {
    latest = now;
    return now;
  }
  ahead += latest - now;
  return latest;
}
