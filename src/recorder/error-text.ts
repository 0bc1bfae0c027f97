import { abortText } from './abort.js';
import { ErrorReader, oneLine, type Withheld, withName } from './read-error.js';
import type { TurnStatus } from './turn-details.js';

/**
 * The text of an error of any shape, realm or provider, for the metadata: on one line, with its name in front, without keys
 * and credentials, without what it quotes of the turn, cut to 500 characters. Never throws.
 * @example
 * ```ts
 * errorText(new RangeError('too long')); // 'RangeError: too long'
 * errorText({ type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } }); // 'overloaded_error: Overloaded'
 * ```
 */
export function errorText(error: unknown, withheld: Withheld = {}): string {
  return oneLine(withName(error, new ErrorReader().read(error, 0)), withheld) ?? 'unknown error';
}

/** What a turn's end says of its error: nothing where it is whole, or where nobody said what it was. */
export function endText(status: TurnStatus, error: unknown, withheld: Withheld): string | undefined {
  if (status === 'aborted') return abortText(error, withheld);
  return error === undefined ? undefined : errorText(error, withheld);
}
