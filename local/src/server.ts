import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { isIPv6 } from 'node:net';
import { resolve } from 'node:path';
import { getRequestListener } from '@hono/node-server';
import type { Tenancy } from 'synap-recorder';
import * as z from 'zod/v4';
import { createApp, SAFE_HEADERS } from './app.js';
import { BackgroundIndexing } from './background-indexing.js';
import { IN_MEMORY } from './database.js';
import { LocalSynapError } from './errors.js';
import { Feed } from './feed.js';
import { gracefulClose } from './graceful-close.js';
import { type HostPolicy, isAllowedHost, isForeignOrigin, isLoopbackName } from './host-check.js';
import { ApiKeys, generateApiKey } from './keys.js';
import { listen } from './listen.js';
import { Store } from './store.js';
import { generateSecret, Sessions } from './viewer/sessions.js';

const SECOND = 1000;
const CLOSE_MS = 2 * SECOND;

export interface LocalSynapOptions {
  /** 0, the default, picks a free one. */
  port?: number | undefined;
  /** The address to listen on. Default `127.0.0.1`: this machine only. */
  host?: string | undefined;
  /**
   * Names under which a server that others can reach is called, without a port. `host` itself, if it is one address,
   * and the loopback names are always allowed. Requests under any other name get 403.
   */
  allowedHosts?: readonly string[] | undefined;
  /** A file; created when missing. Default `:memory:`, which is gone after `close()`. */
  database?: string | undefined;
  /**
   * With `b2b` every message needs a customer, and a conversation belongs to one. With `b2c` the customer is resolved
   * from the user. Default: that of the database, or `b2c` for a new one.
   */
  tenancy?: Tenancy | undefined;
  /**
   * Refuses messages that name a customer (`customer_id`), as B2C instances of the service may: each with 400, or as one
   * failed entry of a batch. Only for `b2c`. Default false: a customer is harmless.
   */
  strictB2c?: boolean | undefined;
  /** The keys that are accepted. Default: one generated for the database, which stays the same over restarts. */
  apiKeys?: readonly string[] | undefined;
  /** A request with a larger body gets 413. Default 4 MiB. */
  maxBodyBytes?: number | undefined;
}

/** A Synap on this machine that is running. */
export interface LocalSynap extends AsyncDisposable {
  /** What goes into `baseUrl`, or `SYNAP_BASE_URL`. */
  readonly url: string;
  /** What goes into `apiKey`, or `SYNAP_API_KEY`: the first of `apiKeys`, or the generated one. */
  readonly apiKey: string;
  /**
   * A link to the viewer, for a browser. It signs in one browser, once; each call makes a new one. Without a link, the
   * viewer asks for the API key.
   */
  viewerUrl(): string;
  readonly tenancy: Tenancy;
  /** The file's whole path, or `:memory:`. */
  readonly database: string;
  /** Lets running requests finish, for two seconds at the most, and closes the database. Later calls return the same promise. */
  close(): Promise<void>;
}

const name = z.string().regex(/^[^\s/]+$/, { error: 'must be a host name or an address' });

const optionFields = z.strictObject({
  port: z.int().min(0).max(65_535).default(0),
  host: name.default('127.0.0.1'),
  allowedHosts: z.array(name).default([]),
  database: z.string().min(1).default(IN_MEMORY),
  tenancy: z.enum(['b2b', 'b2c']).optional(),
  strictB2c: z.boolean().default(false),
  apiKeys: z
    .array(z.string().regex(/^[\x21-\x7e]+$/, { error: 'must be ASCII without spaces' }))
    .min(1)
    .optional(),
  maxBodyBytes: z
    .int()
    .min(1)
    .default(4 * 1024 * 1024),
});

/**
 * Starts a Synap on this machine: for development, tests, demos, and transcripts that are to stay here. It speaks the
 * API of the service, and stores in SQLite; what it has acknowledged is on disk. A message whose
 * `metadata.message_key` is in the conversation already is not stored twice: its first receipt is answered again.
 *
 * @throws Error (its `name` is `LocalSynapError`) an option is wrong, the port is in use, or the database can't be used
 *
 * @example
 * ```ts
 * const local = await startLocalSynap({ database: './synap.db' });
 * const recorder = createRecorder({ baseUrl: local.url, apiKey: local.apiKey });
 * // …
 * await local.close();
 * ```
 */
