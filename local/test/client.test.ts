// The recorder's own client against a local Synap.

import { randomUUID } from 'node:crypto';
import {
  AuthenticationError,
  ConflictError,
  InvalidInputError,
  NetworkError,
  PayloadTooLargeError,
  SynapClient,
  type SynapClientOptions,
} from 'synap-recorder';
import { expect, onTestFinished, test } from 'vitest';
import { turns } from '../../test/support/turns.js';
import type { LocalSynap } from '../src/index.js';
import { readConversation, start } from './support.js';

function clientOf(local: LocalSynap, options: SynapClientOptions = {}): SynapClient {
  const client = new SynapClient({ baseUrl: local.url, apiKey: local.apiKey, ...options });
  onTestFinished(() => client.close());
  return client;
}

const message = (fields = {}) => ({
  conversationId: randomUUID(),
  role: 'user' as const,
  content: 'Hello!',
  userId: 'ada',
  ...fields,
});

test('the client records a message and reads the whole receipt', async () => {
  const local = await start();
  const sent = message({ metadata: { model: 'm', message_key: 'k' } });
  const receipt = await clientOf(local).conversation.recordMessage(sent);
  const { messages } = (await readConversation(local, sent.conversationId)).body;
  expect(messages).toMatchObject([
    {
      message_id: receipt.messageId,
      conversation_id: receipt.conversationId,
      session_id: receipt.sessionId,
      recorded_at: receipt.recordedAt,
      content: 'Hello!',
      metadata: { model: 'm', message_key: 'k' },
    },
  ]);
});

test('the client records a batch and learns which message was refused', async () => {
  const client = clientOf(await start());
  const known = message();
  const result = await client.conversation.recordMessagesBatch([
    known,
    { ...known, userId: undefined, role: 'assistant' },
    message({ userId: undefined }),
    message(),
  ]);
  expect(result).toMatchObject({ total: 4, succeeded: 3, failed: 1 });
  expect(result.results.map(item => item.error !== undefined)).toEqual([false, false, true, false]);
  expect(result.results[0]).toEqual({
    messageId: expect.any(String),
    conversationId: known.conversationId,
    sessionId: expect.any(String),
    recordedAt: expect.any(String),
  });
});

test('the client meets the errors that it meets at the service', async () => {
  const b2b = await start({ tenancy: 'b2b', maxBodyBytes: 10_000 });
  const { conversation } = clientOf(b2b);
  const wrongKey = clientOf(b2b, { apiKey: 'wrong' }).conversation;
  const sent = message({ customerId: 'acme' });
  await conversation.recordMessage(sent);
  await expect(wrongKey.recordMessage(sent)).rejects.toSatisfy(AuthenticationError.is.bind(AuthenticationError));
  await expect(conversation.recordMessage(message())).rejects.toThrow(/\(422\): customer_id is missing/);
  await expect(conversation.recordMessage(message())).rejects.toBeInstanceOf(InvalidInputError);
  await expect(conversation.recordMessage({ ...sent, customerId: 'rival' })).rejects.toThrow(ConflictError);
  await expect(conversation.recordMessage({ ...sent, content: 'x'.repeat(20_000) })).rejects.toThrow(
    PayloadTooLargeError,
  );
  await b2b.close();
  // Until then the client may take its open connection for a live one.
  await turns();
  await expect(conversation.recordMessage(sent)).rejects.toMatchObject({ sent: 'no' });
  await expect(conversation.recordMessage(sent)).rejects.toThrow(NetworkError);
});
