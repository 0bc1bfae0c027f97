/** What went wrong, as one word that a program can switch on. `delivery/decide.ts` does not compile until it handles each. */
export type SynapErrorCode =
  | 'invalid_input'
  | 'authentication'
  | 'network'
  | 'timeout'
  | 'rate_limit'
  | 'insufficient_credits'
  | 'payload_too_large'
  | 'conflict'
  | 'service_unavailable'
  | 'unexpected_response';

/**
 * What an error is about. `message`: what was sent is refused, and always will be. `account`: the key or the credits, so
 * that every message would meet it. `service`: the way to Synap, or Synap itself; it may pass. `unsure`: it may be the
 * message, the account, or the address.
 */
export type ErrorSubject = 'message' | 'account' | 'service' | 'unsure';

/** Whether Synap has stored what was sent. `unknown`: it may have, so to send it again can store it twice. */
export type StoredState = 'no' | 'yes' | 'unknown';

/** What every {@link SynapError} may be given beside its message. */
export interface SynapErrorOptions {
  /** HTTP status of the answer, when there was one. */
  status?: number | undefined;
  /** The `X-Correlation-ID` the request carried: quote it to Synap's support. */
  correlationId?: string | undefined;
  cause?: unknown;
}

// A registered symbol is the same in every copy of this package, in every realm.
const KINDS = Symbol.for('synap-recorder.error.kinds');

/**
 * The root of every error this package throws on purpose.
 *
 * Neither an API key nor the text of a message is ever part of one.
 *
 * @example
 * ```ts
 * try {
 *   await synap.conversation.recordMessage(message);
 * } catch (error) {
 *   if (SynapError.is(error) && error.retryable) retryLater(message);
 *   else throw error;
 * }
 * ```
 */
export abstract class SynapError extends Error {
  static readonly kind: string = 'SynapError';

  abstract readonly code: SynapErrorCode;
  /** Whether the very same call can succeed later, with nothing changed. */
  abstract readonly retryable: boolean;
  /** What it lies in; what becomes of a message follows from that, from {@link stored} and from its context. */
  abstract readonly about: ErrorSubject;
  abstract readonly stored: StoredState;
  readonly status: number | undefined;
  readonly correlationId: string | undefined;

  constructor(message: string, options: SynapErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    const kinds: string[] = [];
    for (
      let type = new.target as unknown;
      typeof type === 'function' && type !== Error;
      type = Object.getPrototypeOf(type)
    )
      kinds.push((type as unknown as typeof SynapError).kind);
    hide(this, KINDS, kinds);
    hide(this, 'name', kinds[0]);
    this.status = options.status;
    this.correlationId = options.correlationId;
  }

  /**
   * Like `instanceof`, and true across copies of this package too. On a subclass it asks for that kind:
   * `RateLimitError.is(error)`.
   */
  static is<E extends SynapError>(this: abstract new (...args: never[]) => E, value: unknown): value is E {
    const kinds = typeof value === 'object' && value !== null ? (value as Record<symbol, unknown>)[KINDS] : undefined;
    return Array.isArray(kinds) && kinds.includes((this as unknown as typeof SynapError).kind);
  }

  /** What a structured log should hold: no stack, no cause. */
  toJSON(): Record<string, unknown> {
    const { name, code, message, retryable, status, correlationId } = this;
    return { name, code, message, retryable, status, correlationId };
  }
}

/**
 * A field is missing or wrong (400, 422, or found before any network). Never retryable.
 *
 * `field` is the field's name as the caller wrote it, for example `conversationId` or `messages[3].role`.
 */
export class InvalidInputError extends SynapError {
  static override readonly kind: string = 'InvalidInputError';
  readonly code = 'invalid_input';
  readonly retryable = false;
  readonly about = 'message';
  readonly stored = 'no';
  readonly field: string | undefined;

  constructor(message: string, options: SynapErrorOptions & { field?: string | undefined } = {}) {
    super(message, options);
    this.field = options.field;
  }
}

/**
 * The API key is missing, unknown or not allowed to do this (401, 403). Not retryable until the key changes. A 403 may be a
 * firewall's, which dislikes what was sent: its `about` is `unsure`.
 */
export class AuthenticationError extends SynapError {
  static override readonly kind: string = 'AuthenticationError';
  readonly code = 'authentication';
  readonly retryable = false;
  readonly about: 'account' | 'unsure';
  readonly stored = 'no';

  constructor(message: string, options: SynapErrorOptions = {}) {
    super(message, options);
    this.about = options.status === 403 ? 'unsure' : 'account';
  }
}

/** Synap could not be reached, or no status and headers of an answer could be read. */
export class NetworkError extends SynapError {
  static override readonly kind: string = 'NetworkError';
  readonly code: 'network' | 'timeout' = 'network';
  readonly retryable = true;
  readonly about = 'service';
  readonly stored: 'no' | 'unknown';
  /**
   * `no`: the request never left this machine, so nothing was stored. `unknown`: it may have been stored although no
   * answer came; sending it again can store it twice.
   */
  readonly sent: 'no' | 'unknown';
  /** Whether an answer arrived that can't be read: then it is likely that what was sent is stored. */
  readonly answered: boolean;

