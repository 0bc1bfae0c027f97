import { httpTransport } from '#http';
import { type Credits, creditsFromWire, type Whoami, whoamiFromWire } from './account.js';
import type { ContextApi, RequestOptions } from './context.js';
import { type ContextCall, contextApi } from './context-calls.js';
import { readSuccess } from './error-from-response.js';
import { InvalidInputError } from './errors.js';
import { type IngestReceipt, ingestReceiptFromWire, type Transcript, transcriptToWire } from './ingest.js';
import { maskServerText } from './mask-secrets.js';
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
import { deadlineIn, readJson, SynapEndpoint } from './request.js';
import { retryReads } from './retry-reads.js';
import { type ConnectionOptions, checkTimeout } from './settings.js';
import type { HttpTransport } from './transport.js';

const DEFAULT_TIMEOUT_MS = 45_000;

export interface SynapClientOptions extends ConnectionOptions {
  /** With `b2b`, a message without a customer fails at the call. Without it, the server decides. */
  tenancy?: Tenancy | undefined;
  /** Milliseconds for one request in all, connecting and reading included. Default 45,000. */
  timeoutMs?: number | undefined;
}

/** For one call. What was sent before it was aborted may have been stored. */
export interface CallOptions extends RequestOptions {
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
  readonly #tenancy: Tenancy | undefined;
  readonly #closing = new AbortController();

  constructor(options: SynapClientOptions = {}) {
    this.#endpoint = SynapEndpoint.of(options);
    this.baseUrl = this.#endpoint.baseUrl;
    this.#timeoutMs = checkTimeout(options.timeoutMs ?? DEFAULT_TIMEOUT_MS);
    this.#tenancy = checkTenancy(options.tenancy);
    this.#transport = httpTransport(this.#endpoint.origin);
    this.conversation = {
      recordMessage: (message, options) => this.#recordMessage(message, options),
      recordMessagesBatch: (messages, options) => this.#recordMessagesBatch(messages, options),
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
  async whoami(options?: RequestOptions): Promise<Whoami> {
    return whoamiFromWire(await this.#ask({ path: '/api/v1/auth/whoami', isRead: true }, options));
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

  async #ingest(transcript: Transcript, options?: RequestOptions): Promise<IngestReceipt> {
    const { json, contents } = transcriptToWire(transcript);
    return ingestReceiptFromWire(
      await this.#ask({ path: '/v1/conversations/ingest', json, contents, isRead: false }, options),
    );
  }

  /** The JSON of an answer. A read is sent again where that may help. */
  async #ask({ isRead, ...call }: ContextCall, { signal, timeoutMs }: RequestOptions = {}): Promise<unknown> {
    const deadline = deadlineIn(timeoutMs === undefined ? this.#timeoutMs : checkTimeout(timeoutMs));
    const request = { ...call, signal, deadline };
    const send = async () => readJson(await this.#endpoint.send(this.#transport, request), deadline);
    if (!isRead) return send();
    const signals = [signal, deadline.signal, this.#closing.signal];
    return retryReads(send, { timeoutMs: deadline.ms, signals });
  }

  async #recordMessage(message: RecordMessageInput, options: CallOptions = {}): Promise<Receipt> {
    const wire = toWire(message, this.#tenancy);
    return receiptFromWire(await this.#post('/v1/conversations/messages', wire, [wire], options), wire);
  }

  async #recordMessagesBatch(messages: readonly BatchMessageInput[], options: CallOptions = {}): Promise<BatchResult> {
    const wire = toWireBatch(messages, this.#tenancy);
    if (wire.length === 0) return { total: 0, succeeded: 0, failed: 0, results: [] };
    const answer = await this.#post('/v1/conversations/messages/batch', { messages: wire }, wire, options);
    const secrets = this.#endpoint.secretsOf({ contents: contentsOf(wire) });
    return batchFromWire(answer, wire, text => maskServerText(text, secrets));
  }

  async #post(
    path: string,
    json: unknown,
    sent: readonly WireMessage[],
    { signal, timeoutMs, onAccepted }: CallOptions,
  ): Promise<ReadAnswer> {
    const request = {
      path,
      json,
      contents: contentsOf(sent),
      signal,
      onAccepted,
      deadline: deadlineIn(timeoutMs === undefined ? this.#timeoutMs : checkTimeout(timeoutMs)),
    };
    const answer = await this.#endpoint.send(this.#transport, request);
    return readSuccess(answer, this.baseUrl, answer.correlationId);
  }
}

function contentsOf(messages: readonly WireMessage[]): string[] {
  return messages.map(message => message.content);
}

function checkTenancy(tenancy: Tenancy | undefined): Tenancy | undefined {
  if (tenancy === undefined || tenancy === 'b2b' || tenancy === 'b2c') return tenancy;
  throw new InvalidInputError('tenancy must be "b2b" or "b2c"', { field: 'tenancy' });
}
