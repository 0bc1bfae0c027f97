/** What the tests bind: the options of a client, and where the model is. */
export interface Env {
  apiKey: string;
  baseUrl: string;
  timeoutMs?: number;
  modelUrl?: string;
}

/** What a worker gets with its request, as far as the tests use it. */
export interface Context {
  waitUntil(promise: Promise<unknown>): void;
}
