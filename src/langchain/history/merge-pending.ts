import type { Exchange, Line } from './history-updates.js';
import type { ReadMessage } from './read-transcript.js';

type Said = Pick<ReadMessage, 'role' | 'content'>;

/**
 * A conversation as it was read, and after it what this process has said in it that has not got there yet. Left out is
 * what belongs to a run that is still under way: that is no history yet.
 *
 * A message is known by its turn where the server tells that, else by its words at the end of what was read. `arrived`
 * are exchanges of which nothing is on its way any more.
 */
export function unreadLines(
  read: readonly ReadMessage[],
  exchanges: readonly Exchange[],
  arrived: readonly Exchange[],
): Said[] {
  const underWay = new Set(
    exchanges
      .filter(exchange => exchange.state === 'open' && exchange.lines().length === 0)
      .map(({ turnId }) => turnId),
  );
  const shown = read.filter(({ turnId }) => turnId === undefined || !underWay.has(turnId));
  const byTurns = read.some(({ turnId }) => turnId !== undefined);
  if (byTurns || read.length === 0) return [...shown, ...linesByTurns(read, exchanges)];
  for (const exchange of arrived) exchange.seen();
  return withLines(shown, exchanges);
}

/** What is not in the transcript, of turns that it names. */
function linesByTurns(read: readonly ReadMessage[], exchanges: readonly Exchange[]): Line[] {
  const counts = new Map<string, number>();
  const nameOf = (turnId: string, role: string) => `${role} ${turnId}`;
  for (const { turnId, role } of read)
    if (turnId !== undefined) counts.set(nameOf(turnId, role), (counts.get(nameOf(turnId, role)) ?? 0) + 1);
  return exchanges.flatMap(exchange => {
    const missing = exchange.lines().filter(({ role }) => {
      const name = nameOf(exchange.turnId, role);
      const left = counts.get(name) ?? 0;
      counts.set(name, left - 1);
      return left <= 0;
    });
    if (missing.length === 0) exchange.seen();
    return missing;
  });
}

/** What is not in a transcript that names no turns: its end and the beginning of what is unread may overlap. */
function withLines(read: readonly Said[], exchanges: readonly Exchange[]): Said[] {
  const lines = exchanges.flatMap(exchange => exchange.lines());
  const context = read.filter(({ role }) => role === 'context').map(({ content }) => content);
  const unsaid = lines.filter(({ content }) => !context.some(text => text.includes(content)));
  let overlap = Math.min(read.length, unsaid.length);
  while (overlap > 0 && !endsWith(read, unsaid.slice(0, overlap))) overlap--;
  const asked = exchanges.find(({ state, isHandlers }) => state === 'open' && isHandlers)?.user ?? [];
  const last = read.at(-1);
  // The prompt of the run under way may have got there already.
  const shown = overlap === 0 && last?.role === 'user' && asked.includes(last.content) ? read.slice(0, -1) : read;
  return [...shown, ...unsaid.slice(overlap)];
}

function endsWith(read: readonly Said[], lines: readonly Line[]): boolean {
  return lines.every(({ role, content }, index) => {
    const other = read[read.length - lines.length + index];
    return other?.role === role && other.content === content;
  });
}
