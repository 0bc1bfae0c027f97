import * as z from 'zod/v4';
import { monotonicNow } from '../internal/monotonic-clock.js';
import { wallNow } from '../internal/wall-clock.js';
import { byPosition, type Held, hold, MemoryLine, release } from './memory-line.js';
import type {
  AccountStats,
  ClaimedEntry,
  ClaimLimits,
  DeadLetter,
  Outbox,
  OutboxEntry,
  Progress,
  PurgeableState,
  PutResult,
  Settlement,
} from './outbox.js';
import { readOutboxOptions } from './read-options.js';

const MiB = 1024 * 1024;

const MAX_DEAD_LETTERS = 1000;
const MAX_DEAD_LETTER_BYTES = 4 * MiB;

export interface MemoryOutboxOptions {
  /** Messages it holds at most, in flight included; at least 1, `Infinity` for no limit. Default 10,000. */
  maxMessages?: number | undefined;
  /** Bytes that they take at most, in flight included; at least 1, `Infinity` for no limit. Default 32 MiB. */
  maxBytes?: number | undefined;
}

const limit = z.custom<number>(
  value => value === Number.POSITIVE_INFINITY || (Number.isSafeInteger(value) && (value as number) >= 1),
  'must be a whole number, 1 or more, or Infinity',
);

const schema = z.strictObject({
  maxMessages: limit.default(10_000),
  maxBytes: limit.default(32 * MiB),
});

/** An outbox that answers at once. */
export interface MemoryOutbox extends Outbox {
  put(entry: OutboxEntry, options: { admitted: boolean }): PutResult;
  claim(limits: ClaimLimits): ClaimedEntry[];
  settle(settlements: readonly Settlement[], account?: string): 'settled';
  progress(position?: number, account?: string): Progress;
  fullness(): number;
  deadLetters(page?: {
    after?: number | undefined;
    limit?: number | undefined;
    account?: string | undefined;
  }): (DeadLetter & ClaimedEntry)[];
  replay(keys?: readonly string[], options?: { account?: string | undefined }): number;
  purge(
    keys?: readonly string[],
    options?: { account?: string | undefined; states?: readonly PurgeableState[] | undefined },
  ): number;
  accounts(): AccountStats[];
  adopt(from: string, to: string, options?: { isAlias?: boolean | undefined }): number | 'busy';
  close(): OutboxEntry[];
}

/**
 * An outbox in memory: the default. It refuses the newest turn when it is full, because dropping the oldest would tear a
 * hole in a conversation already begun. What it holds is lost with the process; `recorder.close()` empties it first.
 * Of its dead letters it keeps the newest 1,000, and 4 MiB at most.
 *
 * @throws {@link InvalidInputError} an option is wrong, or there is none of that name; `field` names it
 */
