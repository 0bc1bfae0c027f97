import type { Logger } from '../internal/logger.js';
import type { MaybePromise } from '../internal/promises.js';
import type { RecordMessageInput } from '../synap/messages.js';

export type { MaybePromise };

/**
 * Where an accepted message can be, and what moves it:
 *
 * ```
 *   put ──► pending ──claim──► in_flight ──settle──► delivered     Synap has it
 *            ▲ │ ▲                │  └──────settle──► dead, expired
 *            │ │ └─settle─────────┘                        │
 *            │ │   or its process has died                 │
 *            │ └──close (memory)──► lost                   │
 *            └──────────────────replay─────────────────────┘
 * ```
 *
 * `delivered` and `lost` are final. `dead` was refused by Synap, `expired` found no clear answer for too long: both are
 * kept as dead letters until they are replayed or purged.
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
  /** The message's `message_key`. An outbox holds a key once. */
  readonly key: string;
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
}

/**
 * Whether an outbox took an entry. `duplicate`: it holds that key, or has delivered it not long ago, which is as good as
 * accepted.
 */
export type PutResult = 'accepted' | 'duplicate' | 'full';

export interface ClaimLimits {
  readonly maxMessages: number;
  readonly maxBytes: number;
  /** Whether no conversation may have a second entry, even where there are not enough others to fill a batch. */
  readonly onePerConversation: boolean;
  /** Conversations that must wait. */
  readonly except: ReadonlySet<string>;
}

/**
 * What becomes of a claimed entry. `pending` puts it back where it stood; with `refused`, it is held, because Synap refused it
 * by itself: that says why, in words fit for a log.
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
 * - Of several processes on one store, all put and one delivers: `claim` gives nothing to the others, and `settle` refuses
 *   one that has lost its lease in the meantime. What was claimed by a process that died is pending again, `maybeStored`.
 *
 * A method that throws or rejects has changed nothing; the relay tries again.
 */
export interface Outbox {
  /** Whether entries outlive the process. */
  readonly durable: boolean;
  /** How often to check for what other processes have put or left behind, in milliseconds; undefined if none can. */
  readonly pollMs?: number | undefined;
  /** Is called once, before anything else: by the recorder that the outbox now belongs to. */
  open?(logger: Logger): void;
  /**
   * Takes an entry. Once it answers `accepted`, the outbox owns the message.
   *
   * @param options.admitted the entry belongs to a turn of which a message was accepted before: it is taken even when the
   *   outbox is full, so that no turn is torn in half.
   */
  put(entry: OutboxEntry, options: { admitted: boolean }): MaybePromise<PutResult>;
  /** The oldest pending entries within the limits; always at least one, if there is any. They are in flight from now. */
  claim(limits: ClaimLimits): MaybePromise<readonly ClaimedEntry[]>;
  /** Says what became of claimed entries. `stale`: another process delivers now, and nothing was changed. */
  settle(settlements: readonly Settlement[]): MaybePromise<'settled' | 'stale'>;
  /** The stats, as far as they are known here and now. Those of a store that is shared are of all its processes. */
  stats(): OutboxStats & { readonly pendingBytes: number };
  /** How far the line has come up to a position: by default, up to the newest entry. */
  progress(position?: number): MaybePromise<Progress>;
  /** Dead letters, oldest first, from behind a position. Default 100 of them. */
  deadLetters(page?: { after?: number | undefined; limit?: number | undefined }): MaybePromise<readonly DeadLetter[]>;
  /** Puts dead letters at the end of the line again: those with these keys, or all. @returns how many */
  replay(keys?: readonly string[]): MaybePromise<number>;
  /** Forgets dead letters for good: those with these keys, or all. @returns how many */
  purge(keys?: readonly string[]): MaybePromise<number>;
  /** Closes what it holds open. @returns the entries that are lost by it: those that were in memory only */
  close(): MaybePromise<readonly OutboxEntry[]>;
}
