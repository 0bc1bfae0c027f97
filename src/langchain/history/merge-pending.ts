import type { HistoryEntry, Line } from './history-updates.js';
import type { ReadMessage } from './read-transcript.js';

type Said = Pick<ReadMessage, 'role' | 'content'>;

/**
 * A conversation as it was read, and after it what this process has said in it that has not got there yet. Left out is
 * what belongs to a run that is still under way: that is no history yet.
 *
 * A message is known by its turn where the server tells that, else by its words at the end of what was read. `arrived`
 * are updates of which nothing is on its way any more.
 */
export function mergePending(
  read: readonly ReadMessage[],
  updates: readonly HistoryEntry[],
  arrived: readonly HistoryEntry[],
): Said[] {
  const underWay = new Set(
    updates.filter(entry => entry.state === 'open' && entry.lines().length === 0).map(({ turnId }) => turnId),
  );
  const shown = read.filter(({ turnId }) => turnId === undefined || !underWay.has(turnId));
  const byTurns = read.some(({ turnId }) => turnId !== undefined);
  if (byTurns || read.length === 0) return [...shown, ...linesByTurns(read, updates)];
  for (const entry of arrived) entry.seen();
  return withLines(shown, updates);
}

/** What is not in the transcript, of turns that it names. */
function linesByTurns(read: readonly ReadMessage[], updates: readonly HistoryEntry[]): Line[] {
  const counts = new Map<string, number>();
  const nameOf = (turnId: string, role: string) => `${role} ${turnId}`;
  for (const { turnId, role } of read)
    if (turnId !== undefined) counts.set(nameOf(turnId, role), (counts.get(nameOf(turnId, role)) ?? 0) + 1);
  return updates.flatMap(entry => {
    const missing = entry.lines().filter(({ role }) => {
      const name = nameOf(entry.turnId, role);
      const left = counts.get(name) ?? 0;
      counts.set(name, left - 1);
      return left <= 0;
    });
    if (missing.length === 0) entry.seen();
    return missing;
  });
}

/** What is not in a transcript that names no turns: its end and the beginning of what is pending may overlap. */
function withLines(read: readonly Said[], updates: readonly HistoryEntry[]): Said[] {
  const lines = updates.flatMap(entry => entry.lines());
  const context = read.filter(({ role }) => role === 'context').map(({ content }) => content);
  const unsaid = lines.filter(({ content }) => !context.some(text => text.includes(content)));
  let overlap = Math.min(read.length, unsaid.length);
  while (overlap > 0 && !endsWith(read, unsaid.slice(0, overlap))) overlap--;
  const prompts = updates.find(({ state, isHandlers }) => state === 'open' && isHandlers)?.user ?? [];
  const last = read.at(-1);
  // The prompt of the run under way may have got there already.
  const shown = overlap === 0 && last?.role === 'user' && prompts.includes(last.content) ? read.slice(0, -1) : read;
  return [...shown, ...unsaid.slice(overlap)];
}

function endsWith(read: readonly Said[], lines: readonly Line[]): boolean {
  return lines.every(({ role, content }, index) => {
    const other = read[read.length - lines.length + index];
    return other?.role === role && other.content === content;
  });
}
