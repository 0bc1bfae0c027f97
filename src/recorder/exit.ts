type Flush = () => Promise<unknown>;

const flushes = new Set<Flush>();

// One listener for all recorders: a process may hold more than Node's limit of listeners.
function flushAll(): void {
  for (const flush of flushes) void flush();
}

/**
 * Calls `flush` when the process is about to end by itself. Work that it starts keeps the process alive until it is
 * done; Node calls again then, so a flush with nothing to do must start none. Answers with the way to take it back.
 */
export function onBeforeExit(flush: Flush): () => void {
  if (typeof process === 'undefined' || typeof process.on !== 'function') return () => {};
  if (flushes.size === 0) process.on('beforeExit', flushAll);
  flushes.add(flush);
  return () => {
    flushes.delete(flush);
    if (flushes.size === 0) process.off('beforeExit', flushAll);
  };
}
