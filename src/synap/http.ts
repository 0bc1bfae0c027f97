import type { Pool } from 'undici';
import { NetworkError, TimeoutError } from './errors.js';
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

/** A transport over undici: a pool of kept-alive connections, no redirects, no retries of its own. */
export function httpTransport(origin: string): HttpTransport {
  // undici takes longer to load than the rest of this package together, and nothing is sent at an app's start.
  let opened: Promise<Pool> | undefined;
  let closed = false;
  const open = async () => {
    const { Pool, errors } = await import('undici');
    if (closed) throw new errors.ClientClosedError();
    return new Pool(origin, poolOptions);
  };

  return {
    async request({ method, path, headers, body, deadline, signal }) {
      try {
        if (signal?.aborted) throw new NetworkError('The call was aborted before it was sent', { sent: 'no' });
        opened ??= open();
        const pool = await opened;
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
    async close() {
      closed = true;
      await (await opened?.catch(() => undefined))?.destroy();
    },
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
