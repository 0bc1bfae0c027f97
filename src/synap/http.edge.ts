import { readBody } from './body.js';
import { InvalidInputError } from './errors.js';
import { networkError } from './network-error.js';
import type { HttpTransport, Route } from './transport.js';

/**
 * A transport over fetch, for runtimes without Node.js. The connections are the runtime's own, and so are its limits on
 * connecting: of ours, only the deadline holds. A proxy of the environment is the runtime's business, too: Deno and Bun use it.
 *
 * Where fetch does not say why it failed, a request that was never sent looks like one that broke in the middle: then its
 * failure leaves open whether anything was stored.
 *
 * @throws {@link InvalidInputError} an option names a way that fetch can't take
 */
export function httpTransport(origin: string, { proxy, dispatcher }: Route = {}): HttpTransport {
  if (dispatcher !== undefined || proxy?.from === 'proxy') {
    const field = dispatcher === undefined ? 'proxy' : 'dispatcher';
    throw new InvalidInputError(
      `${field} needs Node.js: in this runtime requests are sent by fetch, which takes none. Leave it out, or pass a client of your own`,
      { field },
    );
  }
  const underWay = new Set<AbortController>();
  let closed = false;

  return {
    async request({ method, path, headers, body, deadline, signal, limits, onHeaders }) {
      const end = new AbortController();
      // Next.js's edge runtime has no AbortSignal.any.
      const signals = [deadline?.signal, signal].filter(end => end !== undefined);
      const abort = () => end.abort();
      let neverSent = true;
      try {
        if (closed) throw new Error('the client is closed');
        if (signal?.aborted) throw new Error('the call was aborted before it was sent');
        // The key is for this origin only: a redirect is an answer.
        const init = { method, headers, body: body ?? null, redirect: 'manual', signal: end.signal } as const;
        for (const ends of signals) ends.addEventListener('abort', abort);
        underWay.add(end);
        neverSent = false;
        const response = await fetch(origin + path, init);
        const header = (name: string) => response.headers.get(name) ?? undefined;
        const answer = { status: response.status, header };
        onHeaders?.(answer);
        const reader = response.body?.getReader();
        return {
          ...answer,
          ...(reader
            ? await readBody({ read: () => reader.read(), cancel: () => void reader.cancel().catch(() => {}) }, limits)
            : { body: '' }),
        };
      } catch (error) {
        throw networkError(error, { origin, deadline, headers, body, neverSent });
      } finally {
        underWay.delete(end);
        for (const ends of signals) ends.removeEventListener('abort', abort);
      }
    },
    async close() {
      closed = true;
      for (const end of underWay) end.abort();
    },
  };
}
