import { isIPv4 } from 'node:net';

// A web page whose name its owner points at 127.0.0.1 (DNS rebinding) reaches this server as its own origin. What it
// can't change is the Host header: that is the page's name. So only names that nobody else can own are answered.

export interface HostPolicy {
  /** The port that a Host header may name; undefined lets any through, for a server behind a port mapping. */
  port: number | undefined;
  /** Names beside the loopback ones, lower case, without a port. IPv6 addresses are in brackets. */
  names: ReadonlySet<string>;
}

/** @returns whether a request with this Host header is for this server */
export function isAllowedHost(header: string | undefined, { port, names }: HostPolicy): boolean {
  const [, name, namedPort] = /^(\[[0-9a-f:.]+\]|[^:[\]]+)(?::(\d{1,5}))?$/.exec(header?.toLowerCase() ?? '') ?? [];
  if (name === undefined) return false;
  if (namedPort !== undefined && port !== undefined && Number(namedPort) !== port) return false;
  return isLoopbackName(name) || names.has(name);
}

/** @returns whether a page of another origin sent this request. Programs send no Origin; a page of this server sends its own. */
export function isForeignOrigin(origin: string | undefined, host: string | undefined): boolean {
  if (origin === undefined) return false;
  // https, too: a proxy in front may add TLS and leave the Host as it is.
  const own = host?.toLowerCase();
  return origin !== `http://${own}` && origin !== `https://${own}`;
}

/** `localhost` and all below it (nobody can register those), 127.0.0.0/8 and `[::1]`. */
export function isLoopbackName(name: string): boolean {
  if (name === '[::1]' || name === 'localhost' || name.endsWith('.localhost')) return true;
  return isIPv4(name) && name.startsWith('127.');
}
