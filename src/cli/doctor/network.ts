import { lookup } from 'node:dns/promises';
import { connect, isIP, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { CONNECT_TIMEOUT_MS, unreachableAdvice } from '../../synap/network-error.js';
import type { HttpProxy } from '../../synap/proxy.js';
import { tlsProblem } from '../../synap/tls-problem.js';
import { type Check, ok, skipped, warning, wrong } from './check.js';

const DAY = 24 * 60 * 60 * 1000;
const CERTIFICATE_WARNING_MS = 14 * DAY;

/** Checks whether the address can be reached: its name, a connection, its certificate; or so the proxy that leads there. */
export async function checkNetwork(baseUrl: string, proxy: HttpProxy | undefined): Promise<Check[]> {
  if (proxy) return checkWayToProxy(proxy);
  const url = new URL(baseUrl);
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const port = Number(url.port) || (url.protocol === 'https:' ? 443 : 80);
  const name = await checkName(host);
  if (name.status === 'wrong') return [name, skipped('connection', 'the name was not found')];
  const connection = url.protocol === 'https:' ? await checkTls(host, port) : await checkTcp(host, port);
  return [name, ...connection];
}

/** What lies behind it, its answers tell. */
async function checkWayToProxy({ host, from }: HttpProxy): Promise<Check[]> {
  const { hostname, port } = new URL(`http://${host}`);
  const bare = hostname.replace(/^\[(.*)\]$/, '$1');
  const name = await checkName(bare);
  const advice = `check the address of the proxy (${from}), and the network`;
  if (name.status === 'wrong')
    return [{ ...name, advice }, skipped('connection', 'the name of the proxy was not found')];
  const connection = await checkTcp(bare, Number(port) || 80);
  return [name, ...connection.map(check => (check.status === 'wrong' ? { ...check, advice } : check))];
}

async function checkName(host: string): Promise<Check> {
  if (isIP(host)) return ok('dns', `${host} is an IP address`);
  const begun = performance.now();
  try {
    const { address } = await lookup(host);
    return ok('dns', `${host} is ${address} (${since(begun)})`);
  } catch (error) {
    const code = codeOf(error);
    const finding =
      code === 'ENOTFOUND'
        ? `${host} is not known to this machine's DNS (${code})`
        : `${host} was not looked up (${code})`;
    return wrong('dns', finding, unreachableAdvice(code));
  }
}

async function checkTcp(host: string, port: number): Promise<Check[]> {
  const begun = performance.now();
  try {
    (await opened(connect({ host, port }), 'connect')).destroy();
    return [ok('connection', `port ${port} answers (${since(begun)})`)];
  } catch (error) {
    return [unreachable(port, error)];
  }
}

async function checkTls(host: string, port: number): Promise<Check[]> {
  const begun = performance.now();
  let socket: TLSSocket;
  try {
    // As the client asks for it.
    const options = { host, port, servername: isIP(host) ? '' : host, ALPNProtocols: ['http/1.1'] };
    socket = await opened(connectTls(options), 'secureConnect');
  } catch (error) {
    const code = codeOf(error);
    const problem = tlsProblem(code);
    if (problem?.kind === 'certificate') return [wrong('certificate', `was refused (${code})`, problem.advice)];
    if (problem) return [wrong('connection', `port ${port}: ${problem.finding} (${code})`, problem.advice)];
    return [unreachable(port, error)];
  }
  const { valid_to } = socket.getPeerCertificate();
  const protocol = socket.getProtocol() ?? 'TLS';
  socket.destroy();
  const left = Date.parse(valid_to) - Date.now();
  const finding = `valid until ${new Date(valid_to).toISOString().slice(0, 10)}`;
  return [
    ok('connection', `port ${port} answers with ${protocol} (${since(begun)})`),
    left > CERTIFICATE_WARNING_MS
      ? ok('certificate', finding)
      : warning('certificate', finding, 'it expires soon: ask whoever runs this Synap to renew it'),
  ];
}

function opened<T extends Socket>(socket: T, event: string): Promise<T> {
  return new Promise((resolve, reject) => {
    socket.setTimeout(CONNECT_TIMEOUT_MS, () => socket.destroy(Object.assign(new Error(), { code: 'ETIMEDOUT' })));
    socket.once(event, () => resolve(socket));
    socket.on('error', reject);
  });
}

function unreachable(port: number, error: unknown): Check {
  const code = codeOf(error);
  return wrong('connection', `port ${port} can't be reached (${code})`, unreachableAdvice(code));
}

function codeOf(error: unknown): string {
  const { code, cause, name } = error as { code?: unknown; cause?: { code?: unknown }; name?: string };
  if (typeof code === 'string') return code;
  return typeof cause?.code === 'string' ? cause.code : (name ?? 'unknown error');
}

export function since(begun: number): string {
  return `${Math.round(performance.now() - begun)} ms`;
}
