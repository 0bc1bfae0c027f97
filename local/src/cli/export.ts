import { type Command, Option } from 'commander';
import { jsonLine, print } from 'synap-recorder/cli';
import { HalfJoiner } from '../halves.js';
import type { WireStoredMessage } from '../wire.js';
import { MarkdownTranscripts } from './markdown.js';
import {
  addOwnerOptions,
  addSourceOptions,
  type OwnerFlags,
  parseSince,
  readMessages,
  resolveConversationId,
  type SourceFlags,
} from './source.js';

interface ExportFlags extends SourceFlags, OwnerFlags {
  conversation?: string[];
  since?: string;
  format: 'jsonl' | 'markdown';
  json?: true;
}

const EXAMPLE = `
Conversations come one after the other, in the order in which they began; messages that arrive meanwhile are left for
the next export. What --format jsonl writes, synap-recorder-local import reads.

Example:
  $ synap-recorder-local export > transcripts.jsonl
  $ synap-recorder-local export chat-42 --user ada --format markdown > chat-42.md
  $ synap-recorder-local export --database ./synap.db --since 7d | gzip > week.jsonl.gz
`;

/** `synap-recorder-local export`: what is stored, as JSON Lines or Markdown. */
export function addExportCommand(program: Command): void {
  const command = program
    .command('export')
    .summary('write conversations to stdout, as JSON Lines or Markdown')
    .description('Writes the conversations of a local Synap to stdout, however many there are.')
    .argument('[conversation...]', "only these: UUIDs, or the app's own chat ids together with --user")
    .option('--conversation <id>', 'the same as an option; repeatable', (id, ids: string[] = []) => [...ids, id]);
  addOwnerOptions(command, 'only messages of this user');
  command
    .option('--since <time>', 'only what was recorded since: 2026-01-31T12:00, or an age: 15m, 2h, 7d', parseSince)
    .addOption(new Option('--format <format>', 'what to write').choices(['jsonl', 'markdown']).default('jsonl'))
    .option('--json', 'the same as --format jsonl');
  addSourceOptions(command).addHelpText('after', EXAMPLE).action(exportConversations);
}

async function exportConversations(conversations: string[], flags: ExportFlags): Promise<void> {
  const ids = [...conversations, ...(flags.conversation ?? [])].map(id => resolveConversationId(id, flags));
  const wanted = {
    conversationIds: ids.length === 0 ? undefined : [...new Set(ids)],
    userId: flags.user,
    since: flags.since,
  };
  const markdown = flags.format === 'markdown' && !flags.json ? new MarkdownTranscripts() : undefined;
  const halves = new HalfJoiner<WireStoredMessage>(message => message.conversation_id);
  const text = (messages: readonly WireStoredMessage[]) =>
    messages.map(message => markdown?.next(message) ?? jsonLine(message)).join('');
  for await (const messages of readMessages(flags, wanted))
    await print(text(markdown ? messages.flatMap(message => halves.next(message)) : messages));
  await print(text(halves.end()));
}
