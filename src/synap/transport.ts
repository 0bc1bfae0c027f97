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
 * Carries requests to one origin, without redirects and without retries of its own. Every answer resolves once its status
 * and headers were read, whatever its status, and whatever becomes of its body. Rejects with a `NetworkError` only.
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
