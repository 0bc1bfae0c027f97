import type { HttpProxy } from './proxy.js';

/** How much of a body is read, and for how long in all. */
export interface BodyLimits {
  readonly maxBytes: number;
  readonly timeoutMs: number;
}

/** A time limit, and how long it was in all. */
export interface Deadline {
  readonly signal: AbortSignal;
  readonly ms: number;
}

/** One request. `path` starts with a slash and holds the whole path. */
export interface HttpRequest {
  method: 'GET' | 'POST' | 'DELETE';
  path: string;
  headers: Record<string, string>;
  body?: string | undefined;
  /** Ends the request as a timeout. Without it, only the transport's own limits hold. */
  deadline?: Deadline | undefined;
  /** The caller's own wish to end it. */
  signal?: AbortSignal | undefined;
  /** How much of a body is read, and for how long. Default: what is plenty for a receipt. */
  limits?: BodyLimits | undefined;
  /**
   * Is called when a new connection is there, before anything is written to it: what it rejects with ends the request. Where the
   * connections are not the transport's own, it is not called.
   */
  beforeWriting?: (() => Promise<void>) | undefined;
  /** Is called when status and headers were read, before the body is. */
  onHeaders?: ((response: Pick<HttpResponse, 'status' | 'header'>) => void) | undefined;
}

export interface HttpResponse {
  status: number;
  /** A header's value; `name` in lower case. */
  header(name: string): string | undefined;
  /** As much of the body as could be read. */
  body: string;
  /** Why that is not all of it, in words fit for a log. */
  unread?: string | undefined;
}

/**
 * Sends requests to one origin, without redirects and without retries of its own. Every answer resolves once its status
 * and headers were read, whatever its status, and whatever becomes of its body. Rejects with a `NetworkError` only.
 */
export interface HttpTransport<Response extends HttpResponse = HttpResponse> {
  request(request: HttpRequest): Promise<Response>;
  /** Closes the idle connections and aborts what is under way. */
  close(): Promise<void>;
}

/** What a {@link HttpDispatcher} is asked for. */
export interface DispatcherRequest {
  readonly origin: string;
  readonly path: string;
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly headers: Record<string, string>;
  readonly body: string | null;
  readonly signal: AbortSignal;
  readonly bodyTimeout?: number;
}

export interface DispatcherAnswer {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: AsyncIterable<Uint8Array> & { destroy(): unknown };
}

/** As much of a `Dispatcher` of undici as is used: an `Agent`, a `ProxyAgent`, a `MockAgent`, of whatever version. */
export interface HttpDispatcher {
  request(request: DispatcherRequest): Promise<DispatcherAnswer>;
}

/** How requests get to where they go, if not directly. */
export interface Route {
  readonly proxy?: HttpProxy | undefined;
  /** Of the app's own; without it, the transport has connections of its own. */
  readonly dispatcher?: HttpDispatcher | undefined;
  /** Is called when the way can't be taken, and another one is. */
  readonly warn?: ((problem: string) => void) | undefined;
}

/**
 * What `#http` exports: undici's in Node.js (`http.ts`), fetch's where there is no Node.js (`http.edge.ts`). The
 * `imports` of package.json choose.
 */
export interface HttpModule {
  httpTransport(origin: string, route?: Route): HttpTransport;
}
