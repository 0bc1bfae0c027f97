// The backend that all senders of a benchmark send to.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import { eventsIn } from './events.ts';
import type { SenderName } from './senders.ts';

/** What a fault does to a request: a status, whether its events are stored all the same, and whether it is answered. */
export interface Answer {
  status: number;
  stored?: boolean;
  reset?: boolean;
  /** The connection breaks in the middle of the body. */
  cut?: boolean;
  /** A web page: whatever answers, it is not the sender's own server. */
  html?: boolean;
}

/** Undefined lets the request through. */
export type Fault = (request: {
  index: number;
  events: readonly number[];
  sinceFirstMs: number;
  /** Its `Authorization` header. */
  key: string | undefined;
}) => Answer | undefined;

/**
 * A server that speaks each sender's protocol far enough to be believed, breaks it as a fault says, and counts how often
 * each event was stored.
 */
export class Backend {
  readonly url: string;
  readonly #sender: SenderName;
  readonly #server: ReturnType<typeof createServer>;
  readonly #stored = new Map<number, number>();
  #fault: Fault | undefined;
  #delayMs = 0;
  #firstAt: number | undefined;
  /** Requests with events in them. */
  requests = 0;
  #underWay = 0;
  #lastAt = performance.now();
  #lastStoredAt = 0;

  private constructor(sender: SenderName, server: ReturnType<typeof createServer>) {
    this.#sender = sender;
    this.#server = server;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  static async start(sender: SenderName, options: { fault?: Fault | undefined; delayMs?: number } = {}) {
    const server = createServer();
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
    const backend = new Backend(sender, server);
    backend.#fault = options.fault;
    backend.#delayMs = options.delayMs ?? 0;
    server.on('request', (request, response) => {
      // A sender that is killed breaks its requests off.
      backend.#handle(request, response).catch(() => response.destroy());
    });
    return backend;
  }

  get stored(): number {
    return this.#stored.size;
  }

  /** How often an event was stored that was stored before. */
  get storedAgain(): number {
    let again = 0;
    for (const times of this.#stored.values()) again += times - 1;
    return again;
  }

  /** When the last event was stored for the first time, on `performance.now()`'s clock. */
  get lastStoredAt(): number {
    return this.#lastStoredAt;
  }

  /** For how many milliseconds nothing has come. */
  get quietMs(): number {
    return this.#underWay > 0 ? 0 : performance.now() - this.#lastAt;
  }

  /** Lets everything through from now on. */
  recover(): void {
    this.#fault = undefined;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise(resolve => this.#server.close(resolve));
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.#underWay++;
    try {
      const raw = await buffer(request);
      const body = (request.headers['content-encoding'] === 'gzip' ? gunzipSync(raw) : raw).toString();
      const events = eventsIn(body);
      this.#firstAt ??= performance.now();
      const index = events.length > 0 ? this.requests++ : -1;
      const key = request.headers.authorization;
      const answer = this.#fault?.({ index, events, sinceFirstMs: performance.now() - this.#firstAt, key });
      if (this.#delayMs > 0) await new Promise(resolve => setTimeout(resolve, this.#delayMs));
      if (!answer || answer.stored) this.#store(events);
      if (answer?.reset) return void request.socket.destroy();
      if (answer?.html) return void response.writeHead(answer.status, { 'content-type': 'text/html' }).end('<p>No</p>');
      if (answer?.cut) {
        response.writeHead(answer.status, { 'content-type': 'application/json', 'content-length': 1000 });
        return void response.write('{"total":', () => request.socket.destroy());
      }
      const [status, json] = answer
        ? [answer.status, { detail: 'not now' }]
        : success(this.#sender, request.url ?? '', body, events.length);
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(json));
    } finally {
      this.#underWay--;
      this.#lastAt = performance.now();
    }
  }

  #store(events: readonly number[]): void {
    for (const event of events) {
      const times = this.#stored.get(event) ?? 0;
      this.#stored.set(event, times + 1);
      if (times === 0) this.#lastStoredAt = performance.now();
    }
  }
}

/** What the sender's own server answers when all is well. */
function success(sender: SenderName, path: string, body: string, count: number): [status: number, json: object] {
  switch (sender) {
    case 'langsmith':
      if (!path.endsWith('/info')) return [202, {}];
      return [
        200,
        {
          version: '99.0.0',
          batch_ingest_config: { use_multipart_endpoint: true, size_limit: 100, size_limit_bytes: 20_971_520 },
          instance_flags: { gzip_body_enabled: true },
        },
      ];
    case 'langfuse':
      return [207, { successes: [], errors: [] }];
    case 'posthog':
      return [200, { status: 'Ok' }];
    case 'segment':
      return [200, { success: true }];
    case 'otel':
      return [200, { partialSuccess: {} }];
    case 'synap': {
      const { messages } = JSON.parse(body);
      const receipt = (_: unknown, n: number) => ({ message_id: `m${n}`, recorded_at: new Date().toISOString() });
      if (!Array.isArray(messages)) return [200, receipt(undefined, 0)];
      return [200, { total: count, succeeded: count, failed: 0, results: messages.map(receipt) }];
    }
  }
}
