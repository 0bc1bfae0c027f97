import type { Feed } from '../feed.js';
import type { ServerEvent } from '../server-events.js';
import type { ConversationFilter } from '../store/records.js';
import type { Store } from '../store.js';
import { About } from './conversation-page.js';
import { ConversationRow } from './conversation-row.js';
import { MAX_ANSWERS } from './figures.js';
import { Messages } from './messages.js';
import type { PagePosition } from './page-position.js';

// A page that has missed more than this gets a `reset` instead: it offers to be reloaded. One that may show somebody who
// was forgotten gets `gone`, and reloads at once.
const MAX_BEHIND = 200;

/**
 * What changes in a list: a `row` event for each conversation with new messages, the latest last. The id of
 * an event is the `seq` that it brings the page up to.
 */
export async function* listEvents(
  store: Store,
  feed: Feed,
  filter: ConversationFilter,
  from: PagePosition,
  signal: AbortSignal,
): AsyncGenerator<ServerEvent> {
  for (let { seq } = from; ; ) {
    if (store.forgettings() !== from.forgettings) return yield { event: 'gone', id: seq, data: '' };
    const newest = await feed.newerThan(seq, signal);
    if (newest === undefined) return;
    if (store.forgettings() !== from.forgettings) continue;
    const { items, next } = store.listings({ limit: MAX_BEHIND, after: seq }, filter);
    if (next !== undefined) return yield { event: 'reset', id: newest, data: '' };
    for (const conversation of items.reverse()) {
      const data = await html(<ConversationRow conversation={conversation} />);
      yield { event: 'row', id: conversation.lastSeq, data };
      seq = conversation.lastSeq;
    }
    seq = Math.max(seq, newest);
  }
}

/** New messages of a conversation: a `messages` event with them, and an `about` event with its new figures. */
export async function* conversationEvents(
  store: Store,
  feed: Feed,
  conversationId: string,
  from: PagePosition,
  signal: AbortSignal,
): AsyncGenerator<ServerEvent> {
  for (let { seq } = from; ; ) {
    if (store.forgettings() !== from.forgettings) return yield { event: 'gone', id: seq, data: '' };
    const newest = await feed.newerThan(seq, signal);
    if (newest === undefined) return;
    if (store.forgettings() !== from.forgettings) continue;
    const page = store.messages(conversationId, { limit: MAX_BEHIND, after: seq });
    const conversation = store.listing(conversationId);
    if (page === undefined || conversation === undefined) return;
    if (page.next !== undefined) return yield { event: 'reset', id: newest, data: '' };
    const last = page.items.at(-1);
    if (last !== undefined) {
      const answers = store.answers(conversationId, MAX_ANSWERS) ?? [];
      const said = <Messages messages={page.items} answers={answers} users={conversation.users} />;
      yield { event: 'about', id: seq, data: await html(<About conversation={conversation} answers={answers} />) };
      yield { event: 'messages', id: last.seq, data: await html(said) };
    }
    seq = Math.max(newest, last?.seq ?? 0);
  }
}

/** hono/jsx gives a promise where a component is asynchronous; none of ours is. */
async function html(element: { toString(): string | Promise<string> }): Promise<string> {
  return await element.toString();
}
