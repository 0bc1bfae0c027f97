import { createServer } from 'node:http';
import { close, listens, say, saySlowly } from './recorder.js';

const server = createServer(async (request, response) =>
  response.end(request.url === '/slow' ? await saySlowly() : say()),
);
server.listen(0, () => listens(server.address().port));

process.once('SIGTERM', () => server.close(() => close()));
