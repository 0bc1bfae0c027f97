let latest = 0;

/**
 * The clock of the machine, in whole milliseconds since 1970, for what people read. An app's test may have put something in its place that
 * gives no number: then the last time that it gave one, or 0.
 */
export function wallNow(): number {
  const now: unknown = Date.now();
  if (typeof now === 'number' && Number.isFinite(now)) latest = Math.round(now);
  return latest;
}
