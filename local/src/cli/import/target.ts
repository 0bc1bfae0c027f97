import { createHash } from 'node:crypto';
import type { RateLimitOptions } from 'synap-recorder/delivery';

/** Where an import goes, under the name that its state uses, and how fast. */
export interface Target {
  readonly name: string;
  readonly rateLimit: RateLimitOptions | false;
}

/** As the recorder's own: within what Synap's smallest plan allows. */
const REQUESTS_PER_MINUTE = 48;
const BURST = 8;

/**
 * A local Synap has a key of its own for each database: a new database is another target, even at the same address.
 * Sending it a message again does no harm, because it stores a message's key once; so each of its keys may be a target.
 * The service does not deduplicate, so its address alone is the target, whatever the key.
 */
export function targetOf(baseUrl: string, apiKey: string, requestsPerMinute: number | undefined): Target {
  // The client allows http:// on this machine only.
  const local = baseUrl.startsWith('http://');
  return {
    name: local ? `${baseUrl} ${createHash('sha256').update(apiKey.trim()).digest('hex')}` : baseUrl,
    rateLimit:
      local && requestsPerMinute === undefined
        ? false
        : { requestsPerMinute: requestsPerMinute ?? REQUESTS_PER_MINUTE, burst: BURST },
  };
}
