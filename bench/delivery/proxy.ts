// A proxy that is the only way to the backend: it makes tunnels (CONNECT), and forwards what is asked of it in the clear.

import { createServer, request as httpRequest } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';

/** Under this name the backend is known to the proxy only. */
const HIDDEN = 'backend.invalid';

export interface Proxy extends AsyncDisposable {
  /** What a process needs in its environment. */
  readonly env: NodeJS.ProcessEnv;
  /** The address of the backend, as only the proxy knows it. */
  hidden(url: string): string;
}

export async function startProxy(): Promise<Proxy> {
  const sockets = new Set<Socket>();
  const server = createServer((request, response) => {
    const { port, pathname, search } = new URL(request.url ?? '');
    const { method, headers } = request;
    const to = httpRequest({ host: '127.0.0.1', port, path: pathname + search, method, headers }, answer => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    to.on('error', () => response.destroy());
    request.pipe(to);
  });
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => {});
  });
  server.on('connect', (request, socket: Socket, head: Buffer) => {
    const to = connect(Number(new URL(`http://${request.url}`).port), '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection Established\r\n\r\n');
      to.write(head);
      socket.pipe(to).pipe(socket);
    });
    to.on('error', () => socket.destroy());
    socket.on('close', () => to.destroy());
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const named = Object.fromEntries(
    ['http_proxy', 'https_proxy'].flatMap(name => [
      [name, url],
      [name.toUpperCase(), url],
    ]),
  );
  return {
    env: { ...named, NO_PROXY: '', no_proxy: '' },
    hidden: url => `http://${HIDDEN}:${new URL(url).port}`,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise(resolve => server.close(resolve));
    },
  };
}
