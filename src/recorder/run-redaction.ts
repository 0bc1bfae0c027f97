import { property, safely } from '../internal/guards.js';
import { isPromise, MAX_TIMER_MS, type MaybePromise } from '../internal/promises.js';
import { clearTimeout, setTimeout } from '../internal/timers.js';
import type { RecordMessageInput } from '../synap/messages.js';

/** What a redaction may answer. */
type Redacted = RecordMessageInput | null;

export type Redact = (message: RecordMessageInput) => MaybePromise<Redacted>;

/** Why there is no redacted message, in words fit for a log: it says what `redact` returned, never what stood in there. */
export class RedactionError extends Error {
  override readonly name = 'RedactionError';
  readonly kind: 'timeout' | 'no message';

  constructor(kind: RedactionError['kind'], message: string) {
    super(message);
    this.kind = kind;
  }

  /** Of an error that may be anything: a proxy can not even be asked what it is. */
  static is(error: unknown): error is RedactionError {
    return safely(() => error instanceof RedactionError) === true;
  }
}

/**
 * Calls `redact`, and waits for its answer for as long as `timeoutMs`. What comes later is nobody's. The timer does not hold
 * the process.
 *
 * @returns a message or null, and a promise only where `redact` returns one
 * @throws {@link RedactionError} it took longer, or returned something else. What `redact` throws is passed on
 */
export function runRedaction(redact: Redact, message: RecordMessageInput, timeoutMs: number): MaybePromise<Redacted> {
  const answer: unknown = redact(message);
  if (!isPromise(answer)) return checked(answer, 'redact returned');
  return new Promise((resolve, reject) => {
    const late = () => reject(new RedactionError('timeout', `redact timed out after ${timeoutMs} ms`));
    const timer = setTimeout(late, Math.min(timeoutMs, MAX_TIMER_MS));
    (timer as Partial<NodeJS.Timeout>).unref?.();
    Promise.resolve(answer)
      .then(redacted => resolve(checked(redacted, 'redact returned a promise of')))
      .catch(reject)
      .finally(() => clearTimeout(timer));
  });
}

function checked(answer: unknown, returned: string): Redacted {
  if (answer === null) return null;
  const has = (name: keyof RecordMessageInput) => property(answer, name) !== undefined;
  if (typeof answer === 'object' && !isArray(answer) && has('content') && has('userId'))
    return answer as RecordMessageInput;
  throw new RedactionError('no message', `${returned} ${describe(answer)}`);
}

const MAX_KEYS = 10;

/** What a value is: its type, and of an object its keys, as far as they are names. */
function describe(value: unknown): string {
  if (value === undefined) return 'undefined';
  if (isArray(value)) return 'an array';
  if (typeof value !== 'object') return `a ${typeof value}`;
  const keys = keysOf(value as object);
  const names = keys.filter(key => /^[A-Za-z_$][\w$]{0,39}$/.test(key)).slice(0, MAX_KEYS);
  if (keys.length === 0) return 'an object without keys';
  const others = keys.length - names.length;
  if (names.length === 0) return `an object with ${others} other keys`;
  return `an object with the keys ${names.join(', ')}${others === 0 ? '' : ` and ${others} more`}`;
}

function keysOf(value: object): string[] {
  try {
    return Object.keys(value);
  } catch {
    // A revoked proxy.
    return [];
  }
}

function isArray(value: unknown): boolean {
  try {
    return Array.isArray(value);
  } catch {
    return false;
  }
}
