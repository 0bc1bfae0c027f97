type Flush = () => Promise<unknown>;

// An app may make a recorder for each request and never close it: only those that are still held by somebody, as each is
// that has a message waiting, are flushed.
const flushes = new Set<WeakRef<Flush>>();
const SWEEP_EVERY = 64;

// One listener for all recorders: a process may hold more than Node's limit of listeners.
function flushAll(): void {
  for (const flush of flushes) void flush.deref()?.();
}

/**
 * Calls `flush`, as long as the caller keeps it, when the process is about to end by itself. Work that it starts keeps the
 * process alive until it is done; Node calls again then, so a flush with nothing to do must start none. Answers with the
 * way to take it back.
 */
export function onBeforeExit(flush: Flush): () => void {
  if (typeof process === 'undefined' || typeof process.on !== 'function' || typeof WeakRef === 'undefined')
    return () => {};
  if (flushes.size === 0) process.on('beforeExit', flushAll);
  else if (flushes.size % SWEEP_EVERY === 0) for (const known of flushes) if (!known.deref()) flushes.delete(known);
  const reference = new WeakRef(flush);
  flushes.add(reference);
  return () => {
    flushes.delete(reference);
    if (flushes.size === 0) process.off('beforeExit', flushAll);
  };
}
