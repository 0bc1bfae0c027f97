import type { RecordMessageInput } from '../../synap/messages.js';
import type { ClaimedEntry, ClaimLimits } from '../outbox.js';
import { pick } from '../pick-batch.js';
import type { AccountRow } from './entry-moves.js';
import type { OutboxStatements } from './statements.js';

interface Candidate {
  readonly position: number;
  readonly conversationId: string;
  readonly bytes: number;
}

const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });

/** Picks a batch. It reads the conversations that have waited longest only, so its cost does not grow with what waits. */
export function chooseEntries(
  statements: OutboxStatements,
  { id: accountId, carriedMs }: AccountRow,
  limits: ClaimLimits,
): ClaimedEntry[] {
  const ready = readyEntries(statements, accountId, limits);
  const missing = limits.onePerConversation ? 0 : limits.maxMessages - ready.length;
  const candidates = missing > 0 ? withFollowers(statements, accountId, ready, missing) : ready;
  const batch = pick(candidates, limits);
  return batch.map(({ position }) => {
    const row = statements.get('entry').get(position);
    const ageMs = Math.max(0, carriedMs - Number(row?.carriedAtMs));
    return { ...readEntry(row, limits.account), ageMs };
  });
}

/** Makes an entry of a row of the statements `entry`, `kept` and `deadLetter`. */
export function readEntry(row: unknown, account: string | undefined): ClaimedEntry {
  const { position, key, message, bytes, acceptedAt, attempts, maybeStored, error, refusedAt } = row as Record<
    string,
    unknown
  >;
  return {
    position: position as number,
    key: readText(key),
    account,
    message: JSON.parse(message as string) as RecordMessageInput,
    bytes: bytes as number,
    acceptedAt: acceptedAt as number,
    attempts: attempts as number,
    maybeStored: maybeStored === 1,
    ...(refusedAt !== null && { refused: readText(error) }),
  };
}

export function readText(blob: unknown): string {
  return utf8.decode(blob as Uint8Array);
}

/** The first of each conversation. */
function readyEntries(
  statements: OutboxStatements,
  accountId: number,
  { maxMessages, except }: ClaimLimits,
): Candidate[] {
  const oldest = statements.get('ready').all(accountId, maxMessages + except.size) as unknown as Candidate[];
  return oldest.filter(entry => !except.has(entry.conversationId)).slice(0, maxMessages);
}

/** With as many more of the same conversations, in order. */
function withFollowers(
  statements: OutboxStatements,
  accountId: number,
  ready: readonly Candidate[],
  count: number,
): Candidate[] {
  const waiting = ready.flatMap(
    ({ conversationId }) => statements.get('waiting').all(accountId, conversationId, count) as unknown as Candidate[],
  );
  return [...ready, ...waiting].sort((a, b) => a.position - b.position);
}
