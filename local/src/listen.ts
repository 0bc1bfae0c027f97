import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { LocalSynapError } from './errors.js';

/**
 * Makes a server listen.
 *
 * @returns the port it listens on
 * @throws LocalSynapError it can't listen there; the message says why and what to do
 */
export function listen(server: Server, port: number, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.on('error', (error: NodeJS.ErrnoException) => reject(explainListen(error, port, host)));
    server.listen({ port, host }, () => resolve((server.address() as AddressInfo).port));
  });
}

function explainListen(error: NodeJS.ErrnoException, port: number, host: string): LocalSynapError {
  switch (error.code) {
    case 'EADDRINUSE':
      return new LocalSynapError(
        `Port ${port} on ${host} is in use: stop the program that uses it, or choose another port (0 picks a free one)`,
      );
    case 'EACCES':
      return new LocalSynapError(`Port ${port} on ${host} is not allowed for this user: choose a port above 1023`);
    default:
      return new LocalSynapError(
        `Can't listen on ${host}, port ${port} (${error.code ?? error.message}): choose another address or port`,
      );
  }
}
