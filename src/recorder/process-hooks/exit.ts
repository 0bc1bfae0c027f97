import { listened } from './process-events.js';

/** What a recorder does when the process ends. */
export interface ExitHooks {
  /** It ends by itself, and waits for what is begun here. */
  flush(): Promise<unknown>;
  /** It ends now. */
  exit(): void;
}

// An app may make a recorder for each request and never close it: only those that are still held by somebody, as each is
// that has a message waiting, are flushed.
const recorders = new Set<WeakRef<ExitHooks>>();
const SWEEP_EVERY = 64;

// One listener for all recorders: a process may hold more than Node's limit of listeners.
function flushAll(): void {
  for (const recorder of recorders) void recorder.deref()?.flush();
}

function exitAll(): void {
  for (const recorder of recorders) recorder.deref()?.exit();
}

/**
 * Calls `flush`, as long as the caller keeps the hooks, when the process is about to end by itself. Work that it starts
 * keeps the process alive until it is done; Node calls again then, so a flush with nothing to do must start none. Calls
 * `exit` when the process ends for good.
 *
 * @returns what takes the hooks back
 */
export function onExit(hooks: ExitHooks): () => void {
  if (typeof WeakRef === 'undefined') return () => {};
  const first = recorders.size === 0;
  if (first && !listened(process => process.on('beforeExit', flushAll).on('exit', exitAll))) return () => {};
  if (recorders.size % SWEEP_EVERY === 0) for (const known of recorders) if (!known.deref()) recorders.delete(known);
  const reference = new WeakRef(hooks);
  recorders.add(reference);
  return () => {
    recorders.delete(reference);
    if (recorders.size === 0) process.off('beforeExit', flushAll).off('exit', exitAll);
  };
}
