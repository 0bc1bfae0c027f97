import type { HistoryEntry, Line } from './history-updates.js';
import type { ReadMessage, ReadTranscript } from './read-transcript.js';

type Said = Pick<ReadMessage, 'role' | 'content'>;

/**
 * A conversation as it was read, and after it what this process has said in it that has not got there yet. Left out is
 * what belongs to a run that is still under way: that is no history yet.
 *
 * A message is known by its turn where the server tells that, else by its words at the end of what was read. `arrived`
 * are updates of which nothing is on its way any more.
 */
export function mergePending(
  { messages: read, isWhole }: ReadTranscript,
  updates: readonly HistoryEntry[],
  arrived: readonly HistoryEntry[],
): Said[] {
  const underWay = new Set(
    updates.filter(entry => entry.state === 'open' && entry.lines().length === 0).map(({ turnId }) => turnId),
  );
  const shown = read.filter(({ turnId }) => turnId === undefined || !underWay.has(turnId));
  const byTurns = read.some(({ turnId }) => turnId !== undefined);
  if (byTurns || read.length === 0) return [...shown, ...linesByTurns(read, isWhole, updates)];
  for (const entry of arrived) entry.seen();
  return withLines(shown, updates);
}

/** What is not in the transcript, of turns that it names. */
function linesByTurns(read: readonly ReadMessage[], isWhole: boolean, updates: readonly HistoryEntry[]): Line[] {
  const counts = new Map<string, number>();
  const nameOf = (turnId: string, role: string) => `${role} ${turnId}`;
  for (const { turnId, role } of read)
    if (turnId !== undefined) counts.set(nameOf(turnId, role), (counts.get(nameOf(turnId, role)) ?? 0) + 1);
  // Messages arrive in their order: what was said before one that is there is older than what was read.
  const turns = new Set(read.map(({ turnId }) => turnId));
  const first = isWhole ? 0 : updates.findIndex(({ turnId }) => turns.has(turnId));
  for (const entry of updates.slice(0, Math.max(0, first))) entry.seen();
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

/** What is not in a transcript that names no turns: its end shows how much of what this process said is there. */
function withLines(read: readonly Said[], updates: readonly HistoryEntry[]): Said[] {
  const lines = updates.flatMap(entry => entry.lines());
  const context = read.filter(({ role }) => role === 'context').map(({ content }) => content);
  const recent = read.filter(({ role }) => role !== 'context');
  const unsaid = lines.filter(({ content }) => !context.some(text => text.includes(content)));
  const there = countOfArrived(recent, unsaid);
  const prompts = updates.find(({ state, isHandlers }) => state === 'open' && isHandlers)?.user ?? [];
  const last = read.at(-1);
  // The prompt of the run under way may have got there already.
  const shown = there === 0 && last?.role === 'user' && prompts.includes(last.content) ? read.slice(0, -1) : read;
  return [...shown, ...unsaid.slice(there)];
}

/**
 * How many of the lines are there: up to the one that was read last. Of several such places, it is the one with the most
 * equal lines before it. What was compacted is not read, so those may be fewer than all.
 */
function countOfArrived(read: readonly Said[], lines: readonly Line[]): number {
  let there = 0;
  let most = 0;
  for (let count = 1; count <= lines.length; count++) {
    const equal = equalBefore(read, lines, count);
    if (equal > most) {
      most = equal;
      there = count;
    }
  }
  return there;
}

/** How many lines before the place `end` are equal to the last ones that were read. */
function equalBefore(read: readonly Said[], lines: readonly Line[], end: number): number {
  let equal = 0;
  while (equal < Math.min(read.length, end)) {
    const [a, b] = [read[read.length - 1 - equal], lines[end - 1 - equal]];
    if (a?.role !== b?.role || a?.content !== b?.content) break;
    equal++;
  }
  return equal;
}
