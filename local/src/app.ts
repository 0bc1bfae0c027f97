import { type Context, Hono, type MiddlewareHandler } from 'hono';
import { createMiddleware } from 'hono/factory';
import { HTTPException } from 'hono/http-exception';
import { readJsonBody } from './body.js';
import { isBusy, sqliteCode } from './database.js';
import { messageEvents } from './events.js';
import { exportLines } from './export.js';
import type { Feed } from './feed.js';
import { parseBatch, parseBatchEntry, parseMessage, parsePaging } from './input.js';
import type { ApiKeys } from './keys.js';
import { parseEventsQuery, parseFilter } from './read-query.js';
import { serverEvents } from './server-events.js';
import type { Store } from './store.js';
import { VERSION } from './version.js';
import { createViewer } from './viewer/app.js';
import type { Sessions } from './viewer/sessions.js';
import { conversationToWire, messageToWire, receiptToWire } from './wire.js';

type Env = { Variables: { apiKey: string } };

const READ_PATHS = [
  '/health',
  '/api/v1/auth/whoami',
  '/v1/conversations',
  '/v1/conversations/:id/messages',
  '/v1/events',
  '/v1/export',
];
const RECORD_PATHS = ['/v1/conversations/messages', '/v1/conversations/messages/batch'];

export interface AppOptions {
  store: Store;
  feed: Feed;
  sessions: Sessions;
  keys: ApiKeys;
  maxBodyBytes: number;
}

/** On every answer: browsers don't guess its type, and nobody caches it. */
export const SAFE_HEADERS = { 'X-Content-Type-Options': 'nosniff', 'Cache-Control': 'no-store' };

/** The routes of a local Synap: those of Synap itself, four of its own to read back what is stored, and the viewer. */
export function createApp({ store, feed, sessions, keys, maxBodyBytes }: AppOptions): Hono<Env> {
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

  app.get('/api/v1/auth/whoami', authenticated, c =>
    c.json({ instance: 'local', tenancy: store.tenancy, api_key: c.get('apiKey'), version: VERSION }),
  );

  addRecordRoutes(app, store, authenticated, maxBodyBytes);
  addReadRoutes(app, store, feed, authenticated);
  app.route('/', createViewer({ store, feed, keys, sessions }));
  for (const path of READ_PATHS) app.all(path, only('GET, HEAD'));
  for (const path of RECORD_PATHS) app.all(path, only('POST'));
  app.notFound(c => c.json({ detail: 'Not Found' }, 404));
  app.onError(answerError);
  return app;
}

/** The routes of Synap that record messages. */
function addRecordRoutes(
  app: Hono<Env>,
  store: Store,
  authenticated: MiddlewareHandler<Env>,
  maxBodyBytes: number,
): void {
  app.post('/v1/conversations/messages', authenticated, async c => {
    const { value, problem } = parseMessage(await readJsonBody(c.req.raw, maxBodyBytes), store.tenancy);
    if (problem !== undefined) return c.json({ detail: problem }, 422);
    const outcome = store.record(value);
    if (outcome.status !== 'refused') return c.json(receiptToWire(outcome.receipt));
    const { code, reason } = outcome;
    return c.json({ detail: { code, message: reason } }, code === 'conversation_conflict' ? 409 : 422);
  });

  app.post('/v1/conversations/messages/batch', authenticated, async c => {
    const { value, problem } = parseBatch(await readJsonBody(c.req.raw, maxBodyBytes));
    if (problem !== undefined) return c.json({ detail: problem }, 422);
    return c.json(recordBatch(store, value));
  });
}

/** The routes of a local Synap that read back what is stored. */
function addReadRoutes(app: Hono<Env>, store: Store, feed: Feed, authenticated: MiddlewareHandler<Env>): void {
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
}

/** What another method than those of a path gets. */
function only(allowed: string) {
  return (c: Context) => {
    c.header('Allow', allowed);
    return c.json({ detail: 'Method Not Allowed' }, 405);
  };
}

function recordBatch(store: Store, entries: readonly unknown[]) {
  const results = store.transaction(() =>
    entries.map(entry => {
      const { value, problem } = parseBatchEntry(entry);
      if (problem !== undefined) return { error: problem };
      const outcome = store.record(value);
      if (outcome.status !== 'refused') return receiptToWire(outcome.receipt);
      return { error: `${outcome.code}: ${outcome.reason}` };
    }),
  );
  const failed = results.filter(result => 'error' in result).length;
  return { total: results.length, succeeded: results.length - failed, failed, results };
}

function cursor(next: number | undefined): string | null {
  return next === undefined ? null : String(next);
}

function answerError(error: Error, c: Context): Response {
  if (error instanceof HTTPException) {
    // The rest of a body that is too large is not waited for.
    if (error.status === 413) c.header('Connection', 'close');
    return c.json({ detail: error.message }, error.status);
  }
  if (isBusy(error)) {
    c.header('Retry-After', '1');
    return c.json({ detail: 'The database is busy: another program is writing to it. Send the request again' }, 503);
  }
  if (!c.req.raw.signal.aborted) logFailure(error, c);
  return c.json({ detail: 'Internal Server Error' }, 500);
}

/** An error's own message may quote what was sent, so only its kind and its place are logged. */
function logFailure(error: Error, c: Context): void {
  const code = sqliteCode(error);
  const kind = code === 0 ? error.name : `SQLite error ${code}`;
  const place = /\n\s+(at .+)/.exec(error.stack ?? '')?.[1] ?? '';
  const next = code === 0 ? 'this is a bug: please report this line' : 'check the disk and the database file';
  process.stderr.write(`synap-recorder-local: ${c.req.method} ${c.req.path} failed: ${kind} ${place}; ${next}\n`);
}
