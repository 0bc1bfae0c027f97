import type { Context } from 'hono';
import { getCookie } from 'hono/cookie';
import type { Theme } from './layout.js';

/** What the reader chose, in a cookie, so that a page has the right colours from its first line on. */
export function themeOf(c: Context): Theme {
  const theme = getCookie(c, 'synap_theme');
  return theme === 'light' || theme === 'dark' ? theme : undefined;
}
