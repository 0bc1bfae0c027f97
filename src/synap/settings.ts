import { env, isQuoted, type WarningLogger, warn } from '../internal/env.js';
import { AuthenticationError, InvalidInputError } from './errors.js';
import { chooseProxy } from './proxy.js';
import type { HttpDispatcher, Route } from './transport.js';

const DEFAULT_BASE_URL = 'https://synap-cloud-prod.maximem.ai';

/** An API key, or a function that gives the one that is valid now. */
export type ApiKeySource = string | (() => string | Promise<string>);

/** Where Synap is, and who asks. */
export interface ConnectionOptions {
  /**
   * The key, or a function that gives it: it is asked at the first request, and again after Synap has refused the key (401),
   * so that a key can be changed without a restart. Defaults to `SYNAP_API_KEY`.
   */
  apiKey?: ApiKeySource | undefined;
  /** Defaults to `SYNAP_BASE_URL`, then to Synap's cloud. */
  baseUrl?: string | undefined;
  /** Allows an `http://` base URL that is not loopback: the key and every message then travel in the clear. */
  allowInsecure?: boolean | undefined;
  /**
   * The address of a proxy (`http://`, `https://` or `socks5://`, with user and password if it wants them), or `false` for none.
   * Default: as the environment says, `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY`, in capitals or not.
   */
  proxy?: string | false | undefined;
  /**
   * A dispatcher of undici (`Agent`, `ProxyAgent`, …) that requests are sent over, for certificates and the like. It stays the
   * app's: the client won't close it. Not together with `proxy`.
   */
  dispatcher?: HttpDispatcher | undefined;
  /** Sent as `X-Client-ID`, for keys that belong to one of several clients. Defaults to `SYNAP_CLIENT_ID`. */
  clientId?: string | undefined;
  /** Sent as `X-Instance-ID`, for keys that reach several instances. Defaults to `SYNAP_INSTANCE_ID`. */
  instanceId?: string | undefined;
  /**
   * Warned of a variable of the environment that can't be right, and that the client goes on without. Default: the console.
   * `false` is silent.
   */
  logger?: WarningLogger | false | undefined;
}

/** @throws {@link AuthenticationError} there is no key, or it can't be one; the message does not repeat it */
export function readApiKey({
  apiKey,
  logger,
}: Pick<ConnectionOptions, 'logger'> & { apiKey?: string | undefined }): string {
  const fromEnv = apiKey === undefined ? env('SYNAP_API_KEY') : undefined;
  const key = checkApiKey(apiKey ?? fromEnv);
  if (isQuoted(key)) {
    const name = fromEnv === undefined ? 'apiKey' : 'SYNAP_API_KEY';
    warn(logger, `${name} stands in quotes, which are sent as a part of the key: set it without them`);
  }
  return key;
}

function checkApiKey(apiKey: string | undefined): string {
  if (typeof apiKey !== 'string' || apiKey.trim() === '')
    throw new AuthenticationError('No Synap API key: pass apiKey, or set SYNAP_API_KEY');
  const key = apiKey.trim();
  if (!isSendable(key))
    throw new AuthenticationError(
      'The Synap API key holds a space, a line break or a character outside ASCII: was it copied whole, and nothing else?',
    );
  return key;
}

/**
 * An address in the environment that can't be used is refused as well: to send to the default one would be to send what
 * people say somewhere else than meant.
 *
 * @throws {@link InvalidInputError} the address can't be used
 */
export function readBaseUrl({ baseUrl, allowInsecure = false }: ConnectionOptions): URL {
  if (baseUrl !== undefined) return checkBaseUrl(baseUrl, 'baseUrl', allowInsecure);
  const fromEnv = env('SYNAP_BASE_URL');
  if (fromEnv === undefined) return new URL(DEFAULT_BASE_URL);
  if (isQuoted(fromEnv))
    throw new InvalidInputError(
      'SYNAP_BASE_URL stands in quotes, which are taken for a part of it: set it without them',
      { field: 'baseUrl' },
    );
  return checkBaseUrl(fromEnv, 'SYNAP_BASE_URL', allowInsecure);
}

