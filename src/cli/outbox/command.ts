import type { KeptState } from '../../outbox/sqlite/inspect.js';
import { type Command, defineCommand } from '../command.js';
import { CONNECTION_FLAGS, wholeNumberProblem } from '../flags.js';
import { listOutbox } from './list.js';
import { purgeOutbox } from './purge.js';
import { replayOutbox } from './replay.js';
import { outboxStatus } from './status.js';

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
  summary: 'count pending messages and dead letters',
  description: 'Counts the messages that are pending, in flight and delivered, and the dead letters.',
  argument: FILE,
  flags: { json: JSON_LINE },
  more: example('status ./outbox.db'),
  run: outboxStatus,
});

const list = defineCommand({
  name: 'outbox list',
  summary: 'list dead letters and pending messages',
  description: 'Lists dead letters and pending messages, oldest first; without their text, unless --content is given.',
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
    content: { type: 'boolean', description: 'print the text of each message, too' },
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
  summary: 'send dead letters again, and pending messages',
  description: 'Puts dead letters at the end of the queue, sends all pending messages, and waits for Synap to answer.',
  argument: FILE,
  flags: {
    key: KEYS,
    ...CONNECTION_FLAGS,
    timeout: {
      type: 'string',
      value: 'seconds',
      description: 'stop waiting after so long; the rest stays pending',
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
    yes: { type: 'boolean', description: 'delete them; without it, they are only counted' },
    json: JSON_LINE,
  },
  more: example('purge ./outbox.db --yes'),
  run: purgeOutbox,
});

/** `synap-recorder outbox`: the pending messages and dead letters in the file of a durable outbox. */
export const outboxCommand: Command = {
  name: 'outbox',
  summary: 'inspect the file of a durable outbox',
  description: 'Lists, sends again and deletes what is in the file of a durable outbox.',
  flags: {},
  more: example('status ./outbox.db'),
  subcommands: [status, list, replay, purge],
};

function example(command: string): string {
  return `Example:\n  $ synap-recorder outbox ${command}\n`;
}
