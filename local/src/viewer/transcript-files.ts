import { harmlessLine } from 'synap-recorder/cli';
import { joinHalves } from '../halves.js';
import { markdownText } from '../markdown-text.js';
import type { ConversationFilter, StoredMessage } from '../store/records.js';
import type { Store } from '../store.js';
import { messageToWire } from '../wire.js';
import { utc } from './format.js';
import { messageFacts } from './message-facts.js';

const MESSAGES_AT_ONCE = 200;
const CONVERSATIONS_AT_ONCE = 50;

/** A conversation as Markdown, piece by piece. */
export function* markdownTranscript(store: Store, conversationId: string): Generator<string> {
  yield `# Conversation ${conversationId}\n`;
  for (const message of joinHalves(messagesOf(store, conversationId))) yield `\n---\n\n${markdownMessage(message)}`;
}

function markdownMessage(message: StoredMessage): string {
  const facts = messageFacts(message);
  const who = message.role === 'user' ? `User ${message.userId}` : `Assistant${facts.model ? ` (${facts.model})` : ''}`;
  const status = facts.status === undefined || facts.status === 'complete' ? '' : ` · ${facts.status}`;
  const name = harmlessLine(who.replaceAll(/[\r\n]/g, ' ')).replaceAll(/[\\`*_[\]<>]/g, '\\$&');
  return `**${name}** · ${utc(facts.saidAt)}${harmlessLine(status)}\n\n${markdownText(message.content)}\n`;
}

/** A conversation as JSON, a message a line, in the words of the API. */
export function* jsonLines(store: Store, conversationId: string): Generator<string> {
  for (const message of messagesOf(store, conversationId)) yield `${JSON.stringify(messageToWire(message))}\n`;
}

/**
 * As {@link jsonLines}, of all conversations that pass a filter and are there when it begins. They come in the order in
 * which they began: by latest message, one that gets a message meanwhile would be skipped.
 */
export function* allJsonLines(store: Store, filter: ConversationFilter): Generator<string> {
  const end = store.lastBegun();
  for (let after: number | undefined = 0; after !== undefined; ) {
    const { items, next } = store.begun({ limit: CONVERSATIONS_AT_ONCE, after, end }, filter);
    for (const { conversationId } of items) yield* jsonLines(store, conversationId);
    after = next;
  }
}

function* messagesOf(store: Store, conversationId: string): Generator<StoredMessage> {
  for (let after: number | undefined = 0; after !== undefined; ) {
    const page = store.messages(conversationId, { limit: MESSAGES_AT_ONCE, after });
    yield* page?.items ?? [];
    after = page?.next;
  }
}

const CHUNK_CHARACTERS = 64 * 1024;

/** The body of a download, made as fast as it is read. Other requests run between its chunks. */
export function textBody(pieces: Generator<string>): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  return new ReadableStream({
    async pull(controller) {
      await new Promise(resolve => setImmediate(resolve));
      let chunk = '';
      while (chunk.length < CHUNK_CHARACTERS) {
        const { done, value } = pieces.next();
        if (done) {
          controller.enqueue(encoder.encode(chunk));
          return controller.close();
        }
        chunk += value;
      }
      controller.enqueue(encoder.encode(chunk));
    },
  });
}
