import { type Context, Hono } from 'hono';
import type { Feed } from '../feed.js';
import type { ApiKeys } from '../keys.js';
import { serverEvents } from '../server-events.js';
import type { Store } from '../store.js';
import { messageToWire } from '../wire.js';
import { asset } from './assets.js';
import { ConversationPage } from './conversation-page.js';
import { MAX_ANSWERS } from './figures.js';
import { addForgetRoutes } from './forget.js';
import { ListPage } from './list-page.js';
import { parseListQuery, parseSeq } from './list-query.js';
import { conversationEvents, listEvents } from './live.js';
import { NoticePage } from './notice-page.js';
import { ownPagesOnly } from './origin.js';
import type { PagePosition } from './page-position.js';
import type { Sessions } from './sessions.js';
import { signedInOnly, signIn } from './sign-in.js';
import { themeOf } from './theme.js';
import { allJsonLines, jsonLines, markdownTranscript, textBody } from './transcript-files.js';
import { messageWindow } from './window.js';

const CONVERSATIONS_A_PAGE = 50;
const KNOWN_MODELS = 100;
const SUGGESTIONS = 20;

// What a search may take before it answers with what it has: recording waits that long.
const SEARCH_MS = 150;
const INDEX_MS = 100;

const PATHS = ['/', '/events', '/export.jsonl', '/known/:kind', '/conversations/*', '/forget'];

export interface ViewerOptions {
  store: Store;
  feed: Feed;
  keys: ApiKeys;
  sessions: Sessions;
}

/**
 * The pages on which a person sees the transcripts. One thing here changes what is stored: somebody is forgotten. Who is let
 * in stands in sessions.ts, and what keeps other pages out in origin.ts.
 */
export function createViewer({ store, feed, keys, sessions }: ViewerOptions): Hono {
  const app = new Hono();
  for (const path of [...PATHS, '/session', '/assets/*']) app.use(path, ownPagesOnly);

  app.get('/assets/:name', c => {
    const found = asset(c.req.param('name'));
    if (found === undefined) return c.json({ detail: 'Not Found' }, 404);
    c.header('Cache-Control', 'no-cache');
    c.header('ETag', found.etag);
    if (c.req.header('if-none-match') === found.etag) return c.body(null, 304);
    return c.body(found.body, 200, { 'Content-Type': found.type });
  });

  app.route('/', signIn(sessions, keys));
  const signedIn = signedInOnly(sessions);
  for (const path of PATHS) app.use(path, signedIn);
  addListRoutes(app, store, feed);
  addConversationRoutes(app, store, feed);
  addForgetRoutes(app, store);
  return app;
}

/** The list of conversations, its live updates, its download, and what its filters suggest. */
function addListRoutes(app: Hono, store: Store, feed: Feed): void {
  app.get('/', c => {
    const query = parseListQuery(c.req.query());
    const { q, filter, before } = query;
    const position = positionOf(store);
    if (q !== '') catchUp(store);
    const found =
      q === ''
        ? store.listings({ limit: CONVERSATIONS_A_PAGE, before }, filter)
        : store.search(q, { filter, limit: CONVERSATIONS_A_PAGE, before, budgetMs: SEARCH_MS });
    const models = store.known('model', '', KNOWN_MODELS);
    const lag = q === '' ? 0 : store.searchLag();
    return c.html(
      <ListPage theme={themeOf(c)} query={query} models={models} position={position} found={found} lag={lag} />,
    );
  });

  app.get('/events', c => {
    const { filter } = parseListQuery(c.req.query());
    return events(c, signal => listEvents(store, feed, filter, resumeAt(c, store), signal));
  });

  app.get('/export.jsonl', c => {
    const { filter } = parseListQuery(c.req.query());
    return download(c, 'conversations.jsonl', 'application/jsonl', allJsonLines(store, filter));
  });

  app.get('/known/:kind{user|customer}', c => {
    const kind = c.req.param('kind') as 'user' | 'customer';
    return c.json(store.known(kind, (c.req.query('text') ?? '').slice(0, 200).toWellFormed(), SUGGESTIONS));
  });
}