export async function startLocalSynap(options: LocalSynapOptions = {}): Promise<LocalSynap> {
  const { port, host, allowedHosts, database, tenancy, strictB2c, apiKeys, maxBodyBytes } = parseOptions(options);
  const store = new Store({ path: database === IN_MEMORY ? IN_MEMORY : resolve(database), tenancy });
  try {
    if (strictB2c && store.tenancy !== 'b2c')
      throw new LocalSynapError(`strictB2c is for tenancy b2c, but ${store.path} is ${store.tenancy}: leave it out`);
    const keys = apiKeys ?? [store.remember('api_key', generateApiKey)];
    const sessions = new Sessions(store.remember('viewer_secret', generateSecret), keys);
    const feed = new Feed(store);
    const indexing = new BackgroundIndexing(store);
    store.onCommit = () => {
      feed.wake();
      indexing.wake();
    };
    const app = createApp({ store, feed, sessions, keys: new ApiKeys(keys), maxBodyBytes, strictB2c });
    // The global Request and Response are the app's; a server started inside it leaves them alone.
    const listener = getRequestListener(app.fetch, {
      overrideGlobalObjects: false,
      errorHandler: () => Response.json({ detail: 'Bad Request' }, { status: 400, headers: SAFE_HEADERS }),
    });
    const address = unbracketed(host);
    const policy = hostPolicy(address, allowedHosts);
    const server = createServer((request, response) => {
      const refusal = refuseCaller(request, policy);
      if (refusal === undefined) void listener(request, response);
      else answerRefusal(response, refusal);
    });
    const stop = gracefulClose(server, CLOSE_MS);
    const bound = await listen(server, port, address);
    if (policy.port !== undefined) policy.port = bound;

    let closed: Promise<void> | undefined;
    const close = () => {
      if (closed === undefined) {
        // Those who watch would keep their connections for ever.
        feed.close();
        indexing.stop();
        closed = stop().then(() => store.close());
      }
      return closed;
    };
    const url = `http://${reachable(address)}:${bound}`;
    return {
      url,
      viewerUrl: () => `${url}/#sign-in=${sessions.issueToken()}`,
      apiKey: keys[0] ?? '',
      tenancy: store.tenancy,
      database: store.path,
      close,
      [Symbol.asyncDispose]: close,
    };
  } catch (error) {
    store.close();
    throw error;
  }
}

function parseOptions(options: LocalSynapOptions) {
  const result = optionFields.safeParse(options);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new LocalSynapError(`startLocalSynap: ${[issue?.path.join('.'), issue?.message].filter(Boolean).join(': ')}`);
}

function hostPolicy(address: string, allowedHosts: readonly string[]): HostPolicy {
  const names = new Set([bracketed(address), ...allowedHosts.map(host => bracketed(unbracketed(host)))]);
  return { port: isLoopbackName(bracketed(address)) ? 0 : undefined, names };
}

function refuseCaller({ headers }: IncomingMessage, policy: HostPolicy): string | undefined {
  if (!isAllowedHost(headers.host, policy))
    return 'This Host is not allowed: call the server by its own address, or add the name to allowedHosts';
  if (isForeignOrigin(headers.origin, headers.host)) return 'Pages of other origins are not allowed';
  return undefined;
}

function answerRefusal(response: ServerResponse, detail: string): void {
  const body = JSON.stringify({ detail });
  response.writeHead(403, { ...SAFE_HEADERS, 'Content-Type': 'application/json', Connection: 'close' }).end(body);
}

/** Listening everywhere includes the loopback address, and `0.0.0.0` is nothing that every client can call. */
function reachable(address: string): string {
  if (address === '0.0.0.0') return '127.0.0.1';
  return address === '::' ? '[::1]' : bracketed(address);
}

function bracketed(host: string): string {
  return isIPv6(host) ? `[${host}]` : host.toLowerCase();
}

function unbracketed(host: string): string {
  return host.replace(/^\[(.*)\]$/, '$1');
}
