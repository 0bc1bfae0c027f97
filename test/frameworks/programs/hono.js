import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { close, listens, say, saySlowly } from './recorder.js';

const app = new Hono();
app.get('/slow', async context => context.text(await saySlowly()));
app.get('/', context => context.text(say()));
const server = serve({ fetch: app.fetch, port: 0 }, ({ port }) => listens(port));

process.once('SIGTERM', () => server.close(() => close()));
