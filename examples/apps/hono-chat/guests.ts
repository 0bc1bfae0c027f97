import { getCookie, setCookie } from 'hono/cookie';
import { createMiddleware } from 'hono/factory';

const YEAR_IN_SECONDS = 365 * 24 * 60 * 60;

/** Knows a browser again by a cookie nobody can guess. An app with accounts asks its session here. */
export const guests = createMiddleware<{ Variables: { userId: string } }>(async (c, next) => {
  const userId = getCookie(c, 'guest') ?? crypto.randomUUID();
  setCookie(c, 'guest', userId, { httpOnly: true, sameSite: 'Lax', maxAge: YEAR_IN_SECONDS });
  c.set('userId', userId);
  await next();
});
