import { v4 as uuidv4 } from 'uuid';
import { httpTransport } from '#http';
import { env, isQuoted, type WarningLogger, warn } from '../internal/env.js';
import { VERSION } from '../version.js';
import { errorFromResponse, isSuccess, isWebPage, readSuccess } from './error-from-response.js';
import { AuthenticationError, InvalidInputError } from './errors.js';
import {
  type BatchMessageInput,
  type BatchResult,
  batchFromWire,
  type ReadAnswer,
  type Receipt,
  type RecordMessageInput,
  receiptFromWire,
  type Tenancy,
  toWire,
  toWireBatch,
  type WireMessage,
} from './messages.js';
import { scrubber } from './scrub.js';
import type { HttpTransport } from './transport.js';

const DEFAULT_BASE_URL = 'https://synap-cloud-prod.maximem.ai';
const DEFAULT_TIMEOUT_MS = 45_000;

export interface SynapClientOptions {
  /** Defaults to `SYNAP_API_KEY`. */
  apiKey?: string | undefined;
  /** Defaults to `SYNAP_BASE_URL`, then to Synap's cloud. */
  baseUrl?: string | undefined;
  /** With `b2b`, a message without a customer fails at the call. Without it, the server decides. */
  tenancy?: Tenancy | undefined;
  /** Milliseconds for one request in all, connecting and reading included. Default 45,000. */
  timeoutMs?: number | undefined;
  /** Allows an `http://` base URL that is not loopback: the key and every message then travel in the clear. */
  allowInsecure?: boolean | undefined;
  /** Sent as `X-Client-ID`, for keys that belong to one of several clients. Defaults to `SYNAP_CLIENT_ID`. */
  clientId?: string | undefined;
  /** Sent as `X-Instance-ID`, for keys that reach several instances. Defaults to `SYNAP_INSTANCE_ID`. */
  instanceId?: string | undefined;
  /**
   * Told of a variable of the environment that can't be right, and that the client goes on without. Default: the console.
   * `false` is silent.
   */
  logger?: WarningLogger | false | undefined;
}

export interface CallOptions {
  /** Breaks the call off. What was sent by then may have been stored. */
  signal?: AbortSignal | undefined;
  /** Is called as soon as Synap has answered 2xx, before the rest of its answer is read: what was sent is stored. */
  onAccepted?: (() => void) | undefined;
}

/** The calls on a conversation. */
export interface ConversationApi {
  /**
   * Records one message. This is what registers a conversation, too.
   *
   * Every field is checked before anything is sent.
   *
   * @throws {@link InvalidInputError} a field is missing or wrong; `field` names it
   * @throws {@link AuthenticationError} the key is refused
   * @throws {@link NetworkError} Synap can't be reached; `sent` tells whether it may have been stored
   * @throws any other {@link SynapError}, by the status Synap answers
   */
  recordMessage(message: RecordMessageInput, options?: CallOptions): Promise<Receipt>;
  /**
   * Records many messages in one request, in order. A message that Synap refuses does not fail the others: its place in
   * `results` holds the reason.
   *
   * @throws as {@link recordMessage}, for the request as a whole
   */
  recordMessagesBatch(messages: readonly BatchMessageInput[], options?: CallOptions): Promise<BatchResult>;
}

/**
 * The Synap API. One client holds one pool of connections: make one, keep it, `close()` it at the end.
 *
 * @example
 * ```ts
 * const synap = new SynapClient({ apiKey: process.env.SYNAP_API_KEY });
 * const receipt = await synap.conversation.recordMessage({
 *   conversationId: conversationUuid('chat-42', { userId: 'ada' }),
 *   role: 'user',
 *   content: 'Hello!',
 *   userId: 'ada',
 * });
 * console.log(receipt.messageId, receipt.recordedAt);
 * ```
 */
export class SynapClient {
  readonly conversation: ConversationApi;
  /** Where this client sends to, without a trailing slash. */
  readonly baseUrl: string;

  // Private fields stay out of inspect(), JSON.stringify() and the reach of a logger.
  readonly #apiKey: string;
  readonly #transport: HttpTransport;
  readonly #pathPrefix: string;
  readonly #timeoutMs: number;
  readonly #tenancy: Tenancy | undefined;
  readonly #idHeaders: Record<string, string>;

