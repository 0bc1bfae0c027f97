// A process that puts, claims and settles for one of two accounts until it is killed; now and then it moves what waits to
// the other. It writes down each step at once after it was answered:
// `+ key` was accepted, `- key` was settled as delivered.

import { writeSync } from 'node:fs';
import { sqliteOutbox } from '../../../dist/outbox/sqlite/index.js';

const [path = '', name = ''] = process.argv.slice(2);
const [round = 0, place = 0] = name.split('.').map(Number);
const [account, other] = (round + place) % 2 === 0 ? ['one', 'two'] : ['two', 'one'];
const outbox = sqliteOutbox({ path, leaseMs: 200 });
outbox.open?.({ info() {}, warn: say, error: say }, account);
const limits = { account, maxMessages: 10, maxBytes: 1e6, onePerConversation: false, except: new Set<string>() };
const content = 'x'.repeat(500);

function say(line: string): void {
  writeSync(1, `${line}\n`);
}

for (let n = 0; ; n++) {
  const key = `${name}:${n}`;
  const message = { conversationId: `c${n % 7}`, role: 'user' as const, content, userId: 'ada' };
  const entry = { key, account, message, bytes: 600, acceptedAt: Date.now(), attempts: 0, maybeStored: false };
  if ((await outbox.put(entry, { admitted: false })) === 'accepted') say(`+ ${key}`);
  if (n % 5 === 4) {
    const claimed = await outbox.claim(limits);
    const settlements = claimed.map(({ key, attempts }, index) => {
      if (index % 4 === 3) return { key, to: 'pending' as const, attempts: attempts + 1, maybeStored: true };
      if (index % 4 === 2) return { key, to: 'dead' as const, error: 'refused' };
      return { key, to: 'delivered' as const };
    });
    if ((await outbox.settle(settlements, account)) === 'settled')
      for (const { key, to } of settlements) if (to === 'delivered') say(`- ${key}`);
  }
  if (n % 50 === 49) await outbox.replay(undefined, { account });
  if (n % 70 === 69) await outbox.adopt?.(account, other);
  // Timers and signals get their turn.
  if (n % 20 === 0) await new Promise(resolve => setImmediate(resolve));
}
