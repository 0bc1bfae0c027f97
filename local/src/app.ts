import { Hono } from 'hono';
import { createMiddleware } from 'hono/factory';
import { answerError } from './answer-error.js';
import type { Feed } from './feed.js';
import type { ApiKeys } from './keys.js';
import { addAccountRoutes } from './routes/account.js';
import { addContextRoutes } from './routes/context.js';
import { addReadRoutes } from './routes/read.js';
import { addRecordRoutes } from './routes/record.js';
import { type Env, onlyMethods } from './routes/routes.js';
import { addUserRoutes } from './routes/users.js';
import type { Store } from './store.js';
import { createViewer } from './viewer/app.js';
import type { Sessions } from './viewer/sessions.js';

export interface AppOptions {
  store: Store;
  feed: Feed;
  sessions: Sessions;
  keys: ApiKeys;
  maxBodyBytes: number;
  strictB2c: boolean;
}

/** On every answer: browsers don't guess its type, and nobody caches it. */
export const SAFE_HEADERS = { 'X-Content-Type-Options': 'nosniff', 'Cache-Control': 'no-store' };

/** The routes of a local Synap: those of Synap itself, some of its own, and the viewer. */
export function createApp({ store, feed, sessions, keys, maxBodyBytes, strictB2c }: AppOptions): Hono<Env> {
  const app = new Hono<Env>();

  app.use(async (c, next) => {
    for (const [name, value] of Object.entries(SAFE_HEADERS)) c.header(name, value);
    await next();
  });

  const authenticated = createMiddleware<Env>(async (c, next) => {
    const apiKey = keys.find(c.req.header('authorization'));
    if (apiKey === undefined) {
      c.header('WWW-Authenticate', 'Bearer');
      return c.json({ detail: 'The API key is missing or wrong: send Authorization: Bearer <key>' }, 401);
    }
    c.set('apiKey', apiKey);
    await next();
  });

  app.get('/health', c => c.json({ status: 'ok' }));
  onlyMethods({ app }, 'GET, HEAD', ['/health']);

  const routes = { app, store, feed, authenticated, maxBodyBytes, strictB2c };
  addAccountRoutes(routes);
  addRecordRoutes(routes);
  addContextRoutes(routes);
  addReadRoutes(routes);
  addUserRoutes(routes);
  app.route('/', createViewer({ store, feed, keys, sessions }));
  app.notFound(c => c.json({ detail: 'Not Found' }, 404));
  app.onError(answerError);
  return app;
}