export function memoryOutbox(options: MemoryOutboxOptions = {}): MemoryOutbox {
  const { maxMessages, maxBytes } = readOutboxOptions('memoryOutbox', schema, options);
  const lines = new Map<string, MemoryLine>();
  const aliases = new Map<string, string>();
  // Of what is pending or in flight, and of the dead letters.
  let bytes = 0;
  let deadBytes = 0;
  let newest = 0;
  let isClosed = false;

  const nameOf = (account = '') => aliases.get(account) ?? account;

  function lineOf(account?: string): MemoryLine {
    const name = nameOf(account);
    const line = lines.get(name) ?? new MemoryLine();
    lines.set(name, line);
    return line;
  }

  /** The line of an account, or, without one, all of them. */
  function linesOf(account?: string): MemoryLine[] {
    return account === undefined ? [...lines.values()] : [lineOf(account)];
  }

  function boundDeadLetters(line: MemoryLine): void {
    const letters = () => [...lines.values()].reduce((sum, { deadCount }) => sum + deadCount, 0);
    for (const { key } of line.dead) {
      if (letters() <= MAX_DEAD_LETTERS && deadBytes <= MAX_DEAD_LETTER_BYTES) break;
      deadBytes -= line.removeDead(key)?.bytes ?? 0;
    }
  }

  const outstanding = () => [...lines.values()].reduce((sum, { size }) => sum + size, 0);

  return {
    durable: false,

    put(entry, { admitted }): PutResult {
      const line = lineOf(entry.account);
      if (line.has(entry.key)) return 'duplicate';
      if (!admitted && (outstanding() >= maxMessages || bytes + entry.bytes > maxBytes)) return 'full';
      line.append(hold(entry, ++newest));
      line.stats.accepted++;
      bytes += entry.bytes;
      return 'accepted';
    },

    claim(limits: ClaimLimits): ClaimedEntry[] {
      const { account } = limits;
      return lineOf(account)
        .claim(limits)
        .map(entry => release({ ...entry, account }));
    },

    settle(settlements: readonly Settlement[], account?: string): 'settled' {
      const line = lineOf(account);
      for (const settlement of settlements) {
        const left = line.settle(settlement);
        if (left === undefined) continue;
        bytes -= left.bytes;
        if (settlement.to === 'delivered') continue;
        deadBytes += left.bytes;
        boundDeadLetters(line);
      }
      return 'settled';
    },

    stats(account) {
      const sum = new MemoryLine().stats;
      for (const { stats } of linesOf(account))
        for (const name of Object.keys(sum) as (keyof typeof sum)[]) sum[name] += stats[name];
      return { ...sum, foreign: outstanding() - sum.pending - sum.inFlight };
    },

    fullness: () => Math.max(outstanding() / maxMessages, bytes / maxBytes),

    oldestAgeMs(account) {
      const times = linesOf(account).map(line => line.oldestSince ?? Number.POSITIVE_INFINITY);
      const oldest = Math.min(Number.POSITIVE_INFINITY, ...times);
      return oldest === Number.POSITIVE_INFINITY ? undefined : monotonicNow() - oldest;
    },

    progress(position = newest, account = undefined) {
      const upTo = (of: (line: MemoryLine) => readonly Held[]) =>
        linesOf(account).reduce((sum, line) => sum + of(line).filter(entry => entry.position <= position).length, 0);
      const waiting =
        position >= newest ? linesOf(account).reduce((sum, { size }) => sum + size, 0) : upTo(({ waiting }) => waiting);
      return { position, outstanding: waiting, deadLetters: upTo(({ dead }) => dead) };
    },

    deadLetters({ after = 0, limit = 100, account } = {}) {
      const letters = linesOf(account).flatMap(({ dead }) => dead.filter(letter => letter.position > after));
      return letters.sort(byPosition).slice(0, limit).map(release);
    },

    replay(keys, { account } = {}): number {
      if (isClosed) throw new Error('this outbox is closed');
      const wanted = keys && new Set(keys);
      const letters = linesOf(account)
        .flatMap(line => line.dead.map(letter => ({ line, letter })))
        .filter(({ letter }) => wanted?.has(letter.key) ?? true)
        .sort((a, b) => byPosition(a.letter, b.letter));
      for (const { line, letter } of letters) {
        const { state, error: _, diedAt: __, ...entry } = letter;
        line.removeDead(entry.key);
        line.stats[state === 'dead' ? 'deadLettered' : 'expired']--;
        line.append({ ...entry, position: ++newest, acceptedAt: wallNow(), since: monotonicNow(), attempts: 0 });
        deadBytes -= entry.bytes;
        bytes += entry.bytes;
      }
      return letters.length;
    },

    purge(keys, { account, states = ['dead', 'expired'] } = {}): number {
      const wanted = keys && new Set(keys);
      const [isPending, isHeld] = [states.includes('pending'), states.includes('held')];
      let purged = 0;
      for (const line of linesOf(account)) {
        for (const { key, state } of line.dead) {
          if (!states.includes(state) || wanted?.has(key) === false) continue;
          deadBytes -= line.removeDead(key)?.bytes ?? 0;
          purged++;
        }
        if (!isPending && !isHeld) continue;
        for (const { key } of line.waiting) {
          if (wanted?.has(key) === false) continue;
          const removed = line.removePending(key, { onlyHeld: !isPending });
          if (removed === undefined) continue;
          bytes -= removed.bytes;
          purged++;
        }
      }
      return purged;
    },

    accounts() {
      const aliasesOf = (account: string) =>
        [...aliases].filter(([, name]) => name === account).map(([alias]) => alias);
      return [...lines].map(([account, { stats }]) => {
        const { pendingBytes: _, ...counters } = stats;
        return { account, aliases: aliasesOf(account), ...counters, delivering: stats.inFlight > 0 };
      });
    },

    adopt(from, to, { isAlias = false } = {}) {
      const [source, target] = [lineOf(from), lineOf(to)];
      if (source.stats.inFlight > 0) return 'busy';
      if (source === target) return 0;
      const { moved, dropped } = target.absorb(source, nameOf(to), { all: isAlias });
      for (const entry of dropped) {
        if ('diedAt' in entry) deadBytes -= entry.bytes;
        else bytes -= entry.bytes;
      }
      if (isAlias) {
        const name = nameOf(to);
        for (const [alias, account] of aliases) if (account === nameOf(from)) aliases.set(alias, name);
        lines.delete(nameOf(from));
        aliases.set(from, name);
      }
      return moved;
    },

    close(): OutboxEntry[] {
      isClosed = true;
      const lost = [...lines.values()].flatMap(({ waiting }) => waiting).sort(byPosition);
      for (const line of lines.values()) line.clear();
      bytes = 0;
      return lost.map(entry => {
        const { state: _, ...rest } = entry as Held & { state?: string };
        return release(rest);
      });
    },
  };
}
