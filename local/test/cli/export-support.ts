// Stores conversations for the tests of export.

import { conversationUuid } from 'synap-recorder';
import { Store } from '../../src/store.js';

/** Stores so many messages of about 200 bytes, 50 to a conversation. */
export function fill(database: string, count: number): void {
  const store = new Store({ path: database });
  for (let at = 0; at < count; at += 10_000)
    store.transaction(() => {
      for (let index = at; index < Math.min(count, at + 10_000); index++)
        store.record({
          conversationId: conversationUuid(String(Math.floor(index / 50)), { userId: 'ada' }),
          role: index % 2 === 0 ? 'user' : 'assistant',
          content: `Message number ${index}. ${'All work and no play. '.repeat(8)}`,
          userId: 'ada',
          metadata: { message_key: `key-${index}` },
        });
    });
  store.close();
}
