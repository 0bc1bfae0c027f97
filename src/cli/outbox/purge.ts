import { OutboxReader } from '../../outbox/sqlite/inspect.js';
import { sqliteOutbox } from '../../outbox/sqlite/sqlite-outbox.js';
import { counted } from '../output.js';

interface PurgeFlags {
  readonly key?: readonly string[];
  readonly yes?: true;
  readonly json?: true;
}

export async function purgeOutbox(file: string, { key, yes, json }: PurgeFlags): Promise<void> {
  const reader = new OutboxReader(file);
  let count = 0;
  try {
    for (const entry of reader.entries(['dead', 'expired'])) if (!key || key.includes(entry.key)) count++;
  } finally {
    reader.close();
  }
  if (yes) {
    const outbox = sqliteOutbox({ path: file });
    count = await outbox.purge(key);
    await outbox.close();
  }
  if (json) process.stdout.write(`${JSON.stringify({ purged: yes ? count : 0, found: count })}\n`);
  else
    process.stdout.write(
      yes ? `${counted(count, 'dead letter')} deleted\n` : `${counted(count, 'dead letter')}; --yes deletes them\n`,
    );
}
