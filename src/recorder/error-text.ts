import { abortText } from './abort.js';
import { ErrorReader, oneLine, withName } from './read-error.js';
import type { TurnStatus } from './turn-details.js';

/**
 * The text of an error of any shape, realm or provider, for the metadata: on one line, with its name in front, without keys
 * and credentials, cut to 500 characters. Never throws.
 *
 * @param secrets further texts to mask, such as the recorder's own API key
 * @example
 * ```ts
 * errorText(new RangeError('too long')); // 'RangeError: too long'
 * errorText({ type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } }); // 'overloaded_error: Overloaded'
 * ```
 */
export function errorText(error: unknown, secrets: readonly (string | undefined)[] = []): string {
  return oneLine(withName(error, new ErrorReader().read(error, 0)), secrets) ?? 'unknown error';
}

/** What a turn's end says of its error: nothing where it is whole, or where nobody said what it was. */
export function endText(
  status: TurnStatus,
  error: unknown,
  secrets: readonly (string | undefined)[],
): string | undefined {
  if (status === 'aborted') return abortText(error, secrets);
  return error === undefined ? undefined : errorText(error, secrets);
}
