import Fastify from 'fastify';
import { close, listens, say, saySlowly } from './recorder.js';

const app = Fastify();
app.get('/slow', () => saySlowly());
app.get('/', () => say());
app.addHook('onClose', () => close());
await app.listen({ port: 0 });
listens(app.server.address().port);

process.once('SIGTERM', () => app.close());
