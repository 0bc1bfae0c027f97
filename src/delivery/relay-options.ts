import type { Logger } from '../internal/logger.js';
import type { Outbox, OutboxEntry } from '../outbox/outbox.js';
import type { RecordingClient } from '../synap/client.js';
import type { RelayAccount } from './account.js';
import type { Backlog } from './backlog.js';
import type { BackoffOptions } from './backoff.js';
import type { GiveUpOptions } from './decide.js';
import type { Loss } from './loss.js';
import type { RateLimitOptions } from './rate-limiter.js';

export interface RelayOptions {
  outbox: Outbox;
  /** Whose messages it delivers: those of others in the outbox it leaves alone. Default: the account without a name. */
  account?: RelayAccount | undefined;
  client: RecordingClient;
  rateLimit: RateLimitOptions | false;
  /** A batch goes when one of these is reached; `lingerMs` counts from its first message. */
  batch: { maxMessages: number; maxBytes: number; lingerMs: number };
  /** Batches under way at once, 1 to 8; never two with messages of the same conversation. */
  maxInFlight: number;
  retry: BackoffOptions & GiveUpOptions;
  logger: Logger;
  onLoss(loss: Loss): void;
  /** Told when more waits than should. Never throws. Without it, nobody watches. */
  onBacklog?: ((backlog: Backlog) => void) | undefined;
  /** Told of each entry that is delivered. Never throws. */
  onDelivered?: ((entry: OutboxEntry) => void) | undefined;
}
