import { type Command, InvalidArgumentError, Option } from 'commander';
import { type ConversationScope, conversationUuid } from 'synap-recorder';
import { openStoredLog } from '../read-only.js';
import { messageToWire, type WireStoredMessage } from '../wire.js';
import { addConnectionOptions, Connection, type ConnectionFlags } from './connection.js';

/** Where stored messages are read from, as the flags of a command say. */
export interface SourceFlags extends ConnectionFlags {
  database?: string;
}

/** Which messages to read. */
export interface Wanted {
  conversationIds?: readonly string[] | undefined;
  userId?: string | undefined;
  /** ISO-8601. */
  since?: string | undefined;
}

export function addSourceOptions(command: Command): Command {
  return addConnectionOptions(command).option(
    '--database <file>',
    'read the file of a local Synap instead of a server',
  );
}

/** Stored messages, one conversation after the other, a piece at a time. */
export function readMessages(flags: SourceFlags, wanted: Wanted): AsyncGenerator<WireStoredMessage[]> {
  return flags.database === undefined
    ? readFromServer(new Connection(flags), wanted)
    : readFromFile(flags.database, wanted);
}

async function* readFromFile(path: string, wanted: Wanted): AsyncGenerator<WireStoredMessage[]> {
  const stored = openStoredLog(path);
  try {
    const missing = wanted.conversationIds?.find(id => !stored.has(id));
    if (missing !== undefined) throw new Error(`There is no conversation with the id ${missing} in ${path}`);
    for (const messages of stored.log.transcripts(wanted)) if (messages.length > 0) yield messages.map(messageToWire);
  } finally {
    stored.close();
  }
}

async function* readFromServer(
  connection: Connection,
  { conversationIds = [], userId, since }: Wanted,
): AsyncGenerator<WireStoredMessage[]> {
  const query = new URLSearchParams(conversationIds.map((id): [string, string] => ['conversation_id', id]));
  if (userId !== undefined) query.set('user_id', userId);
  if (since !== undefined) query.set('since', since);
  const { stream } = await connection.getLocal(`/v1/export?${query}`);
  let rest = '';
  for await (const text of stream?.pipeThrough(new TextDecoderStream()) ?? []) {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    if (lines.length > 0) yield lines.map(line => JSON.parse(line) as WireStoredMessage);
  }
}

/** The flags by which an app's own chat id becomes a conversation's UUID. */
export interface OwnerFlags {
  user?: string;
  customer?: string;
  scope?: ConversationScope;
}

export function addOwnerOptions(command: Command, user: string): Command {
  return command
    .option('--user <id>', user)
    .option('--customer <id>', 'the customer (tenant) that a chat id belongs to')
    .addOption(
      new Option('--scope <scope>', "who shares a chat id: the recorder's conversationScope (default: user)").choices([
        'user',
        'customer',
        'app',
      ]),
    );
}

/** The UUID of a conversation that was named by it, or by the app's own chat id and its owner. */
export function resolveConversationId(id: string, { user, customer, scope }: OwnerFlags): string {
  try {
    return conversationUuid(id, { userId: user, customerId: customer, scope });
  } catch (error) {
    const missing = scope === 'customer' ? '--customer' : '--user';
    const isGiven = (scope === 'customer' ? customer : user) !== undefined;
    if (id.trim() !== '' && !isGiven)
      throw new Error(`${JSON.stringify(id)} is not a UUID: for a chat id of the app, pass ${missing}`);
    throw error;
  }
}

const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

/**
 * A point in time: ISO-8601, or how long ago, such as `90s`, `15m`, `2h`, `7d`.
 *
 * @returns ISO-8601
 */
export function parseSince(text: string): string {
  const [, count, unit = ''] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  const time = count === undefined ? Date.parse(text) : Date.now() - Number(count) * (UNITS[unit] ?? 0) * 1000;
  if (Number.isNaN(time))
    throw new InvalidArgumentError('It must be a time (2026-01-31T12:00) or an age (15m, 2h, 7d).');
  return new Date(time).toISOString();
}
