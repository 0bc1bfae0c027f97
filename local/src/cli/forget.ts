import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline/promises';
import { type Command, InvalidArgumentError } from 'commander';
import { EXIT, Exit, harmlessLine, jsonLine, note, print } from 'synap-recorder/cli';
import { deadlineIn } from 'synap-recorder/wire';
import { Store } from '../store.js';
import { Connection } from './connection.js';
import { addSourceOptions, type SourceFlags } from './source.js';

interface ForgetFlags extends SourceFlags {
  user: string;
  customer?: string;
  yes?: true;
  json?: true;
}

/** As the server's route answers. */
interface Forgotten {
  messages_deleted: number;
  conversations_deleted: number;
  erased_from_disk: boolean;
}

const MINUTE = 60_000;
/** The file is written anew, however large it is. */
const TIMEOUT_MS = 30 * MINUTE;

const EXAMPLE = `
Deletes the messages of a user, and the answers that were recorded for them, from the file of a local Synap: from its
write-ahead log and its search index, too. What others said in the same conversations stays.

Example:
  $ synap-recorder-local forget --user ada
  $ synap-recorder-local forget --user ada --customer acme --database ./synap.db --yes
`;

/** `synap-recorder-local forget`: deletes what is stored of a user. */
export function addForgetCommand(program: Command): void {
  const command = program
    .command('forget')
    .summary('delete what is stored of a user, for good')
    .description('Deletes what a local Synap has stored of a user, for good.')
    .requiredOption('--user <id>', 'the user to forget', notEmpty)
    .option('--customer <id>', 'only what belongs to this customer (tenant)', notEmpty)
    .option('--yes', "don't ask");
  addSourceOptions(command)
    .option('--json', 'print what was deleted as one line of JSON')
    .addHelpText('after', EXAMPLE)
    .action(forget);
}

async function forget(flags: ForgetFlags): Promise<void> {
  const { user, customer, json } = flags;
  const connection = flags.database === undefined ? new Connection(flags) : undefined;
  const where = connection?.baseUrl ?? flags.database ?? '';
  const who = customer === undefined ? user : `${user} of ${customer}`;
  if (!flags.yes) await confirm(`Delete all that ${where} has stored of ${who}, for good? [y/N] `);
  const done = connection ? await forgetAt(connection, flags) : forgetIn(where, flags);
  const { messages_deleted: messages, conversations_deleted: conversations } = done;
  if (json) await print(jsonLine(done));
  else if (messages === 0) await print(`${harmlessLine(`Nothing is stored of ${who} in ${where}`)}\n`);
  else
    await print(
      `${messages} message${messages === 1 ? '' : 's'} deleted, and ${conversations} conversation${conversations === 1 ? '' : 's'} with them\n`,
    );
  if (done.erased_from_disk) return;
  note('Their texts may still be in the file: another program has it open, or the disk is full. Run it again later');
  throw new Exit(EXIT.error);
}

async function forgetAt(connection: Connection, { user, customer }: ForgetFlags): Promise<Forgotten> {
  const query = customer === undefined ? '' : `?${new URLSearchParams({ customer_id: customer })}`;
  const path = `/v1/users/${encodeURIComponent(user)}${query}`;
  const { stream } = await connection.getLocal(path, { method: 'DELETE', deadline: deadlineIn(TIMEOUT_MS) });
  let text = '';
  for await (const piece of stream?.pipeThrough(new TextDecoderStream()) ?? []) text += piece;
  return JSON.parse(text) as Forgotten;
}

function forgetIn(path: string, { user, customer }: ForgetFlags): Forgotten {
  if (!existsSync(path)) throw new Error(`${path} does not exist: check the path`);
  const store = new Store({ path });
  try {
    const { messages, ownConversations, erased } = store.forget({ userId: user, customerId: customer });
    return { messages_deleted: messages, conversations_deleted: ownConversations, erased_from_disk: erased };
  } finally {
    store.close();
  }
}

/** @throws Exit the answer is not yes */
async function confirm(question: string): Promise<void> {
  if (!process.stdin.isTTY) throw new Error('forget deletes for good: pass --yes where nobody can be asked');
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await terminal.question(harmlessLine(question)).finally(() => terminal.close());
  if (/^y(es)?$/i.test(answer.trim())) return;
  note('Nothing was deleted');
  throw new Exit(EXIT.error);
}

function notEmpty(value: string): string {
  if (value.trim() === '') throw new InvalidArgumentError('It must not be empty.');
  return value;
}
