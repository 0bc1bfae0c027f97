import { v5 as uuidv5 } from 'uuid';
import { isUnknown, readId } from './known-id.js';

const LONG_IDS = '5a1f8f0e-3f57-4c57-9a8f-2f0c6f0e7b11';
// Longer than ids are, and short enough for a key.
const MAX_ID = 200;
// What is longer than this is no id; to read it would take longer than all else.
const MAX_READ = 65_536;

export interface MessageId {
  /** An id that can tell messages apart; anything else an app may pass would make different messages one. */
  readonly id: string | undefined;
  /** Whether the app passed one that can't: it was made of a value that is not there (`"undefined"`, `NaN`). */
  readonly isUnknown: boolean;
}

/** Reads the id of a message, of a turn or of anything else that an app calls by an id of its own. */
export function readMessageId(value: unknown): MessageId {
  const id = readId(value, MAX_READ);
  if (id === undefined) return { id, isUnknown: false };
  if (isUnknown(id)) return { id: undefined, isUnknown: true };
  return { id: id.length > MAX_ID ? uuidv5(id, LONG_IDS) : id, isUnknown: false };
}

/** What to say of an id that can't tell messages apart. */
export const UNKNOWN_MESSAGE_ID =
  'messageId was made from a value that is not there, so it is not used. Pass the id of the message, e.g. providerOptions: { synap: { messageId: message.id } }; without one, leave it out';
