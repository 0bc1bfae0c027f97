import { env } from '../../internal/env.js';
import { type Check, ok, warning } from './check.js';

/** Says of a proxy in the environment whether it matters. Its address is not shown: a password may stand in it. */
export function checkProxy({ protocol, hostname, port }: URL): Check[] {
  const name = protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY';
  const set = [name, name.toLowerCase(), 'ALL_PROXY', 'all_proxy'].find(variable => env(variable) !== undefined);
  if (set === undefined) return [];
  const host = hostname.replace(/^\[(.*)\]$/, '$1');
  if (isExempt(host, port || (protocol === 'https:' ? '443' : '80')))
    return [ok('proxy', `${set} is set, and NO_PROXY leaves ${host} out`)];
  return [
    warning(
      'proxy',
      `${set} is set, but synap-recorder does not use it: it connects to ${host} directly`,
      'let this machine connect to it directly, or set SYNAP_BASE_URL to a reverse proxy that may',
    ),
  ];
}

/** Whether NO_PROXY names a host: itself, a domain above it, or all. */
function isExempt(host: string, port: string): boolean {
  const entries = (env('NO_PROXY') ?? env('no_proxy') ?? '').toLowerCase().split(/[\s,]+/);
  return entries.some(entry => {
    if (entry === '*') return true;
    const [, name = '', onlyPort] = /^\*?\.?(.*?)(?::(\d+))?$/.exec(entry) ?? [];
    if (name === '' || (onlyPort !== undefined && onlyPort !== port)) return false;
    return host === name || host.endsWith(`.${name}`);
  });
}
