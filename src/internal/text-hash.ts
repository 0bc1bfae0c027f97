/** Two 32-bit FNV-1a hashes, of which the second begins elsewhere. Cheap, and the same in every process; no secret is safe in it. */
export interface TextHash {
  a: number;
  b: number;
}

export function newHash(): TextHash {
  return { a: 0x811c9dc5, b: 0x9e3779b9 };
}

/** Adds a part of a text, by default all of it. */
export function addText(hash: TextHash, text: string, from = 0, to = text.length): void {
  let { a, b } = hash;
  for (let at = from; at < to; at++) {
    const unit = text.charCodeAt(at);
    a = Math.imul(a ^ unit, 0x01000193);
    b = Math.imul(b ^ unit, 0x85ebca6b);
  }
  hash.a = a;
  hash.b = b;
}

/** Tells where a text ends. */
export function addEnd(hash: TextHash): void {
  // No unit of a text is as large.
  hash.a = Math.imul(hash.a ^ 0x10000, 0x01000193);
  hash.b = Math.imul(hash.b ^ 0x10000, 0x85ebca6b);
}

/** 53 bits of it, in one number. */
export function numberOf({ a, b }: TextHash): number {
  return (a >>> 0) * 0x20_0000 + (b >>> 11);
}

/** The same of a whole text. */
export function hashOf(text: string): number {
  const hash = newHash();
  addText(hash, text);
  return numberOf(hash);
}
