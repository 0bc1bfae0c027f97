import { v4 as uuidv4, v5 as uuidv5 } from 'uuid';
import { diagnostics } from '#diagnostics';
import type { RequestEvent } from '../internal/diagnostics-topics.js';
import { property } from '../internal/guards.js';
import { monotonicNow } from '../internal/monotonic-clock.js';
import { VERSION } from '../version.js';
import { ApiKey } from './api-key.js';
import { errorFromResponse, isHtml, isKeyRefused, isSuccess, isWebPage } from './error-from-response.js';
import {
  NetworkError,
  ServiceUnavailableError,
  type SynapError,
  TimeoutError,
  UnexpectedResponseError,
} from './errors.js';
import { type ApiKeySource, type ConnectionOptions, readApiKey, readBaseUrl, readIdHeaders } from './settings.js';
import type { BodyLimits, Deadline, HttpResponse, HttpTransport } from './transport.js';

/** One request to Synap. */
export interface SynapRequest {
  /** Behind the base URL, beginning with a slash. */
  readonly path: string;
  /** Is posted. Without it, the request is a GET, unless `method` says otherwise. */
  readonly json?: unknown;
  readonly method?: 'DELETE' | undefined;
  /** Texts of the messages in `json`, which no error may repeat. */
  readonly contents?: readonly string[] | undefined;
  /** Beside those of every request. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Leaves the key out: for a route that needs none. */
  readonly anonymous?: boolean | undefined;
  readonly deadline?: Deadline | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Is awaited right before the request goes out. If it rejects, nothing is sent, and {@link SynapEndpoint.ask} rejects with the same. */
  readonly beforeSending?: (() => Promise<void>) | undefined;
  /** Is called as soon as the status of an answer says that Synap has taken the request. */
  readonly onAccepted?: (() => void) | undefined;
  readonly limits?: BodyLimits | undefined;
}

/** An answer, and the `X-Correlation-ID` that its request carried. */
export type Answered<Response extends HttpResponse> = Response & { readonly correlationId: string };

export interface EndpointParts {
  readonly url: URL;
  readonly apiKey: ApiKeySource | undefined;
  readonly idHeaders: Readonly<Record<string, string>>;
  /** Defaults to this package and its version. */
  readonly userAgent?: string | undefined;
}

// Part of every fingerprint, which outbox files keep: changing it would make each key another one.
const KEY_NAMESPACE = 'd1b1f3de-6a0b-4a4f-8f8e-2a1d9a2f6f10';

type Sender<Response extends HttpResponse> = Pick<HttpTransport<Response>, 'request'>;

/**
 * An address of Synap, and the key to it: the one way to Synap for every caller. Address, key, headers, masking and errors
 * are decided here; the transport that a request is sent over only moves bytes.
 */
export class SynapEndpoint {
  /** Without a trailing slash. */
  readonly baseUrl: string;
  /** What a transport connects to. */
  readonly origin: string;

  // Private fields stay out of inspect(), JSON.stringify() and the reach of a logger.
  readonly #apiKey: ApiKey;
  readonly #pathPrefix: string;
  readonly #headers: Readonly<Record<string, string>>;

  constructor({ url, apiKey, idHeaders, userAgent = `synap-recorder/${VERSION}` }: EndpointParts) {
    this.origin = url.origin;
    this.#pathPrefix = url.pathname.replace(/\/+$/, '');
    this.baseUrl = this.origin + this.#pathPrefix;
    this.#apiKey = new ApiKey(apiKey);
    this.#headers = { 'user-agent': userAgent, ...idHeaders };
  }

  /**
   * An endpoint of options, and of the environment where they are silent.
   *
   * @throws {@link AuthenticationError} there is no key, or it can't be one
   * @throws {@link InvalidInputError} the address, or an id, can't be used; `field` names it
   */
  static of(options: ConnectionOptions & Pick<EndpointParts, 'userAgent'>): SynapEndpoint {
    const { apiKey: given, logger } = options;
    const apiKey = typeof given === 'function' ? given : readApiKey({ apiKey: given, logger });
    const url = readBaseUrl(options);
    return new SynapEndpoint({ url, apiKey, idHeaders: readIdHeaders(options), userAgent: options.userAgent });
  }

  /**
   * An answer of any status. Where the key comes from a function, a refused one is asked for again, and the request sent once
   * more with another one.
   *
   * @throws {@link NetworkError} Synap can't be reached
   * @throws {@link AuthenticationError} the function gives no key
   */
  async ask<Response extends HttpResponse>(
    transport: Sender<Response>,
    request: SynapRequest,
  ): Promise<Answered<Response>> {
    if (request.anonymous) return this.#request(transport, request, undefined);
    const key = this.#apiKey.known ?? (await this.#apiKey.get(request));
    const answer = await this.#request(transport, request, key);
    const other = key !== undefined && isKeyRefused(answer) ? await this.#apiKey.otherThan(key, request) : undefined;
    return other === undefined ? answer : this.#request(transport, request, other);
  }

