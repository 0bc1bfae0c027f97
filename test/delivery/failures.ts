import { failureOf, type Outcome } from '../../src/delivery/decide.js';
import type { ClaimedEntry } from '../../src/index.js';
import {
  AuthenticationError,
  InvalidInputError,
  NetworkError,
  RateLimitError,
  ServiceUnavailableError,
} from '../../src/synap/errors.js';
import { anEntry } from './outbox-support.js';

let position = 0;

/** An entry as an outbox gives it. */
export function aClaim(key: string, conversationId = 'c1', fields: Partial<ClaimedEntry> = {}): ClaimedEntry {
  return { ...anEntry(key, conversationId), position: ++position, ...fields };
}

/** Errors, by what they mean to delivery. */
export const errors = {
  message: new InvalidInputError('Synap refused the input (422)', { status: 422 }),
  account: new AuthenticationError('Synap refused the API key (401)', { status: 401 }),
  unsure: new AuthenticationError('Synap answered 403', { status: 403 }),
  rateLimit: (retryAfterMs?: number) => new RateLimitError("Synap's rate limit is reached (429)", { retryAfterMs }),
  passing: new ServiceUnavailableError('Synap answered 421', { status: 421, stored: 'no' }),
  unavailable: (retryAfterMs?: number) => new ServiceUnavailableError('Synap is unavailable (503)', { retryAfterMs }),
  notSent: new NetworkError('Could not reach Synap', { sent: 'no' }),
  unanswered: new NetworkError('The connection to Synap broke', { sent: 'unknown' }),
  unreadable: new NetworkError("Synap's answer can't be read", { sent: 'unknown', answered: true }),
};

export const delivered = (...entries: ClaimedEntry[]): Outcome[] =>
  entries.map(entry => ({ entry, type: 'delivered' }));
export const dead = (...entries: ClaimedEntry[]): Outcome[] =>
  entries.map(entry => ({ entry, type: 'dead', failure: failureOf(errors.message) }));
export const refused = (...entries: ClaimedEntry[]): Outcome[] =>
  entries.map(entry => ({ entry, type: 'refused', failure: failureOf(errors.unsure), isSent: true }));
export const unclear = (error: unknown, ...entries: ClaimedEntry[]): Outcome[] =>
  entries.map(entry => ({ entry, type: 'unclear', failure: failureOf(error) }));
export const held = (error: unknown, ...entries: ClaimedEntry[]): Outcome[] =>
  entries.map(entry => ({ entry, type: 'held', failure: failureOf(error) }));
