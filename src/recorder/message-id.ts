import { v5 as uuidv5 } from 'uuid';

const LONG_IDS = '5a1f8f0e-3f57-4c57-9a8f-2f0c6f0e7b11';
// Longer than ids are, and short enough for a key.
const MAX_ID = 200;

/** An id that can tell messages apart; anything else an app may pass would make different messages one. */
export function knownMessageId(id: unknown): string | undefined {
  if (typeof id === 'number' && Number.isFinite(id)) return String(id);
  if (typeof id !== 'string' || id === '') return undefined;
  return id.length > MAX_ID ? uuidv5(id.toWellFormed(), LONG_IDS) : id;
}
