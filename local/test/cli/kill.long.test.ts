// kill -9 of a server under load, again and again.

import { randomUUID } from 'node:crypto';
import { SynapClient } from 'synap-recorder';
import { expect, test } from 'vitest';

import { runs } from '../../../test/support/runs.js';
import { type Json, readAll, tempDatabase } from '../support.js';

import { type Running, startCli } from './support.js';

const ROUNDS = runs(4, 40);
const WRITERS = 8;

interface Sent {
  conversationId: string;
  key: string;
  /** Set once it was acknowledged. */
  messageId?: string;
}

const input = ({ conversationId, key }: Sent) => ({
  conversationId,
  role: 'user' as const,
  content: `the message of ${key}`,
  userId: 'ada',
  metadata: { message_key: key },
});

/** Writes single messages and batches in turn, one after the other, until the server is gone. */
async function write(local: Running, allSent: Sent[]): Promise<void> {
  const client = new SynapClient({ baseUrl: local.url, apiKey: local.apiKey });
  const conversationId = randomUUID();
  try {
    for (let turn = 0; ; turn++) {
      const sent = Array.from({ length: turn % 2 ? 5 : 1 }, (): Sent => ({ conversationId, key: randomUUID() }));
      allSent.push(...sent);
      const [first] = sent;
      if (sent.length === 1 && first) {
        first.messageId = (await client.conversation.recordMessage(input(first))).messageId ?? '';
      } else {
        const { results } = await client.conversation.recordMessagesBatch(sent.map(input));
        for (const [index, message] of sent.entries()) message.messageId = results[index]?.messageId ?? '';
      }
    }
  } catch {
    // The kill; or nothing would be acknowledged, which the test counts.
  } finally {
    await client.close();
  }
}

test(`every acknowledged message survives kill -9, ${ROUNDS} times over on the same file`, async () => {
  const database = tempDatabase();
  const allSent: Sent[] = [];

  for (let round = 0; round < ROUNDS; round++) {
    const local = await startCli(database);
    const before = allSent.length;
    const writers = Array.from({ length: WRITERS }, () => write(local, allSent));
    const acknowledgedNow = () => allSent.slice(before).filter(sent => sent.messageId !== undefined).length;
    await expect.poll(acknowledgedNow, { interval: 5 }).toBeGreaterThan(WRITERS);
    await new Promise(resolve => setTimeout(resolve, Math.random() * 300));
    expect(await local.end('SIGKILL')).toBe('SIGKILL');
    await Promise.all(writers);

    const again = await startCli(database);
    const conversations = await readAll(again, '/v1/conversations', 'conversations', 500);
    for (const { conversation_id } of conversations) {
      const sent = allSent.filter(message => message.conversationId === conversation_id);
      const stored = await readAll(again, `/v1/conversations/${conversation_id}/messages`, 'messages', 500);
      // The requests that were answered, in order, and perhaps the one that was under way: whole, or not at all.
      const unanswered = sent.filter(message => message.messageId === undefined);
      expect([sent.length, sent.length - unanswered.length]).toContain(stored.length);
      expect(stored.map(message => (message.metadata as Json).message_key)).toEqual(
        sent.slice(0, stored.length).map(message => message.key),
      );
      for (const [index, { messageId }] of sent.entries())
        if (messageId !== undefined) expect(stored[index]?.message_id).toBe(messageId);
    }
    const known = new Set(conversations.map(conversation => conversation.conversation_id));
    for (const { conversationId, messageId } of allSent)
      if (messageId !== undefined) expect(known).toContain(conversationId);
    await again.end('SIGKILL');
  }

  // A sender that got no answer sends again: what was stored without an answer is then found, and nothing is there twice.
  const local = await startCli(database);
  const client = new SynapClient({ baseUrl: local.url, apiKey: local.apiKey });
  const { results } = await client.conversation.recordMessagesBatch(allSent.map(input));
  await client.close();
  for (const [index, { messageId }] of allSent.entries())
    if (messageId !== undefined) expect(results[index]?.messageId).toBe(messageId);
  const conversations = await readAll(local, '/v1/conversations', 'conversations', 500);
  expect(conversations.reduce((sum, conversation) => sum + Number(conversation.message_count), 0)).toBe(allSent.length);
});
