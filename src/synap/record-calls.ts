import { batchFromWire } from './batch-answer.js';
import { customerComplaint } from './customer-complaint.js';
import { type CustomerForm, type CustomerIds, inForm } from './customer-ids.js';
import { readErrorBody } from './error-body.js';
import { isInputRefused, isSuccess, readSuccess } from './error-from-response.js';
import { SynapError } from './errors.js';
import { maskServerTexts } from './mask-server-text.js';
import {
  type BatchItemResult,
  type BatchResult,
  type ReadAnswer,
  type Receipt,
  receiptFromWire,
  type WireMessage,
} from './messages.js';
import type { SynapEndpoint, SynapRequest } from './request.js';
import type { HttpResponse, HttpTransport } from './transport.js';

type Limits = Pick<SynapRequest, 'deadline' | 'signal' | 'onAccepted'>;

/** How messages are wrapped for a route. */
interface Route {
  readonly path: string;
  readonly json: (messages: readonly WireMessage[]) => unknown;
}

const SINGLE: Route = { path: '/v1/conversations/messages', json: ([message]) => message };
const BATCH: Route = { path: '/v1/conversations/messages/batch', json: messages => ({ messages }) };

/** Sends messages; those that are refused for their `customer_id` are sent again at once without it, or with another. */
export class RecordCalls {
  readonly #endpoint: SynapEndpoint;
  readonly #transport: HttpTransport;
  readonly #customers: CustomerIds;

  constructor(endpoint: SynapEndpoint, transport: HttpTransport, customers: CustomerIds) {
    this.#endpoint = endpoint;
    this.#transport = transport;
    this.#customers = customers;
  }

  async single(message: WireMessage, limits: Limits): Promise<Receipt> {
    const { answer } = await this.#send(SINGLE, [message], limits, [this.#customers.form]);
    return receiptFromWire(answer, message);
  }

  async batch(messages: readonly WireMessage[], limits: Limits): Promise<BatchResult> {
    const { answer, tried } = await this.#send(BATCH, messages, limits, [this.#customers.form]);
    return this.#healed(messages, this.#read(answer, messages), tried, limits);
  }

  #read(answer: ReadAnswer, messages: readonly WireMessage[]): BatchResult {
    const secrets = this.#endpoint.secretsOf({ contents: contentsOf(messages) });
    return batchFromWire(answer, messages, texts => maskServerTexts(texts, secrets));
  }

  /** @param tried the form to send in, after those in which they were refused */
  async #send(
    { path, json }: Route,
    messages: readonly WireMessage[],
    limits: Limits,
    tried: readonly CustomerForm[],
  ): Promise<{ answer: ReadAnswer; tried: readonly CustomerForm[] }> {
    const form = tried.at(-1) ?? 'given';
    const sent = inForm(messages, form);
    const request = { ...limits, path, json: json(sent), contents: contentsOf(sent) };
    const asked = this.#endpoint.ask(this.#transport, request);
    if (form === 'given') this.#customers.learnFor(sent);
    const answer = await asked;
    if (isSuccess(answer)) {
      const read = readSuccess(answer, this.#endpoint.baseUrl, answer.correlationId);
      if (tried.length > 1 && path === SINGLE.path) this.#customers.remember(form);
      return { answer: read, tried };
    }
    const next = await this.#nextForm(answer, request, messages, tried);
    if (next === undefined) throw this.#endpoint.errorOf(answer, request);
    return this.#send({ path, json }, messages, limits, [...tried, next]);
  }

  async #nextForm(
    answer: HttpResponse,
    request: SynapRequest,
    messages: readonly WireMessage[],
    tried: readonly CustomerForm[],
  ): Promise<CustomerForm | undefined> {
    if (!isInputRefused(answer)) return undefined;
    const { code = '', text = '', fields } = readErrorBody(answer.body);
    const words = maskServerTexts([code, text], this.#endpoint.secretsOf(request)).join(' ');
    const complaint = customerComplaint(words, fields);
    return complaint && this.#customers.nextForm(complaint, messages, tried, request.signal);
  }

  /** Sends those again, once, that were refused one by one for their `customer_id`, and puts their results in place. */
  async #healed(
    messages: readonly WireMessage[],
    result: BatchResult,
    tried: readonly CustomerForm[],
    limits: Limits,
  ): Promise<BatchResult> {
    const complaints = result.results.map(({ error }) => (error === undefined ? undefined : customerComplaint(error)));
    const complaint = complaints.find(complaint => complaint !== undefined);
    if (tried.length > 1 && result.succeeded > 0) this.#customers.remember(tried.at(-1) ?? 'given');
    if (complaint === undefined) return result;
    const places = complaints.flatMap((complaint, index) => (complaint ? [index] : []));
    const refused = messages.filter((_, index) => complaints[index]);
    const next = await this.#customers.nextForm(complaint, refused, tried, limits.signal);
    if (next === undefined) return result;
    const again = await this.#again(refused, limits, [...tried, next]);
    const results = [...result.results];
    for (const [index, fate] of again.entries()) {
      const place = places[index];
      if (place !== undefined && fate !== undefined) results[place] = fate;
    }
    return counted(results, result.unread);
  }

  /** What became of messages that were sent again; undefined where what was known of them still holds. */
  async #again(
    messages: readonly WireMessage[],
    { deadline, signal }: Limits,
    tried: readonly CustomerForm[],
  ): Promise<(BatchItemResult | undefined)[]> {
    try {
      const { answer, tried: forms } = await this.#send(BATCH, messages, { deadline, signal }, tried);
      const { results, succeeded } = this.#read(answer, messages);
      if (succeeded > 0) this.#customers.remember(forms.at(-1) ?? 'given');
      return results;
    } catch (error) {
      const isOpen = !SynapError.is(error) || error.stored !== 'no';
      const unknown = 'it was sent again in another form, and no clear answer came';
      return messages.map(() => (isOpen ? { unknown } : undefined));
    }
  }
}

function counted(results: BatchItemResult[], unread: string | undefined): BatchResult {
  const failed = results.filter(({ error }) => error !== undefined).length;
  const unknown = results.filter(item => item.unknown !== undefined).length;
  return {
    total: results.length,
    succeeded: results.length - failed - unknown,
    failed,
    ...(unknown > 0 && { unknown }),
    results,
    ...(unread !== undefined && { unread }),
  };
}

function contentsOf(messages: readonly WireMessage[]): string[] {
  return messages.map(message => message.content);
}
