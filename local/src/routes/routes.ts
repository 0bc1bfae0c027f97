import type { Context, Hono, MiddlewareHandler } from 'hono';
import type { Feed } from '../feed.js';
import type { Store } from '../store.js';

/** What the handlers of a request know of it. */
export type Env = { Variables: { apiKey: string } };

/** What the routes of the API are made of. */
export interface Routes {
  app: Hono<Env>;
  store: Store;
  feed: Feed;
  /** Lets nobody by who has no API key. */
  authenticated: MiddlewareHandler<Env>;
  maxBodyBytes: number;
  /** Refuses what names a customer, as B2C instances of the service may. */
  strictB2c: boolean;
}

/** Answers every other method of these paths. It is to be added behind the paths' own. */
export function onlyMethods({ app }: Pick<Routes, 'app'>, allowed: string, paths: readonly string[]): void {
  const answer = (c: Context) => {
    c.header('Allow', allowed);
    return c.json({ detail: 'Method Not Allowed' }, 405);
  };
  for (const path of paths) app.all(path, answer);
}
