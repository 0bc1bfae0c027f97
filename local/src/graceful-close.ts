import type { Server } from 'node:http';

/**
 * Watches a server's requests from now on. The function returned takes no more connections, lets the requests that are
 * under way finish, and then closes what is open: those a client keeps for later, and those a browser has opened to be
 * ready, which Node does not count as idle. After `deadlineMs` it waits no longer.
 */
export function gracefulClose(server: Server, deadlineMs: number): () => Promise<void> {
  let running = 0;
  let closing = false;
  const cutWhenDone = () => {
    if (closing && running === 0) server.closeAllConnections();
  };
  server.on('request', (_request, response) => {
    running++;
    response.once('close', () => {
      running--;
      cutWhenDone();
    });
  });
  return async () => {
    closing = true;
    const deadline = setTimeout(() => server.closeAllConnections(), deadlineMs);
    await new Promise(resolve => {
      server.close(resolve);
      cutWhenDone();
    });
    clearTimeout(deadline);
  };
}
