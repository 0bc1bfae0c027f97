import { type KeptEntry, type KeptState, OutboxReader } from '../../outbox/sqlite/inspect.js';
import { counted, jsonLine } from '../output.js';
import { harmless, harmlessLine } from '../terminal.js';

interface ListFlags {
  state: readonly KeptState[];
  account: string | undefined;
  limit: number;
  content: true | undefined;
  json: true | undefined;
}

export async function listOutbox(file: string, { state, account, limit, content, json }: ListFlags): Promise<void> {
  const reader = new OutboxReader(file);
  try {
    for (const entry of reader.entries(state, { limit, account }))
      process.stdout.write(json ? jsonLine(fields(entry, content)) : `${line(entry, content)}\n`);
  } finally {
    reader.close();
  }
}

function fields(entry: KeptEntry, content: true | undefined): object {
  const { key, account, state, message, bytes, acceptedAt, attempts, error, diedAt } = entry;
  return {
    key,
    account,
    state,
    conversationId: message.conversationId,
    role: message.role,
    userId: message.userId,
    bytes,
    attempts,
    acceptedAt: new Date(acceptedAt).toISOString(),
    ...(diedAt !== undefined && { diedAt: new Date(diedAt).toISOString() }),
    ...(error !== undefined && { error }),
    ...(content && { content: message.content, metadata: message.metadata }),
  };
}

function line(entry: KeptEntry, content: true | undefined): string {
  const { key, state, message, acceptedAt, attempts, error } = entry;
  const tried = attempts > 0 ? `  tried ${counted(attempts, 'time')}` : '';
  const why = error === undefined ? '' : `  ${error}`;
  const first = harmlessLine(
    `${state.padEnd(9)}  ${new Date(acceptedAt).toISOString()}  ${message.conversationId}  ${message.role.padEnd(9)}  ${key}${tried}${why}`,
  );
  return content ? `${first}\n  ${harmless(message.content).replaceAll('\n', '\n  ')}` : first;
}
