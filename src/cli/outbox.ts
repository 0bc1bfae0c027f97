import type { KeptState } from '../outbox/sqlite/inspect.js';
import { type Command, defineCommand } from './command.js';
import { CONNECTION_FLAGS, wholeNumberProblem } from './flags.js';
import { listOutbox } from './outbox/list.js';
import { purgeOutbox } from './outbox/purge.js';
import { replayOutbox } from './outbox/replay.js';
import { outboxStatus } from './outbox/status.js';

const STATES: readonly KeptState[] = ['pending', 'in_flight', 'dead', 'expired'];
const DEFAULT_LIMIT = 100;

const FILE = { name: 'file', description: 'the file that sqliteOutbox({ path }) was given' };
const JSON_LINE = { type: 'boolean', description: 'print one line of JSON' } as const;
const KEYS = {
  type: 'string',
  value: 'message-key',
  description: 'only this one; repeatable (default: all)',
  multiple: true,
} as const;

const status = defineCommand({
  name: 'outbox status',
  summary: 'say how many messages wait, and how many are dead letters',
  description: 'Says how many messages wait, how many were delivered, and how many are dead letters.',
  argument: FILE,
  flags: { json: JSON_LINE },
  more: example('status ./outbox.db'),
  run: outboxStatus,
});

const list = defineCommand({
  name: 'outbox list',
  summary: 'list dead letters and what waits',
  description: 'Lists dead letters and what waits, oldest first. What the messages say is left out unless asked for.',
  argument: FILE,
  flags: {
    state: {
      type: 'string',
      value: 'state',
      description: 'only messages in this state; repeatable (default: all of them)',
      choices: STATES,
      multiple: true,
    },
    limit: {
      type: 'string',
      value: 'number',
      description: `how many at most (default: ${DEFAULT_LIMIT})`,
      problem: wholeNumberProblem,
    },
    content: { type: 'boolean', description: 'with what the messages say' },
    json: { type: 'boolean', description: 'print a line of JSON for each' },
  },
  more: example('list ./outbox.db --state dead --state expired'),
  run: (file, { state, limit = DEFAULT_LIMIT, content, json }) =>
    listOutbox(file, {
      state: state ? STATES.filter(each => state.includes(each)) : STATES,
      limit: Number(limit),
      content,
      json,
    }),
});

const replay = defineCommand({
  name: 'outbox replay',
  summary: 'send dead letters again, and what waits',
  description: 'Sends dead letters again, at the end of the line, and waits until all that was pending is sent.',
  argument: FILE,
  flags: {
    key: KEYS,
    ...CONNECTION_FLAGS,
    timeout: {
      type: 'string',
      value: 'seconds',
      description: 'how long to wait at most; what is left stays pending',
      problem: wholeNumberProblem,
    },
    json: JSON_LINE,
  },
  more: example('replay ./outbox.db'),
  run: (file, { key, 'base-url': baseUrl, 'api-key': apiKey, timeout, json }) =>
    replayOutbox(file, { key, baseUrl, apiKey, timeout: timeout === undefined ? undefined : Number(timeout), json }),
});

const purge = defineCommand({
  name: 'outbox purge',
  summary: 'delete dead letters',
  description: 'Deletes dead letters for good.',
  argument: FILE,
  flags: {
    key: KEYS,
    yes: { type: 'boolean', description: 'do it: without this it only says how many there are' },
    json: JSON_LINE,
  },
  more: example('purge ./outbox.db --yes'),
  run: purgeOutbox,
});

/** `synap-recorder outbox`: what waits in the file of a durable outbox, and what Synap did not take. */
export const outboxCommand: Command = {
  name: 'outbox',
  summary: 'look into the file of a durable outbox',
  description: 'Looks into the file of a durable outbox: what waits, and what Synap did not take.',
  flags: {},
  more: example('status ./outbox.db'),
  subcommands: [status, list, replay, purge],
};

function example(command: string): string {
  return `Example:\n  $ synap-recorder outbox ${command}\n`;
}
