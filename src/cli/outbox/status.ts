import { OutboxReader } from '../../outbox/sqlite/inspect.js';

export async function outboxStatus(file: string, { json }: { json?: true }): Promise<void> {
  const reader = new OutboxReader(file);
  try {
    const status = reader.status();
    if (json) process.stdout.write(`${JSON.stringify(status)}\n`);
    else {
      const { accepted, pending, inFlight, delivered, deadLetters, oldestPendingAt, delivering, bytes } = status;
      const since =
        oldestPendingAt === undefined ? '' : `, the oldest since ${new Date(oldestPendingAt).toISOString()}`;
      process.stdout.write(`accepted      ${accepted}
pending       ${pending}${since}
in flight     ${inFlight}
delivered     ${delivered}
dead letters  ${deadLetters}
size          ${(bytes / 1024).toFixed(1)} KiB of messages
${delivering ? 'A process is delivering from it.' : 'No process is delivering from it.'}
`);
    }
  } finally {
    reader.close();
  }
}
