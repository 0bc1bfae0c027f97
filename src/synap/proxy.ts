import { isQuoted, rawEnv } from '../internal/env.js';
import { InvalidInputError } from './errors.js';

/** A proxy that requests go through. */
export interface HttpProxy {
  /** Without its credentials. */
  readonly url: URL;
  /** Host and port, for a log. */
  readonly host: string;
  readonly username: string | undefined;
  readonly password: string | undefined;
  /** The option or the variable of the environment that names it. */
  readonly from: string;
}

/** Which way an address is reached: through a proxy, or, without one, directly. */
export interface ProxyChoice {
  readonly proxy?: HttpProxy | undefined;
  /** The variable that names a proxy, where `NO_PROXY` leaves this address out, or what it names can't be used. */
  readonly leftOut?: string | undefined;
  /** What is wrong with that variable, as the end of a sentence. It never repeats the address. */
  readonly problem?: string | undefined;
}

const PROTOCOLS = ['http:', 'https:', 'socks5:', 'socks:'];
const DEFAULT_PORTS: Readonly<Record<string, string>> = {
  'http:': '80',
  'https:': '443',
  'socks5:': '1080',
  'socks:': '1080',
};

/**
 * The proxy for an address, as undici's `EnvHttpProxyAgent` picks it: of a variable, the lower-case name counts first, and an
 * empty one names none; https:// falls back to the proxy for http://; `NO_PROXY` may name hosts, domains, ports and `*`.
 * An address in the environment may leave out `http://`.
 *
 * @param option `false`: none, whatever the environment says
 * @throws {@link InvalidInputError} the option is no address of a proxy
 */
export function chooseProxy(target: URL, option: string | false | undefined): ProxyChoice {
  if (option === false) return {};
  if (option !== undefined) return { proxy: proxyOfOption(option) };
  const named = proxyVariable(target.protocol);
  if (named === undefined) return {};
  const quoted = isQuoted(named.value) && 'stands in quotes, which are taken for a part of it: set it without them';
  if (isExempt(target, rawEnv('no_proxy') ?? rawEnv('NO_PROXY') ?? '')) return { leftOut: named.name };
  if (quoted) return { leftOut: named.name, problem: quoted };
  const read = readProxy(
    /^[a-z][a-z0-9+.-]*:\/\//i.test(named.value) ? named.value : `http://${named.value}`,
    named.name,
  );
  return typeof read === 'string' ? { leftOut: named.name, problem: read } : { proxy: read };
}

/** @throws {@link InvalidInputError} it is no address of a proxy; the error does not repeat it */
function proxyOfOption(option: unknown): HttpProxy {
  const read =
    typeof option === 'string' ? readProxy(option.trim(), 'proxy') : 'must be the address of a proxy, or false';
  if (typeof read === 'string') throw new InvalidInputError(`proxy ${read}`, { field: 'proxy' });
  return read;
}

function readProxy(address: string, from: string): HttpProxy | string {
  if (!URL.canParse(address)) return 'is not a URL: it must look like http://host:port';
  const url = new URL(address);
  if (!PROTOCOLS.includes(url.protocol) || url.hostname === '')
    return 'must begin with http://, https:// or socks5://, followed by host and port';
  const username = decoded(url.username);
  const password = decoded(url.password);
  url.username = url.password = url.search = url.hash = '';
  const host = `${url.hostname}:${url.port || DEFAULT_PORTS[url.protocol]}`;
  return { url, host, username: username || undefined, password: password || undefined, from };
}

/** A `%` that is no percent-encoding, as in a password, stands for itself. */
function decoded(text: string): string {
  return text.replace(/(?:%[0-9a-f]{2})+/gi, bytes => {
    try {
      return decodeURIComponent(bytes);
    } catch {
      return bytes;
    }
  });
}

function proxyVariable(protocol: string): { name: string; value: string } | undefined {
  const http = variableOf(['http_proxy', 'HTTP_PROXY']);
  return protocol === 'https:' ? (variableOf(['https_proxy', 'HTTPS_PROXY']) ?? http) : http;
}

function variableOf(names: readonly string[]): { name: string; value: string } | undefined {
  for (const name of names) {
    const value = rawEnv(name)?.trim();
    if (value !== undefined) return value === '' ? undefined : { name, value };
  }
  return undefined;
}

/** Whether `NO_PROXY` names a host: itself, a domain above it, or all. */
function isExempt({ protocol, hostname, port }: URL, noProxy: string): boolean {
  const host = withoutDot(hostname.replace(/^\[(.+)\]$/, '$1').toLowerCase());
  const ownPort = port || DEFAULT_PORTS[protocol];
  return noProxy.split(/[,\s]/).some(entry => {
    if (entry === '') return false;
    const { name, onlyPort, isBelowOnly } = readEntry(entry);
    if (onlyPort !== undefined && onlyPort !== ownPort) return false;
    if (name === '*') return true;
    return (!isBelowOnly && host === name) || host.endsWith(`.${name}`);
  });
}

/** `host`, `host:port`, `.domain`, `*.domain` (not the domain itself), an IPv6 address with or without brackets. */
function readEntry(entry: string): { name: string; onlyPort: string | undefined; isBelowOnly: boolean } {
  const [, bracketed, portOfIpv6] = /^\[(.+)\](?::(\d+))?$/.exec(entry) ?? [];
  const [, named, portOfName] = /^([^:]+):(\d+)$/.exec(entry) ?? [];
  const name = (bracketed ?? named ?? entry).toLowerCase();
  const onlyPort = portOfIpv6 ?? portOfName;
  return {
    name: name === '*' ? name : withoutDot(name.replace(/^\*?\./, '')),
    onlyPort: onlyPort === undefined || Number(onlyPort) === 0 ? undefined : String(Number(onlyPort)),
    isBelowOnly: entry.startsWith('*') && name !== '*',
  };
}

function withoutDot(name: string): string {
  return name.length > 1 ? name.replace(/\.$/, '') : name;
}

/** What a proxy is sent to sign in; undefined where it has no user. */
export function proxyAuthorization({ username = '', password = '' }: HttpProxy): string | undefined {
  if (username === '' && password === '') return undefined;
  const bytes = new TextEncoder().encode(`${username}:${password}`);
  return `Basic ${btoa(Array.from(bytes, byte => String.fromCharCode(byte)).join(''))}`;
}
