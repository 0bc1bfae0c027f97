import { createServer } from 'node:http';
import { listens, say } from './recorder.js';

const server = createServer((_, response) => response.end(say()));
server.listen(0, () => listens(server.address().port));
