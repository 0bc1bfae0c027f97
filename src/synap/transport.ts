/** One request. `path` starts with a slash and holds the whole path. */
export interface HttpRequest {
  method: 'GET' | 'POST';
  path: string;
  headers: Record<string, string>;
  body?: string;
  /** Ends the request as a timeout when it aborts. */
  deadline: AbortSignal;
  /** The caller's own wish to end it. */
  signal?: AbortSignal | undefined;
}

export interface HttpResponse {
  status: number;
  /** A header's value; `name` in lower case. */
  header(name: string): string | undefined;
  body: string;
}

/**
 * Carries requests to one origin, without redirects and without retries of its own. Rejects with a `NetworkError` only;
 * every answer, whatever its status, resolves.
 */
export interface HttpTransport {
  request(request: HttpRequest): Promise<HttpResponse>;
  /** Closes the idle connections and breaks off what is under way. */
  close(): Promise<void>;
}

/**
 * What `#http` exports: undici's in Node.js (`http.ts`), fetch's where there is no Node.js (`http.edge.ts`). The
 * `imports` of package.json choose.
 */
export interface HttpModule {
  httpTransport(origin: string): HttpTransport;
}

/** Receipts are small. A server that streams without end must not fill the app's memory. */
export const MAX_RESPONSE_BYTES = 8 * 1024 * 1024;
