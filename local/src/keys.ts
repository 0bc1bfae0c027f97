import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

/** A key as the local Synap makes one up for itself: 128 bits of chance. */
export function generateApiKey(): string {
  return `synap_local_${randomBytes(16).toString('hex')}`;
}

/** The API keys that are let in. Which of them a wrong one resembles can't be read off the time it takes to refuse it. */
export class ApiKeys {
  readonly #keys: readonly { hash: Buffer; masked: string }[];

  constructor(keys: readonly string[]) {
    this.#keys = keys.map(key => ({ hash: sha256(key), masked: mask(key) }));
  }

  /** The masked key of an `Authorization` header that is let in; undefined for any other. */
  find(authorization: string | undefined): string | undefined {
    const [, given] = /^Bearer +(\S+)$/i.exec(authorization ?? '') ?? [];
    if (given === undefined) return undefined;
    const hash = sha256(given);
    // No early exit: every key is compared.
    const found = this.#keys.filter(key => timingSafeEqual(key.hash, hash));
    return found[0]?.masked;
  }
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

function mask(key: string): string {
  return key.length >= 16 ? `${key.slice(0, 4)}…${key.slice(-4)}` : '…';
}