  constructor(options: SynapClientOptions = {}) {
    const fromEnv = options.apiKey === undefined ? env('SYNAP_API_KEY') : undefined;
    this.#apiKey = checkApiKey(options.apiKey ?? fromEnv);
    if (fromEnv !== undefined && isQuoted(fromEnv))
      warn(options.logger, 'SYNAP_API_KEY stands in quotes, which are sent as a part of the key: set it without them');
    const url = baseUrlOf(options.baseUrl, options.allowInsecure ?? false);
    this.#pathPrefix = url.pathname.replace(/\/+$/, '');
    this.baseUrl = url.origin + this.#pathPrefix;
    this.#timeoutMs = checkTimeout(options.timeoutMs ?? DEFAULT_TIMEOUT_MS);
    this.#tenancy = checkTenancy(options.tenancy);
    this.#idHeaders = {
      ...idHeader('x-client-id', 'clientId', options.clientId, options.logger),
      ...idHeader('x-instance-id', 'instanceId', options.instanceId, options.logger),
    };
    this.#transport = httpTransport(url.origin);
    this.conversation = {
      recordMessage: (message, options) => this.#recordMessage(message, options),
      recordMessagesBatch: (messages, options) => this.#recordMessagesBatch(messages, options),
    };
  }

  /** Closes the connections. Calls under way fail with a {@link NetworkError}; later ones do, too. */
  async close(): Promise<void> {
    await this.#transport.close();
  }

  async #recordMessage(message: RecordMessageInput, options: CallOptions = {}): Promise<Receipt> {
    const wire = toWire(message, this.#tenancy);
    return receiptFromWire(await this.#post('/v1/conversations/messages', wire, [wire], options), wire);
  }

  async #recordMessagesBatch(messages: readonly BatchMessageInput[], options: CallOptions = {}): Promise<BatchResult> {
    const wire = toWireBatch(messages, this.#tenancy);
    if (wire.length === 0) return { total: 0, succeeded: 0, failed: 0, results: [] };
    const answer = await this.#post('/v1/conversations/messages/batch', { messages: wire }, wire, options);
    return batchFromWire(answer, wire, this.#scrubber(wire));
  }

  async #post(
    path: string,
    payload: unknown,
    sent: readonly WireMessage[],
    { signal, onAccepted }: CallOptions,
  ): Promise<ReadAnswer> {
    const correlationId = uuidv4();
    const response = await this.#transport.request({
      method: 'POST',
      path: this.#pathPrefix + path,
      headers: {
        authorization: `Bearer ${this.#apiKey}`,
        'content-type': 'application/json',
        accept: 'application/json',
        'user-agent': `synap-recorder/${VERSION}`,
        'x-correlation-id': correlationId,
        ...this.#idHeaders,
      },
      body: JSON.stringify(payload),
      deadline: AbortSignal.timeout(this.#timeoutMs),
      signal,
      onHeaders: answer => {
        if (isSuccess(answer) && !isWebPage(answer)) call(onAccepted);
      },
    });
    if (!isSuccess(response)) throw errorFromResponse(response, correlationId, this.#scrubber(sent));
    return readSuccess(response, this.baseUrl, correlationId);
  }

  #scrubber(sent: readonly WireMessage[]): (text: string) => string {
    return scrubber(
      this.#apiKey,
      sent.map(message => message.content),
    );
  }
}

/** What a caller's function throws must not turn what is stored into a failure. */
function call(told: (() => void) | undefined): void {
  try {
    told?.();
  } catch {
    // It is the caller's own.
  }
}

function checkApiKey(apiKey: string | undefined): string {
  if (typeof apiKey !== 'string' || apiKey.trim() === '')
    throw new AuthenticationError('No Synap API key: pass apiKey, or set SYNAP_API_KEY');
  const key = apiKey.trim();
  if (!/^[\x21-\x7e]+$/.test(key))
    throw new AuthenticationError(
      'The Synap API key holds a space, a line break or a character outside ASCII: was it copied whole, and nothing else?',
    );
  return key;
}

/**
 * An address in the environment that can't be used is refused as well: to send to the default one would be to send what
 * people say somewhere else than meant.
 */
function baseUrlOf(given: string | undefined, allowInsecure: boolean): URL {
  if (given !== undefined) return checkBaseUrl(given, 'baseUrl', allowInsecure);
  const fromEnv = env('SYNAP_BASE_URL');
  if (fromEnv === undefined) return new URL(DEFAULT_BASE_URL);
  if (isQuoted(fromEnv))
    throw new InvalidInputError(
      'SYNAP_BASE_URL stands in quotes, which are taken for a part of it: set it without them',
      {
        field: 'baseUrl',
      },
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

function checkTimeout(timeoutMs: number): number {
  // Above 2^31 - 1 Node's timers fire at once.
  if (Number.isFinite(timeoutMs) && timeoutMs > 0 && timeoutMs < 2 ** 31) return Math.ceil(timeoutMs);
  throw new InvalidInputError(
    `timeoutMs must be a number of milliseconds above 0 and below 2^31, but is ${timeoutMs}`,
    {
      field: 'timeoutMs',
    },
  );
}

function checkTenancy(tenancy: Tenancy | undefined): Tenancy | undefined {
  if (tenancy === undefined || tenancy === 'b2b' || tenancy === 'b2c') return tenancy;
  throw new InvalidInputError('tenancy must be "b2b" or "b2c"', { field: 'tenancy' });
}

const ID_VARIABLES = { clientId: 'SYNAP_CLIENT_ID', instanceId: 'SYNAP_INSTANCE_ID' } as const;

/** A header that names an account's part. One of the environment that can't be sent is left out, and that is said. */
function idHeader(
  header: string,
  option: keyof typeof ID_VARIABLES,
  given: string | undefined,
  logger: WarningLogger | false | undefined,
): Record<string, string> {
  const variable = ID_VARIABLES[option];
  const value = given ?? env(variable);
  if (value === undefined) return {};
  const isSendable = typeof value === 'string' && /^[\x21-\x7e]+$/.test(value);
  if (given !== undefined && !isSendable)
    throw new InvalidInputError(`${option} must be ASCII without spaces, to be sent as ${header}`, { field: option });
  if (!isSendable) {
    warn(logger, `${variable} holds a space, a line break or a character outside ASCII, so ${header} is not sent`);
    return {};
  }
  if (given === undefined && isQuoted(value))
    warn(logger, `${variable} stands in quotes, which are sent as a part of ${header}: set it without them`);
  return { [header]: value };
}