  constructor(
    message: string,
    options: SynapErrorOptions & { sent: 'no' | 'unknown'; answered?: boolean | undefined },
  ) {
    super(message, options);
    this.sent = options.sent;
    this.stored = options.sent;
    this.answered = options.answered ?? false;
  }
}

/** Synap took longer than a limit allows: 5 s to connect, 30 s to the headers, `timeoutMs` in all. */
export class TimeoutError extends NetworkError {
  static override readonly kind: string = 'TimeoutError';
  override readonly code = 'timeout';
}

/** Too many requests for this key (429). `retryAfterMs` is absent when Synap did not say how long to wait. */
export class RateLimitError extends SynapError {
  static override readonly kind: string = 'RateLimitError';
  readonly code = 'rate_limit';
  readonly retryable = true;
  readonly about = 'service';
  readonly stored = 'no';
  /** Milliseconds to wait, from `Retry-After`. */
  readonly retryAfterMs: number | undefined;

  constructor(message: string, options: SynapErrorOptions & { retryAfterMs?: number | undefined } = {}) {
    super(message, options);
    this.retryAfterMs = options.retryAfterMs;
  }
}

/**
 * The account has too few credits, or no plan that allows more (402; a 403 or 429 that says so). Not retryable until that is
 * changed, for which one of its URLs is the place.
 */
export class InsufficientCreditsError extends SynapError {
  static override readonly kind: string = 'InsufficientCreditsError';
  readonly code = 'insufficient_credits';
  readonly retryable = false;
  readonly about = 'account';
  readonly stored = 'no';
  readonly balanceCredits: number | undefined;
  readonly minimumRequiredCredits: number | undefined;
  /** In Synap's words, for example `trial_limit_reached` or `subscription_inactive`. */
  readonly reason: string | undefined;
  readonly recoveryUrl: string | undefined;
  readonly redeemUrl: string | undefined;
  readonly upgradeUrl: string | undefined;
  readonly manageUrl: string | undefined;

  constructor(
    message: string,
    options: SynapErrorOptions & {
      balanceCredits?: number | undefined;
      minimumRequiredCredits?: number | undefined;
      reason?: string | undefined;
      recoveryUrl?: string | undefined;
      redeemUrl?: string | undefined;
      upgradeUrl?: string | undefined;
      manageUrl?: string | undefined;
    } = {},
  ) {
    super(message, options);
    this.balanceCredits = options.balanceCredits;
    this.minimumRequiredCredits = options.minimumRequiredCredits;
    this.reason = options.reason;
    this.recoveryUrl = options.recoveryUrl;
    this.redeemUrl = options.redeemUrl;
    this.upgradeUrl = options.upgradeUrl;
    this.manageUrl = options.manageUrl;
  }
}

/** The request is larger than Synap takes (413). It can succeed in smaller pieces, never as it is. */
export class PayloadTooLargeError extends SynapError {
  static override readonly kind: string = 'PayloadTooLargeError';
  readonly code = 'payload_too_large';
  readonly retryable = false;
  readonly about = 'message';
  readonly stored = 'no';
}

/** What was sent contradicts what is stored, or what is under way (409). */
export class ConflictError extends SynapError {
  static override readonly kind: string = 'ConflictError';
  readonly code = 'conflict';
  readonly retryable = false;
  readonly about = 'unsure';
  readonly stored = 'no';
}

/**
 * Synap can't serve now (5xx: `stored` is `unknown`), or something in front of it answered in its place: a redirect, a proxy
 * that wants a sign-in, a web page, a timeout of a load balancer (3xx, 407, 408, 421, 425, 444, 460, 494, 499: `stored` is
 * `no`). It passes.
 */
export class ServiceUnavailableError extends SynapError {
  static override readonly kind: string = 'ServiceUnavailableError';
  readonly code = 'service_unavailable';
  readonly retryable = true;
  readonly about = 'service';
  /** Milliseconds to wait, from `Retry-After`, when Synap said so. */
  readonly retryAfterMs: number | undefined;
  /** `no`: Synap has not seen the request. `unknown`: it may have stored what was sent. */
  readonly stored: 'no' | 'unknown';

  constructor(
    message: string,
    options: SynapErrorOptions & { retryAfterMs?: number | undefined; stored?: 'no' | 'unknown' | undefined } = {},
  ) {
    super(message, options);
    this.retryAfterMs = options.retryAfterMs;
    this.stored = options.stored ?? 'unknown';
  }
}

/**
 * Synap's answer makes no sense for this call: a 404, another 4xx. Mostly the base URL is not Synap's, or a firewall dislikes
 * what was sent. Retryable only where the answer was a success that can't be read.
 */
export class UnexpectedResponseError extends SynapError {
  static override readonly kind: string = 'UnexpectedResponseError';
  readonly code = 'unexpected_response';
  readonly retryable: boolean;
  readonly about: 'service' | 'unsure';
  readonly stored: 'no' | 'unknown';

  constructor(message: string, options: SynapErrorOptions & { retryable?: boolean } = {}) {
    super(message, options);
    this.retryable = options.retryable ?? false;
    this.about = this.retryable ? 'service' : 'unsure';
    this.stored = this.retryable ? 'unknown' : 'no';
  }
}

function hide(target: object, key: PropertyKey, value: unknown): void {
  Object.defineProperty(target, key, { value, enumerable: false, configurable: true, writable: true });
}
