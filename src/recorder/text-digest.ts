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
  let a = 0x811c9dc5;
  let b = 0x9e3779b9;
  const tail = content.length - MAX_TAIL;
  for (let at = 0; at < content.length; at++) {
    if (at === MAX_HEAD && at < tail) at = tail;
    const unit = content.charCodeAt(at);
    a = Math.imul(a ^ unit, 0x01000193);
    b = Math.imul(b ^ unit, 0x85ebca6b);
  }
  return [content.length, a >>> 0, b >>> 0].map(number => number.toString(36)).join('-');
}
