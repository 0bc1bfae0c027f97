import { type Command, InvalidArgumentError, Option } from 'commander';
import type { KeptState } from '../outbox/sqlite/inspect.js';
import { listOutbox } from './outbox/list.js';
import { purgeOutbox } from './outbox/purge.js';
import { replayOutbox } from './outbox/replay.js';
import { outboxStatus } from './outbox/status.js';

const STATES: readonly KeptState[] = ['pending', 'in_flight', 'dead', 'expired'];

/** `synap-recorder outbox`: what waits in the file of a durable outbox, and what Synap did not take. */
export function addOutboxCommand(program: Command): void {
  const outbox = program
    .command('outbox')
    .summary('look into the file of a durable outbox')
    .description('Looks into the file of a durable outbox: what waits, and what Synap did not take.');

  outbox
    .command('status')
    .description('Says how many messages wait, how many were delivered, and how many are dead letters.')
    .argument('<file>', 'the file that sqliteOutbox({ path }) was given')
    .option('--json', 'print one line of JSON')
    .addHelpText('after', example('status ./outbox.db'))
    .action(outboxStatus);

  outbox
    .command('list')
    .description('Lists dead letters and what waits, oldest first. What the messages say is left out unless asked for.')
    .argument('<file>', 'the file that sqliteOutbox({ path }) was given')
    .addOption(
      new Option('--state <state>', 'only messages in this state; repeatable')
        .choices(STATES)
        .default(STATES, 'all of them')
        .argParser(collectStates),
    )
    .option('--limit <number>', 'how many at most', wholeNumber, 100)
    .option('--content', 'with what the messages say')
    .option('--json', 'print a line of JSON for each')
    .addHelpText('after', example('list ./outbox.db --state dead --state expired'))
    .action(listOutbox);

  outbox
    .command('replay')
    .description('Sends dead letters again, at the end of the line, and waits until all that was pending is sent.')
    .argument('<file>', 'the file that sqliteOutbox({ path }) was given')
    .option('--key <message-key>', 'only this one; repeatable (default: all)', collect)
    .option('--base-url <url>', 'address of the Synap (default: SYNAP_BASE_URL, then the cloud)')
    .option('--api-key <key>', 'its API key (default: SYNAP_API_KEY, which no list of processes shows)')
    .option('--timeout <seconds>', 'how long to wait at most; what is left stays pending', wholeNumber)
    .option('--json', 'print one line of JSON')
    .addHelpText('after', example('replay ./outbox.db'))
    .action(replayOutbox);

  outbox
    .command('purge')
    .description('Deletes dead letters for good.')
    .argument('<file>', 'the file that sqliteOutbox({ path }) was given')
    .option('--key <message-key>', 'only this one; repeatable (default: all)', collect)
    .option('--yes', 'do it: without this it only says how many there are')
    .option('--json', 'print one line of JSON')
    .addHelpText('after', example('purge ./outbox.db --yes'))
    .action(purgeOutbox);
}

function example(command: string): string {
  return `\nExample:\n  $ synap-recorder outbox ${command}\n`;
}

function collect(value: string, values: readonly string[] = []): string[] {
  return [...values, value];
}

function collectStates(value: string, values: readonly KeptState[]): KeptState[] {
  const state = STATES.find(state => state === value);
  if (!state) throw new InvalidArgumentError(`It must be one of ${STATES.join(', ')}.`);
  return values === STATES ? [state] : [...values, state];
}

function wholeNumber(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It must be a whole number above 0.');
}
