import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

// How a browser signs in
//
// Whoever can reach the port is not yet the person at this machine: there may be other accounts on it, and with --host
// other machines. So nothing is shown without a session. `synap-recorder-local` prints a link with a token in its
// fragment, which a browser sends to nobody; the page hands it in by POST, gets a cookie for it, and takes it out of the
// address. A token works once, so what a browser's history keeps of the link is worthless. A browser without a link may
// give the API key instead.
//
// The cookie is HttpOnly (no script reads it) and SameSite=Strict (no other site's page sends it). It says until when it
// is good and is signed with a secret of the database: it outlives a restart, and ends when the API keys change.
//
// Browsers don't separate cookies by port: a page on another port of this host name sends it along, too, so origin.ts
// does not rely on it; and a program that listens there can take it out of the requests it gets. Someone who runs
// programs under your account can read the database itself.

const DAY = 24 * 60 * 60;

/** How long a browser stays signed in, in seconds. */
export const SESSION_SECONDS = 7 * DAY;

// Each link that was made and not used is one. The oldest goes first.
const MAX_TOKENS = 32;

export class Sessions {
  /** Differs from database to database: servers on several ports of this machine share one set of cookies. */
  readonly cookieName: string;
  readonly #key: Buffer;
  readonly #tokens = new Set<string>();

  /** @param secret lasts as long as the database; `apiKeys` are those that are accepted now */
  constructor(secret: string, apiKeys: readonly string[]) {
    this.#key = createHmac('sha256', secret).update(JSON.stringify(apiKeys)).digest();
    this.cookieName = `synap_viewer_${sha256(secret).toString('hex').slice(0, 8)}`;
  }

  /** A token for a link. It is valid until it is redeemed, or the server ends. */
  issueToken(): string {
    const token = randomBytes(24).toString('base64url');
    this.#tokens.add(token);
    const [oldest = ''] = this.#tokens;
    if (this.#tokens.size > MAX_TOKENS) this.#tokens.delete(oldest);
    return token;
  }

  /** Redeems a token. @returns whether it was valid */
  redeem(token: string): boolean {
    return this.#tokens.delete(token);
  }

  /** The value of a cookie that is valid for {@link SESSION_SECONDS} from now. */
  open(): string {
    const until = String(Math.floor(Date.now() / 1000) + SESSION_SECONDS);
    return `${until}.${this.#sign(until)}`;
  }

  isOpen(cookie: string | undefined): boolean {
    const [, until, signature] = /^(\d{1,12})\.([\w-]{43})$/.exec(cookie ?? '') ?? [];
    if (until === undefined || signature === undefined || Number(until) * 1000 < Date.now()) return false;
    return timingSafeEqual(sha256(signature), sha256(this.#sign(until)));
  }

  #sign(until: string): string {
    return createHmac('sha256', this.#key).update(until).digest('base64url');
  }
}

/** The secret that signs the sessions of a new database. */
export function generateSecret(): string {
  return randomBytes(32).toString('base64url');
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