/** One conversation: its page, its live updates, its downloads and its messages. */
function addConversationRoutes(app: Hono, store: Store, feed: Feed): void {
  app.get('/conversations/:id', c => {
    const id = conversationId(c);
    const position = positionOf(store);
    const conversation = store.listing(id);
    const shown = messageWindow(store, id, c.req.query());
    if (conversation === undefined || shown === undefined) return noConversation(c);
    const answers = store.answers(id, MAX_ANSWERS) ?? [];
    return c.html(
      <ConversationPage
        theme={themeOf(c)}
        conversation={conversation}
        answers={answers}
        position={position}
        {...shown}
      />,
    );
  });

  app.get('/conversations/:id/events', c => {
    const id = conversationId(c);
    const position = resumeAt(c, store);
    // Of one that was forgotten, the page is to learn that.
    const isGone = position.forgettings !== store.forgettings();
    if (!isGone && store.conversation(id) === undefined) return noConversation(c);
    return events(c, signal => conversationEvents(store, feed, id, position, signal));
  });

  app.get('/conversations/:id/transcript.md', c => {
    const id = conversationId(c);
    if (store.conversation(id) === undefined) return noConversation(c);
    return download(c, `conversation-${id}.md`, 'text/markdown', markdownTranscript(store, id));
  });

  app.get('/conversations/:id/transcript.jsonl', c => {
    const id = conversationId(c);
    if (store.conversation(id) === undefined) return noConversation(c);
    return download(c, `conversation-${id}.jsonl`, 'application/jsonl', jsonLines(store, id));
  });

  app.get('/conversations/:id/messages/:seq', c => {
    const message = store.message(conversationId(c), parseSeq(c.req.param('seq')) ?? 0);
    return message === undefined ? noConversation(c) : c.json({ seq: message.seq, ...messageToWire(message) });
  });

  app.get('/conversations/:id/messages/:seq/content', c => {
    const message = store.message(conversationId(c), parseSeq(c.req.param('seq')) ?? 0);
    return message === undefined ? noConversation(c) : c.text(message.content);
  });
}

/** Lets a search see what was said just now. An index that can't be written, on a full disk, is searched as it is. */
function catchUp(store: Store): void {
  try {
    store.advanceSearch(INDEX_MS);
  } catch {
    // The page says how much the index lags behind.
  }
}

function conversationId(c: Context): string {
  return (c.req.param('id') ?? '').toLowerCase();
}

function noConversation(c: Context) {
  if (!c.req.header('accept')?.includes('text/html')) return c.json({ detail: 'Not Found' }, 404);
  const text = 'There is no conversation, or no message of it, under this address.';
  return c.html(<NoticePage theme={themeOf(c)} title="Not found" text={text} />, 404);
}

function positionOf(store: Store): PagePosition {
  return { seq: store.lastSeq(), forgettings: store.forgettings() };
}

/** Where a stream goes on: a browser that comes back says what it has in `Last-Event-ID`. */
function resumeAt(c: Context, store: Store): PagePosition {
  const now = positionOf(store);
  return {
    seq: parseSeq(c.req.header('last-event-id')) ?? parseSeq(c.req.query('after')) ?? now.seq,
    forgettings: parseSeq(c.req.query('forgettings')) ?? now.forgettings,
  };
}

function events(c: Context, produce: Parameters<typeof serverEvents>[0]) {
  return c.body(serverEvents(produce), 200, { 'Content-Type': 'text/event-stream' });
}

/** `filename` contains nothing that anybody else has chosen. */
function download(c: Context, filename: string, type: string, pieces: Generator<string>) {
  return c.body(textBody(pieces), 200, {
    'Content-Type': `${type}; charset=utf-8`,
    'Content-Disposition': `attachment; filename="${filename}"`,
  });
}
