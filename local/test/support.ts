// Servers, messages and requests for the tests of this package.

import { randomUUID } from 'node:crypto';
import { type IncomingHttpHeaders, request } from 'node:http';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { tempFolder } from '../../test/support/temp-folder.js';
import { type LocalSynap, type LocalSynapOptions, startLocalSynap } from '../src/index.js';

export { tempFolder };

export type Json = Record<string, unknown>;

export function tempDatabase(): string {
  return join(tempFolder(), 'synap.db');
}

const isNewB2c = ({ tenancy, database }: LocalSynapOptions) => tenancy !== 'b2b' && database === undefined;

/** A local Synap that is closed when the test is over. A new one of B2C is the strict kind, unless the options say otherwise. */
export async function start(options: LocalSynapOptions = {}): Promise<LocalSynap> {
  const local = await startLocalSynap({ strictB2c: isNewB2c(options), ...options });
  onTestFinished(() => local.close());
  return local;
}

export function aMessage(fields: Json = {}): Json & { conversation_id: string } {
  return { conversation_id: randomUUID(), role: 'user', content: 'Hello!', user_id: 'ada', ...fields };
}

export interface Answer {
  status: number;
  // biome-ignore lint/suspicious/noExplicitAny: an answer is looked into field by field
  body: any;
  headers: Headers;
}

type Server = Pick<LocalSynap, 'url' | 'apiKey'>;

export async function call(
  { url, apiKey }: Server,
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const response = await fetch(url + path, {
    method,
    headers: {
      authorization: `Bearer ${apiKey}`,
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  return { status: response.status, body: await response.json(), headers: response.headers };
}

export const record = (server: Server, message: unknown) => call(server, 'POST', '/v1/conversations/messages', message);

export const recordBatch = (server: Server, messages: unknown[]) =>
  call(server, 'POST', '/v1/conversations/messages/batch', { messages });

export const readConversation = (server: Server, id: string, query = '') =>
  call(server, 'GET', `/v1/conversations/${id}/messages${query}`);

/** A request with headers that fetch would not let through. */
export function rawGet(
  url: string,
  headers: Record<string, string>,
): Promise<{ status: number; body: Json; headers: IncomingHttpHeaders }> {
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { headers, agent: false }, response => {
      let text = '';
      response.on('data', chunk => {
        text += chunk;
      });
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, body: JSON.parse(text) as Json, headers: response.headers }),
      );
    });
    outgoing.on('error', reject).end();
  });
}

/** Every item of a list, page by page. */
export async function readAll(server: Server, path: string, items: string, limit: number): Promise<Json[]> {
  const all: Json[] = [];
  for (let cursor: string | null = ''; cursor !== null; ) {
    const query: string = `limit=${limit}${cursor === '' ? '' : `&cursor=${cursor}`}`;
    const { status, body } = await call(server, 'GET', `${path}?${query}`);
    if (status !== 200) throw new Error(`${path} answered ${status}`);
    all.push(...(body[items] as Json[]));
    cursor = body.next_cursor;
  }
  return all;
}
