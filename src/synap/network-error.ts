import { NetworkError, TimeoutError } from './errors.js';
import type { HttpProxy } from './proxy.js';
import { proxyFailure } from './proxy-failure.js';
import { isOfHandshake, tlsProblem } from './tls-problem.js';
import type { Deadline } from './transport.js';
import { UNREACHABLE } from './unreachable.js';

const SECOND = 1000;

export const CONNECT_TIMEOUT_MS = 5 * SECOND;
export const HEADERS_TIMEOUT_MS = 30 * SECOND;

// Errors of the moments before a request is written: looking the name up, connecting, TLS.
const NEVER_SENT = new Set([...UNREACHABLE, 'UND_ERR_CONNECT_TIMEOUT', 'UND_ERR_DESTROYED', 'UND_ERR_CLOSED']);

// A parser that stumbles over these has not even seen a status line of HTTP/1: whoever answered is not Synap.
const NO_STATUS_LINE = /Expected HTTP|Invalid HTTP version|Invalid status code/i;

/** Bytes that undici and fetch add to a request's headers at most: less than a whole other request has. */
const HEADERS_OF_OTHERS = 256;

/** What a request failed with: undici's errors, and those that fetch hides in a `cause`. */
export interface Failure {
  readonly code: string;
  readonly name: string;
  readonly message: string;
  readonly syscall: string;
  /** What an HTTP parser did not like, in its own fixed words. */
  readonly parserReason: string | undefined;
  /** Bytes that came and went over the connection in its life, as far as the error knows. */
  readonly bytesRead: number;
  readonly bytesWritten: number;
}

export interface FailedRequest {
  readonly origin: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
  readonly deadline?: Deadline | undefined;
  /** Nothing was handed to the network. */
  readonly neverSent?: boolean;
  /** No connection came about: nothing was sent either. */
  readonly whileConnecting?: boolean;
  readonly proxy?: HttpProxy | undefined;
}

/** The error of a request of which no status and headers were read. */
export function networkError(error: unknown, request: FailedRequest): NetworkError {
  const failure = describeFailure(error);
  const { code, message } = failure;
  const tls = tlsProblem(code);
  const isNeverSent = request.neverSent || request.whileConnecting || isOfConnecting(failure);
  const sent = isNeverSent ? 'no' : 'unknown';
  const answered = !isNeverSent && hasAnswered(failure, request);
  const options = {
    sent,
    answered,
    correlationId: request.headers['x-correlation-id'],
    cause: cleaned(failure),
  } as const;
  if (request.deadline?.signal.aborted)
    return new TimeoutError(`The request to Synap timed out after ${request.deadline.ms} ms`, options);
  switch (code) {
    case 'UND_ERR_CONNECT_TIMEOUT':
      return new TimeoutError(
        `Connecting to ${request.proxy ? `the proxy ${request.proxy.host}` : `Synap at ${request.origin}`} timed out after ${CONNECT_TIMEOUT_MS} ms. ${sentence(unreachableAdvice(code))}`,
        options,
      );
    case 'UND_ERR_HEADERS_TIMEOUT':
      if (request.proxy && request.whileConnecting)
        return new TimeoutError(
          `The proxy ${request.proxy.host} did not connect to Synap at ${request.origin} within ${CONNECT_TIMEOUT_MS} ms`,
          options,
        );
      return new TimeoutError(`Synap's answer timed out after ${HEADERS_TIMEOUT_MS} ms`, options);
  }
  const ofProxy = request.proxy && request.whileConnecting && proxyFailure(failure, request.proxy, request.origin);
  if (ofProxy) return new NetworkError(ofProxy, options);
  if (tls)
    return new NetworkError(
      `No TLS with Synap at ${request.origin}: ${tls.finding} (${code}). ${sentence(tls.advice)}`,
      options,
    );
  if (request.neverSent) return new NetworkError(`Nothing was sent to Synap (${message})`, options);
  const look = lookOf(failure, answered);
  if (look !== undefined)
    return new NetworkError(
      `${look}. Check the proxy or load balancer between this app and ${request.origin}`,
      options,
    );
  if (!isNeverSent)
    return new NetworkError(`The connection to Synap at ${request.origin} broke (${code || message})`, options);
  const why = `Could not reach Synap at ${request.origin} (${code || message})`;
  return new NetworkError(`${why}. ${sentence(unreachableAdvice(code))}`, options);
}

