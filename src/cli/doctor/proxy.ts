import { env } from '../../internal/env.js';
import type { ProxyChoice } from '../../synap/proxy.js';
import { type Check, ok, warning } from './check.js';

/** Says of a proxy in the environment whether it is used, as the client decides it. Its user and password are not shown. */
export function checkProxy({ hostname }: URL, { proxy, leftOut, problem }: ProxyChoice): Check[] {
  const host = hostname.replace(/^\[(.*)\]$/, '$1');
  if (proxy) return [ok('proxy', `requests go through ${proxy.host}, from ${proxy.from}`)];
  if (leftOut !== undefined && problem !== undefined)
    return [
      warning(
        'proxy',
        `${leftOut} ${problem}; requests go to ${host} directly`,
        `set ${leftOut} to http://host:port, or to nothing`,
      ),
    ];
  if (leftOut !== undefined) return [ok('proxy', `${leftOut} is set, and NO_PROXY leaves ${host} out`)];
  const unused = ['ALL_PROXY', 'all_proxy'].find(name => env(name) !== undefined);
  if (unused === undefined) return [];
  return [
    warning('proxy', `${unused} is set, but not used; requests go to ${host} directly`, 'set HTTPS_PROXY to the proxy'),
  ];
}
