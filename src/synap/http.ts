import { rawEnv } from '../internal/env.js';
import { monotonicNow } from '../internal/monotonic-clock.js';
import { areReplaced } from '../internal/timers.js';
import { readBody } from './body.js';
import { type Connections, MAX_IDLE_MS, needsTunnel, openConnections } from './connections.js';
import { NetworkError } from './errors.js';
import { httpTransport as fetchTransport } from './http.edge.js';
import { loadUndici, type Undici } from './load-undici.js';
import { networkError } from './network-error.js';
import type { DispatcherAnswer, HttpDispatcher, HttpRequest, HttpResponse, HttpTransport, Route } from './transport.js';

/** An answer of which status and headers were read. */
export interface OpenAnswer extends Pick<HttpResponse, 'status' | 'header'> {
  readonly body: DispatcherAnswer['body'];
}

/** Sends requests, and leaves the body of an answer to be read. */
export interface Sender {
  /** Rejects with a `NetworkError` only. */
  send(request: HttpRequest): Promise<OpenAnswer>;
  close(): Promise<void>;
}

/** A transport over undici, or, where that can't be loaded, over fetch. */
export function httpTransport(origin: string, route: Route = {}): HttpTransport {
  // At once, not at the first request: loading stops the event loop, and by then the app has streams open.
  const opened = openSender(origin, route).then(sender =>
    sender ? readingTransport(sender) : overFetch(origin, route),
  );
  return {
    request: async request => (await opened).request(request),
    close: async () => (await opened).close(),
  };
}

/** What sends over undici, or over the app's own dispatcher; undefined where there is no undici. Never rejects. */
export async function openSender(origin: string, route: Route): Promise<Sender | undefined> {
  if (route.dispatcher !== undefined) return overDispatcher(origin, route.dispatcher);
  const undici = await loadUndici({ tunnel: needsTunnel(origin, route.proxy) });
  return undici && overConnections(origin, route, undici);
}

function readingTransport(sender: Sender): HttpTransport {
  return {
    async request(request) {
      const { status, header, body } = await sender.send(request);
      const pieces = body[Symbol.asyncIterator]();
      const reader = { read: () => pieces.next(), cancel: () => void body.destroy() };
      return { status, header, ...(await readBody(reader, request.limits)) };
    },
    close: () => sender.close(),
  };
}

/** Over connections of its own. */
function overConnections(origin: string, { proxy }: Route, undici: Undici): Sender {
  // A process may be stopped while it connects, for longer than what it is about to send is its own.
  const checks = new Set<() => Promise<void>>();
  const connected = async () => void (await Promise.all([...checks].map(check => check())));
  const open = () => openConnections(origin, proxy, undici, connected);
  let connections: Connections = open();
  // undici waits for an immediate before it uses a connection again. Where somebody has replaced those, for a test, it never
  // comes: then each request gets a connection of its own.
  let unshared: Connections | undefined;
  let underWay = 0;
  let idleSince = monotonicNow();
  let isClosed = false;

  /** The timers of a process that was stopped for a while come late, and the other side has closed its connections by then. */
  function renewIdle(): void {
    if (isClosed || underWay > 0 || monotonicNow() - idleSince < MAX_IDLE_MS) return;
    void connections.destroy().catch(() => {});
    connections = open();
  }

  function ended(): void {
    underWay--;
    idleSince = monotonicNow();
  }

  return {
    async send(request) {
      checkNotAborted(request);
      renewIdle();
      const reset = areReplaced();
      if (reset && !isClosed) unshared ??= open();
      const { dispatcher, address, isConnecting } = (reset && unshared) || connections;
      const { path, headers, signal, ...options } = optionsOf(request);
      const stopped = new AbortController();
      let stoppedBy: { readonly error: unknown } | undefined;
      const check = async () => {
        try {
          await request.beforeWriting?.();
        } catch (error) {
          stoppedBy = { error };
          stopped.abort();
        }
      };
      checks.add(check);
      underWay++;
      try {
        const addressed = address({ path, headers });
        const answer = await undici.request.call(dispatcher, {
          origin,
          reset,
          signal: AbortSignal.any([signal, stopped.signal]),
          ...options,
          ...addressed,
        });
        answer.body.once('close', ended);
        return openAnswer(answer, request);
      } catch (error) {
        ended();
        if (stoppedBy) throw stoppedBy.error;
        throw networkError(error, { ...request, origin, proxy, whileConnecting: isConnecting(error) });
      } finally {
        checks.delete(check);
      }
    },
    async close() {
      isClosed = true;
      await Promise.all([connections.destroy(), unshared?.destroy()]);
    },
  };
}

/** Over a dispatcher of the app's own, which stays open. */
function overDispatcher(origin: string, dispatcher: HttpDispatcher): Sender {
  const closing = new AbortController();
  return {
    async send(request) {
      checkNotAborted(request);
      if (closing.signal.aborted)
        throw new NetworkError('Nothing was sent to Synap: the client is closed', { sent: 'no' });
      try {
        const { signal, ...options } = optionsOf(request);
        const signals = AbortSignal.any([signal, closing.signal]);
        return openAnswer(await dispatcher.request({ origin, ...options, signal: signals }), request);
      } catch (error) {
        throw networkError(error, { ...request, origin });
      }
    },
    async close() {
      closing.abort();
    },
  };
}

function checkNotAborted({ signal }: HttpRequest): void {
  if (signal?.aborted) throw new NetworkError('The call was aborted before it was sent', { sent: 'no' });
}

function optionsOf({ method, path, headers, body, deadline, signal, limits }: HttpRequest) {
  return {
    method,
    path,
    // Nothing here unpacks an answer.
    headers: { 'accept-encoding': 'identity', ...headers },
    body: body ?? null,
    signal: AbortSignal.any([deadline?.signal, signal].filter(end => end !== undefined)),
    ...(limits && { bodyTimeout: limits.timeoutMs }),
  };
}

function openAnswer({ statusCode: status, headers, body }: DispatcherAnswer, { onHeaders }: HttpRequest): OpenAnswer {
  const header = (name: string) => [headers[name]].flat()[0];
  onHeaders?.({ status, header });
  return { status, header, body };
}

/** Bundlers may leave undici, which is CommonJS, without the `require` that it needs. */
function overFetch(origin: string, { proxy, warn }: Route): HttpTransport {
  if (proxy === undefined) return fetchTransport(origin);
  const problem = `the proxy ${proxy.host} (${proxy.from}) can't be used: this app is bundled without undici. Leave synap-recorder out of the bundle ("external"), or start Node.js with NODE_USE_ENV_PROXY=1`;
  if (proxy.from !== 'proxy') {
    if (rawEnv('NODE_USE_ENV_PROXY') !== '1') warn?.(problem);
    return fetchTransport(origin);
  }
  return {
    request: () => Promise.reject(new NetworkError(`Nothing was sent to Synap: ${problem}`, { sent: 'no' })),
    close: async () => {},
  };
}
