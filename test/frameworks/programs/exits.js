// A server that has little patience, as those of Next.js and Nitro.
import { createServer } from 'node:http';
import { listens, say } from './recorder.js';

const { PATIENCE_MS = '0' } = process.env;

const server = createServer((_, response) => response.end(say()));
server.listen(0, () => listens(server.address().port));

process.on('SIGTERM', () => server.close(() => setTimeout(() => process.exit(3), Number(PATIENCE_MS))));