// What fetch says of a connection that did not come about: Bun's codes, Deno's words, Node's for a handshake that was cut off.
const CONNECTING_CODES = /^(ConnectionRefused|FailedToOpenSocket|DNS|UND_ERR_PRX_|HPE_INVALID_PROXY)/i;
const CONNECTING_WORDS =
  /^bad port$|^Fetch failed: Requests to port \d+ are blocked|client error \(Connect\)|before secure TLS connection was established|Unable to connect\. Is the computer able to access/;

/** Whether an error is one of the moments before a request is written, as far as it says. */
function isOfConnecting({ code, syscall, message }: Failure): boolean {
  return (
    NEVER_SENT.has(code) ||
    isOfHandshake(code) ||
    syscall === 'connect' ||
    syscall === 'getaddrinfo' ||
    CONNECTING_CODES.test(code) ||
    CONNECTING_WORDS.test(message)
  );
}

/** What to do about an address that can't be reached. */
export function unreachableAdvice(code: string): string {
  switch (code) {
    case 'ECONNREFUSED':
      return 'nothing listens there: start the server, or check the address and port of Synap (baseUrl, or SYNAP_BASE_URL)';
    case 'ENOTFOUND':
      return 'the name is not known to the DNS of this machine: check the address of Synap (baseUrl, or SYNAP_BASE_URL) for a typing mistake, and the network';
    case 'EAI_AGAIN':
    case 'EAI_FAIL':
      return 'the DNS of this machine does not answer: check the network';
    default:
      return 'check the network and its firewall';
  }
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Whether an answer began, but could not be read. */
function hasAnswered(failure: Failure, request: FailedRequest): boolean {
  const { code, bytesRead, bytesWritten, parserReason } = failure;
  if (code === 'UND_ERR_HEADERS_OVERFLOW' || code === 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH') return true;
  if (parserReason !== undefined) return !NO_STATUS_LINE.test(parserReason);
  // What came over a connection that was used before may be an earlier answer.
  return code === 'UND_ERR_SOCKET' && bytesRead > 0 && bytesWritten < sizeOf(request) + HEADERS_OF_OTHERS;
}

function sizeOf({ headers, body = '' }: FailedRequest): number {
  const lines = Object.entries(headers).map(([name, value]) => name.length + value.length + 4);
  return lines.reduce((sum, line) => sum + line, new TextEncoder().encode(body).byteLength);
}

/** What an answer looked like that could not be read; undefined where there was none. */
function lookOf({ code, parserReason }: Failure, answered: boolean): string | undefined {
  if (!answered) return parserReason && `What answered in Synap's place does not speak HTTP/1.1 (${parserReason})`;
  if (code === 'UND_ERR_HEADERS_OVERFLOW') return "The headers of Synap's answer are too long to be read";
  if (code === 'UND_ERR_SOCKET') return "Synap's answer broke off within its headers";
  return `The headers of Synap's answer can't be read (${parserReason ?? code})`;
}

/** A parser's error holds the raw answer, which may repeat the request. Of a cause, its kind is enough. */
function cleaned({ code, name, message, syscall, parserReason }: Failure): Error {
  const text = code === '' || parserReason !== undefined ? name : message;
  return Object.assign(new Error(text), { name, code, syscall });
}

export function describeFailure(error: unknown): Failure {
  const outer = fields(error);
  const inner = fields(outer.cause);
  const own = typeof outer.code === 'string' || outer.cause === undefined ? outer : inner;
  const { code, syscall, message, name, socket } = own;
  const { bytesRead, bytesWritten } = fields(socket);
  const isParser = name === 'HTTPParserError' || (typeof code === 'string' && code.startsWith('HPE_'));
  const [, reason = typeof code === 'string' ? code : 'unknown reason'] =
    /\(([\w ,/'-]{1,80})\)$/.exec(String(message)) ?? [];
  const aborted = name === 'AbortError' || name === 'TimeoutError';
  return {
    code: typeof code === 'string' ? code : aborted ? 'aborted' : '',
    syscall: typeof syscall === 'string' ? syscall : '',
    message: typeof message === 'string' ? message : 'unknown error',
    name: typeof name === 'string' ? name : 'Error',
    parserReason: isParser ? reason : undefined,
    bytesRead: typeof bytesRead === 'number' ? bytesRead : 0,
    bytesWritten: typeof bytesWritten === 'number' ? bytesWritten : 0,
  };
}

function fields(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
