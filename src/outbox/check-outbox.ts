import { property } from '../internal/guards.js';
import { isPromise } from '../internal/promises.js';
import { InvalidInputError } from '../synap/errors.js';
import type { Outbox } from './outbox.js';

const METHODS = ['put', 'claim', 'settle', 'stats', 'progress', 'deadLetters', 'replay', 'purge', 'close'] as const;
const OPTIONAL = ['open', 'accounts', 'adopt'] as const;

const EXAMPLE = "outbox: sqliteOutbox({ path: './outbox.db' }) of synap-recorder/sqlite";

/**
 * Checks that what an app gives for an outbox is one: it may be its own.
 *
 * @throws {@link InvalidInputError} it is none; the message says what is missing
 */
export function checkOutbox(outbox: unknown): asserts outbox is Outbox {
  const wrong = problemOf(outbox);
  if (wrong !== undefined) throw new InvalidInputError(`createRecorder: outbox: ${wrong}`, { field: 'outbox' });
}

function problemOf(outbox: unknown): string | undefined {
  if (typeof outbox === 'function') return `is a function, not an outbox: call it, e.g. ${EXAMPLE}`;
  if (typeof outbox !== 'object' || outbox === null) return `must be an outbox, e.g. ${EXAMPLE}`;
  if (isPromise(outbox)) return 'is a promise: await it first';
  const missing = METHODS.filter(name => typeof property(outbox, name) !== 'function');
  if (missing.length > 0) return `has no ${list(missing)}: an outbox needs ${METHODS.join(', ')}`;
  const odd = OPTIONAL.filter(name => !['undefined', 'function'].includes(typeof property(outbox, name)));
  if (odd.length > 0) return `${list(odd)} must be a function, or be left out`;
  if (typeof property(outbox, 'durable') !== 'boolean')
    return 'durable must be true or false: whether entries outlive the process';
  return undefined;
}

function list(names: readonly string[]): string {
  return names.map(name => `${name}()`).join(', ');
}
