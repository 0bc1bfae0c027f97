import type { Command } from 'commander';
import { columns, harmlessLine, jsonLine, print, styled } from 'synap-recorder/cli';
import { HalfJoiner } from '../halves.js';
import type { WireStoredMessage } from '../wire.js';
import {
  addOwnerOptions,
  addSourceOptions,
  type OwnerFlags,
  readMessages,
  resolveConversationId,
  type SourceFlags,
} from './source.js';
import { messageText } from './transcript.js';
import { wrapped } from './wrapped.js';

type ShowFlags = SourceFlags & OwnerFlags & { json?: true };

const EXAMPLE = `
Example:
  $ synap-recorder-local show 0190c6a5-7c5e-7e0f-8d1b-3f0a2b4c6d8e
  $ synap-recorder-local show chat-42 --user ada
  $ synap-recorder-local show chat-42 --user ada --database ./synap.db --json | jq .content
`;

/** `synap-recorder-local show`: a transcript in the terminal. */
export function addShowCommand(program: Command): void {
  const command = program
    .command('show')
    .summary('print a transcript')
    .description('Prints the transcript of a conversation, from a local Synap.')
    .argument('<conversation>', "its UUID, or the app's own chat id together with --user");
  addOwnerOptions(command, 'the user that a chat id belongs to');
  addSourceOptions(command)
    .option('--json', 'print the messages as they are stored, one JSON object a line')
    .addHelpText('after', EXAMPLE)
    .action(show);
}

async function show(conversation: string, flags: ShowFlags): Promise<void> {
  const conversationId = resolveConversationId(conversation, flags);
  const halves = new HalfJoiner<WireStoredMessage>(message => message.conversation_id);
  let begun = false;
  const write = async (messages: readonly WireStoredMessage[]) => {
    for (const message of messages) {
      await print(`${begun ? '' : headText(message)}\n${messageText(message)}`);
      begun = true;
    }
  };
  for await (const messages of readMessages(flags, { conversationIds: [conversationId] }))
    if (flags.json) await print(messages.map(jsonLine).join(''));
    else await write(messages.flatMap(message => halves.next(message)));
  await write(halves.end());
}

function headText({ conversation_id, user_id, customer_id, metadata }: WireStoredMessage): string {
  const { external_conversation_id: external } = metadata;
  const title = harmlessLine(typeof external === 'string' ? `${external} (${conversation_id})` : conversation_id);
  const owner = harmlessLine(`user ${user_id} · customer ${customer_id}`);
  return `${styled('bold', wrapped(title, '', columns()))}\n${styled('dim', wrapped(owner, '', columns()))}\n`;
}
