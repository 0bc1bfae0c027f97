import { httpTransport } from '#http';
import { type Credits, creditsFromWire, type Whoami, whoamiFromWire } from './account.js';
import type { ContextApi, RequestOptions } from './context.js';
import { type ContextCall, contextApi } from './context-calls.js';
import { CustomerCalls } from './customer-calls.js';
import { CustomerIds } from './customer-ids.js';
import { InvalidInputError } from './errors.js';
import { type IngestReceipt, ingestReceiptFromWire, type Transcript, transcriptToWire } from './ingest.js';
import {
  type BatchMessageInput,
  type BatchResult,
  type Receipt,
  type RecordMessageInput,
  type Tenancy,
  toWire,
  toWireBatch,
} from './messages.js';
import { deadlineIn, readJson, SynapEndpoint } from './request.js';
import { retryReads } from './retry-reads.js';
import { type ConnectionOptions, checkTimeout, readRoute } from './settings.js';
import type { Deadline, HttpTransport } from './transport.js';

const DEFAULT_TIMEOUT_MS = 45_000;

export interface SynapClientOptions extends ConnectionOptions {
  /**
   * With `b2b`, a message without a customer fails at the call. With `b2c`, `customer_id` is left out of what is sent, and the
   * customer kept in the metadata as `external_customer_id`. Without it, Synap is asked once a message names a customer, and
   * what it refuses for its `customer_id` is sent again at once in another form.
   */
  tenancy?: Tenancy | undefined;
  /** Milliseconds for one request in all, connecting and reading included. Default 45,000. */
  timeoutMs?: number | undefined;
}

/** For one call. What was sent before it was aborted may have been stored. */
export interface CallOptions extends RequestOptions {
  /**
   * Is awaited right before each request of the call goes out, once the key is known. If it rejects, that is not sent, and the
   * call rejects with the same.
   */
  beforeSending?: (() => Promise<void>) | undefined;
  /** Is called as soon as Synap has answered 2xx, before the rest of its answer is read: what was sent is stored. */
  onAccepted?: (() => void) | undefined;
}

/** The calls that record. */
export interface RecordingApi {
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

/** What a recorder needs of a client: a {@link SynapClient}, or one of your own. */
export interface RecordingClient {
  readonly conversation: RecordingApi;
}

/** The calls on a conversation. */
export interface ConversationApi extends RecordingApi {
  /** What Synap has made of a conversation. */
  readonly context: ContextApi;
  /**
   * Hands over a whole conversation from elsewhere. The identical one again is stored once: `status` says `duplicate`. It is
   * sent once.
   *
   * @throws {@link ConflictError} there is another transcript under this id
   * @throws as {@link recordMessage}
   * @example
   * ```ts
   * const { status } = await synap.conversation.ingest({
   *   conversationId: 'call-42',
   *   userId: 'ada',
   *   transcript: [{ role: 'user', content: 'Hello!', timestamp: '2026-01-01T00:00:00Z' }],
   * });
   * ```
   */
  ingest(transcript: Transcript, options?: RequestOptions): Promise<IngestReceipt>;
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

  readonly #endpoint: SynapEndpoint;
  readonly #transport: HttpTransport;
  readonly #timeoutMs: number;
  readonly #customers: CustomerIds;
  readonly #calls: CustomerCalls;
  readonly #closing = new AbortController();

