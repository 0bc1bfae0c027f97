import type { RecordMessageInput } from '../synap/messages.js';

/** A message on its way, as an outbox keeps it. Plain data: what a durable outbox writes down and reads back. */
export interface OutboxEntry {
  /** The message's `message_key`. An outbox holds a key once. */
  readonly key: string;
  readonly message: RecordMessageInput;
  /** Size of the message as JSON, in bytes. */
  readonly bytes: number;
  /** When it was accepted, in milliseconds since 1970. */
  readonly acceptedAt: number;
  /** How often it was sent without a clear answer. */
  readonly attempts: number;
}

/** Whether an outbox took an entry. `duplicate`: it holds that key already, which is as good as accepted. */
export type PutResult = 'accepted' | 'duplicate' | 'full';

/**
 * What became of a claimed entry. `delivered` and `removed` (a dead letter, or expired) are final; `released` puts it
 * back where it stood, with its number of attempts.
 */
export type Settlement =
  | { readonly key: string; readonly outcome: 'delivered' }
  | { readonly key: string; readonly outcome: 'removed'; readonly reason: string }
  | { readonly key: string; readonly outcome: 'released'; readonly attempts: number };

export interface OutboxSize {
  readonly pending: number;
  readonly pendingBytes: number;
  readonly inFlight: number;
}

export type MaybePromise<T> = T | Promise<T>;

/**
 * Holds messages until Synap has them.
 *
 * ```
 *          put              claim               settle delivered
 * (caller) ────► pending ──────────► in flight ─────────────────► gone
 *                   ▲                  │   │    settle removed
 *                   └── settle released┘   └────────────────────► gone
 * ```
 *
 * A claim takes the oldest entries first and never one whose conversation has an older entry in flight, so order within
 * a conversation is the order of `put`. A released entry keeps its place.
 */
export interface Outbox {
  /**
   * Takes an entry. Once it answers `accepted`, the outbox owns the message.
   *
   * @param options.admitted the entry belongs to a turn of which a message was accepted before: it is taken even when the
   *   outbox is full, so that no turn is torn in half.
   */
  put(entry: OutboxEntry, options: { admitted: boolean }): MaybePromise<PutResult>;
  /** The oldest pending entries within both limits; always at least one, if there is any. They are in flight from now. */
  claim(limits: { maxMessages: number; maxBytes: number }): MaybePromise<OutboxEntry[]>;
  /** Says what became of claimed entries. */
  settle(settlements: readonly Settlement[]): MaybePromise<void>;
  size(): OutboxSize;
  /** Lets go of what it holds open. A durable outbox keeps its entries; a memory outbox loses them. */
  close(): MaybePromise<void>;
  /** Whether entries outlive the process. */
  readonly durable: boolean;
}
