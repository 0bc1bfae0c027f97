// What background senders lose, and send twice, under the same faults. Run: npm run faults

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Backend, type Fault } from './delivery/backend.ts';
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
  try {
    const job: Job = {
      sender,
      settings: sender === 'synap' ? { ...settings, ...row.settings } : undefined,
      url: backend.url,
      directory,
      events: row.events,
      feed: 'at once',
      end: row.end,
    };
    const process = new SenderProcess(job);
    const exit = row.end === 'closed' ? await closeWhenQuiet(process, backend) : await process.endWithin(45 * SECOND);
    if (process.recordedAt === 0) throw new Error(`${sender} did not start: ${process.log}`);
    const before = backend.stored;
    if (row.end !== 'closed' && settings?.outbox === 'sqlite') {
      backend.recover();
      const next = new SenderProcess({ ...job, events: 0, end: 'closed' });
      await closeWhenQuiet(next, backend);
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
