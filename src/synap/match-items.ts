import type { BatchItem } from './batch-item.js';
import type { WireMessage } from './messages.js';

const MISSING = 'it has no result';
const AMBIGUOUS = 'it is not clear which result is its own';

/**
 * The item of each message, or why it has none.
 *
 * - Each in its place, where there are as many items as messages, and none names another.
 * - Else by `index` or `message_key`; else by `conversation_id`, within one conversation in order, where the items that name it
 *   are as many as its messages. What names nothing that was sent, or what another names, too, is nobody's.
 */
export function matchItems(items: readonly BatchItem[], sent: readonly WireMessage[]): (BatchItem | string)[] {
  const places = sent.map(placeOf);
  const based = indexedFromOne(items, sent.length);
  if (items.length === sent.length && items.every((item, at) => agrees(item, places[at], at, based))) return [...items];
  const owners: (BatchItem | string | undefined)[] = sent.map(() => undefined);
  const byKey = uniqueKeys(places);
  const others: BatchItem[] = [];
  for (const item of items) {
    const at = item.index === undefined ? byKey.get(item.messageKey ?? '') : item.index - based;
    if (at === undefined && (item.messageKey === undefined || byKey.size === 0)) others.push(item);
    if (at === undefined || !(at in owners)) continue;
    owners[at] = owners[at] === undefined && agrees(item, places[at], at, based) ? item : AMBIGUOUS;
  }
  for (const [conversation, own] of Map.groupBy(others, ({ conversationId }) => conversationId)) {
    const open = places.flatMap((place, at) => (place.conversationId === conversation && !owners[at] ? [at] : []));
    for (const [nth, at] of open.entries()) owners[at] = own.length === open.length ? own[nth] : AMBIGUOUS;
  }
  return owners.map(owner => owner ?? MISSING);
}

/** What tells a message from the others of its batch. */
interface Place {
  readonly conversationId: string;
  readonly messageKey: string | undefined;
}

function placeOf({ conversation_id, metadata }: WireMessage): Place {
  const key = metadata?.message_key;
  return { conversationId: conversation_id.toLowerCase(), messageKey: typeof key === 'string' ? key : undefined };
}

function agrees(item: BatchItem, place: Place | undefined, at: number, based: number): boolean {
  return (
    (item.index === undefined || item.index - based === at) &&
    (item.messageKey === undefined || place?.messageKey === undefined || item.messageKey === place.messageKey) &&
    (item.conversationId === undefined || item.conversationId === place?.conversationId)
  );
}

/** 1 where each message has an item, and they are counted from 1. */
function indexedFromOne(items: readonly BatchItem[], length: number): 0 | 1 {
  const indexes = new Set(items.map(({ index }) => index));
  return indexes.size === length && items.length === length && indexes.has(length) && !indexes.has(0) ? 1 : 0;
}

function uniqueKeys(places: readonly Place[]): Map<string, number> {
  const byKey = new Map<string, number>();
  const doubled = new Set<string>();
  for (const [at, { messageKey }] of places.entries()) {
    if (messageKey === undefined) continue;
    if (byKey.has(messageKey)) doubled.add(messageKey);
    byKey.set(messageKey, at);
  }
  for (const key of doubled) byKey.delete(key);
  return byKey;
}