  async #request<Response extends HttpResponse>(
    transport: Sender<Response>,
    { path, json, method, headers, deadline, signal, beforeSending, onAccepted, limits }: SynapRequest,
    apiKey: string | undefined,
  ): Promise<Answered<Response>> {
    const correlationId = uuidv4();
    const body = json === undefined ? undefined : JSON.stringify(json);
    await beforeSending?.();
    const ended = requestEvent({ correlationId, path, json, method: method ?? (body === undefined ? 'GET' : 'POST') });
    const sent = transport.request({
      method: method ?? (body === undefined ? 'GET' : 'POST'),
      path: this.#pathPrefix + path,
      headers: {
        ...(apiKey !== undefined && { authorization: `Bearer ${apiKey}` }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
        accept: 'application/json',
        'x-correlation-id': correlationId,
        ...this.#headers,
        ...headers,
      },
      body,
      deadline,
      signal,
      limits,
      beforeWriting: beforeSending,
      onHeaders: answer => {
        if (isSuccess(answer) && !isWebPage(answer)) call(onAccepted);
      },
    });
    sent.then(({ status }) => ended({ status }), ended);
    return { ...(await sent), correlationId };
  }

  /**
   * An answer with a status of success.
   *
   * @throws {@link NetworkError} Synap can't be reached
   * @throws any other {@link SynapError}, by the status Synap answers
   */
  async send<Response extends HttpResponse>(
    transport: Sender<Response>,
    request: SynapRequest,
  ): Promise<Answered<Response>> {
    const answer = await this.ask(transport, request);
    if (!isSuccess(answer)) throw this.errorOf(answer, request);
    return answer;
  }

  /** Tells keys apart without showing them. */
  get fingerprint(): string | undefined {
    const { known } = this.#apiKey;
    return known === undefined ? undefined : uuidv5(known, KEY_NAMESPACE);
  }

  /** The error that an answer outside 2xx stands for. It repeats neither the key nor a message. */
  errorOf(answer: Answered<HttpResponse>, request: SynapRequest): SynapError {
    return errorFromResponse(answer, answer.correlationId, this.secretsOf(request));
  }

  secretsOf({ contents = [] }: Pick<SynapRequest, 'contents'>) {
    return { apiKey: this.#apiKey.known, formerKey: this.#apiKey.former, contents };
  }
}

export function deadlineIn(ms: number): Deadline {
  return { signal: AbortSignal.timeout(ms), ms };
}

/**
 * The JSON of an answer that was asked for its body's sake: without all of it, nothing was achieved. Undefined where it is empty.
 *
 * @throws {@link NetworkError} the body did not come whole
 * @throws {@link ServiceUnavailableError} it is a web page
 * @throws {@link UnexpectedResponseError} it is no JSON
 */
export function readJson(answer: Answered<HttpResponse>, deadline?: Deadline): unknown {
  const { status, body, unread, correlationId } = answer;
  if (unread !== undefined) {
    const options = { status, correlationId, sent: 'unknown', answered: true } as const;
    if (deadline?.signal.aborted)
      throw new TimeoutError(`The request to Synap timed out after ${deadline.ms} ms`, options);
    throw new NetworkError(`Synap's answer could not be read (${unread})`, options);
  }
  // A 204 has nothing to say.
  if (body.trim() === '' && !isWebPage(answer)) return undefined;
  try {
    return JSON.parse(body);
  } catch {
    if (isHtml(answer))
      throw new ServiceUnavailableError(
        `A web page answered in Synap's place (${status}). Check the network, and that baseUrl is the address of Synap`,
        { status, correlationId, stored: 'no' },
      );
    throw new UnexpectedResponseError("Synap's answer is not JSON. Check that baseUrl is the address of Synap", {
      status,
      correlationId,
      retryable: true,
    });
  }
}

/** Prepares the event of a request, which is told once the request has ended. */
function requestEvent({
  correlationId,
  path,
  json,
  method,
}: Pick<RequestEvent, 'correlationId' | 'path' | 'method'> & { json: unknown }): (end: unknown) => void {
  if (!diagnostics.isHeard('request')) return () => {};
  const begun = monotonicNow();
  const messages = property(json, 'messages');
  const count = Array.isArray(messages) ? messages.length : property(json, 'content') === undefined ? 0 : 1;
  return end => {
    const [status, error] = [property(end, 'status'), property(end, 'code')];
    diagnostics.publish('request', {
      method,
      path: path.replace(/\?.*/s, ''),
      messages: count,
      status: typeof status === 'number' ? status : undefined,
      error: typeof error === 'string' ? error : undefined,
      durationMs: Math.round(monotonicNow() - begun),
      correlationId,
    });
  };
}

/** What a caller's function throws must not turn what is stored into a failure. */
function call(onAccepted: (() => void) | undefined): void {
  try {
    onAccepted?.();
  } catch {
    // It is the caller's own.
  }
}
