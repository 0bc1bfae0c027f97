import { readBody } from './body.js';
import { isSuccess } from './error-from-response.js';
import { networkError } from './network-error.js';
import type { HttpResponse, HttpTransport } from './transport.js';

/** An answer whose body comes piece by piece. */
export interface StreamedResponse extends HttpResponse {
  /** Of an answer with a status of success. It fails with a `NetworkError`. `body` is empty then. */
  readonly stream?: ReadableStream<Uint8Array> | undefined;
}

/**
 * A transport over Node's fetch for answers that are too long to be held, or that never end. It keeps no connections of its
 * own, so there is nothing to close.
 */
export function streamTransport(origin: string): HttpTransport<StreamedResponse> {
  return {
    async request({ method, path, headers, body, deadline, signal, limits, onHeaders }) {
      const ends = [deadline?.signal, signal].filter(end => end !== undefined);
      const request = { origin, deadline, headers, body };
      try {
        const response = await fetch(origin + path, {
          method,
          headers,
          body: body ?? null,
          // The key is for this origin only: a redirect is an answer.
          redirect: 'manual',
          signal: AbortSignal.any(ends),
        });
        const header = (name: string) => response.headers.get(name) ?? undefined;
        const answer = { status: response.status, header };
        onHeaders?.(answer);
        const reader = response.body?.getReader();
        if (reader === undefined) return { ...answer, body: '' };
        if (isSuccess(answer))
          return { ...answer, body: '', stream: streamOf(reader, error => networkError(error, request)) };
        const cancel = () => void reader.cancel().catch(() => {});
        return { ...answer, ...(await readBody({ read: () => reader.read(), cancel }, limits)) };
      } catch (error) {
        throw networkError(error, request);
      }
    },
    async close() {},
  };
}

function streamOf(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  errorOf: (error: unknown) => Error,
): ReadableStream<Uint8Array> {
  return new ReadableStream({
    async pull(controller) {
      try {
        const { done, value } = await reader.read();
        if (done) controller.close();
        else controller.enqueue(value);
      } catch (error) {
        controller.error(errorOf(error));
      }
    },
    cancel: reason => reader.cancel(reason),
  });
}
