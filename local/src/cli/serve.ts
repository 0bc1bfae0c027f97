import { type Command, Option } from 'commander';
import type { Tenancy } from 'synap-recorder';
import { isLoopbackName } from '../host-check.js';
import { type LocalSynap, startLocalSynap } from '../index.js';
import { isInForeground } from './foreground.js';
import { onInterrupt } from './interrupt.js';
import { parsePort } from './port.js';

interface ServeFlags {
  port: number;
  host?: string;
  allowedHost?: string[];
  database: string;
  tenancy?: Tenancy;
  strictB2c?: true;
  apiKey?: string[];
  json?: true;
}

const EXAMPLE = `
Example:
  $ synap-recorder-local serve --database ./transcripts.db
  $ export SYNAP_BASE_URL=http://127.0.0.1:8787
  $ export SYNAP_API_KEY=...        (printed at the start; stays the same for the database)
  $ curl -H "Authorization: Bearer $SYNAP_API_KEY" $SYNAP_BASE_URL/v1/conversations
`;

/** `synap-recorder-local serve`, or without a command: a Synap on this machine, until Ctrl-C. */
export function addServeCommand(program: Command): void {
  program
    .command('serve')
    .summary('run a Synap on this machine')
    .description('Runs a Synap on this machine: the API of the service, stored in one SQLite file.')
    .option('--port <number>', 'port to listen on; 0 picks a free one', parsePort, 8787)
    .option('--host <address>', 'address to listen on (default: 127.0.0.1, this machine only)')
    .option('--allowed-host <name>', 'host name under which others reach this server; repeatable', collect)
    .option('--database <file>', 'SQLite file for the transcripts; created when missing', './synap.db')
    .addOption(
      new Option(
        '--tenancy <kind>',
        'b2b: every message names a customer (default: that of the database; b2c for a new one)',
      ).choices(['b2c', 'b2b']),
    )
    .option('--strict-b2c', 'b2c: refuse messages that name a customer, as the service may')
    .option('--api-key <key>', 'API key to accept; repeatable (default: one generated for the database)', collect)
    .option('--json', 'print address, key, viewer link and database as one line of JSON')
    .addHelpText('after', EXAMPLE)
    .action(serve);
}

async function serve({
  port,
  host,
  allowedHost,
  database,
  tenancy,
  strictB2c,
  apiKey,
  json,
}: ServeFlags): Promise<void> {
  const local = await startLocalSynap({
    port,
    host,
    allowedHosts: allowedHost,
    database,
    tenancy,
    strictB2c,
    apiKeys: apiKey,
  });
  const stopped = stopOnSignal(local);
  process.stdout.write(json ? asJson(local) : asText(local, host));
  const stopListening = process.stdin.isTTY ? printLinkOnEnter(local) : () => {};
  await stopped;
  stopListening();
}

/** Resolves when a signal has come and everything is closed. */
function stopOnSignal(local: LocalSynap): Promise<void> {
  return new Promise((resolve, reject) => onInterrupt(() => local.close().then(resolve, reject)));
}

/** The link to the viewer works once, and a person may have two browsers. */
function printLinkOnEnter(local: LocalSynap): () => void {
  const printLink = () => process.stdout.write(`${local.viewerUrl()}\n`);
  const off = () => void process.stdin.off('data', printLink).pause();
  const listen = () => {
    off();
    if (isInForeground()) process.stdin.on('data', printLink).resume();
  };
  listen();
  // After Ctrl-Z, it may go on in the background (bg) or come back from there (fg).
  process.on('SIGCONT', listen);
  return () => {
    process.off('SIGCONT', listen);
    off();
  };
}

function asJson(local: LocalSynap): string {
  const { url, apiKey, tenancy, database } = local;
  return `${JSON.stringify({ url, apiKey, viewerUrl: local.viewerUrl(), tenancy, database })}\n`;
}

function asText(local: LocalSynap, host: string | undefined): string {
  const { url, apiKey, tenancy, database } = local;
  return `Synap (${tenancy}) runs on this machine: ${url}
${whoElse(host, url)}
  export SYNAP_BASE_URL=${url}
  export SYNAP_API_KEY=${apiKey}

Read the transcripts in the browser (the link works once${process.stdin.isTTY && isInForeground() ? '; Enter prints another' : ''}):

  ${local.viewerUrl()}

Database: ${database}
Ctrl-C stops it.
`;
}

/** Who can reach it beside this machine; nobody by default. */
function whoElse(host: string | undefined, url: string): string {
  if (host === undefined || isLoopbackName(host.toLowerCase()) || host === '::1') return '';
  const { port } = new URL(url);
  const where = ['0.0.0.0', '::', '[::]'].includes(host) ? 'every address of this machine' : host;
  return `It listens on ${where}: whoever can reach port ${port} there can try keys, and what travels is not encrypted.
`;
}

function collect(value: string, values: readonly string[] = []): string[] {
  return [...values, value];
}
