import type { Dispatcher, Pool } from 'undici';
import { areReplaced } from '../internal/timers.js';
import { BODY_TIMEOUT_MS, readBody } from './body.js';
import { NetworkError } from './errors.js';
import { httpTransport as fetchTransport } from './http.edge.js';
import { CONNECT_TIMEOUT_MS, HEADERS_TIMEOUT_MS, networkError } from './network-error.js';
import type { HttpTransport } from './transport.js';

const poolOptions: Pool.Options = {
  connections: 8,
  connect: { timeout: CONNECT_TIMEOUT_MS },
  headersTimeout: HEADERS_TIMEOUT_MS,
  bodyTimeout: BODY_TIMEOUT_MS,
  // An answer whose headers can't be read leaves open what was stored: proxies that add long ones should not cause that.
  maxHeaderSize: 128 * 1024,
  // One request a connection: it keeps "was it sent?" a question about this request alone.
  pipelining: 1,
  allowH2: false,
};

/** The two of undici's parts that are needed here. */
interface Undici {
  readonly Pool: new (origin: string, options: Pool.Options) => Pool;
  readonly request: (this: Dispatcher, options: Dispatcher.RequestOptions) => Promise<Dispatcher.ResponseData>;
}

let loading: Promise<Undici | undefined> | undefined;

/**
 * Its single files load in a third of the time that all of undici takes (25 ms instead of 70), and leave the app's own
 * fetch alone, whose dispatcher the whole of it replaces.
 */
function loadUndici(): Promise<Undici | undefined> {
  loading ??= Promise.all([import('undici/lib/dispatcher/pool.js'), import('undici/lib/api/api-request.js')])
    .then(([{ default: Pool }, { default: request }]) => ({ Pool, request }))
    .catch(async () => {
      const { Pool } = await import('undici');
      return { Pool, request: Pool.prototype.request } as Undici;
    })
    .catch(() => undefined);
  return loading;
}

/**
 * A transport over undici, or, where that can't be loaded, over fetch: bundlers that make an ES module of everything may
 * leave undici, which is CommonJS, without the `require` that it needs.
 */
export function httpTransport(origin: string): HttpTransport {
  // At once, not at the first request: loading stops the event loop, and by then the app has streams open.
  const opened = loadUndici().then(undici => (undici ? poolTransport(origin, undici) : fetchTransport(origin)));
  return {
    request: async request => (await opened).request(request),
    close: async () => (await opened).close(),
  };
}

/** A transport over a pool of kept-alive connections, without redirects and without retries of its own. */
function poolTransport(origin: string, { Pool, request: send }: Undici): HttpTransport {
  const pool = new Pool(origin, poolOptions);
  // undici waits for an immediate before it uses a connection again. Where somebody has replaced those, for a test, it never
  // comes: then each request gets a connection of its own.
  let fresh: Pool | undefined;
  return {
    async request({ method, path, headers, body, deadline, signal, limits, onHeaders }) {
      try {
        if (signal?.aborted) throw new NetworkError('The call was aborted before it was sent', { sent: 'no' });
        const isFresh = areReplaced();
        if (isFresh) fresh ??= new Pool(origin, poolOptions);
        const response = await send.call((isFresh && fresh) || pool, {
          reset: isFresh,
          method,
          path,
          // Nothing here unpacks an answer.
          headers: { 'accept-encoding': 'identity', ...headers },
          body: body ?? null,
          signal: AbortSignal.any([deadline?.signal, signal].filter(end => end !== undefined)),
          ...(limits && { bodyTimeout: limits.timeoutMs }),
        });
        const header = (name: string) => [response.headers[name]].flat()[0];
        const answer = { status: response.statusCode, header };
        onHeaders?.(answer);
        const pieces = response.body[Symbol.asyncIterator]();
        return {
          ...answer,
          ...(await readBody({ read: () => pieces.next(), cancel: () => void response.body.destroy() }, limits)),
        };
      } catch (error) {
        if (NetworkError.is(error)) throw error;
        throw networkError(error, { origin, deadline, headers, body });
      }
    },
    close: async () => void (await Promise.all([pool.destroy(), fresh?.destroy()])),
  };
}
