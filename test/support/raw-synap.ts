// A Synap on a bare TCP socket, for answers that no HTTP server would give.

import { type AddressInfo, createServer, type Socket } from 'node:net';
import type { WireMessage } from '../../src/synap/messages.js';

/** Plays one answer, byte by byte, to a request whose messages were stored. */
export type RawAnswer = (socket: Socket, messages: readonly WireMessage[]) => void;

/** The head of an answer, with its status line. */
export const head = (headers: string, status = '200 OK') => `HTTP/1.1 ${status}\r\n${headers}\r\n`;

/** What Synap answers when all is well. */
export const receipts: RawAnswer = (socket, messages) => {
  const results = messages.map((_, index) => ({ message_id: `m${index}` }));
  const body = JSON.stringify({ total: results.length, succeeded: results.length, failed: 0, results });
  socket.write(head(`content-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n`) + body);
};

/** A TCP server that reads and stores what Synap's record routes take, and answers bytes of the test's own. */
export async function rawSynap(answer: RawAnswer) {
  const stored: string[] = [];
  const sockets = new Set<Socket>();
  const play = { answer };
  const server = createServer(socket => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => {});
    let received = Buffer.alloc(0);
    socket.on('data', data => {
      received = Buffer.concat([received, data]);
      for (;;) {
        const end = received.indexOf('\r\n\r\n');
        if (end < 0) return;
        const length = Number(/content-length: *(\d+)/i.exec(received.toString('latin1', 0, end))?.[1] ?? 0);
        const next = end + 4 + length;
        if (received.length < next) return;
        if (received.toString('latin1', 0, end).includes('/auth/whoami')) {
          received = received.subarray(next);
          socket.write(`${head('content-type: application/json\r\ncontent-length: 2\r\n')}{}`);
          continue;
        }
        const body = JSON.parse(received.toString('utf8', end + 4, next));
        received = received.subarray(next);
        const messages: WireMessage[] = body.messages ?? [body];
        stored.push(...messages.map(message => message.content));
        play.answer(socket, messages);
      }
    });
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    /** The contents of what was stored, copies included, in order. */
    stored,
    copiesOf: (content: string) => stored.filter(other => other === content).length,
    /** Answers otherwise from now on. */
    answers: (other: RawAnswer) => {
      play.answer = other;
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise(resolve => server.close(resolve));
    },
  };
}
