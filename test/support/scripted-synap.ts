// A real HTTP server that answers as a script says.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { WireMessage } from '../../src/synap/messages.js';

export interface SeenRequest {
  method: string;
  path: string;
  headers: Record<string, string | string[] | undefined>;
  body: unknown;
  messages: WireMessage[];
}

/** What a script answers: status, JSON or raw text, headers. `undefined` is the ordinary, friendly answer. */
export interface Answer {
  status?: number;
  json?: unknown;
  text?: string;
  headers?: Record<string, string>;
  /** Break the connection off instead of answering. */
  reset?: 'before storing' | 'after storing';
}

export type Script = (
  request: SeenRequest,
  index: number,
  raw: { request: IncomingMessage; response: ServerResponse },
) => Answer | undefined | Promise<Answer | undefined> | 'handled';

export interface ScriptedSynapOptions {
  /** What `/api/v1/auth/whoami` answers, which is asked in the background. Default: ids, and no word about the tenancy. */
  whoami?: (index: number) => Answer | Promise<Answer>;
}

/**
 * A real HTTP server that speaks Synap's record routes as a script says, and remembers what it stored. Questions of who one
 * is are answered apart, and counted apart.
 */
export async function scriptedSynap(
  script: Script = () => undefined,
  { whoami = () => ({ json: { client_id: 'c1', instance_id: 'i1' } }) }: ScriptedSynapOptions = {},
) {
  const requests: SeenRequest[] = [];
  const whoamis: SeenRequest[] = [];
  const stored: WireMessage[] = [];
  const server = createServer(async (request, response) => {
    const raw = await text(request).catch(() => '');
    const body = raw === '' ? undefined : JSON.parse(raw);
    const messages: WireMessage[] = body?.messages ?? (body ? [body] : []);
    const { method = '', url: path = '', headers } = request;
    const seen = { method, path, headers, body, messages };
    if (path.endsWith('/api/v1/auth/whoami')) {
      whoamis.push(seen);
      const { reset, ...answer } = await whoami(whoamis.length - 1);
      if (reset) return void request.socket.destroy();
      response.writeHead(answer.status ?? 200, { 'content-type': 'application/json', ...answer.headers });
      return void response.end(answer.text ?? JSON.stringify(answer.json ?? {}));
    }
    requests.push(seen);
    const answer = await script(seen, requests.length - 1, { request, response });
    if (answer === 'handled') return;
    if (answer?.reset === 'before storing') return void request.socket.destroy();
    const ok = (answer?.status ?? 200) < 300;
    if (ok) stored.push(...messages);
    if (answer?.reset === 'after storing') return void request.socket.destroy();
    const receipts = messages.map((message, index) => ({
      message_id: `m${stored.length - messages.length + index}`,
      conversation_id: message.conversation_id,
      session_id: message.session_id ?? 'made-up',
      recorded_at: '2026-01-01T00:00:00.000Z',
    }));
    const ordinary = body?.messages
      ? { total: receipts.length, succeeded: receipts.length, failed: 0, results: receipts }
      : receipts[0];
    const payload = answer?.text ?? JSON.stringify(answer?.json ?? (ok ? ordinary : { detail: 'scripted' }));
    const status = answer?.status ?? 200;
    response.writeHead(status, { 'content-type': 'application/json', ...answer?.headers });
    response.end(status === 204 ? undefined : payload);
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    requests,
    /** Those of `/api/v1/auth/whoami`. */
    whoamis,
    stored,
    /** What was stored of one conversation, as `role: content`. */
    transcript: (conversationId: string) =>
      stored
        .filter(message => message.conversation_id === conversationId)
        .map(({ role, content }) => `${role}: ${content}`),
    async close() {
      server.closeAllConnections();
      await new Promise(resolve => server.close(resolve));
    },
    async [Symbol.asyncDispose]() {
      await this.close();
    },
  };
}
