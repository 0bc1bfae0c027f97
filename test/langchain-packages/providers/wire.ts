// A provider on loopback: an HTTP server that answers each request as a wire says, in that provider's own protocol.

import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What the model says in one answer, in no provider's terms. */
export interface Answer {
  readonly text?: readonly string[];
  readonly thinking?: string;
  readonly tool?: { readonly name: string; readonly args: Record<string, unknown>; readonly id: string };
  /** Why it stopped, in this provider's terms; by default, as it does after a whole answer. */
  readonly finish?: string;
  readonly refusal?: string;
  /** Breaks off after the text: as the provider tells of an error, where it does, or by its connection. */
  readonly breaks?: boolean | 'connection';
  /** Waited for after the text. */
  readonly wait?: Promise<unknown>;
}

/** A request, as far as answers depend on it. */
export interface WireRequest {
  readonly url: string;
  readonly body: Record<string, unknown>;
}

/** What goes over the wire: a JSON body, or the frames of a stream. */
export type WireResponse =
  | { readonly json: unknown }
  | {
      readonly type: string;
      /** The answer up to its end. */
      readonly frames: readonly (string | Uint8Array)[];
      /** Its end. */
      readonly rest: readonly (string | Uint8Array)[];
      /** What stands for its end where the provider tells of an error; without it, the connection breaks. */
      readonly error?: readonly (string | Uint8Array)[];
    };

/** How a provider says an answer. */
export type Wire = (answer: Answer, request: WireRequest) => WireResponse;

/** One server-sent event a line of JSON. */
export function events(data: readonly unknown[], { named = false } = {}): string[] {
  return data.map(event => {
    const name = named ? `event: ${(event as { type: string }).type}\n` : '';
    return `${name}data: ${typeof event === 'string' ? event : JSON.stringify(event)}\n\n`;
  });
}

/** A server that speaks `wire`, and answers the nth request with the nth answer. */
export async function provider(wire: Wire, answers: readonly Answer[]) {
  const requests: WireRequest[] = [];
  const server = createServer(async (request, response) => {
    let received = '';
    for await (const piece of request) received += piece;
    const seen = { url: request.url ?? '', body: received === '' ? {} : JSON.parse(received) };
    requests.push(seen);
    const answer = answers[Math.min(requests.length, answers.length) - 1] ?? {};
    await send(response, wire(answer, seen), answer).catch(() => response.destroy());
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise(resolve => server.close(resolve));
    },
  };
}

async function send(response: ServerResponse, said: WireResponse, { breaks, wait }: Answer): Promise<void> {
  if ('json' in said) {
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(said.json));
    return;
  }
  response.writeHead(200, { 'content-type': said.type });
  for (const frame of said.frames) await write(response, frame);
  await wait;
  if (breaks === true && said.error) {
    for (const frame of said.error) await write(response, frame);
    response.end();
    return;
  }
  if (breaks) {
    // What was written must have been read before the connection breaks.
    await new Promise(resolve => setTimeout(resolve, 50));
    response.destroy();
    return;
  }
  for (const frame of said.rest) await write(response, frame);
  response.end();
}

function write(response: ServerResponse, frame: string | Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => response.write(frame, error => (error ? reject(error) : resolve())));
}
