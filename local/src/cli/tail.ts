import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import { EventSourceParserStream } from 'eventsource-parser/stream';
import { SynapError } from 'synap-recorder';
import { jsonLine, note, print } from 'synap-recorder/cli';
import type { WireStoredMessage } from '../wire.js';
import { addConnectionOptions, Connection, type ConnectionFlags } from './connection.js';
import { onInterrupt } from './interrupt.js';
import { addOwnerOptions, type OwnerFlags, resolveConversationId } from './source.js';
import { messageText } from './transcript.js';

interface TailFlags extends ConnectionFlags, OwnerFlags {
  conversation?: string;
  all?: true;
  json?: true;
}

const SECOND = 1000;
/** The server sends a heartbeat every 15 s: a connection that is silent for three times as long is dead. */
const SILENCE_MS = 45 * SECOND;
const FIRST_RETRY_MS = SECOND / 2;
const MAX_RETRY_MS = 10 * SECOND;

const EXAMPLE = `
Ctrl-C ends it with exit code 0. When the connection breaks it reconnects; nothing is missed or shown twice.

Example:
  $ synap-recorder-local tail
  $ synap-recorder-local tail --user ada
  $ synap-recorder-local tail --conversation chat-42 --user ada --json | jq .content
`;

/** `synap-recorder-local tail`: messages as they arrive, until Ctrl-C. */
export function addTailCommand(program: Command): void {
  const command = program
    .command('tail')
    .summary('print messages as they arrive')
    .description('Prints the messages of a local Synap as they arrive.')
    .option('--conversation <id>', "only this one: its UUID, or the app's own chat id together with --user");
  addOwnerOptions(command, 'only messages of this user');
  addConnectionOptions(command)
    .option('--all', 'begin with the messages that are already stored')
    .option('--json', 'print the messages as they are stored, one JSON object a line')
    .addHelpText('after', EXAMPLE)
    .action(tail);
}

async function tail(flags: TailFlags): Promise<void> {
  const stop = new AbortController();
  onInterrupt(() => stop.abort());
  const show = (message: WireStoredMessage) =>
    print(flags.json ? jsonLine(message) : `${messageText(message, { where: true })}\n`);
  try {
    await follow(new Connection(flags), queryOf(flags), show, stop.signal);
  } catch (error) {
    if (!stop.signal.aborted) throw error;
  }
}

function queryOf({ conversation, user, all, ...owner }: TailFlags): URLSearchParams {
  const query = new URLSearchParams();
  if (conversation !== undefined) query.set('conversation_id', resolveConversationId(conversation, { user, ...owner }));
  if (user !== undefined) query.set('user_id', user);
  if (all) query.set('after', '0');
  return query;
}

type Show = (message: WireStoredMessage) => Promise<void>;

/** Reads the events, reconnecting when the connection breaks. Only the first connection may fail. */
async function follow(connection: Connection, query: URLSearchParams, show: Show, stop: AbortSignal): Promise<void> {
  let lastEventId: string | undefined;
  let retryMs = FIRST_RETRY_MS;
  let lost = false;
  for (;;) {
    try {
      for await (const { event, id, data } of events(connection, query, lastEventId, stop)) {
        if (lost) note('reconnected');
        lost = false;
        retryMs = FIRST_RETRY_MS;
        if (event === 'message') await show(JSON.parse(data) as WireStoredMessage);
        lastEventId = id;
      }
      if (!lost) note('the server ended the stream; reconnecting');
    } catch (error) {
      stop.throwIfAborted();
      if (lastEventId === undefined || !SynapError.is(error) || !error.retryable) throw error;
      if (!lost) note(`${error.message}; reconnecting`);
    }
    lost = true;
    await sleep(retryMs, undefined, { signal: stop });
    retryMs = Math.min(2 * retryMs, MAX_RETRY_MS);
  }
}

/** The events of one connection. Ends when the server ends it; throws when it breaks. */
async function* events(
  connection: Connection,
  query: URLSearchParams,
  lastEventId: string | undefined,
  stop: AbortSignal,
) {
  const dead = new AbortController();
  const watch = setTimeout(() => dead.abort(), SILENCE_MS);
  try {
    const { stream } = await connection.getLocal(`/v1/events?${query}`, {
      ...(lastEventId !== undefined && { headers: { 'last-event-id': lastEventId } }),
      signal: AbortSignal.any([stop, dead.signal]),
    });
    if (!stream) return;
    const parser = new EventSourceParserStream({ onComment: () => watch.refresh() });
    for await (const event of stream.pipeThrough(new TextDecoderStream()).pipeThrough(parser)) {
      watch.refresh();
      yield event;
    }
  } finally {
    clearTimeout(watch);
  }
}
