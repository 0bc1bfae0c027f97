/**
 * `synap-recorder/delivery`: for a tool that delivers messages which were made elsewhere, as an import does.
 *
 * It exports the relay that the recorder itself delivers with (batches, rate limit, retries, order within each
 * conversation), and the questions whether an error concerns the account, and so every message after it, or may do so.
 * The outbox to deliver from is `memoryOutbox()` of `synap-recorder`, or one of your own.
 */
export type { RelayAccount } from './delivery/account.js';
export { isAboutAccount, mayBeAboutAccount } from './delivery/decide.js';
export type { RateLimitOptions } from './delivery/rate-limiter.js';
export { Relay } from './delivery/relay.js';
export type { RelayOptions } from './delivery/relay-options.js';
export type { DeliveryStats } from './delivery/stats.js';
