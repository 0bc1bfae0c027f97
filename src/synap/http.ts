import type { Pool } from 'undici';
import { NetworkError, TimeoutError } from './errors.js';
import { httpTransport as fetchTransport } from './http.edge.js';
import { type HttpTransport, MAX_RESPONSE_BYTES } from './transport.js';

const SECOND = 1000;

export const CONNECT_TIMEOUT_MS = 5 * SECOND;
export const HEADERS_TIMEOUT_MS = 30 * SECOND;
export const BODY_TIMEOUT_MS = 30 * SECOND;

const poolOptions: Pool.Options = {
  connections: 8,
  connect: { timeout: CONNECT_TIMEOUT_MS },
  headersTimeout: HEADERS_TIMEOUT_MS,
  bodyTimeout: BODY_TIMEOUT_MS,
  maxResponseSize: MAX_RESPONSE_BYTES,
  // One request a connection: it keeps "was it sent?" a question about this request alone.
  pipelining: 1,
  allowH2: false,
};

/**
 * A transport over undici, or, where that can't be loaded, over fetch: bundlers that make an ES module of everything may
 * leave undici, which is CommonJS, without the `require` that it needs.
 */
export function httpTransport(origin: string): HttpTransport {
  // undici takes longer to load than the rest of this package together, and nothing is sent at an app's start.
  let opened: Promise<HttpTransport> | undefined;
  let closed = false;
  const open = async () => {
    const transport = await import('undici').then(
      ({ Pool }) => poolTransport(new Pool(origin, poolOptions)),
      () => fetchTransport(origin),
    );
    if (closed) await transport.close();
    return transport;
  };

  return {
    async request(request) {
      opened ??= open();
      const transport = await opened;
      return transport.request(request);
    },
    async close() {
      closed = true;
      await (await opened)?.close();
    },
  };
}

/** A transport over a pool of kept-alive connections, without redirects and without retries of its own. */
function poolTransport(pool: Pool): HttpTransport {
  return {
    async request({ method, path, headers, body, deadline, signal }) {
      try {
        if (signal?.aborted) throw new NetworkError('The call was aborted before it was sent', { sent: 'no' });
        const response = await pool.request({
          method,
          path,
          headers,
          body: body ?? null,
          signal: signal ? AbortSignal.any([deadline, signal]) : deadline,
        });
        const text = await response.body.text();
        return {
          status: response.statusCode,
          header: name => [response.headers[name]].flat()[0],
          body: text,
        };
      } catch (error) {
        if (NetworkError.is(error)) throw error;
        throw networkError(error, deadline, headers['x-correlation-id']);
      }
    },
    close: () => pool.destroy(),
  };
}

// Errors of the moments before a request is written: looking the name up, connecting, TLS.
const NEVER_SENT = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EAI_FAIL',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_DESTROYED',
  'UND_ERR_CLOSED',
]);
const CERTIFICATE = /^(CERT_|ERR_TLS_CERT|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_(GET|VERIFY)|ERR_SSL_)/;

function networkError(error: unknown, deadline: AbortSignal, correlationId: string | undefined): NetworkError {
  const { code, syscall, message } = describe(error);
  const sent =
    NEVER_SENT.has(code) || syscall === 'connect' || syscall === 'getaddrinfo' || CERTIFICATE.test(code)
      ? 'no'
      : 'unknown';
  const options = { sent, correlationId, cause: cleaned(error) } as const;
  if (deadline.aborted) return new TimeoutError('Synap did not answer in the time allowed for a request', options);
  switch (code) {
    case 'UND_ERR_CONNECT_TIMEOUT':
      return new TimeoutError(`Could not connect to Synap within ${CONNECT_TIMEOUT_MS / SECOND} s`, options);
    case 'UND_ERR_HEADERS_TIMEOUT':
      return new TimeoutError(`Synap did not answer within ${HEADERS_TIMEOUT_MS / SECOND} s`, options);
    case 'UND_ERR_BODY_TIMEOUT':
      return new TimeoutError(`Synap's answer stopped for ${BODY_TIMEOUT_MS / SECOND} s`, options);
  }
  if (CERTIFICATE.test(code)) return new NetworkError(`Synap's TLS certificate was refused (${code})`, options);
  const what = sent === 'no' ? 'Could not reach Synap' : 'The connection to Synap broke';
  return new NetworkError(`${what} (${code || message})`, options);
}

/** A parser's error holds the raw answer, which may repeat the request. Of a cause, its kind is enough. */
function cleaned(error: unknown): Error {
  const { code, syscall, message } = describe(error);
  const { name } = error instanceof Error ? error : new Error();
  return Object.assign(new Error(code === '' || code.startsWith('HPE_') ? name : message), { name, code, syscall });
}

function describe(error: unknown): { code: string; syscall: string; message: string } {
  const { code, syscall, message, name } = (typeof error === 'object' && error !== null ? error : {}) as Record<
    string,
    unknown
  >;
  return {
    code: typeof code === 'string' ? code : name === 'AbortError' ? 'aborted' : '',
    syscall: typeof syscall === 'string' ? syscall : '',
    message: typeof message === 'string' ? message : 'unknown error',
  };
}
