import type { JsonObject } from '../internal/json.js';
import { InvalidInputError } from '../synap/errors.js';
import { type RecordMessageInput, toWire } from '../synap/messages.js';
import { head } from './cut-text.js';
import { isUnknown, knownId, readId, whatIsUnknown } from './known-id.js';
import { copyTags } from './tags.js';
import { SPARE } from './truncate.js';
import type { BoundedText } from './turn-message.js';

// What the recorder says itself stands beside the app's tags here.
const METADATA_LIMITS = { bytes: 256 * 1024, nodes: 20_000 };

/**
 * What `redact` returned, checked. Metadata that JSON can't carry costs itself only.
 *
 * @throws {@link InvalidInputError} something else of it is wrong; `field` names it
 */
export function checkedRedaction(
  redacted: RecordMessageInput,
  drop: (name: string, reason: string) => void,
): RecordMessageInput {
  const { metadata, ...said } = redacted;
  toWire(said);
  const userId = readId(said.userId) ?? '';
  if (isUnknown(userId)) throw new InvalidInputError(`redact: userId ${whatIsUnknown(userId)}`, { field: 'userId' });
  const known = (id: string | undefined) => (knownId(id) === undefined ? undefined : id);
  return {
    ...said,
    customerId: known(said.customerId),
    sessionId: known(said.sessionId),
    metadata: copyMetadata(metadata, drop),
  };
}

function copyMetadata(metadata: unknown, drop: (name: string, reason: string) => void): JsonObject {
  let dropped = 0;
  const full = (count: number) => {
    dropped = count;
  };
  const copy = copyTags([metadata], { isReserved: () => false, drop, full, limits: METADATA_LIMITS });
  return dropped === 0 ? copy : { ...copy, dropped_tags: dropped };
}

// Shorter than what redactions look for may be by chance the same.
const SAME = 64;

/**
 * Of an answer whose end was not kept, the text without what stands next to that place, unless redact has changed it: half
 * a credit card number is none, and would be recorded as it stands.
 */
export function withoutTornEnd(content: string, whole: BoundedText): BoundedText {
  const { missing } = whole;
  if (missing === 0 || content.length <= SPARE || !content.endsWith(whole.content.slice(-SAME)))
    return { content, missing };
  const kept = head(content, content.length - SPARE);
  return { content: kept, missing: missing + content.length - kept.length };
}
