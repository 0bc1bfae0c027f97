import { env, isQuoted, type WarningLogger } from '../../internal/env.js';
import { AuthenticationError, InvalidInputError } from '../../synap/errors.js';
import { chooseProxy, type HttpProxy } from '../../synap/proxy.js';
import { SynapEndpoint } from '../../synap/request.js';
import { readApiKey, readBaseUrl, readIdHeaders } from '../../synap/settings.js';
import type { ConnectionFlags } from '../flags.js';
import { type Check, ok, warning, wrong } from './check.js';
import { checkProxy } from './proxy.js';

/** Where Synap is. */
export interface Endpoint {
  readonly synap: SynapEndpoint;
  readonly hasKey: boolean;
  /** What requests to it go through. */
  readonly proxy: HttpProxy | undefined;
}

/** What was found in flags and environment. */
export interface Settings {
  /** Undefined when the address can't be used. */
  readonly endpoint: Endpoint | undefined;
  readonly checks: readonly Check[];
}

/** Checks the key and the address as the client does, without sending anything. */
export function checkSettings(flags: ConnectionFlags): Settings {
  const warnings: string[] = [];
  const logger = { warn: (line: string) => void warnings.push(line.replace('[synap-recorder] ', '')) };
  const key = checkKey(flags, logger);
  const address = checkAddress(flags);
  const idHeaders = readIdHeaders({ logger });
  const choice = address.url ? chooseProxy(address.url, undefined) : {};
  const odd = warnings.map(line => warning('environment', line, 'correct the variable where the app runs'));
  return {
    endpoint: address.url && {
      synap: new SynapEndpoint({ url: address.url, apiKey: key.apiKey, idHeaders }),
      hasKey: key.apiKey !== undefined,
      proxy: choice.proxy,
    },
    checks: [key.check, address.check, ...(address.url ? checkProxy(address.url, choice) : []), ...odd],
  };
}

function checkKey(flags: ConnectionFlags, logger: WarningLogger): { apiKey?: string; check: Check } {
  const from = flags.apiKey === undefined ? 'SYNAP_API_KEY' : '--api-key';
  const given = flags.apiKey?.trim() ?? env('SYNAP_API_KEY');
  if (given !== undefined && isQuoted(given)) {
    const finding = `${from} stands in quotes, which are sent as a part of the key`;
    return { check: wrong('key', finding, "set it without them: Docker's --env-file and many panels keep quotes") };
  }
  try {
    return { apiKey: readApiKey({ apiKey: flags.apiKey, logger }), check: ok('key', `from ${from}`) };
  } catch (error) {
    if (!AuthenticationError.is(error)) throw error;
    const check = given
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
    return { check };
  }
}

function checkAddress({ baseUrl }: ConnectionFlags): { url?: URL; check: Check } {
  const from = baseUrl !== undefined ? '--base-url' : process.env.SYNAP_BASE_URL ? 'SYNAP_BASE_URL' : 'the default';
  try {
    const url = readBaseUrl({ baseUrl });
    return { url, check: ok('address', `${url.href.replace(/\/+$/, '')}, from ${from}`) };
  } catch (error) {
    if (!InvalidInputError.is(error)) throw error;
    const problem = error.message.replace(/^(baseUrl|SYNAP_BASE_URL) /, '');
    const advice = `set ${baseUrl === undefined ? 'SYNAP_BASE_URL' : from} to https://…, or leave it out for the cloud`;
    return { check: wrong('address', `${from} ${problem}`, advice) };
  }
}
