import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

/** A new key of a local Synap: 128 random bits. */
export function generateApiKey(): string {
  return `synap_local_${randomBytes(16).toString('hex')}`;
}

/** The API keys that are accepted. They are compared in constant time. */
export class ApiKeys {
  readonly #keys: readonly { hash: Buffer; masked: string }[];

  constructor(keys: readonly string[]) {
    this.#keys = keys.map(key => ({ hash: sha256(key), masked: mask(key) }));
  }

  /** @returns the masked key of an `Authorization` header that is accepted; undefined for any other */
  find(authorization: string | undefined): string | undefined {
    const [, key] = /^Bearer +(\S+)$/i.exec(authorization ?? '') ?? [];
    if (key === undefined) return undefined;
    const hash = sha256(key);
    // No early exit: every key is compared.
    const found = this.#keys.filter(known => timingSafeEqual(known.hash, hash));
    return found[0]?.masked;
  }
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

function mask(key: string): string {
  return key.length >= 16 ? `${key.slice(0, 4)}…${key.slice(-4)}` : '…';
}
