import type { RelayAccount } from '../delivery/account.js';
import type { Outbox } from '../outbox/outbox.js';
import type { RecordingClient } from '../synap/client.js';
import { InvalidInputError } from '../synap/errors.js';
import { type ConnectionOptions, readIdHeaders } from '../synap/settings.js';

/** What the account of a client without a key that can be told apart is called. */
const OWN_CLIENT = 'own client';

/** What Synap says of a key. */
interface Whoami {
  readonly clientId?: unknown;
  readonly instanceId?: unknown;
}

/** What a client may have beside its calls: a `SynapClient` does, one of the app's own need not. */
interface IdentifiedClient {
  readonly baseUrl?: unknown;
  /** Tells one key from another, without showing it. */
  readonly fingerprint?: unknown;
  whoami?(options: { signal: AbortSignal }): Promise<Whoami>;
}

interface AccountOptions extends Omit<ConnectionOptions, 'logger'> {
  readonly account?: string | undefined;
  readonly client?: RecordingClient | undefined;
}

/** Refuses what would leave open whose messages an outbox holds. */
export function checkAccount({ account, apiKey, client }: AccountOptions, outbox: Outbox): void {
  if (account !== undefined || client !== undefined || !outbox.durable || typeof (apiKey as unknown) !== 'function')
    return;
  throw new InvalidInputError(
    "createRecorder: account is missing: with an apiKey that is a function, name the account whose messages the durable outbox holds, for example { account: 'production' }",
    { field: 'account' },
  );
}

/**
 * Whose messages a recorder takes: the account that the app names, or the one of its key. That is called by the key's
 * fingerprint first, and by the ids of the account once Synap has told them.
 */
export function accountOf(options: AccountOptions, client: RecordingClient): RelayAccount {
  if (options.account !== undefined) return { name: options.account };
  const { address, fingerprint, whoami } = readClient(client);
  const called = (name: string) => (address === undefined ? name : `${address} ${name}`);
  if (fingerprint === undefined) return { name: called(OWN_CLIENT), address };
  // A key may reach several instances, and these say which.
  const ids = options.client ? {} : readIdHeaders({ ...options, logger: false });
  const { 'x-client-id': clientId, 'x-instance-id': instanceId } = ids;
  const lasting = (client: string, instance: string) => called(`${client}/${instance}`);
  if (clientId && instanceId) return { name: lasting(clientId, instanceId), address };
  const parts = [`key:${fingerprint}`, clientId && `client:${clientId}`, instanceId && `instance:${instanceId}`];
  const name = called(parts.filter(Boolean).join(' '));
  if (whoami === undefined) return { name, address };
  return {
    name,
    address,
    async identify(signal) {
      const told = await whoami.call(client, { signal });
      const tellsClient = clientId ?? idOf(told?.clientId);
      const tellsInstance = instanceId ?? idOf(told?.instanceId);
      return tellsClient && tellsInstance ? lasting(tellsClient, tellsInstance) : undefined;
    },
  };
}

/** What a client says of itself. One of the app's own may say anything, or fail. */
function readClient(client: object) {
  try {
    const { baseUrl, fingerprint, whoami } = client as IdentifiedClient;
    return {
      address: addressOf(baseUrl),
      fingerprint: idOf(fingerprint),
      whoami: typeof whoami === 'function' ? whoami : undefined,
    };
  } catch {
    return {};
  }
}

/** Without what is secret in a URL. */
function addressOf(baseUrl: unknown): string | undefined {
  if (typeof baseUrl !== 'string' || !URL.canParse(baseUrl)) return undefined;
  const { protocol, host, pathname } = new URL(baseUrl);
  return `${protocol}//${host}${pathname.replace(/\/+$/, '')}`;
}

/** An id that can be a part of a name. */
function idOf(value: unknown): string | undefined {
  const id = typeof value === 'string' || typeof value === 'number' ? String(value) : '';
  return /^[^\s\p{Cc}]{1,200}$/u.test(id) ? id : undefined;
}
