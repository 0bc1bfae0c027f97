// What background senders lose, and send twice, under the same faults. Run: npm run faults

import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Backend, type Fault } from './delivery/backend.ts';
import { startProxy } from './delivery/proxy.ts';
import { type Exit, type Job, SenderProcess } from './delivery/sender-process.ts';
import type { SynapSettings } from './delivery/senders.ts';
import { others, type Way } from './delivery/ways.ts';

const SECOND = 1000;

// `npm run faults -- outage 413` runs the rows with these words in their names only.
const wanted = process.argv.slice(2);

const columns: Way[] = [
  ...others,
  { name: '**synap-recorder**', sender: 'synap' },
  { name: '**synap-recorder**, SQLite', sender: 'synap', settings: { outbox: 'sqlite' } },
];

interface Row {
  name: string;
  fault?: Fault;
  events: number;
  end: Job['end'];
  /** What synap-recorder is set to here. */
  settings?: SynapSettings;
  /** The row is about this setting, which the others don't have. */
  oursOnly?: boolean;
  /** One sender after the other, because each needs the whole machine. */
  alone?: boolean;
  /** What happens to its process once it has recorded. */
  meanwhile?: (around: Around) => Promise<void>;
  /** Its clock is what stands in the file `clock` of its folder, as faketime reads it. */
  hasOwnClock?: boolean;
  /** The backend is reached through a proxy only, that stands in the environment, beside this. */
  proxied?: NodeJS.ProcessEnv;
}

interface Around {
  process: SenderProcess;
  directory: string;
  /** Another process that delivers from the same outbox; undefined where it is in memory. */
  next?: () => SenderProcess;
}

const FAKETIME = '/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1';

function clockOf(directory: string): NodeJS.ProcessEnv {
  const file = join(directory, 'clock');
  writeFileSync(file, '+0s');
  const monotonic = { DONT_FAKE_MONOTONIC: '1', FAKETIME_DONT_FAKE_MONOTONIC: '1' };
  return { LD_PRELOAD: FAKETIME, FAKETIME_TIMESTAMP_FILE: file, FAKETIME_NO_CACHE: '1', ...monotonic };
}

const EVENTS = 60;
const LEFT = 20;
const POISON = 30;
const down = { status: 503 };

const rows: Row[] = [
  {
    name: 'stored, then a reset (once)',
    fault: ({ index }) => (index === 0 ? { status: 0, stored: true, reset: true } : undefined),
    events: EVENTS,
    end: 'closed',
  },
  {
    name: "the same, `retry: { ifUnknown: 'dead-letter' }`",
    fault: ({ index }) => (index === 0 ? { status: 0, stored: true, reset: true } : undefined),
    events: EVENTS,
    end: 'closed',
    settings: { retry: { ifUnknown: 'dead-letter' } },
    oursOnly: true,
  },
  {
    name: 'stored, then 503 (once)',
    fault: ({ index }) => (index === 0 ? { ...down, stored: true } : undefined),
    events: EVENTS,
    end: 'closed',
  },
  {
    name: '413 above 5 events',
    fault: ({ events }) => (events.length > 5 ? { status: 413 } : undefined),
    events: EVENTS,
    end: 'closed',
  },
  {
    name: 'one poison event (422)',
    fault: ({ events }) => (events.includes(POISON) ? { status: 422 } : undefined),
    events: EVENTS,
    end: 'closed',
  },
  {
    name: 'stored, then the answer is cut (once)',
    fault: ({ index }) => (index === 0 ? { status: 200, stored: true, cut: true } : undefined),
    events: EVENTS,
    end: 'closed',
  },
  {
    name: 'a firewall dislikes one event (403, HTML)',
    fault: ({ events }) => (events.includes(POISON) ? { status: 403, html: true } : undefined),
    events: EVENTS,
    end: 'closed',
  },
  {
    name: 'two tenants, each with a key of its own',
    // What comes under another's key is refused for good.
    fault: ({ events, key }) =>
      events.some(event => key !== `Bearer k${Math.floor(event / 2) % 2}`) ? { status: 422 } : undefined,
    events: EVENTS,
    end: 'closed',
    settings: { tenants: 2 },
    oursOnly: true,
  },
  {
    name: 'stopped for 15 s (SIGSTOP), meanwhile another process starts',
    events: EVENTS,
    end: 'closed',
    async meanwhile({ process, next }) {
      process.signal('SIGSTOP');
      const other = next?.();
      await sleep(15 * SECOND);
      process.signal('SIGCONT');
      await other?.finish(45 * SECOND);
    },
  },
  {
    name: 'the clock is set 5 minutes ahead, then back, then to 1970; 10 s outage (503)',
    fault: ({ sinceFirstMs }) => (sinceFirstMs < 10 * SECOND ? down : undefined),
    events: EVENTS,
    end: 'closed',
    hasOwnClock: true,
    async meanwhile({ directory }) {
      for (const clock of ['+300s', '-300s', '@1970-01-01 00:00:10']) {
        await sleep(3 * SECOND);
        writeFileSync(join(directory, 'clock'), clock);
      }
    },
  },
  {
    name: 'only through a proxy (`HTTP_PROXY`)',
    events: EVENTS,
    end: 'closed',
    settings: { allowInsecure: true },
    proxied: {},
  },
  {
    name: 'the same, `NODE_USE_ENV_PROXY=1`',
    events: EVENTS,
    end: 'closed',
    settings: { allowInsecure: true },
    proxied: { NODE_USE_ENV_PROXY: '1' },
  },
  {
    name: '15 s outage (503)',
    fault: ({ sinceFirstMs }) => (sinceFirstMs < 15 * SECOND ? down : undefined),
    events: EVENTS,
    end: 'closed',
  },
  { name: 'burst of 5,000', events: 5000, end: 'closed', settings: { rateLimit: false }, alone: true },
  { name: 'ends by itself, no flush', events: LEFT, end: 'itself' },
  { name: 'ends by itself, no flush, backend 503', fault: () => down, events: LEFT, end: 'itself' },
  { name: '`process.exit()` at once', events: LEFT, end: 'exit' },
  { name: 'SIGTERM at once', events: LEFT, end: 'SIGTERM' },
  {
    name: 'the same, `closeOnSignals: true`',
    events: LEFT,
    end: 'SIGTERM',
    settings: { closeOnSignals: true },
    oursOnly: true,
  },
];

