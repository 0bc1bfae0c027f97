import { addText, newHash } from '../internal/text-hash.js';
import { MAX_MESSAGE_BYTES } from './truncate.js';

// Of a longer prompt this much is recorded at most; its end is looked at as well, since the question may stand there.
const MAX_HEAD = MAX_MESSAGE_BYTES;
const MAX_TAIL = 65_536;

/**
 * A short name of a text, the same in every process: texts may be long and many, and what they say is not needed to know one
 * again. Two 32-bit FNV-1a hashes, of which the second begins elsewhere, and the length: half of what SHA-1 costs in
 * JavaScript, and nobody gains by a collision but the loss of a prompt of their own.
 */
export function textDigest(content: string): string {
  const hash = newHash();
  const head = Math.min(content.length, MAX_HEAD);
  addText(hash, content, 0, head);
  addText(hash, content, Math.max(head, content.length - MAX_TAIL));
  return [content.length, hash.a >>> 0, hash.b >>> 0].map(number => number.toString(36)).join('-');
}
