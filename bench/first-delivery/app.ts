// An app that streams, in a process of its own: what starts it costs, and one stream, in which the first batch is sent.

import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Recorder } from 'synap-recorder';

export interface AppJob {
  server: 'node:http' | 'Express';
  /** Where the recorder sends to; undefined: there is none. */
  synapUrl: string | undefined;
}

export interface AppStart {
  port: number;
  /** What importing the package and createRecorder took, until both returned. */
  createMs: number;
  /** All CPU time of the process from before that until nothing is left to do. */
  cpuMs: number;
}

const CHUNK_MS = 2;
const STREAM_MS = 1200;
/** When the batch is due, in the middle of the stream. */
const SEND_AT_MS = 500;
/** By then whatever begins with createRecorder has ended. */
const SETTLE_MS = 500;

const { server, synapUrl }: AppJob = JSON.parse(process.argv[2] ?? '');

async function stream(_: IncomingMessage, response: ServerResponse): Promise<void> {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  const turn = recorder?.turn();
  turn?.user('What is the weather?');
  const writing = setInterval(() => response.write('data: word\n\n'), CHUNK_MS);
  setTimeout(() => {
    turn?.complete({ content: 'Sunny.', model: 'scripted' });
    void recorder?.flush();
  }, SEND_AT_MS);
  setTimeout(() => {
    clearInterval(writing);
    response.end();
  }, STREAM_MS);
}

async function listenerOf(): Promise<RequestListener> {
  if (server === 'node:http') return stream;
  const { default: express } = await import('express');
  return express().get('/', stream) as unknown as RequestListener;
}

// The server comes first, as in an app: what it loads, too, is not the recorder's cost.
const app = createServer(await listenerOf());
await new Promise<void>(resolve => app.listen(0, '127.0.0.1', resolve));

let recorder: Recorder | undefined;
const cpu = process.cpuUsage();
const started = performance.now();
if (synapUrl) {
  const { createRecorder } = await import('synap-recorder');
  recorder = createRecorder({ apiKey: 'k', baseUrl: synapUrl, userId: 'ada', conversationId: 'c' });
}
const createMs = performance.now() - started;
await new Promise(resolve => setTimeout(resolve, SETTLE_MS));
const { user, system } = process.cpuUsage(cpu);
const start: AppStart = { port: (app.address() as AddressInfo).port, createMs, cpuMs: (user + system) / 1000 };
process.send?.(start);

process.on('message', async () => {
  await recorder?.close();
  process.send?.({ maxRssMiB: process.resourceUsage().maxRSS / 1024 });
  process.disconnect();
  app.close();
});