function checkBaseUrl(baseUrl: string, name: string, allowInsecure: boolean): URL {
  const refuse = (why: string) => new InvalidInputError(`${name} ${why}`, { field: 'baseUrl' });
  if (!URL.canParse(baseUrl)) throw refuse('is not a URL: it must look like https://host');
  const url = new URL(baseUrl);
  if (url.username !== '' || url.password !== '') throw refuse('must not hold a user name or password');
  if (url.search !== '' || url.hash !== '') throw refuse('must not hold a query or fragment');
  if (url.protocol === 'https:') return url;
  if (url.protocol !== 'http:') throw refuse(`must start with https://, but starts with ${url.protocol}`);
  if (!allowInsecure && !isLoopback(url.hostname))
    throw refuse(
      `is http:// to ${url.hostname}: key and messages would travel in the clear. Use https://, or set allowInsecure`,
    );
  return url;
}

function isLoopback(hostname: string): boolean {
  return /^(localhost|.+\.localhost|127(\.\d{1,3}){3}|\[::1\])$/.test(hostname);
}

/**
 * How requests get to an address: by the options, or by the environment. A variable that names no usable proxy is passed over,
 * and that is said; the address in it is never shown.
 *
 * @throws {@link InvalidInputError} an option can't be used; `field` names it
 */
export function readRoute(
  target: URL,
  { proxy: option, dispatcher, logger }: Pick<ConnectionOptions, 'proxy' | 'dispatcher' | 'logger'>,
): Route {
  const warnOf = (problem: string) => warn(logger, problem);
  if (dispatcher !== undefined) return { dispatcher: checkDispatcher(dispatcher, option), warn: warnOf };
  const { proxy, leftOut, problem } = chooseProxy(target, option);
  if (problem !== undefined) warnOf(`${leftOut} ${problem}. Requests go to ${target.origin} directly`);
  if (proxy && target.protocol === 'http:' && option === undefined && !isLoopback(proxy.url.hostname))
    warnOf(
      `requests to ${target.origin} go through the proxy ${proxy.host} (${proxy.from}), with key and messages in the clear: set NO_PROXY=${target.hostname}, or proxy: false`,
    );
  return { proxy, warn: warnOf };
}

function checkDispatcher(dispatcher: HttpDispatcher, proxy: unknown): HttpDispatcher {
  const refuse = (why: string) => new InvalidInputError(`dispatcher ${why}`, { field: 'dispatcher' });
  if (typeof (dispatcher as Partial<HttpDispatcher> | null)?.request !== 'function')
    throw refuse('must be a dispatcher of undici, such as new Agent()');
  if (proxy) throw refuse('and proxy are given both: give the dispatcher alone, for example new ProxyAgent(address)');
  return dispatcher;
}

/** @throws {@link InvalidInputError} it is no time that a timer can take */
export function checkTimeout(timeoutMs: number): number {
  // Above 2^31 - 1 Node's timers fire at once.
  if (Number.isFinite(timeoutMs) && timeoutMs > 0 && timeoutMs < 2 ** 31) return Math.ceil(timeoutMs);
  throw new InvalidInputError(
    `timeoutMs must be a number of milliseconds above 0 and below 2^31, but is ${timeoutMs}`,
    { field: 'timeoutMs' },
  );
}

/**
 * The headers that name a part of an account. One of the environment that can't be sent is left out, and that is said.
 *
 * @throws {@link InvalidInputError} an option can't be sent
 */
export function readIdHeaders({ clientId, instanceId, logger }: ConnectionOptions): Record<string, string> {
  return {
    ...idHeader('x-client-id', 'clientId', clientId, logger),
    ...idHeader('x-instance-id', 'instanceId', instanceId, logger),
  };
}

const ID_VARIABLES = { clientId: 'SYNAP_CLIENT_ID', instanceId: 'SYNAP_INSTANCE_ID' } as const;

function idHeader(
  header: string,
  option: keyof typeof ID_VARIABLES,
  given: string | undefined,
  logger: ConnectionOptions['logger'],
): Record<string, string> {
  const variable = ID_VARIABLES[option];
  const value = typeof given === 'string' ? given.trim() : (given ?? env(variable));
  if (value === undefined) return {};
  if (given !== undefined && !isSendable(value))
    throw new InvalidInputError(`${option} must be ASCII without spaces, to be sent as ${header}`, { field: option });
  if (!isSendable(value)) {
    warn(logger, `${variable} holds a space, a line break or a character outside ASCII, so ${header} is not sent`);
    return {};
  }
  if (isQuoted(value)) {
    const name = given === undefined ? variable : option;
    warn(logger, `${name} stands in quotes, which are sent as a part of ${header}: set it without them`);
  }
  return { [header]: value };
}

/** A header's value: `fetch` and Node.js refuse more than this, and no key or id has it. */
export function isSendable(value: unknown): value is string {
  return typeof value === 'string' && /^[\x21-\x7e]+$/.test(value);
}
