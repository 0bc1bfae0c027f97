import type { Tenancy } from '../../synap/messages.js';
import { defineCommand } from '../command.js';
import { EXIT, Exit } from '../exit-code.js';
import { CONNECTION_FLAGS, type ConnectionFlags } from '../flags.js';
import { jsonLine, print } from '../output.js';
import { harmlessLine, styled } from '../terminal.js';
import { type Check, skipped } from './check.js';
import { checkMount } from './mount.js';
import { checkNetwork } from './network.js';
import { checkOutbox } from './outbox.js';
import { checkOwnerLock } from './owner-lock.js';
import { checkProject } from './project.js';
import { checkService } from './service.js';
import { checkSettings, type Endpoint } from './settings.js';

const TENANCIES = ['b2c', 'b2b'] as const satisfies Tenancy[];

interface DoctorFlags extends ConnectionFlags {
  readonly tenancy: Tenancy | undefined;
  readonly outbox: string | undefined;
  readonly json: true | undefined;
}

/** `synap-recorder doctor`: says what is wrong with this setup, and what to do about it. */
export const doctorCommand = defineCommand({
  name: 'doctor',
  summary: 'check this setup: what is wrong, and how to fix it',
  description: 'Checks whether messages can be recorded from here. Says what is wrong, and how to fix it.',
  flags: {
    ...CONNECTION_FLAGS,
    tenancy: {
      type: 'string',
      value: 'kind',
      description: 'the tenancy that the app is written for',
      choices: TENANCIES,
    },
    outbox: { type: 'string', value: 'file', description: 'check the file that sqliteOutbox({ path }) was given' },
    json: { type: 'boolean', description: 'print the findings as one line of JSON' },
  },
  more: `
Checks Node and the frameworks in this folder, the key, the address, the proxy, the network, whether it is Synap that
answers, the clock, the account, its credits, and the outbox with the place of its file. Sends no message, and prints no key. The exit code is 1 when something is wrong.

Example:
  $ synap-recorder doctor
  $ synap-recorder doctor --tenancy b2b --json | jq '.checks[] | select(.status == "wrong")'
`,
  run: (_, { 'base-url': baseUrl, 'api-key': apiKey, tenancy, outbox, json }) =>
    doctor({ baseUrl, apiKey, tenancy: TENANCIES.find(kind => kind === tenancy), outbox, json }),
});

async function doctor(flags: DoctorFlags): Promise<void> {
  const { endpoint, checks: settings } = checkSettings(flags);
  const checks = [
    ...checkProject(process.cwd()),
    ...settings,
    ...(await checkSynap(endpoint, flags.tenancy)),
    checkOutbox(flags.outbox),
    ...checkMount(flags.outbox),
    ...checkOwnerLock(flags.outbox),
  ];
  const wrong = checks.filter(({ status }) => status === 'wrong').length;
  await print(flags.json ? jsonLine({ ok: wrong === 0, checks }) : asText(checks, wrong));
  if (wrong > 0) throw new Exit(EXIT.error);
}

async function checkSynap(endpoint: Endpoint | undefined, tenancy: Tenancy | undefined): Promise<Check[]> {
  if (endpoint === undefined) return [skipped('connection', 'the address is wrong')];
  const network = await checkNetwork(endpoint.synap.baseUrl, endpoint.proxy);
  if (network.some(({ status }) => status === 'wrong')) return network;
  return [...network, ...(await checkService(endpoint, tenancy))];
}

const MARKS = {
  ok: ['green', '✓'],
  warning: ['yellow', '!'],
  wrong: ['red', '✗'],
  skipped: ['dim', '-'],
} as const;

function asText(checks: readonly Check[], wrong: number): string {
  const width = Math.max(...checks.map(({ name }) => name.length));
  const lines = checks.map(({ name, status, finding, advice }) => {
    const [style, mark] = MARKS[status];
    const line = `${styled(style, mark)} ${name.padEnd(width)}  ${harmlessLine(finding)}\n`;
    return advice === undefined ? line : `${line}${' '.repeat(width + 4)}→ ${harmlessLine(advice)}\n`;
  });
  const end = wrong === 0 ? 'Nothing is wrong.' : `${wrong} ${wrong === 1 ? 'thing is' : 'things are'} wrong.`;
  return `${lines.join('')}\n${end}\n`;
}
