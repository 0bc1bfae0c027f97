import express from 'express';
import { close, listens, say, saySlowly } from './recorder.js';

const app = express();
app.get('/slow', async (_, response) => response.send(await saySlowly()));
app.get('/', (_, response) => response.send(say()));
const server = app.listen(0, () => listens(server.address().port));

process.on('SIGTERM', () => server.close(() => close()));
