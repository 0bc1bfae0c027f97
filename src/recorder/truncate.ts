import type { RecordMessageInput } from '../synap/messages.js';
import { head } from './cut-text.js';
import { isReserved } from './metadata.js';

const KiB = 1024;

/** The most a message may be, as JSON, in bytes. */
export const MAX_MESSAGE_BYTES = 256 * KiB;
/** Of these, the most that its metadata may be, when something has to go. */
const MAX_METADATA_BYTES = 64 * KiB;
/**
 * How many characters of a growing answer are kept beyond what a message can hold. They are cut off in the end: what is
 * redacted may stand half before and half behind the place where the rest was lost.
 */
export const SPARE = 4096;

const encoder = new TextEncoder();

/** The size of a value as JSON, in bytes of UTF-8. */
export function jsonBytes(value: unknown): number {
  return encoder.encode(JSON.stringify(value)).length;
}

/** A message, and what it is as JSON. */
export interface SizedMessage {
  readonly message: RecordMessageInput;
  readonly json: string;
  /** Of the JSON, in UTF-8. */
  readonly bytes: number;
}

/**
 * A message that is small enough. One that is too large loses the largest of the app's tags, then the largest of its own
 * fields that it can be understood without, and then the end of its text; its metadata say so (`dropped_tags`,
 * `truncated_fields`, `truncated`, `original_length` in characters), and its text ends with a marker.
 *
 * @param missing how many characters followed its text that are lost already: then it is cut, however long it is
 * @throws RangeError its ids alone are too large
 */
export function truncateMessage(message: RecordMessageInput, missing = 0): SizedMessage {
  // Where the text alone is too long, how long it is as JSON need not be known.
  const isLong = missing > 0 || message.content.length > MAX_MESSAGE_BYTES;
  const whole = isLong ? undefined : measure(message);
  if (whole && whole.bytes <= MAX_MESSAGE_BYTES) return whole;
  const lighter = { ...message, metadata: truncateMetadata(message.metadata ?? {}) };
  const light = isLong ? undefined : measure(lighter);
  const kept = light && light.bytes <= MAX_MESSAGE_BYTES ? light : measure(cutContent(lighter, missing));
  if (kept.bytes > MAX_MESSAGE_BYTES) throw new RangeError('the message is too large even without its text and tags');
  return kept;
}

function measure(message: RecordMessageInput): SizedMessage {
  const json = JSON.stringify(message);
  return { message, json, bytes: encoder.encode(json).length };
}

// What a message can't be known again, put in order or understood without.
const ESSENTIAL = new Set(['message_key', 'turn_id', 'status', 'started_at', 'dropped_tags', 'truncated_fields']);

function truncateMetadata(metadata: Record<string, unknown>): Record<string, unknown> {
  let bytes = jsonBytes(metadata);
  if (bytes <= MAX_METADATA_BYTES) return metadata;
  const kept = new Map(Object.entries(metadata));
  const drop = (isDroppable: (name: string) => boolean) => {
    const fields = [...kept]
      .filter(([name]) => isDroppable(name))
      .map(([name, value]) => ({ name, bytes: jsonBytes({ [name]: value }) }))
      .sort((a, b) => b.bytes - a.bytes);
    const dropped: string[] = [];
    for (const field of fields) {
      if (bytes <= MAX_METADATA_BYTES) break;
      bytes -= field.bytes;
      kept.delete(field.name);
      dropped.push(field.name);
    }
    return dropped;
  };
  const tags = drop(name => !isReserved(name)).length;
  const fields = drop(name => isReserved(name) && !ESSENTIAL.has(name));
  if (tags > 0) kept.set('dropped_tags', tags + (Number(metadata.dropped_tags) || 0));
  if (fields.length > 0) {
    const before = Array.isArray(metadata.truncated_fields) ? metadata.truncated_fields : [];
    kept.set('truncated_fields', [...new Set([...before, ...fields])]);
  }
  return Object.fromEntries(kept);
}

function cutContent(message: RecordMessageInput, missing: number): RecordMessageInput {
  const { content } = message;
  const original_length = content.length + missing;
  const metadata = { ...message.metadata, truncated: true, original_length };
  const cut = (length: number) => ({ ...message, content: marked(content, length, original_length), metadata });
  let fits = 0;
  let tooLong = Math.min(content.length, MAX_MESSAGE_BYTES) + 1;
  while (tooLong - fits > 1) {
    const middle = Math.floor((fits + tooLong) / 2);
    if (jsonBytes(cut(middle)) <= MAX_MESSAGE_BYTES) fits = middle;
    else tooLong = middle;
  }
  return cut(fits);
}

function marked(content: string, length: number, originalLength: number): string {
  const kept = head(content, length);
  return `${kept}\n\n[cut by synap-recorder: ${kept.length} of ${originalLength} characters]`;
}
