import { type WarningLogger, warn } from '../internal/env.js';
import type { JsonObject } from '../internal/json.js';
import { monotonicNow } from '../internal/monotonic-clock.js';
import { within } from '../internal/promises.js';
import type { CustomerComplaint } from './customer-complaint.js';
import { SynapError } from './errors.js';
import type { Tenancy } from './messages.js';

const MINUTE = 60_000;

/** A request that was refused waits so long to learn the tenancy. */
const ASK_TIMEOUT_MS = 5000;
/** Where Synap could not be reached, the next question waits so long. */
const ASK_AGAIN_MS = MINUTE;

/** How `customer_id` goes on the wire: as the app gives it, not at all, or as the id of the user. */
export type CustomerForm = 'given' | 'left-out' | 'users';

export interface CustomerIdsOptions {
  /** What the app says: it stands, whatever is learned. */
  readonly tenancy: Tenancy | undefined;
  readonly logger: WarningLogger | false | undefined;
  /** Asks Synap, once. Rejects with an error without a status where no answer came. */
  readonly ask: (timeoutMs: number) => Promise<Tenancy | undefined>;
}

/**
 * How `customer_id` is sent to this account, so that it is never a reason to lose a message.
 *
 * - B2B (by the option, or learned): as it is given, and no refusal changes that.
 * - B2C (by the option, or learned): left out.
 * - Not known: as it is given, until Synap refuses a message for it. Then it is left out; or, where Synap wants one, it is the
 *   user's id, if Synap says in any way that this is B2C: a message in the wrong pool would be read by the wrong people.
 *
 * A form that a refused message was accepted in is remembered. A customer who is not sent stands in the metadata as
 * `external_customer_id`.
 */
export class CustomerIds {
  readonly #options: CustomerIdsOptions;
  readonly #said = new Set<CustomerForm>();
  #learned: Tenancy | undefined;
  #remembered: CustomerForm | undefined;
  #asking: Promise<void> | undefined;
  #askedAt = Number.NEGATIVE_INFINITY;

  constructor(options: CustomerIdsOptions) {
    this.#options = options;
  }

  get tenancy(): Tenancy | undefined {
    return this.#options.tenancy ?? this.#learned;
  }

  get #isB2b(): boolean {
    return this.tenancy === 'b2b';
  }

  get form(): CustomerForm {
    if (this.#isB2b) return 'given';
    return this.#remembered ?? (this.tenancy === 'b2c' ? 'left-out' : 'given');
  }

  learn(tenancy: Tenancy): void {
    this.#learned = tenancy;
  }

  /** Asks for the tenancy in the background, once, where these are the first messages that it matters for. */
  learnFor(bodies: readonly WithCustomer[]): void {
    if (this.tenancy !== undefined || this.#asking !== undefined || this.#remembered !== undefined) return;
    if (monotonicNow() - this.#askedAt < ASK_AGAIN_MS) return;
    if (bodies.some(body => body.customer_id !== undefined)) void this.#ask();
  }

  /**
   * The form to send refused messages in again; undefined where that would not help.
   *
   * @param tried forms in which they were refused, the last one last
   * @param signal ends the waiting for what is to be learned
   */
  async nextForm(
    { kind, isUsers }: CustomerComplaint,
    bodies: readonly WithCustomer[],
    tried: readonly CustomerForm[],
    signal?: AbortSignal,
  ): Promise<CustomerForm | undefined> {
    if (this.#isB2b) return undefined;
    const last = tried.at(-1) ?? 'given';
    const wasSent = inForm(bodies, last).some(body => body.customer_id !== undefined);
    const isRefused = kind !== 'required' && wasSent;
    if (kind === 'refused' && !wasSent) return undefined;
    // Words that are clear need no second opinion; a message in the wrong pool would be worse than a wait.
    if (kind !== 'refused' && this.tenancy === undefined) await this.#settled(signal);
    if (this.#isB2b) return undefined;
    // Words that seem to want another one ("customer_id must be null") may want none. Left out, it puts no message in a wrong pool.
    const next = isRefused
      ? ['left-out' as const]
      : [this.#requiredForm(isUsers), ...(wasSent ? ['left-out' as const] : [])];
    const before = inForm(bodies, last);
    const isOther = (form: CustomerForm) =>
      inForm(bodies, form).some((body, index) => body.customer_id !== before[index]?.customer_id);
    return next.find(form => !tried.includes(form) && isOther(form));
  }

  /** Messages were accepted in this form after they were refused in another. */
  remember(form: CustomerForm): void {
    this.#remembered = form;
    if (form !== 'given') this.#say(form, `Synap ${form === 'users' ? 'wants' : 'refuses'} it so`);
  }

  #requiredForm(isUsers: boolean): CustomerForm {
    return isUsers || this.tenancy === 'b2c' ? 'users' : 'given';
  }

  /** Learns the tenancy, or waits for who is about to. */
  async #settled(signal: AbortSignal | undefined): Promise<void> {
    if (signal?.aborted) return;
    const end = new AbortController();
    const aborted = new Promise<void>(resolve =>
      signal?.addEventListener('abort', () => resolve(), { signal: end.signal }),
    );
    await within(ASK_TIMEOUT_MS, Promise.race([this.#askTwice(), aborted])).catch(() => {});
    end.abort();
  }

  /** The question that is under way may have begun before Synap could be reached. */
  async #askTwice(): Promise<void> {
    await this.#ask();
    if (this.#asking === undefined) await this.#ask();
  }

  #ask(): Promise<void> {
    this.#askedAt = monotonicNow();
    this.#asking ??= this.#options.ask(ASK_TIMEOUT_MS).then(
      tenancy => {
        if (tenancy !== undefined) this.#learned ??= tenancy;
      },
      error => {
        // Any answer is one; without one, somebody may ask again.
        if (!SynapError.is(error) || error.status === undefined) this.#asking = undefined;
      },
    );
    return this.#asking;
  }

  #say(form: CustomerForm, why: string): void {
    if (this.#said.has(form)) return;
    this.#said.add(form);
    const how = form === 'users' ? "is the user's id" : 'is left out';
    warn(
      this.#options.logger,
      `customer_id ${how} from now on, because ${why}: this instance is B2C. The customer stands in the metadata as external_customer_id. With tenancy: 'b2c', this is known from the start`,
    );
  }
}

/** Messages with `customer_id` in a form. Those that it does not change are the same objects. */
export function inForm(bodies: readonly WithCustomer[], form: CustomerForm, keepsCustomer = true): WithCustomer[] {
  return form === 'given' ? [...bodies] : bodies.map(body => changed(body, form, keepsCustomer));
}

/** A body that may name a customer. */
export interface WithCustomer {
  readonly conversation_id: string;
  readonly customer_id?: string | undefined;
  readonly user_id?: string | undefined;
  readonly metadata?: JsonObject | undefined;
}

function changed(body: WithCustomer, form: 'left-out' | 'users', keepsCustomer: boolean): WithCustomer {
  const { customer_id: customer, ...rest } = body;
  const sent = form === 'users' ? body.user_id : undefined;
  if (customer === sent) return body;
  return {
    ...rest,
    ...(sent !== undefined && { customer_id: sent }),
    ...(customer !== undefined && keepsCustomer && { metadata: { external_customer_id: customer, ...rest.metadata } }),
  };
}