interface Outcome {
  lost: number;
  again: number;
  /** Losses that the sender reported, and whether it reported a failure at all. */
  reported: number;
  failed: boolean;
  /** Stored by a second process that was started on the same outbox. */
  later: number;
  exit: Exit;
}

async function run({ sender, settings }: Way, row: Row): Promise<Outcome> {
  const directory = mkdtempSync(join(tmpdir(), 'faults-'));
  const backend = await Backend.start(sender, { fault: row.fault });
  await using proxy = row.proxied && (await startProxy());
  try {
    const job: Job = {
      sender,
      settings: sender === 'synap' ? { ...settings, ...row.settings } : undefined,
      url: proxy?.hidden(backend.url) ?? backend.url,
      directory,
      events: row.events,
      feed: 'at once',
      end: row.end,
    };
    const process = new SenderProcess(job, {
      ...(row.hasOwnClock && clockOf(directory)),
      ...proxy?.env,
      ...row.proxied,
    });
    const next = () => new SenderProcess({ ...job, events: 0, end: 'closed' });
    if (row.meanwhile) {
      while (process.recordedAt === 0) await sleep(10);
      await row.meanwhile({ process, directory, ...(settings?.outbox === 'sqlite' && { next }) });
    }
    const exit = row.end === 'closed' ? await closeWhenQuiet(process, backend) : await process.endWithin(45 * SECOND);
    if (process.recordedAt === 0) throw new Error(`${sender} did not start: ${process.log}`);
    const before = backend.stored;
    if (row.end !== 'closed' && settings?.outbox === 'sqlite') {
      backend.recover();
      await closeWhenQuiet(next(), backend);
    }
    const { stored, storedAgain } = backend;
    const { lost: reported, failed } = process;
    return { lost: row.events - stored, again: storedAgain, reported, failed, later: stored - before, exit };
  } finally {
    await backend.close();
    rmSync(directory, { recursive: true });
  }
}

/** Longer than the longest time that a sender waits after its flush has ended. */
const QUIET_MS = 6 * SECOND;
const PATIENCE_MS = 120 * SECOND;

async function closeWhenQuiet(process: SenderProcess, backend: Backend): Promise<Exit> {
  const started = performance.now();
  let ended = false;
  process.exited.then(() => {
    ended = true;
  });
  while (!ended && !(process.flushed && backend.quietMs > QUIET_MS) && performance.now() - started < PATIENCE_MS)
    await sleep(100);
  return process.finish(45 * SECOND);
}

function losses({ lost, again, reported, failed, later, exit }: Outcome): string {
  const parts: string[] = [];
  if (lost > 0) parts.push(`L${lost}`);
  if (again > 0) parts.push(`D${again}`);
  if (exit.killed) parts.push('still trying');
  else if (lost > 0) parts.push(reported === 0 && failed ? 'said' : `U${Math.max(0, lost - reported)}`);
  if (later > 0) parts.push(`(${later} by the next process)`);
  return lost === 0 && again === 0 ? ['0', ...parts].join(' ') : parts.join(' ');
}

function ending({ exit: { code, signal, lived, killed } }: Outcome): string {
  const seconds = (lived / SECOND).toFixed(1);
  return killed ? `killed after ${seconds} s` : `${seconds} s, ${signal ?? code}`;
}

function table(of: (outcome: Outcome) => string, results: Map<Row, (Outcome | undefined)[]>): void {
  console.log(`\n| fault | ${columns.map(column => column.name).join(' | ')} |`);
  console.log(`|---|${columns.map(() => '---|').join('')}`);
  for (const [row, outcomes] of results)
    console.log(`| ${row.name} | ${outcomes.map(outcome => (outcome ? of(outcome) : '–')).join(' | ')} |`);
}

const results = new Map<Row, (Outcome | undefined)[]>();
for (const row of rows) {
  if (wanted.length > 0 && !wanted.some(word => row.name.includes(word))) continue;
  if (row.hasOwnClock && !existsSync(FAKETIME)) {
    console.error(`${row.name}: left out, libfaketime is missing (apt-get install faketime)`);
    continue;
  }
  const started = performance.now();
  const outcomes: (Outcome | undefined)[] = [];
  const fill = async (column: Way, place: number) => {
    outcomes[place] = row.oursOnly && column.sender !== 'synap' ? undefined : await run(column, row);
  };
  if (row.alone) for (const [place, column] of columns.entries()) await fill(column, place);
  else await Promise.all(columns.map(fill));
  results.set(row, outcomes);
  console.error(`${row.name}: ${((performance.now() - started) / SECOND).toFixed(0)} s`);
}
table(losses, results);
console.log('\nHow long the process lived after its last event, and its exit code or signal:');
table(ending, new Map([...results].filter(([row]) => row.end !== 'closed')));
