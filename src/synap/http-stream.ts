import { readBody } from './body.js';
import { isSuccess } from './error-from-response.js';
import { NetworkError } from './errors.js';
import { openSender } from './http.js';
import { networkError } from './network-error.js';
import { readRoute } from './settings.js';
import type { HttpResponse, HttpTransport } from './transport.js';

/** No limit: a stream of events is silent for as long as nothing happens. */
const UNLIMITED = { maxBytes: Number.POSITIVE_INFINITY, timeoutMs: 0 };

/** An answer whose body comes piece by piece. */
export interface StreamedResponse extends HttpResponse {
  /** Of an answer with a status of success. It fails with a `NetworkError`. `body` is empty then. */
  readonly stream?: ReadableStream<Uint8Array> | undefined;
}

/**
 * A transport for answers that are too long to be held, or that never end. It goes the way that the environment names
 * (`HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY`). What it keeps open does not hold the process.
 */
export function streamTransport(origin: string): HttpTransport<StreamedResponse> {
  const opened = openSender(origin, readRoute(new URL(origin), { logger: false }));
  return {
    async request(request) {
      const sender = await opened;
      if (sender === undefined) throw new NetworkError('Nothing was sent to Synap: there is no undici', { sent: 'no' });
      const { status, header, body } = await sender.send({ ...request, limits: UNLIMITED });
      const pieces = body[Symbol.asyncIterator]();
      const cancel = () => void body.destroy();
      if (!isSuccess({ status, header })) {
        const answer = await readBody({ read: () => pieces.next(), cancel }, request.limits);
        return { status, header, ...answer };
      }
      const stream = streamOf(pieces, cancel, error => networkError(error, { ...request, origin }));
      return { status, header, body: '', stream };
    },
    close: async () => (await opened)?.close(),
  };
}

function streamOf(
  pieces: AsyncIterator<Uint8Array>,
  cancel: () => void,
  errorOf: (error: unknown) => Error,
): ReadableStream<Uint8Array> {
  return new ReadableStream({
    async pull(controller) {
      try {
        const { done, value } = await pieces.next();
        if (done) controller.close();
        else controller.enqueue(value);
      } catch (error) {
        controller.error(errorOf(error));
      }
    },
    cancel,
  });
}
