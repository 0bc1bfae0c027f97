import { type AccountStatus, OutboxReader } from '../../outbox/sqlite/inspect.js';
import { counted } from '../output.js';
import { harmlessLine } from '../terminal.js';

export async function outboxStatus(file: string, { json }: { json?: true }): Promise<void> {
  const reader = new OutboxReader(file);
  try {
    const status = reader.status();
    if (json) process.stdout.write(`${JSON.stringify(status)}\n`);
    else {
      const { accepted, pending, held, inFlight, delivered, deadLetters, oldestPendingAt, bytes } = status;
      const { delivering, accounts } = status;
      const since =
        oldestPendingAt === undefined ? '' : `, the oldest since ${new Date(oldestPendingAt).toISOString()}`;
      process.stdout.write(`accepted      ${accepted}
pending       ${pending}${since}${held === 0 ? '' : `; ${held} of them held: Synap refused ${held === 1 ? 'it' : 'them'}`}
in flight     ${inFlight}
delivered     ${delivered}
dead letters  ${deadLetters}
size          ${(bytes / 1024).toFixed(1)} KiB of messages
${accounts.map(account).join('')}${delivering ? 'A process is delivering from it.' : 'No process is delivering from it.'}
`);
    }
  } finally {
    reader.close();
  }
}

function account({ account, pending, inFlight, delivered, deadLetters, delivering }: AccountStatus): string {
  const counts = `${pending + inFlight} waiting, ${delivered} delivered, ${counted(deadLetters, 'dead letter')}`;
  return `account       ${harmlessLine(account === '' ? '(without a name)' : account)}: ${counts}${delivering ? ', delivering' : ''}\n`;
}
