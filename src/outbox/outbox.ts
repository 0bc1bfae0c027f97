import type { Logger } from '../internal/logger.js';
import type { MaybePromise } from '../internal/promises.js';
import type { RecordMessageInput } from '../synap/messages.js';

export type { MaybePromise };

/**
 * Where an accepted message can be, and what moves it:
 *
 * ```
 *   put ──► pending ──claim──► in_flight ──settle──► delivered     Synap has it
 *            ▲ │ ▲                │  └──────settle──► dead, expired ──purge──► (gone)
 *            │ │ └─settle─────────┘                        │
 *            │ │   or its process has died                 │
 *            │ ├──close (memory)──► lost                   │
 *            │ └──purge, if told to──► (gone)              │
 *            └──────────────────replay─────────────────────┘
 * ```
 *
 * `delivered` and `lost` are final. `dead` was refused by Synap, `expired` found no clear answer for too long: both are
 * kept as dead letters until they are replayed or purged. What is purged while it is pending counts as a dead letter that
 * was purged. A pending entry that Synap refused singly is *held*: it keeps its place, with the reason.
 */
interface Moves {
  pending: 'in_flight' | 'lost';
  in_flight: 'pending' | 'delivered' | 'dead' | 'expired' | 'lost';
  dead: 'pending';
  expired: 'pending';
  delivered: never;
  lost: never;
}

export type MessageState = keyof Moves;

/** A message on its way, as an outbox keeps it. Plain data: what a durable outbox writes down and reads back. */
export interface OutboxEntry {
  /** The message's `message_key`. An outbox holds a key once for each account. */
  readonly key: string;
  /**
   * The account that it was recorded for: it is never sent under another's key. Left out: the account without a name, `''`,
   * of a relay that knows of one only.
   */
  readonly account?: string | undefined;
  readonly message: RecordMessageInput;
  /** The message as JSON, where it has been made already: only in what is put. */
  readonly json?: string | undefined;
  /** Size of the message as JSON, in bytes. */
  readonly bytes: number;
  /** When it was accepted, in milliseconds since 1970. */
  readonly acceptedAt: number;
  /** How often it was sent without a clear answer. */
  readonly attempts: number;
  /** Whether Synap may have it already: an earlier attempt ended without an answer, or the process that sent it died. */
  readonly maybeStored: boolean;
}

/** An entry with its place in the line: positions grow with every `put`, and are never given out twice. */
export interface ClaimedEntry extends OutboxEntry {
  readonly position: number;
  /** Of a held one: why Synap refused it singly, the last time. */
  readonly refused?: string | undefined;
  /**
   * How long it has waited since it was put, in milliseconds, by the monotonic clocks of the processes that delivered
   * meanwhile. Left out: `acceptedAt` and the clock of the machine tell, which may be set.
   */
  readonly ageMs?: number | undefined;
}

/**
 * Whether an outbox took an entry. `duplicate`: it holds that key, or has delivered it not long ago, which is as good as
 * accepted.
 */
export type PutResult = 'accepted' | 'duplicate' | 'full';

export interface ClaimLimits {
  /** Whose entries. Left out: those of the account without a name. */
  readonly account?: string | undefined;
  readonly maxMessages: number;
  readonly maxBytes: number;
  /** Whether no conversation may have a second entry, even where there are not enough others to fill a batch. */
  readonly onePerConversation: boolean;
  /** Conversations that must wait. */
  readonly except: ReadonlySet<string>;
}

/**
 * What becomes of a claimed entry. `pending` puts it back where it stood; with `refused`, why Synap refused it singly in words
 * fit for a log, it is held from then on, and without, no longer.
 */
export type Settlement = { readonly key: string } & (
  | { readonly to: 'delivered' }
  | {
      readonly to: 'pending';
      readonly attempts: number;
      readonly maybeStored: boolean;
      readonly refused?: string | undefined;
    }
  | { readonly to: 'dead' | 'expired'; readonly error: string }
) & { readonly to: Exclude<Moves['in_flight'], 'lost'> };

/** Messages by what became of them. `accepted` is the sum of the others. */
export interface OutboxStats {
  readonly accepted: number;
  readonly pending: number;
  readonly inFlight: number;
  readonly delivered: number;
  readonly deadLettered: number;
  readonly expired: number;
}

/** What is known of one account of an outbox. */
export interface AccountStats extends OutboxStats {
  readonly account: string;
  /** Other names that stand for it: {@link Outbox.adopt} has remembered them. */
  readonly aliases: readonly string[];
  /** Whether a process delivers for it now, as far as that is known. */
  readonly delivering: boolean;
}

/** What can be purged: dead letters, and what is pending; `held` is the part of that which Synap refused singly. */
export type PurgeableState = 'pending' | 'held' | 'dead' | 'expired';

/** How far the line has come. */
export interface Progress {
  /** The position that was asked for, or that of the newest entry. */
  readonly position: number;
  /** How many entries up to there are pending or in flight. */
  readonly outstanding: number;
  /** How many entries up to there are dead letters. */
  readonly deadLetters: number;
}

