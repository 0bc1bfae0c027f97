import type { Logger } from '../internal/logger.js';
import type { Outbox, OutboxEntry } from '../outbox/outbox.js';
import { errorForLog } from './error-for-log.js';

/** Knows what went out in a request, so that what a close leaves behind is not said to be lost when Synap may have it. */
export class LostAtClose {
  // The keys of what went out, until the outbox knows what became of it.
  readonly #sent = new Set<string>();
  /** How many were never sent, or clearly not stored. */
  lost = 0;
  /** How many Synap may have. */
  maybeLost = 0;

  sending(entries: readonly OutboxEntry[]): void {
    for (const { key } of entries) this.#sent.add(key);
  }

  settled(entries: readonly OutboxEntry[]): void {
    for (const { key } of entries) this.#sent.delete(key);
  }

  /** Counts, logs and reports what was left in memory. */
  close(
    left: readonly OutboxEntry[],
    logger: Logger,
    report: (entry: OutboxEntry, reason: 'shutdown' | 'maybe_lost') => void,
  ): void {
    if (left.length === 0) return;
    const mayBeStored = (entry: OutboxEntry) => entry.maybeStored || this.#sent.has(entry.key);
    this.maybeLost = left.filter(mayBeStored).length;
    this.lost = left.length - this.maybeLost;
    logger.error(closedWith(this.lost, this.maybeLost));
    for (const entry of left) report(entry, mayBeStored(entry) ? 'maybe_lost' : 'shutdown');
  }
}

/** The outbox has not closed in time. */
export function sayNotClosed(
  { outbox, logger }: { readonly outbox: Outbox; readonly logger: Logger },
  ms: number,
  error: unknown,
): void {
  const what = `the outbox could not be closed within ${ms} ms: ${errorForLog(error)}`;
  if (outbox.durable) logger.warn(`${what}. What it has stored is kept, and sent by the next process that opens it`);
  else logger.error(`${what}. Messages that were only in memory are lost`);
}

function closedWith(lost: number, maybeLost: number): string {
  const count = (messages: number) => `${messages} message${messages === 1 ? '' : 's'}`;
  const why = `a request with ${maybeLost === 1 ? 'it' : 'them'} was under way`;
  if (maybeLost === 0) return `closed with ${count(lost)} undelivered and lost`;
  if (lost === 0) return `closed with ${count(maybeLost)} that may be lost: ${why}`;
  return `closed with ${count(lost)} undelivered and lost, and ${maybeLost} that may be lost: ${why}`;
}
