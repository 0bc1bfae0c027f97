import { createInterface } from 'node:readline/promises';
import { eraseNow } from '../../outbox/sqlite/erase.js';
import { countMatching, type Forgotten, forgetMatching } from '../../outbox/sqlite/forget.js';
import type { KeptEntry } from '../../outbox/sqlite/inspect.js';
import { UsageError } from '../command-line.js';
import { counted, jsonLine } from '../output.js';
import { harmlessLine } from '../terminal.js';

interface ForgetFlags {
  readonly user: string | undefined;
  readonly customer: string | undefined;
  readonly conversation: string | undefined;
  readonly yes: true | undefined;
  readonly json: true | undefined;
}

export async function forgetMessages(file: string, flags: ForgetFlags): Promise<void> {
  const { user, customer, conversation, yes, json } = flags;
  if (!user && !conversation)
    throw new UsageError("missing required option '--user <id>' or '--conversation <id>': whose messages to delete");
  const matches = matcher(flags);
  const found = countMatching(file, matches);
  if (!yes && process.stdin.isTTY && sum(found) > 0)
    await confirm(`Delete ${counted(sum(found), 'message')} from ${file}, for good? [y/N] `);
  const forgotten = forgetMatching(file, matches);
  // It is done also where nothing was found: what was delivered before may still be readable.
  const erased = await eraseNow(file);
  const { pending, deadLetters, inFlight } = forgotten;
  const who = [
    user && `user ${user}`,
    customer && `customer ${customer}`,
    conversation && `conversation ${conversation}`,
  ];
  process.stdout.write(
    json
      ? jsonLine({ pending, deadLetters, inFlight, erased })
      : `${harmlessLine(`${counted(pending, 'pending message')} and ${counted(deadLetters, 'dead letter')} of ${who.filter(Boolean).join(', ')} deleted`)}\n`,
  );
  if (inFlight > 0)
    throw new Error(
      `${counted(inFlight, 'message')} of theirs ${inFlight === 1 ? 'is' : 'are'} being sent right now: run the same command again`,
    );
  if (!erased)
    throw new Error(`their texts may still be in ${file}: another process has it open. Run the same command again`);
}

function matcher({ user, customer, conversation }: ForgetFlags): (entry: KeptEntry) => boolean {
  return ({ message }) =>
    (!user || message.userId === user) &&
    (!customer || message.customerId === customer) &&
    (!conversation ||
      message.conversationId === conversation.toLowerCase() ||
      message.metadata?.external_conversation_id === conversation);
}

function sum({ pending, deadLetters, inFlight }: Forgotten): number {
  return pending + deadLetters + inFlight;
}

async function confirm(question: string): Promise<void> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await terminal.question(harmlessLine(question)).finally(() => terminal.close());
  if (!/^y(es)?$/i.test(answer.trim())) throw new Error('nothing was deleted');
}
