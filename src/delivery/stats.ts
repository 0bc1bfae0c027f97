import type { OutboxStats } from '../outbox/outbox.js';

/** The stats of the outbox, and what only its relay knows. `accepted` is the sum of the others but the last two. */
export interface DeliveryStats extends OutboxStats {
  /**
   * Pending, while Synap refuses the key, the account or the address; then `pending` is 0. And messages that Synap has
   * refused by themselves, until another tells whether it is the message or the account.
   */
  held: number;
  /** Still in memory when the recorder was closed, and not stored by Synap: never sent, or clearly not taken. */
  lostAtShutdown: number;
  /** In memory only when the recorder was closed, too, but Synap may have it: a request with it was under way. */
  maybeLost: number;
  /**
   * Copies that Synap may hold beyond the first: each time a message was sent again though an earlier attempt may have
   * stored it. One message can count several times.
   */
  possibleDuplicates: number;
  /** Messages that the outbox holds for other accounts, pending or in flight. This recorder does not send them. */
  foreign: number;
}

export const NO_STATS = {
  accepted: 0,
  pending: 0,
  held: 0,
  inFlight: 0,
  delivered: 0,
  deadLettered: 0,
  expired: 0,
  pendingBytes: 0,
  lostAtShutdown: 0,
  maybeLost: 0,
  possibleDuplicates: 0,
  foreign: 0,
};