  constructor(options: SynapClientOptions = {}) {
    this.#endpoint = SynapEndpoint.of(options);
    this.baseUrl = this.#endpoint.baseUrl;
    this.#timeoutMs = checkTimeout(options.timeoutMs ?? DEFAULT_TIMEOUT_MS);
    const tenancy = checkTenancy(options.tenancy);
    const { origin } = this.#endpoint;
    this.#transport = httpTransport(origin, readRoute(new URL(origin), options));
    const ask = async (timeoutMs: number) => (await this.#whoami({ timeoutMs }, false)).tenancy;
    this.#customers = new CustomerIds({ tenancy, logger: options.logger, ask });
    this.#calls = new CustomerCalls(this.#endpoint, this.#transport, this.#customers);
    this.conversation = {
      recordMessage: async (message, options) =>
        this.#calls.single(toWire(message, tenancy), this.#recordLimits(options)),
      recordMessagesBatch: async (messages, options) => {
        const wire = toWireBatch(messages, tenancy);
        if (wire.length === 0) return { total: 0, succeeded: 0, failed: 0, results: [] };
        return this.#calls.batch(wire, this.#recordLimits(options));
      },
      ingest: (transcript, options) => this.#ingest(transcript, options),
      context: contextApi((call, options) => this.#ask(call, options)),
    };
  }

  /**
   * Tells two API keys apart without showing either: the same for the same key, everywhere. Undefined while no key is known.
   */
  get fingerprint(): string | undefined {
    return this.#endpoint.fingerprint;
  }

  /**
   * Whose key it is. A read: it is sent again a few times, within `timeoutMs`, where Synap was not reached or is unavailable.
   *
   * @throws {@link AuthenticationError} the key is refused
   * @throws any other {@link SynapError}
   */
  whoami(options?: RequestOptions): Promise<Whoami> {
    return this.#whoami(options, true);
  }

  /**
   * Says what kind of instance this is, for a program that has learned it. The option `tenancy` stands, whatever is learned.
   * With `b2c`, `customer_id` is left out from now on, and the customer kept in the metadata as `external_customer_id`.
   */
  learnTenancy(tenancy: Tenancy): void {
    const checked = checkTenancy(tenancy);
    if (checked !== undefined) this.#customers.learn(checked);
  }

  /** What the account has left. A read, as {@link whoami}. */
  async credits(options?: RequestOptions): Promise<Credits> {
    return creditsFromWire(await this.#ask({ path: '/v1/credits/balance', isRead: true }, options));
  }

  /** Closes the connections. Calls under way fail with a {@link NetworkError}; later ones do, too. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#transport.close();
  }

  async #whoami(options: RequestOptions | undefined, isRead: boolean): Promise<Whoami> {
    const whoami = whoamiFromWire(await this.#ask({ path: '/api/v1/auth/whoami', isRead }, options));
    if (whoami.tenancy !== undefined) this.#customers.learn(whoami.tenancy);
    return whoami;
  }

  async #ingest(transcript: Transcript, options?: RequestOptions): Promise<IngestReceipt> {
    const { json, contents } = transcriptToWire(transcript);
    const call = { path: '/v1/conversations/ingest', json, contents, keepsCustomer: true, isRead: false };
    return ingestReceiptFromWire(await this.#ask(call, options));
  }

  /** The JSON of an answer. A read is sent again where that may help. */
  async #ask({ isRead, ...call }: ContextCall, { signal, timeoutMs }: RequestOptions = {}): Promise<unknown> {
    const deadline = this.#deadline(timeoutMs);
    const { path, json, contents, keepsCustomer = false } = call;
    const limits = { signal, deadline };
    const send = async () => {
      if (json !== undefined) return this.#calls.json({ path, json, contents, keepsCustomer, isRead, ...limits });
      return readJson(await this.#endpoint.send(this.#transport, { path, ...limits }), deadline);
    };
    if (!isRead) return send();
    const signals = [signal, deadline.signal, this.#closing.signal];
    return retryReads(send, { timeoutMs: deadline.ms, signals });
  }

  #recordLimits({ signal, timeoutMs, beforeSending, onAccepted }: CallOptions = {}) {
    return { signal, beforeSending, onAccepted, deadline: this.#deadline(timeoutMs) };
  }

  #deadline(timeoutMs: number | undefined): Deadline {
    return deadlineIn(timeoutMs === undefined ? this.#timeoutMs : checkTimeout(timeoutMs));
  }
}

function checkTenancy(tenancy: Tenancy | undefined): Tenancy | undefined {
  if (tenancy === undefined || tenancy === 'b2b' || tenancy === 'b2c') return tenancy;
  throw new InvalidInputError('tenancy must be "b2b" or "b2c"', { field: 'tenancy' });
}
