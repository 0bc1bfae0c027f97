import type { RecordMessageInput } from '../synap/messages.js';
import { isReserved } from './metadata.js';

const KiB = 1024;

/** The most a message may be, as JSON, in bytes. */
export const MAX_MESSAGE_BYTES = 256 * KiB;
/** Of these, the most that its metadata may be, when something has to go. */
const MAX_METADATA_BYTES = 64 * KiB;

const encoder = new TextEncoder();

/** The size of a value as JSON, in bytes of UTF-8. */
export function jsonBytes(value: unknown): number {
  return encoder.encode(JSON.stringify(value)).length;
}

/** A message, and what it is as JSON. */
export interface Fitted {
  readonly message: RecordMessageInput;
  readonly json: string;
  /** Of the JSON, in UTF-8. */
  readonly bytes: number;
}

/**
 * A message that is small enough. One that is too large loses the largest of the app's tags, and then the end of its text;
 * its metadata say so (`dropped_tags`, `truncated`, `original_length` in characters), and its text ends with a marker.
 * Throws where even that is not enough.
 */
export function fitToSize(message: RecordMessageInput): Fitted {
  // Where the text alone is too long, how long it is as JSON need not be known.
  const isLong = message.content.length > MAX_MESSAGE_BYTES;
  const whole = isLong ? undefined : measure(message);
  if (whole && whole.bytes <= MAX_MESSAGE_BYTES) return whole;
  const lighter = { ...message, metadata: fitMetadata(message.metadata ?? {}) };
  const light = isLong ? undefined : measure(lighter);
  const kept = light && light.bytes <= MAX_MESSAGE_BYTES ? light : measure(cutContent(lighter));
  if (kept.bytes > MAX_MESSAGE_BYTES) throw new RangeError('the message is too large even without its text and tags');
  return kept;
}

function measure(message: RecordMessageInput): Fitted {
  const json = JSON.stringify(message);
  return { message, json, bytes: encoder.encode(json).length };
}

function fitMetadata(metadata: Record<string, unknown>): Record<string, unknown> {
  let bytes = jsonBytes(metadata);
  if (bytes <= MAX_METADATA_BYTES) return metadata;
  const tags = Object.keys(metadata)
    .filter(name => !isReserved(name))
    .map(name => ({ name, bytes: jsonBytes({ [name]: metadata[name] }) }))
    .sort((a, b) => b.bytes - a.bytes);
  const dropped = new Set<string>();
  for (const tag of tags) {
    if (bytes <= MAX_METADATA_BYTES) break;
    bytes -= tag.bytes;
    dropped.add(tag.name);
  }
  const kept = Object.entries(metadata).filter(([name]) => !dropped.has(name));
  return { ...Object.fromEntries(kept), dropped_tags: dropped.size };
}

function cutContent(message: RecordMessageInput): RecordMessageInput {
  const { content } = message;
  const metadata = { ...message.metadata, truncated: true, original_length: content.length };
  const cut = (length: number) => ({ ...message, content: marked(content, length), metadata });
  let fits = 0;
  let tooLong = Math.min(content.length, MAX_MESSAGE_BYTES);
  while (tooLong - fits > 1) {
    const middle = Math.floor((fits + tooLong) / 2);
    if (jsonBytes(cut(middle)) <= MAX_MESSAGE_BYTES) fits = middle;
    else tooLong = middle;
  }
  return cut(fits);
}

function marked(content: string, length: number): string {
  // Not to end in the middle of a character.
  const end = /[\uD800-\uDBFF]/.test(content.charAt(length - 1)) ? length - 1 : length;
  return `${content.slice(0, end)}\n\n[cut by synap-recorder: ${end} of ${content.length} characters]`;
}
