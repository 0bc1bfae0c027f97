import { type Context, Hono, type MiddlewareHandler } from 'hono';
import { getCookie, setCookie } from 'hono/cookie';
import { readForm, readJsonBody } from '../body.js';
import type { ApiKeys } from '../keys.js';
import { SESSION_SECONDS, type Sessions } from './sessions.js';
import { SignInPage } from './sign-in-page.js';
import { themeOf } from './theme.js';

const MAX_BODY_BYTES = 8 * 1024;

/** Takes a token of a link, or an API key, and gives a cookie for it. */
export function signIn(sessions: Sessions, keys: ApiKeys): Hono {
  const app = new Hono();
  app.post('/session', async c => {
    if (c.req.header('content-type')?.startsWith('application/json')) {
      const body = (await readJsonBody(c.req.raw, MAX_BODY_BYTES)) as { token?: unknown } | null;
      if (typeof body?.token !== 'string' || !sessions.redeem(body.token))
        return c.json({ detail: 'This link was used before, or is of an earlier start' }, 401);
      openSession(c, sessions);
      return c.body(null, 204);
    }
    const form = await readForm(c.req.raw, MAX_BODY_BYTES);
    const next = ownPath(form.get('next') ?? '/');
    if (keys.find(`Bearer ${form.get('key') ?? ''}`) === undefined)
      return c.html(<SignInPage theme={themeOf(c)} next={next} wrongKey={true} />, 401);
    openSession(c, sessions);
    return c.redirect(next, 303);
  });
  return app;
}

/** Lets nobody by who has no session: a page is answered with the one to sign in on, anything else with 401. */
export function signedInOnly(sessions: Sessions): MiddlewareHandler {
  return async (c, next) => {
    if (sessions.isOpen(getCookie(c, sessions.cookieName))) return next();
    if (!c.req.header('accept')?.includes('text/html')) return c.json({ detail: 'Sign in first' }, 401);
    const { pathname, search } = new URL(c.req.url);
    return c.html(<SignInPage theme={themeOf(c)} next={ownPath(pathname + search)} wrongKey={false} />, 401);
  };
}

function openSession(c: Context, sessions: Sessions): void {
  setCookie(c, sessions.cookieName, sessions.open(), {
    httpOnly: true,
    sameSite: 'Strict',
    path: '/',
    maxAge: SESSION_SECONDS,
  });
}

/** A path of this server, or `/`: nothing that leads elsewhere, as `//evil.example` would. */
function ownPath(path: string): string {
  return /^\/(?![/\\])[\x21-\x5b\x5d-\x7e]*$/.test(path) ? path : '/';
}
