import { NetworkError, TimeoutError } from './errors.js';
import { type HttpTransport, MAX_RESPONSE_BYTES } from './transport.js';

/**
 * A transport over fetch, for runtimes without Node.js. The connections are the runtime's own, and so are its limits on
 * connecting: of ours, only the deadline holds.
 *
 * fetch does not tell a request that was never sent from one that broke in the middle, so its failures leave open whether
 * anything was stored.
 */
export function httpTransport(origin: string): HttpTransport {
  const underWay = new Set<AbortController>();
  let closed = false;

  return {
    async request({ method, path, headers, body, deadline, signal }) {
      const end = new AbortController();
      // By hand: AbortSignal.any is not everywhere; Next.js's edge runtime lacks it.
      const signals = signal ? [deadline, signal] : [deadline];
      const abort = () => end.abort();
      let sent: NetworkError['sent'] = 'no';
      try {
        if (closed) throw new Error('the client is closed');
        if (signal?.aborted) throw new Error('the call was aborted before it was sent');
        // The key is for this origin only: a redirect is an answer.
        const init = { method, headers, body: body ?? null, redirect: 'manual', signal: end.signal } as const;
        for (const ends of signals) ends.addEventListener('abort', abort);
        underWay.add(end);
        sent = 'unknown';
        const response = await fetch(origin + path, init);
        return {
          status: response.status,
          header: name => response.headers.get(name) ?? undefined,
          body: await readText(response),
        };
      } catch (error) {
        throw networkError(error, sent, deadline, headers['x-correlation-id']);
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

async function readText(response: Response): Promise<string> {
  const reader = response.body?.getReader();
  if (!reader) return '';
  const decoder = new TextDecoder();
  let text = '';
  let bytes = 0;
  for (let read = await reader.read(); !read.done; read = await reader.read()) {
    bytes += read.value.byteLength;
    if (bytes > MAX_RESPONSE_BYTES) {
      reader.cancel().catch(() => {});
      throw new RangeError(`its answer is longer than ${MAX_RESPONSE_BYTES} bytes`);
    }
    text += decoder.decode(read.value, { stream: true });
  }
  return text + decoder.decode();
}

function networkError(
  error: unknown,
  sent: NetworkError['sent'],
  deadline: AbortSignal,
  correlationId: string | undefined,
): NetworkError {
  const { name = 'Error', message = 'unknown error' } = (error ?? {}) as Partial<Error>;
  // The cause of a runtime's own error may hold the raw answer, which may repeat the request.
  const options = { sent, correlationId, cause: Object.assign(new Error(message), { name }) } as const;
  if (deadline.aborted) return new TimeoutError('Synap did not answer in the time allowed for a request', options);
  const what = sent === 'no' ? 'Nothing was sent to Synap' : 'The connection to Synap broke';
  return new NetworkError(`${what} (${message})`, options);
}
