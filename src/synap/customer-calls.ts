import { batchFromWire } from './batch-answer.js';
import { customerComplaint } from './customer-complaint.js';
import { type CustomerForm, type CustomerIds, inForm, type WithCustomer } from './customer-ids.js';
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
import { type Answered, readJson, type SynapEndpoint, type SynapRequest } from './request.js';
import type { HttpResponse, HttpTransport } from './transport.js';

type Limits = Pick<SynapRequest, 'deadline' | 'signal' | 'beforeSending' | 'onAccepted'>;

/** What is posted, and how it is wrapped. */
interface Post {
  readonly path: string;
  readonly bodies: readonly WithCustomer[];
  readonly wrap: (bodies: readonly WithCustomer[]) => unknown;
  readonly contents: readonly string[];
  /** Whether a customer who is not sent stands in the metadata. */
  readonly keepsCustomer: boolean;
}

/** Another call than those that record: its body, and what its error may not repeat. */
export interface OtherPost extends Limits {
  readonly path: string;
  readonly json: WithCustomer;
  readonly contents?: readonly string[] | undefined;
  readonly keepsCustomer: boolean;
  /** Whether it is asked for the sake of its answer's body. */
  readonly isRead: boolean;
}

/**
 * Posts what may name a customer. What is refused for its `customer_id` is sent again at once without it, or with another one.
 */
export class CustomerCalls {
  readonly #endpoint: SynapEndpoint;
  readonly #transport: HttpTransport;
  readonly #customers: CustomerIds;

  constructor(endpoint: SynapEndpoint, transport: HttpTransport, customers: CustomerIds) {
    this.#endpoint = endpoint;
    this.#transport = transport;
    this.#customers = customers;
  }

  async single(message: WireMessage, limits: Limits): Promise<Receipt> {
    const { answer, tried } = await this.#send(single(message), limits, [this.#customers.form]);
    const read = this.#success(answer);
    this.#remember(tried);
    return receiptFromWire(read, message);
  }

  /** The JSON of the answer to another call. What is done is done with a 2xx, whatever becomes of its body: `unread` says that. */
  async json({ path, json, contents = [], keepsCustomer, isRead, ...limits }: OtherPost): Promise<unknown> {
    const post = { path, bodies: [json], wrap: unwrapped, contents, keepsCustomer };
    const { answer, tried } = await this.#send(post, limits, [this.#customers.form]);
    const { body, unread } = isRead ? { body: readJson(answer, limits.deadline) } : this.#success(answer);
    this.#remember(tried);
    return body ?? { unread };
  }

  async batch(messages: readonly WireMessage[], limits: Limits): Promise<BatchResult> {
    const { answer, tried } = await this.#send(batch(messages), limits, [this.#customers.form]);
    return this.#healed(messages, this.#read(answer, messages), tried, limits);
  }

  #success(answer: Answered<HttpResponse>): ReadAnswer {
    return readSuccess(answer, this.#endpoint.baseUrl, answer.correlationId);
  }

  #read(answer: Answered<HttpResponse>, messages: readonly WireMessage[]): BatchResult {
    const secrets = this.#endpoint.secretsOf({ contents: contentsOf(messages) });
    return batchFromWire(this.#success(answer), messages, texts => maskServerTexts(texts, secrets));
  }

  /** @param tried the form that was accepted, after those that were not */
  #remember(tried: readonly CustomerForm[]): void {
    const form = tried.at(-1);
    if (tried.length > 1 && form !== undefined) this.#customers.remember(form);
  }

  /** @param tried the form to send in, after those in which it was refused */
  async #send(
    post: Post,
    limits: Limits,
    tried: readonly CustomerForm[],
  ): Promise<{ answer: Answered<HttpResponse>; tried: readonly CustomerForm[] }> {
    const { path, bodies, wrap, contents, keepsCustomer } = post;
    const form = tried.at(-1) ?? 'given';
    const sent = inForm(bodies, form, keepsCustomer);
    const request = { ...limits, path, json: wrap(sent), contents };
    const asked = this.#endpoint.ask(this.#transport, request);
    if (form === 'given') this.#customers.learnFor(sent);
    const answer = await asked;
    if (isSuccess(answer)) return { answer, tried };
    const next = await this.#nextForm(answer, request, bodies, tried);
    if (next === undefined) throw this.#endpoint.errorOf(answer, request);
    return this.#send(post, limits, [...tried, next]);
  }

  async #nextForm(
    answer: HttpResponse,
    request: SynapRequest,
    bodies: readonly WithCustomer[],
    tried: readonly CustomerForm[],
  ): Promise<CustomerForm | undefined> {
    if (!isInputRefused(answer)) return undefined;
    const { code = '', text = '', fields } = readErrorBody(answer.body);
    const words = maskServerTexts([code, text], this.#endpoint.secretsOf(request)).join(' ');
    const complaint = customerComplaint(words, fields);
    return complaint && this.#customers.nextForm(complaint, bodies, tried, request.signal);
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
    if (result.succeeded > 0) this.#remember(tried);
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
      const { answer, tried: forms } = await this.#send(batch(messages), { deadline, signal }, tried);
      const { results, succeeded } = this.#read(answer, messages);
      if (succeeded > 0) this.#remember(forms);
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

function unwrapped([body]: readonly WithCustomer[]): unknown {
  return body;
}

function single(message: WireMessage): Post {
  const contents = [message.content];
  return { path: '/v1/conversations/messages', bodies: [message], wrap: unwrapped, contents, keepsCustomer: true };
}

function batch(bodies: readonly WireMessage[]): Post {
  const wrap = (messages: readonly WithCustomer[]) => ({ messages });
  return { path: '/v1/conversations/messages/batch', bodies, wrap, contents: contentsOf(bodies), keepsCustomer: true };
}

function contentsOf(messages: readonly WireMessage[]): string[] {
  return messages.map(message => message.content);
}