/** A message that Synap did not take. */
export interface DeadLetter {
  readonly position: number;
  readonly key: string;
  readonly account?: string | undefined;
  readonly state: 'dead' | 'expired';
  readonly message: RecordMessageInput;
  readonly attempts: number;
  /** Why, in words fit for a log: without the message's text. */
  readonly error: string;
  readonly acceptedAt: number;
  /** When it was given up, in milliseconds since 1970. */
  readonly diedAt: number;
}

/**
 * Holds messages until Synap has them; {@link Moves} says how. Every method may answer at once or with a promise, so that
 * a store may live in this process, in a file, or behind a network.
 *
 * - `put` keeps the order of its calls. A released entry keeps its place.
 * - `claim` gives the oldest pending entries, but one of each conversation before a second of any, and none of whose
 *   conversation another is in flight: that is what keeps the order within a conversation.
 * - Each account has a line of its own: what is claimed, settled and counted for one has nothing to do with the others.
 *   Limits are the store's, and positions are unique over all accounts.
 * - Of several processes on one store, all put and, for each account, one delivers: `claim` gives nothing to the others, and
 *   `settle` refuses one that has lost its lease in the meantime. What was claimed by a process that died is pending again,
 *   `maybeStored`.
 *
 * `account` is given by the recorder with every call. A method for which it is left out is about all accounts; `claim` and
 * `settle` are about the one without a name then. An outbox that was written before there were accounts can ignore it, as
 * long as all of its entries are of one.
 *
 * A method that throws or rejects has changed nothing; the relay tries again.
 */
export interface Outbox {
  /** Whether entries outlive the process. */
  readonly durable: boolean;
  /** How often to check for what other processes have put or left behind, in milliseconds; undefined if none can. */
  readonly pollMs?: number | undefined;
  /** Where entries are kept, for a log: the path of a file. */
  readonly location?: string | undefined;
  /** Is called once, before anything else: by the recorder that the outbox now belongs to. */
  open?(logger: Logger, account?: string): void;
  /**
   * Takes an entry. Once it answers `accepted`, the outbox owns the message.
   *
   * @param options.admitted the entry belongs to a turn of which a message was accepted before: it is taken even when the
   *   outbox is full, so that no turn is torn in half.
   */
  put(entry: OutboxEntry, options: { admitted: boolean }): MaybePromise<PutResult>;
  /**
   * The oldest pending entries of an account within the limits; always at least one, if there is any. They are in flight
   * from now.
   */
  claim(limits: ClaimLimits): MaybePromise<readonly ClaimedEntry[]>;
  /** Says what became of claimed entries. `stale`: another process delivers now, and nothing was changed. */
  settle(settlements: readonly Settlement[], account?: string): MaybePromise<'settled' | 'stale'>;
  /**
   * The stats, as far as they are known here and now. Those of a store that is shared are of all its processes. `foreign`:
   * how many entries of other accounts are pending or in flight.
   */
  stats(account?: string): OutboxStats & { readonly pendingBytes: number; readonly foreign?: number };
  /** How much of its room is taken, by whichever account, from 0 to 1, as of the stats that were read last. */
  fullness?(account?: string): number;
  /**
   * How old the oldest message that waits is, in milliseconds, as {@link ClaimedEntry.ageMs} counts it; undefined where none
   * waits. For metrics.
   */
  oldestAgeMs?(account?: string): number | undefined;
  /** How far the line of an account has come up to a position: by default, up to the newest entry. */
  progress(position?: number, account?: string): MaybePromise<Progress>;
  /** Dead letters, oldest first, from behind a position. Default 100 of them. */
  deadLetters(page?: {
    after?: number | undefined;
    limit?: number | undefined;
    account?: string | undefined;
  }): MaybePromise<readonly DeadLetter[]>;
  /** Puts dead letters at the end of their account's line again: those with these keys, or all. @returns how many */
  replay(keys?: readonly string[], options?: { account?: string | undefined }): MaybePromise<number>;
  /**
   * Forgets messages for good: those with these keys, or all.
   *
   * @param options.states in which states. Default `dead` and `expired`, the dead letters. What is in flight stays.
   * @returns how many
   */
  purge(
    keys?: readonly string[],
    options?: { account?: string | undefined; states?: readonly PurgeableState[] | undefined },
  ): MaybePromise<number>;
  /** The accounts that it has entries of, or had. */
  accounts?(): MaybePromise<readonly AccountStats[]>;
  /**
   * Moves what is pending, and the dead letters, from one account to another, each to its place by age. What the other has
   * under the same key stays as it is, and the one that would move is dropped.
   *
   * @param options.isAlias the two are the same account: all that is known of the first moves, and its name stands for the
   *   other from now on, in this store
   * @returns how many were moved; `busy`: something of the first is in flight, and nothing was changed
   */
  adopt?(from: string, to: string, options?: { isAlias?: boolean | undefined }): MaybePromise<number | 'busy'>;
  /**
   * Whether what was claimed may still be sent: false once another process has taken over. It is asked right before each
   * request, after all waiting, and counts as a sign of life. Left out where no other process can.
   */
  keepsLease?(account?: string): MaybePromise<boolean>;
  /**
   * Closes what it holds open.
   *
   * @param options.isExit the process ends now: nothing can be waited for
   * @returns the entries that are lost by it: those that were in memory only
   */
  close(options?: { isExit?: boolean | undefined }): MaybePromise<readonly OutboxEntry[]>;
}
