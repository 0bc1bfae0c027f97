import { httpTransport } from '#http';
import { readSuccess } from './error-from-response.js';
import { InvalidInputError } from './errors.js';
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
import { deadlineIn, SynapEndpoint } from './request.js';
import { type ConnectionOptions, checkTimeout } from './settings.js';
import type { HttpTransport } from './transport.js';

const DEFAULT_TIMEOUT_MS = 45_000;

export interface SynapClientOptions extends ConnectionOptions {
  /** With `b2b`, a message without a customer fails at the call. Without it, the server decides. */
  tenancy?: Tenancy | undefined;
  /** Milliseconds for one request in all, connecting and reading included. Default 45,000. */
  timeoutMs?: number | undefined;
}

export interface CallOptions {
  /** Aborts the call. What was sent by then may have been stored. */
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

  readonly #endpoint: SynapEndpoint;
  readonly #transport: HttpTransport;
  readonly #timeoutMs: number;
  readonly #tenancy: Tenancy | undefined;

  constructor(options: SynapClientOptions = {}) {
    this.#endpoint = SynapEndpoint.of(options);
    this.baseUrl = this.#endpoint.baseUrl;
    this.#timeoutMs = checkTimeout(options.timeoutMs ?? DEFAULT_TIMEOUT_MS);
    this.#tenancy = checkTenancy(options.tenancy);
    this.#transport = httpTransport(this.#endpoint.origin);
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
    const secrets = this.#endpoint.secretsOf({ contents: contentsOf(wire) });
    return batchFromWire(answer, wire, text => maskServerText(text, secrets));
  }

  async #post(
    path: string,
    json: unknown,
    sent: readonly WireMessage[],
    { signal, onAccepted }: CallOptions,
  ): Promise<ReadAnswer> {
    const request = {
      path,
      json,
      contents: contentsOf(sent),
      signal,
      onAccepted,
      deadline: deadlineIn(this.#timeoutMs),
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
