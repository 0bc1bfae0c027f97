import type { buildConnector, Dispatcher, Pool } from 'undici';
import { BODY_TIMEOUT_MS } from './body.js';
import type { Tunnels, Undici } from './load-undici.js';
import { CONNECT_TIMEOUT_MS, HEADERS_TIMEOUT_MS } from './network-error.js';
import { type HttpProxy, proxyAuthorization } from './proxy.js';
import { withoutContinue } from './without-continue.js';

const SECOND = 1000;

/**
 * A connection that was idle for so long is not used again: a server that closes idle ones (many do after 2 seconds or more)
 * would do so while a request is on its way, and nobody could say whether it was stored.
 */
export const MAX_IDLE_MS = SECOND;

/** What one request looks like on the connections that it is sent over. */
interface Addressed {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Kept-alive connections that lead to one origin, through a proxy or directly. */
export interface Connections {
  readonly dispatcher: Dispatcher;
  address(request: Addressed): Addressed;
  /** Whether that error is one of connecting: then nothing was sent. */
  isConnecting(error: unknown): boolean;
  /** Closes the idle connections and aborts what is under way. */
  destroy(): Promise<void>;
}

const poolOptions = {
  connections: 8,
  headersTimeout: HEADERS_TIMEOUT_MS,
  bodyTimeout: BODY_TIMEOUT_MS,
  // An answer whose headers can't be read leaves open what was stored: proxies that add long ones should not cause that.
  maxHeaderSize: 128 * 1024,
  keepAliveTimeout: MAX_IDLE_MS,
  keepAliveMaxTimeout: MAX_IDLE_MS,
  // One request a connection: it keeps "was it sent?" a question about this request alone.
  pipelining: 1,
  allowH2: false,
} satisfies Pool.Options;

const connectOptions = { timeout: CONNECT_TIMEOUT_MS, allowH2: false };

/**
 * Nothing is connected before the first request.
 *
 * @param connected is waited for before anything is written to a new connection; it never rejects
 */
export function openConnections(
  origin: string,
  proxy: HttpProxy | undefined,
  undici: Undici,
  connected: () => Promise<void>,
): Connections {
  const connecting = new WeakSet<object>();
  const note = (error: unknown) => {
    if (typeof error === 'object' && error !== null) connecting.add(error);
  };

  function pool(to: string | URL, connect: buildConnector.connector): Pool {
    return new undici.Pool(to, {
      ...poolOptions,
      connect: (options, callback) =>
        connect(options, (...[error, socket]) => {
          if (error) {
            note(error);
            callback(error, null);
          } else void connected().then(() => callback(null, withoutContinue(socket)));
        }),
    });
  }

  function destroyedWith(dispatcher: Dispatcher, address: Connections['address']): Connections {
    return {
      dispatcher,
      address,
      isConnecting: error => typeof error === 'object' && error !== null && connecting.has(error),
      destroy: () => dispatcher.destroy(),
    };
  }

  if (proxy === undefined)
    return destroyedWith(pool(origin, undici.buildConnector(connectOptions)), request => request);
  const authorization = proxyAuthorization(proxy);
  if (isForwarded(origin, proxy)) {
    const forwarded = {
      host: new URL(origin).host,
      ...(authorization !== undefined && { 'proxy-authorization': authorization }),
    };
    return destroyedWith(pool(proxy.url.origin, undici.buildConnector(connectOptions)), ({ path, headers }) => ({
      path: origin + path,
      headers: { ...headers, ...forwarded },
    }));
  }
  const { tunnels } = undici;
  if (tunnels === undefined) throw new Error('what makes tunnels was not loaded');
  const isSocks = proxy.url.protocol.startsWith('socks');
  const agent = new tunnels.ProxyAgent({
    ...poolOptions,
    uri: proxy.url.href,
    ...(authorization !== undefined && !isSocks && { token: authorization }),
    ...(isSocks && { username: proxy.username, password: proxy.password }),
    // For both legs; the timeout of a proxy that does not answer is that of connecting, too.
    connectTimeout: CONNECT_TIMEOUT_MS,
    requestTls: connectOptions,
    clientFactory: (to: URL, options: object) => {
      const client = new undici.Pool(to, { ...poolOptions, ...options, headersTimeout: CONNECT_TIMEOUT_MS });
      return Object.assign(client, { connect: tunnels.connect });
    },
    ...(!isSocks && {
      factory: (to: string | URL, { connect }: { connect: buildConnector.connector }) => pool(to, connect),
    }),
  } as ConstructorParameters<Tunnels['ProxyAgent']>[0]);
  return destroyedWith(agent, request => request);
}

/** Whether a proxy is asked for the address itself, in the clear, and not for a tunnel to it. */
function isForwarded(origin: string, { url }: HttpProxy): boolean {
  return origin.startsWith('http:') && url.protocol.startsWith('http');
}

/** Whether tunnels are needed: what they take is loaded only then. */
export function needsTunnel(origin: string, proxy: HttpProxy | undefined): boolean {
  return proxy !== undefined && !isForwarded(origin, proxy);
}
