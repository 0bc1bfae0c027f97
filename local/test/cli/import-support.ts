// Inputs for an import, and a Synap without deduplication to import into.

import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import type { WireMessage } from 'synap-recorder/wire';
import { onTestFinished } from 'vitest';
import { tempFolder } from '../support.js';

/** A file of these lines: strings as they are, anything else as JSON. */
export function aFile(lines: readonly unknown[], name = 'input.jsonl'): string {
  const file = join(tempFolder(), name);
  writeFileSync(file, lines.map(line => `${typeof line === 'string' ? line : JSON.stringify(line)}\n`).join(''));
  return file;
}

/** Conversations in OpenAI's messages: `count` of them, of `turns` turns each. */
export function conversations(count: number, turns: number): object[] {
  return Array.from({ length: count }, (_, chat) => ({
    id: `chat-${chat}`,
    user: `user-${chat % 7}`,
    messages: Array.from({ length: turns }, (_, turn) => [
      { role: 'user', content: `question ${turn} of chat ${chat}` },
      { role: 'assistant', content: `answer ${turn} of chat ${chat}` },
    ]).flat(),
  }));
}

/**
 * A Synap as the service is: it stores what it is sent, and knows no key by which it could recognise a repetition. It takes
 * `delayMs` for each request.
 */
export async function plainSynap(options: { delayMs?: number } = {}) {
  const settings = { delayMs: 0, ...options };
  const stored: WireMessage[] = [];
  const server = createServer(async (request, response) => {
    if (request.method === 'GET') return void response.end('{"status":"ok"}');
    const body = (await json(request).catch(() => undefined)) as { messages?: WireMessage[] } & WireMessage;
    if (body === undefined) return;
    const messages = body.messages ?? [body];
    // Stored at once, answered later: a client that is interrupted between the two does not know the outcome.
    stored.push(...messages);
    await sleep(settings.delayMs);
    const results = messages.map((message, index) => ({
      message_id: `m${index}`,
      conversation_id: message.conversation_id,
    }));
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(body.messages ? { total: results.length, failed: 0, results } : results[0]));
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stored,
    settings,
    /** The contents of each conversation, by its external id. */
    transcripts(): Record<string, string[]> {
      const transcripts: Record<string, string[]> = {};
      for (const { metadata, content } of stored) {
        const chat = String(metadata?.external_conversation_id);
        transcripts[chat] ??= [];
        transcripts[chat].push(content);
      }
      return transcripts;
    },
  };
}

/** The transcripts of {@link conversations}, as {@link plainSynap} returns them. */
export function expectedTranscripts(count: number, turns: number): Record<string, string[]> {
  return Object.fromEntries(
    Array.from({ length: count }, (_, chat) => [
      `chat-${chat}`,
      Array.from({ length: turns }, (_, turn) => [
        `question ${turn} of chat ${chat}`,
        `answer ${turn} of chat ${chat}`,
      ]).flat(),
    ]),
  );
}
