// A client whose key can be told apart, and that knows whose it is.

import { SynapClient } from '../../src/index.js';

export interface KeyedClientOptions {
  readonly url: string;
  readonly key: string;
  /** What whoami tells, or how it fails. Default: nothing. */
  readonly whoami?: () => Promise<{ clientId?: string; instanceId?: string }>;
}

/** A client with a fingerprint that is made of its key, and a whoami that counts how often it was asked. */
export function keyedClient({ url, key, whoami = async () => ({}) }: KeyedClientOptions) {
  const client = new SynapClient({ apiKey: key, baseUrl: url });
  const asked: AbortSignal[] = [];
  Object.defineProperties(client, {
    fingerprint: { value: `fp-${key}` },
    whoami: {
      value(options: { signal: AbortSignal }) {
        asked.push(options.signal);
        return whoami();
      },
    },
  });
  return { client, asked };
}
