import { listened } from './process-events.js';

type Drain = (others: boolean) => Promise<unknown>;

const NUMBERS: Partial<Record<NodeJS.Signals, number>> = { SIGHUP: 1, SIGINT: 2, SIGQUIT: 3, SIGTERM: 15 };

const drains = new Map<NodeJS.Signals, Set<Drain>>();

/**
 * Calls `drain` when one of the signals comes, and then lets the signal do what it would have done: if nobody else
 * listens to it, it is raised again, and ends the process. A second one does not wait. Where others listen (`others`),
 * ending the process is theirs. Answers with the way to take it back.
 */
export function onSignals(signals: readonly NodeJS.Signals[], drain: Drain): () => void {
  for (const signal of signals) {
    // One listener for all recorders, so that the signal is raised again when all of them are done.
    const waiting = drains.get(signal);
    if (waiting) waiting.add(drain);
    else if (listened(process => process.on(signal, drainAll))) drains.set(signal, new Set([drain]));
  }
  return () => {
    for (const signal of signals) {
      const waiting = drains.get(signal);
      if (!waiting?.delete(drain) || waiting.size > 0) continue;
      drains.delete(signal);
      process.off(signal, drainAll);
    }
  };
}

async function drainAll(signal: NodeJS.Signals): Promise<void> {
  const waiting = [...(drains.get(signal) ?? [])];
  const others = process.listenerCount(signal) > 1;
  if (!others) {
    drains.delete(signal);
    process.off(signal, drainAll);
  }
  await Promise.allSettled(waiting.map(drain => drain(others)));
  if (others || process.listenerCount(signal) > 0) return;
  // Linux shields a container's first process from signals that it does not listen to.
  if (process.pid === 1) process.exit(128 + (NUMBERS[signal] ?? 0));
  process.kill(process.pid, signal);
}
