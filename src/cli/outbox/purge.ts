import type { PurgeableState } from '../../outbox/outbox.js';
import { eraseNow } from '../../outbox/sqlite/erase.js';
import { OutboxReader } from '../../outbox/sqlite/inspect.js';
import { sqliteOutbox } from '../../outbox/sqlite/sqlite-outbox.js';
import { counted, note } from '../output.js';

interface PurgeFlags {
  readonly states: readonly PurgeableState[];
  readonly account: string | undefined;
  readonly key: readonly string[] | undefined;
  readonly yes: true | undefined;
  readonly json: true | undefined;
}

export async function purgeOutbox(file: string, { states, account, key, yes, json }: PurgeFlags): Promise<void> {
  const reader = new OutboxReader(file);
  let count = 0;
  try {
    for (const entry of reader.entries(states, { account })) if (!key || key.includes(entry.key)) count++;
  } finally {
    reader.close();
  }
  if (yes) {
    const outbox = sqliteOutbox({ path: file });
    count = await outbox.purge(key, { account, states });
    await outbox.close();
    if (!(await eraseNow(file)))
      note(`their texts may still be in ${file}: another process has it open, and clears them away later`);
  }
  if (json) process.stdout.write(`${JSON.stringify({ purged: yes ? count : 0, found: count })}\n`);
  else {
    const areLetters = states.every(state => state === 'dead' || state === 'expired');
    const found = counted(count, areLetters ? 'dead letter' : 'message');
    process.stdout.write(yes ? `${found} deleted\n` : `${found}; --yes deletes them\n`);
  }
}
