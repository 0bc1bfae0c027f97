import type { HttpProxy } from './proxy.js';
import { UNREACHABLE } from './unreachable.js';

const REFUSED_TUNNEL = /Proxy response \((\d{3})\)/;
const UNREACHED = new Set([...UNREACHABLE, 'EADDRNOTAVAIL']);

/** What connecting failed with. */
interface ConnectFailure {
  readonly code: string;
  readonly syscall: string;
  readonly message: string;
  readonly parserReason: string | undefined;
}

/**
 * What to say of a connection through a proxy that did not come about; undefined where the proxy is not to blame. It names host
 * and port of the proxy, and no credentials.
 */
export function proxyFailure(
  { code, syscall, message, parserReason }: ConnectFailure,
  proxy: HttpProxy,
  origin: string,
): string | undefined {
  const { host, from } = proxy;
  const status = REFUSED_TUNNEL.exec(message)?.[1];
  if (status === '407')
    return `The proxy ${host} wants a sign-in (407). Put the user and password into its address (${from}): http://user:password@host:port`;
  if (status !== undefined && Number(status) >= 500)
    return `The proxy ${host} could not connect to Synap at ${origin} (${status}). Check the address of Synap (baseUrl, or SYNAP_BASE_URL), and the network behind the proxy`;
  if (status !== undefined)
    return `The proxy ${host} refused to connect to Synap at ${origin} (${status}). Let whoever runs it allow that address, or reach it directly (NO_PROXY)`;
  if (UNREACHED.has(code) || syscall === 'connect' || syscall === 'getaddrinfo')
    return `Could not reach the proxy ${host} (${code || message}). Check its address (${from}), and whether it runs`;
  if (code === 'UND_ERR_PRX_TLS')
    return `No TLS with the proxy ${host}: its certificate is for another name. Check its address (${from})`;
  if (parserReason !== undefined)
    return `What answers at ${host} is no proxy: it does not speak HTTP. Check its address (${from})`;
  if (code === 'UND_ERR_PRX_CONN' || code === 'UND_ERR_SOCKET' || code === 'ECONNRESET')
    return `The proxy ${host} closed the connection before it led to Synap at ${origin}. Check whether ${from} is the address of a proxy`;
  if (proxy.url.protocol.startsWith('socks'))
    return `The proxy ${host} did not connect to Synap at ${origin} (${code}). Check its address (${from})`;
  return undefined;
}
