import type { WarnOnce } from '../internal/warn-once.js';
import type { Turn, TurnObserver } from './turn.js';

const MINUTE = 60_000;

/** A turn that nobody ends does not keep a function alive for longer. */
const MAX_KEEP_ALIVE_MS = 5 * MINUTE;

/** Keeps a serverless function alive until a promise settles: `after` of Next.js, `ctx.waitUntil` of Workers. */
export type WaitUntil = (promise: Promise<unknown>) => void;

// Where Vercel's runtime keeps the request under way, for libraries: @vercel/functions reads it, too.
const VERCEL_REQUEST = Symbol.for('@vercel/request-context');

/** The `waitUntil` of the request under way, on a platform that has one to be found. */
function platformWaitUntil(): WaitUntil | undefined {
  try {
    const context = (globalThis as { [VERCEL_REQUEST]?: { get?(): { waitUntil?: WaitUntil } | undefined } })[
      VERCEL_REQUEST
    ]?.get?.();
    return typeof context?.waitUntil === 'function' ? context.waitUntil.bind(context) : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Asks the platform to wait for each turn from its first moment on: when it ends, the request may be answered and its
 * `waitUntil` no longer be there to call.
 */
export class KeepAlive implements TurnObserver {
  readonly #waitUntil: WaitUntil | undefined;
  readonly #flush: () => Promise<unknown>;
  readonly #warnOnce: WarnOnce;
  readonly #release = new Map<Turn, () => void>();

  constructor(waitUntil: WaitUntil | undefined, flush: () => Promise<unknown>, warnOnce: WarnOnce) {
    this.#waitUntil = waitUntil;
    this.#flush = flush;
    this.#warnOnce = warnOnce;
  }

  opened(turn: Turn): void {
    this.#warnOnce.guard('waitUntil', () => this.#begin(turn));
  }

  ended(turn: Turn): void {
    this.#release.get(turn)?.();
  }

  #begin(turn: Turn): void {
    const waitUntil = this.#waitUntil ?? platformWaitUntil();
    if (!waitUntil) return;
    let release = () => {};
    const ended = new Promise<void>(resolve => {
      release = resolve;
    });
    const timer = setTimeout(release, MAX_KEEP_ALIVE_MS);
    timer.unref?.();
    this.#release.set(turn, release);
    waitUntil(
      ended.then(() => {
        clearTimeout(timer);
        // The turn may have been abandoned and come back meanwhile: then the platform waits anew.
        if (this.#release.get(turn) === release) this.#release.delete(turn);
        return this.#flush();
      }),
    );
  }
}

/** What the log says when the platform's time is up before all is delivered. */
export function undeliveredInTime(count: number, durable: boolean): string {
  const messages = count === 1 ? '1 message is' : `${count} messages are`;
  const kept = durable ? 'kept in the outbox' : 'kept in memory as long as the process lives';
  return `${messages} not delivered, and the platform is asked to wait no longer; ${kept}, and sent when Synap answers`;
}
