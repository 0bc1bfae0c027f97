import { SynapClient } from '../../synap/client.js';
import { AuthenticationError, InvalidInputError } from '../../synap/errors.js';
import type { ConnectionFlags } from '../flags.js';
import { type Check, ok, wrong } from './check.js';

/** What was found in flags and environment. Parts that are wrong are undefined. */
export interface Settings {
  readonly apiKey: string | undefined;
  readonly baseUrl: string | undefined;
  readonly checks: readonly Check[];
}

// Only has to be well-formed: the client that it is given to sends nothing.
const ANY_KEY = 'any-key';

/** Looks at the key and the address as the client does, without sending anything. */
export function checkSettings(flags: ConnectionFlags): Settings {
  const key = checkKey(flags);
  const address = checkAddress(flags);
  const given = (flags.apiKey ?? process.env.SYNAP_API_KEY ?? '').trim();
  return {
    apiKey: key.status === 'ok' ? given : undefined,
    baseUrl: address.baseUrl,
    checks: [key, address.check],
  };
}

function checkKey({ apiKey }: ConnectionFlags): Check {
  const from = apiKey === undefined ? 'SYNAP_API_KEY' : '--api-key';
  try {
    new SynapClient({ apiKey, baseUrl: 'https://localhost' });
    return ok('key', `from ${from}`);
  } catch (error) {
    if (!AuthenticationError.is(error)) throw error;
    const set = (apiKey ?? process.env.SYNAP_API_KEY ?? '').trim() !== '';
    return set
      ? wrong(
          'key',
          `${from} holds a space, a line break or a character outside ASCII`,
          'copy the key again, whole, and nothing else',
        )
      : wrong(
          'key',
          'there is none',
          'set SYNAP_API_KEY; npx synap-recorder-local prints one for a Synap on this machine',
        );
  }
}

function checkAddress({ baseUrl }: ConnectionFlags): { baseUrl: string | undefined; check: Check } {
  const from = baseUrl !== undefined ? '--base-url' : process.env.SYNAP_BASE_URL ? 'SYNAP_BASE_URL' : 'the default';
  try {
    const client = new SynapClient({ apiKey: ANY_KEY, baseUrl, logger: false });
    return { baseUrl: client.baseUrl, check: ok('address', `${client.baseUrl}, from ${from}`) };
  } catch (error) {
    if (!InvalidInputError.is(error)) throw error;
    const check = wrong(
      'address',
      `${from}: ${error.message.replace(`${from} `, '')}`,
      'set SYNAP_BASE_URL to https://…, or leave it out for the cloud',
    );
    return { baseUrl: undefined, check };
  }
}
