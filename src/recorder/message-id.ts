import { v5 as uuidv5 } from 'uuid';
import { isUnknown, readId } from './known-id.js';

const LONG_IDS = '5a1f8f0e-3f57-4c57-9a8f-2f0c6f0e7b11';
// Longer than ids are, and short enough for a key.
const MAX_ID = 200;
// What is longer than this is no id; to read it would take longer than all else.
const MAX_READ = 65_536;

/**
 * An id that can tell messages apart; anything else an app may pass would make different messages one. An id that was
 * made of a value that is not there (`"undefined"`, `NaN`) is none.
 */
export function knownMessageId(value: unknown): string | undefined {
  const id = readId(value, MAX_READ);
  if (id === undefined || isUnknown(id)) return undefined;
  return id.length > MAX_ID ? uuidv5(id, LONG_IDS) : id;
}

/** Whether an app gave an id that tells nothing apart. */
export function isUnknownMessageId(value: unknown): boolean {
  const id = readId(value, MAX_READ);
  return id !== undefined && isUnknown(id);
}

/** What to say of such an id. */
export const UNKNOWN_MESSAGE_ID =
  'messageId was made from a value that is not there, so it is not used. Pass the id of the message, e.g. providerOptions: { synap: { messageId: message.id } }; without one, leave it out';
