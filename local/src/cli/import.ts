import { type Command, InvalidArgumentError, Option } from 'commander';
import { SynapClient, type Whoami } from 'synap-recorder';
import { EXIT, Exit, env, ProgressBar, print } from 'synap-recorder/cli';
import { addConnectionOptions, Connection, type ConnectionFlags } from './connection.js';
import { IMPORT_FORMATS, type ImportFormat } from './import/format.js';
import { ImportDelivery } from './import/import-delivery.js';
import { type ImportCounts, importFrom } from './import/import-run.js';
import { ImportState } from './import/import-state.js';
import { InputFile } from './import/input-file.js';
import { importProgress } from './import/progress.js';
import { summaryText } from './import/summary.js';
import { targetOf } from './import/target.js';
import { onInterrupt } from './interrupt.js';
import { addOwnerOptions, type OwnerFlags } from './source.js';

interface ImportFlags extends ConnectionFlags, OwnerFlags {
  format?: ImportFormat;
  conversation?: string;
  state?: string;
  requestsPerMinute?: number;
  ifUnknown: 'resend' | 'dead-letter';
  json?: true;
}

/** How long the Synap may take to say whose the key is. */
const WHOAMI_MS = 10_000;

const EXAMPLE = `
Formats, auto-detected; one JSON object a line, or one JSON array (of at most 64 MiB):
  synap      what synap-recorder-local export writes; keys and metadata come through as they are
  openai     {"id": "chat-1", "user": "ada", "messages": [{"role": "user", "content": "Hi"}, …]}
  ai-sdk     UI messages of the AI SDK 5 to 7: {"id": "chat-1", "userId": "ada", "messages": [{"role", "parts"}, …]}
  langchain  stored messages: {"session_id": "chat-1", "user_id": "ada", "messages": [{"type", "data"}, …]}

The messages are sent as they are: nothing redacts them. The same file again sends only what has not arrived, so an
interrupted import goes on where it stopped. <file>.synap-import, beside the file, records what has arrived at each
address; without it, everything is sent again.

Example:
  $ synap-recorder-local import conversations.jsonl
  $ synap-recorder-local import chat.json --format ai-sdk --user ada --conversation chat-42
  $ zcat old.jsonl.gz | synap-recorder-local import - --state old.synap-import
`;

/** `synap-recorder-local import`: finished conversations, from a file into Synap. */
export function addImportCommand(program: Command): void {
  const command = program
    .command('import')
    .summary('record finished conversations from a file')
    .description('Records conversations that are over, from a file, into Synap.')
    .argument('<file>', 'file to read; - reads stdin')
    .addOption(new Option('--format <format>', 'format of the file (default: auto-detected)').choices(IMPORT_FORMATS))
    .option('--conversation <id>', 'conversation of the messages, where the file names none');
  addOwnerOptions(command, 'user of the messages, where the file names none');
  addConnectionOptions(command)
    .option('--state <file>', 'file that records what has arrived (default: <file>.synap-import; for stdin none)')
    .option(
      '--requests-per-minute <n>',
      'rate limit, with up to 50 messages a request (default: 48; none for a local Synap)',
      parseRate,
    )
    .addOption(
      new Option('--if-unknown <what>', 'what to do with a message that may or may not have arrived')
        .choices(['resend', 'dead-letter'])
        .default('resend'),
    )
    .option('--json', 'print the result as one line of JSON')
    .addHelpText('after', EXAMPLE)
    .action(importFile);
}

async function importFile(file: string, flags: ImportFlags): Promise<void> {
  const input = new InputFile(file);
  // An outage later on is waited out; at the start, no answer most likely means a wrong address.
  await new Connection(flags).reach();
  const client = new SynapClient(flags);
  const { tenancy } = await client.whoami({ timeoutMs: WHOAMI_MS }).catch((): Whoami => ({}));
  const apiKey = flags.apiKey ?? env('SYNAP_API_KEY') ?? '';
  const { name, rateLimit } = targetOf(client.baseUrl, apiKey, flags.requestsPerMinute);
  const state = new ImportState(flags.state ?? (file === '-' ? ':memory:' : `${file}.synap-import`), name);
  const counts: ImportCounts = { delivered: 0, deliveredBefore: 0, repeated: 0, refused: 0, leftOut: {}, badLines: 0 };
  const begun = performance.now();
  const bar = new ProgressBar(() => {
    const { delivered, waiting } = delivery;
    const ms = performance.now() - begun;
    return importProgress({ ...counts, delivered, waiting, bytesRead: input.bytesRead, bytes: input.size, ms });
  });
  const log = (text: string) => bar.note(text.replace('[synap-recorder] ', ''));
  const delivery = new ImportDelivery({
    client,
    tenancy,
    state,
    rateLimit,
    ifUnknown: flags.ifUnknown,
    logger: { info: log, warn: log, error() {} },
    refused: (place, reason) => bar.note(`${place}: not recorded: ${reason}`),
  });
  let interrupted = false;
  onInterrupt(() => {
    interrupted = true;
    delivery.stop();
    input.stop();
  });
  const reading = {
    bytes: input,
    format: flags.format,
    defaults: {
      identity: { conversationId: flags.conversation, userId: flags.user, customerId: flags.customer },
      scope: flags.scope ?? 'user',
    },
    stopped: () => interrupted,
    bad: (place: string, problem: string) => bar.note(`${place} ${problem}`),
  };
  try {
    await importFrom(reading, delivery, counts);
    await delivery.finish();
  } finally {
    await delivery.close();
    bar.end();
    state.close();
    await client.close();
    counts.delivered = delivery.delivered;
    counts.refused = delivery.refused;
    const result = { ...counts, possibleDuplicates: delivery.possibleDuplicates, interrupted };
    await print(flags.json ? `${JSON.stringify(result)}\n` : summaryText(result, client.baseUrl));
  }
  if (interrupted) throw new Exit(EXIT.interrupted);
  if (counts.badLines + counts.refused > 0) throw new Exit(EXIT.incomplete);
}

function parseRate(text: string): number {
  const rate = Number(text);
  if (/^\d{1,6}$/.test(text) && rate > 0) return rate;
  throw new InvalidArgumentError('It must be a whole number above 0.');
}
