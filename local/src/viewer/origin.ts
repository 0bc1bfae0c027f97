import type { MiddlewareHandler } from 'hono';

// What is shown here was written by strangers. Should a piece of it ever become markup, it still can't do anything: no
// script or style but our own files is run, nothing is loaded from elsewhere, nothing is sent elsewhere, and HTML is
// made of text in one place of the client only (Trusted Types).
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  'trusted-types viewer',
].join('; ');

const HEADERS = {
  'Content-Security-Policy': CONTENT_SECURITY_POLICY,
  'X-Frame-Options': 'DENY',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  // Not `no-referrer`: with that a form would be sent with the Origin "null".
  'Referrer-Policy': 'same-origin',
};

/**
 * Keeps pages of other origins from using a viewer that the browser is signed in to. What names its origin is refused
 * before it comes here (host-check.ts); images, scripts, frames and links name none, but say where they come from in
 * `Sec-Fetch-Site`. `same-site` is a stranger, too: that is another port of this machine. From elsewhere one thing is
 * let in, to follow a link to a page, in a window of its own.
 */
export const ownPagesOnly: MiddlewareHandler = async (c, next) => {
  for (const [name, value] of Object.entries(HEADERS)) c.header(name, value);
  const site = c.req.header('sec-fetch-site') ?? 'none';
  const followsLink =
    c.req.method === 'GET' &&
    c.req.header('sec-fetch-mode') === 'navigate' &&
    c.req.header('sec-fetch-dest') === 'document';
  if (site !== 'same-origin' && site !== 'none' && !followsLink)
    return c.json({ detail: 'Pages of other origins are not allowed' }, 403);
  return next();
};
