// A proxy on loopback: it makes tunnels (CONNECT), and forwards what is asked of it in the clear.

import { createServer, request as httpRequest, type IncomingMessage } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';

export interface ProxyOptions {
  /** `user:password` that it wants; without it, everybody may use it. */
  readonly signIn?: string;
  /** Answers CONNECT in its own way. */
  readonly onConnect?: (socket: Socket) => void;
}

export async function connectProxy({ signIn, onConnect }: ProxyOptions = {}) {
  const tunnels: string[] = [];
  const forwarded: string[] = [];
  const signIns: (string | undefined)[] = [];
  const sockets = new Set<Socket>();
  const isKnown = ({ headers }: IncomingMessage) => {
    const given = headers['proxy-authorization'];
    signIns.push(given);
    return signIn === undefined || given === `Basic ${Buffer.from(signIn).toString('base64')}`;
  };
  const server = createServer((request, response) => {
    if (!isKnown(request)) return void response.writeHead(407, { 'proxy-authenticate': 'Basic' }).end('sign in');
    const url = new URL(request.url ?? '');
    forwarded.push(url.host);
    const { 'proxy-authorization': _, ...headers } = request.headers;
    const to = httpRequest(url, { method: request.method, headers, agent: false }, answer => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    to.on('error', () => response.writeHead(502).end());
    request.pipe(to);
  });
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => {});
  });
  server.on('connect', (request, socket: Socket, head: Buffer) => {
    if (onConnect) return onConnect(socket);
    if (!isKnown(request)) return void socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n');
    tunnels.push(request.url ?? '');
    const { hostname, port } = new URL(`http://${request.url}`);
    const to = connect(Number(port), hostname.replace(/^\[(.*)\]$/, '$1'));
    to.on('connect', () => {
      socket.write('HTTP/1.1 200 Connection Established\r\n\r\n');
      to.write(head);
      socket.pipe(to).pipe(socket);
    });
    to.on('error', () => socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n'));
    socket.on('close', () => to.destroy());
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    /** Where tunnels were made to, and what was forwarded. */
    tunnels,
    forwarded,
    /** `Proxy-Authorization` of each request. */
    signIns,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise(resolve => server.close(resolve));
    },
  };
}
