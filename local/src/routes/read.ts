import { messageEvents } from '../events.js';
import { exportLines } from '../export.js';
import { parsePaging } from '../input.js';
import { parseEventsQuery, parseFilter } from '../read-query.js';
import { serverEvents } from '../server-events.js';
import { conversationToWire, messageToWire } from '../wire.js';
import { onlyMethods, type Routes } from './routes.js';

/** What only a local Synap has: what is stored, read back. */
export function addReadRoutes(routes: Routes): void {
  const { app, store, feed, authenticated } = routes;

  app.get('/v1/conversations', authenticated, c => {
    const { value, problem } = parsePaging(c.req.query());
    if (problem !== undefined) return c.json({ detail: problem }, 422);
    const { items, next } = store.conversations({ limit: value.limit, before: value.cursor });
    return c.json({ conversations: items.map(conversationToWire), next_cursor: cursor(next) });
  });

  app.get('/v1/conversations/:id/messages', authenticated, c => {
    const { value, problem } = parsePaging(c.req.query());
    if (problem !== undefined) return c.json({ detail: problem }, 422);
    const found = store.messages(c.req.param('id').toLowerCase(), { limit: value.limit, after: value.cursor });
    if (found === undefined) return c.json({ detail: 'There is no conversation with this id' }, 404);
    return c.json({ messages: found.items.map(messageToWire), next_cursor: cursor(found.next) });
  });

  app.get('/v1/events', authenticated, c => {
    const query = new URL(c.req.url).searchParams;
    const { value, problem } = parseEventsQuery(query, c.req.header('last-event-id'));
    if (problem !== undefined) return c.json({ detail: problem }, 422);
    c.header('Content-Type', 'text/event-stream');
    // Nobody reads the stream that a HEAD would open.
    if (c.req.method === 'HEAD') return c.body(null);
    return c.body(serverEvents(signal => messageEvents(store.log, feed, value, signal)));
  });

  app.get('/v1/export', authenticated, c => {
    const { value, problem } = parseFilter(new URL(c.req.url).searchParams);
    if (problem !== undefined) return c.json({ detail: problem }, 422);
    const missing = value.conversationIds?.find(id => store.conversation(id) === undefined);
    if (missing !== undefined) return c.json({ detail: `There is no conversation with the id ${missing}` }, 404);
    c.header('Content-Type', 'application/x-ndjson');
    return c.req.method === 'HEAD' ? c.body(null) : c.body(exportLines(store.log, value));
  });

  onlyMethods(routes, 'GET, HEAD', ['/v1/conversations', '/v1/conversations/:id/messages', '/v1/events', '/v1/export']);
}

function cursor(next: number | undefined): string | null {
  return next === undefined ? null : String(next);
}
