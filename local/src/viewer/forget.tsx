import type { Hono } from 'hono';
import { readForm } from '../body.js';
import { parsePerson } from '../person-input.js';
import type { Store } from '../store.js';
import { ForgetPage } from './forget-page.js';
import { counted } from './format.js';
import { NoticePage } from './notice-page.js';
import { themeOf } from './theme.js';

const MAX_BODY_BYTES = 64 * 1024;

/** Forgetting somebody: a page that asks, and the form in it. */
export function addForgetRoutes(app: Hono, store: Store): void {
  app.get('/forget', c => {
    const { value, problem } = parsePerson(c.req.query());
    if (problem !== undefined) return c.html(<NoticePage theme={themeOf(c)} title="Not found" text={problem} />, 422);
    return c.html(<ForgetPage theme={themeOf(c)} person={value} count={store.countOf(value)} />);
  });

  app.post('/forget', async c => {
    const form = await readForm(c.req.raw, MAX_BODY_BYTES);
    const { value, problem } = parsePerson(Object.fromEntries(form));
    if (problem !== undefined) return c.html(<NoticePage theme={themeOf(c)} title="Not found" text={problem} />, 422);
    const { messages, erased } = store.forget(value);
    const done = `${counted(messages, 'message')} deleted.`;
    const rest =
      ' Another program has the file open, or the disk is full: what was deleted leaves the file when somebody is forgotten again, or the server starts again.';
    return c.html(<NoticePage theme={themeOf(c)} title="Forgotten" text={erased ? done : done + rest} />);
  });
}
