import type { PurgeableState } from '../../outbox/outbox.js';
import type { KeptState } from '../../outbox/sqlite/inspect.js';
import { type Command, defineCommand } from '../command.js';
import { CONNECTION_FLAGS, wholeNumberProblem } from '../flags.js';
import { adoptMessages } from './adopt.js';
import { forgetMessages } from './forget.js';
import { listOutbox } from './list.js';
import { purgeOutbox } from './purge.js';
import { replayOutbox } from './replay.js';
import { salvageOutbox } from './salvage.js';
import { outboxStatus } from './status.js';

const STATES: readonly KeptState[] = ['pending', 'held', 'in_flight', 'dead', 'expired'];
const PURGEABLE: readonly PurgeableState[] = ['pending', 'held', 'dead', 'expired'];
const DEFAULT_LIMIT = 100;

const FILE = { name: 'file', description: 'the file that sqliteOutbox({ path }) was given' };
const JSON_LINE = { type: 'boolean', description: 'print one line of JSON' } as const;
const ACCOUNT = {
  type: 'string',
  value: 'account',
  description: 'only of this account (default: of all)',
} as const;
const KEYS = {
  type: 'string',
  value: 'message-key',
  description: 'only this one; repeatable (default: all)',
  multiple: true,
} as const;

const status = defineCommand({
  name: 'outbox status',
  summary: 'count pending messages and dead letters',
  description:
    'Counts the messages that are pending, in flight and delivered, and the dead letters; for each account, where there are several.',
  argument: FILE,
  flags: { json: JSON_LINE },
  more: example('status ./outbox.db'),
  run: outboxStatus,
});

const list = defineCommand({
  name: 'outbox list',
  summary: 'list dead letters and pending messages',
  description:
    'Lists dead letters and pending messages, oldest first; without their text, unless --content is given. A pending message that Synap refused by itself is held: it waits until other messages show whose fault that is.',
  argument: FILE,
  flags: {
    state: {
      type: 'string',
      value: 'state',
      description: 'only messages in this state; repeatable (default: all of them)',
      choices: STATES,
      multiple: true,
    },
    account: ACCOUNT,
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
  run: (file, { state, account, limit = DEFAULT_LIMIT, content, json }) =>
    listOutbox(file, {
      state: state ? STATES.filter(each => state.includes(each)) : STATES,
      account,
      limit: Number(limit),
      content,
      json,
    }),
});

const replay = defineCommand({
  name: 'outbox replay',
  summary: 'send dead letters again, and pending messages',
  description:
    'Puts dead letters at the end of the queue, sends all pending messages, and waits for Synap to answer. Only the messages of the account that the key belongs to are sent.',
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
  summary: 'delete dead letters, or pending messages',
  description:
    'Deletes dead letters for good, or what --state says, also while a process delivers. A message that was pending counts as dead-lettered then. What is in flight stays.',
  argument: FILE,
  flags: {
    state: {
      type: 'string',
      value: 'state',
      description: 'only messages in this state; repeatable (default: dead and expired)',
      choices: PURGEABLE,
      multiple: true,
    },
    account: ACCOUNT,
    key: KEYS,
    yes: { type: 'boolean', description: 'delete them; without it, they are only counted' },
    json: JSON_LINE,
  },
  more: example('purge ./outbox.db --yes'),
  run: (file, { state, account, key, yes, json }) =>
    purgeOutbox(file, {
      states: state ? PURGEABLE.filter(each => state.includes(each)) : ['dead', 'expired'],
      account,
      key,
      yes,
      json,
    }),
});

const adopt = defineCommand({
  name: 'outbox adopt',
  summary: "move one account's messages to another",
  description:
    'Moves pending messages and dead letters that were recorded for one account to another: they are sent under its key from then on. outbox status names the accounts. The other account is named by --to, or is that of --api-key and --base-url.',
  argument: FILE,
  flags: {
    from: { type: 'string', value: 'account', description: 'the account whose messages to move; required' },
    to: { type: 'string', value: 'account', description: 'the account that gets them (default: that of the key)' },
    ...CONNECTION_FLAGS,
    json: JSON_LINE,
  },
  more: example('adopt ./outbox.db --from staging --to production'),
  run: (file, { from, to, 'base-url': baseUrl, 'api-key': apiKey, json }) =>
    adoptMessages(file, { from, to, baseUrl, apiKey, json }),
});

const forget = defineCommand({
  name: 'outbox forget',
  summary: 'delete the messages of a user, for good',
  description:
    'Deletes what waits of a user, or of a conversation, and the dead letters: from the file and its write-ahead log. On a terminal it asks first. What was delivered is at Synap, and is deleted there. What is being sent stays: then the exit code is 1. A message that was pending counts as dead-lettered.',
  argument: FILE,
  flags: {
    user: { type: 'string', value: 'id', description: 'the user to forget, as it was recorded' },
    customer: { type: 'string', value: 'id', description: 'only what belongs to this customer (tenant)' },
    conversation: { type: 'string', value: 'id', description: "only this conversation: its UUID, or the app's own id" },
    yes: { type: 'boolean', description: "don't ask" },
    json: JSON_LINE,
  },
  more: example('forget ./outbox.db --user ada'),
  run: (file, { user, customer, conversation, yes, json }) =>
    forgetMessages(file, { user, customer, conversation, yes, json }),
});

const salvage = defineCommand({
  name: 'outbox salvage',
  summary: 'read what can be read of a damaged file into a new one',
  description:
    'Reads what can be read of a damaged file, page by page, and writes it into a new one, in the same order. It says what is lost, as far as that can be known. The damaged file is not changed. End the processes that use it before. What was in flight is pending in the new file, as what Synap may have.',
  argument: FILE,
  flags: {
    to: { type: 'string', value: 'file', description: 'the new file, which must not exist (default: <file>.salvaged)' },
    json: JSON_LINE,
  },
  more: example('salvage ./outbox.db'),
  run: (file, { to, json }) => salvageOutbox(file, { to, json }),
});

/** `synap-recorder outbox`: the pending messages and dead letters in the file of a durable outbox. */
export const outboxCommand: Command = {
  name: 'outbox',
  summary: 'inspect the file of a durable outbox',
  description: 'Lists, sends again, moves, deletes and saves what is in the file of a durable outbox.',
  flags: {},
  more: example('status ./outbox.db'),
  subcommands: [status, list, replay, purge, forget, adopt, salvage],
};

function example(command: string): string {
  return `Example:\n  $ synap-recorder outbox ${command}\n`;
}
